/* device_step: whatever a broker sends, and whoever plays with card, button and power, C7 holds. */
#include <string.h>

#include "devices/device.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define EVENTS_MAX 300

static const char *const cards[] = {"0000000001", "0000000002", "0000000911"};
#define CARDS (sizeof cards / sizeof cards[0])
#define EMERGENCY_CARD 2

static const char *const boots[] = {"boot-a", "boot-b", "boot-c", "boot-d"};
#define BOOTS (sizeof boots / sizeof boots[0])

struct play {
    struct device_config config;
    struct device device;
    struct device before;
    struct device_outputs out;
    struct device_keep flash;
    uint64_t now_ms;
    uint64_t agreed_ms[DEVICE_RELAYS]; /* first of the "on" without a card; DEVICE_NEVER: none */
    uint32_t edge_seq;                 /* of the report that told of the newest card or press */
    bool edge_untold;
    bool press_untold;
    uint32_t press_seq;
    bool press_heard;
};

static bool is_newest(const struct play *play, const struct device_command *command)
{
    const struct device_version *applied = &play->before.applied;
    bool own = command->boot_id != NULL && strcmp(command->boot_id, play->before.boot_id) == 0;
    bool older =
        play->before.has_applied &&
        (command->version.epoch < applied->epoch ||
         (command->version.epoch == applied->epoch && command->version.rev < applied->rev));

    return own && !older &&
           command->seq >= (play->edge_untold ? play->before.seq + 1 : play->edge_seq);
}

static bool needs_card(const struct device_command *command, int relay)
{
    return relay == 0 ? command->needs_card : command->second_needs_card;
}

static bool wants(const struct device_command *command, int relay)
{
    return command->relay && (relay == 0 || command->second_relay);
}

/* A card that was seen going in, and not too long ago. */
static bool card_may_open(const struct play *play)
{
    const struct device *device = &play->device;

    return device->reader == DEVICE_READER_CARD && device->card_seen &&
           play->now_ms - device->card_ms <= play->config.on_window_ms;
}

/* C7.1, C7.5, C7.8: why a relay may go on. */
static bool may_go_on(const struct play *play, const struct device_event *event, int relay)
{
    const struct device_command *command = &event->command;
    const struct device *before = &play->before;
    bool delayed = play->agreed_ms[relay] != DEVICE_NEVER &&
                   play->now_ms - play->agreed_ms[relay] >= play->config.start_delay_ms;
    bool asked = event->type == DEVICE_EVENT_COMMAND && wants(command, relay) &&
                 needs_card(command, relay) && is_newest(play, command) && card_may_open(play);
    bool emergency = relay == 0 && play->device.emergency && play->device.card_emergency &&
                     play->now_ms - before->command_ms >= DEVICE_LINK_GONE_MS &&
                     card_may_open(play) && !play->device.keep.last_oops &&
                     !play->device.keep.last_lockout;

    return !play->device.button_down && !play->device.keep.press && (delayed || asked || emergency);
}

static void check_relays(const struct play *play, const struct device_event *event)
{
    const struct device *before = &play->before;
    const struct device_command *command = &event->command;
    const bool *relay = play->out.relay;

    for (int i = 0; i < DEVICE_RELAYS; i++) {
        bool was_on = event->type != DEVICE_EVENT_BOOT && before->relays[i].on;
        FUZZ_CHECK(!relay[i] || was_on || may_go_on(play, event, i));
        /* C7.3 */
        FUZZ_CHECK(
            !relay[i] || !play->device.relays[i].needs_card ||
            play->device.reader == DEVICE_READER_CARD);
    }
    FUZZ_CHECK(!relay[1] || (relay[0] && play->config.second_relay));
    FUZZ_CHECK(!relay[0] || (!play->device.button_down && !play->device.keep.press));
    if (event->type == DEVICE_EVENT_COMMAND && !command->relay) {
        bool stop = command->oops_led || command->lockout;
        bool own = command->boot_id != NULL && strcmp(command->boot_id, before->boot_id) == 0;

        /* C7.2: what is obeyed, and what is not, to the letter. */
        FUZZ_CHECK(!stop || !relay[0]);
        FUZZ_CHECK(
            stop || own || !before->relays[0].on || relay[0] || before->out_ms <= play->now_ms);
    }
}

static void check_report(struct play *play)
{
    const struct device_report *report = &play->out.report;

    if (!play->out.send_report) {
        return;
    }
    FUZZ_CHECK(report->seq > 0 && report->seq >= play->before.seq);
    FUZZ_CHECK(report->oops == play->device.keep.press);
    FUZZ_CHECK(strcmp(report->boot_id, play->device.boot_id) == 0);
    if (play->edge_untold) {
        FUZZ_CHECK(report->seq > play->edge_seq);
        play->edge_untold = false;
        play->edge_seq = report->seq;
    }
    if (play->press_untold) {
        FUZZ_CHECK(report->oops || play->press_heard);
        play->press_untold = false;
        play->press_seq = report->seq;
    }
}

static void check_outputs(const struct play *play, const struct device_event *event)
{
    const struct device_outputs *out = &play->out;
    const struct device *before = &play->before;

    for (int line = 0; line < DEVICE_LCD_LINES; line++) {
        FUZZ_CHECK(strlen(out->lcd[line]) <= DEVICE_LCD_COLUMNS);
        for (const char *at = out->lcd[line]; *at != '\0'; at++) {
            FUZZ_CHECK(*at >= ' ' && *at <= '~');
        }
        for (size_t i = 0; i < CARDS; i++) {
            FUZZ_CHECK(strstr(out->lcd[line], cards[i]) == NULL); /* C7.9 */
        }
    }
    FUZZ_CHECK(out->send_pong == (event->type == DEVICE_EVENT_PROBE && before->running));
    /* Called in time it asks for a later one, or it would turn for ever. */
    FUZZ_CHECK(event->type != DEVICE_EVENT_TICK || out->next_deadline_ms > play->now_ms);
    if (out->reboot) {
        bool asked = event->type == DEVICE_EVENT_RESTART;

        FUZZ_CHECK(!out->relay[0] && !out->relay[1]);
        FUZZ_CHECK(
            (asked && event->restart.force) || (!before->relays[0].on && !before->relays[1].on) ||
            before->out_ms <= play->now_ms);
        FUZZ_CHECK(asked || play->now_ms - before->command_ms >= DEVICE_REBOOT_MS);
    }
}

/* C7.3: a press ends only when the controller has shown that it heard of it, and the button is up.
 */
static void follow_press(struct play *play, const struct device_event *event)
{
    const struct device_command *command = &event->command;
    bool was = event->type == DEVICE_EVENT_BOOT ? play->flash.press : play->before.keep.press;
    bool down = event->type == DEVICE_EVENT_BOOT
                    ? event->boot.button_down
                    : event->type == DEVICE_EVENT_BUTTON_DOWN && !play->before.button_down;

    if (down || (event->type == DEVICE_EVENT_BOOT && was)) {
        play->press_untold = play->before.running || event->type == DEVICE_EVENT_BOOT;
        play->press_heard = false;
        FUZZ_CHECK(play->device.keep.press || !play->device.running);
    }
    if (event->type == DEVICE_EVENT_COMMAND && command->oops_led && command->boot_id != NULL &&
        strcmp(command->boot_id, play->before.boot_id) == 0 &&
        command->seq >= (play->press_untold ? play->before.seq + 1 : play->press_seq)) {
        play->press_heard = true;
    }
    FUZZ_CHECK(!was || play->device.keep.press || (play->press_heard && !play->device.button_down));
}

static void step(struct play *play, struct device_event *event)
{
    bool is_boot = event->type == DEVICE_EVENT_BOOT;

    event->now_ms = play->now_ms;
    play->before = play->device;
    if (is_boot) {
        play->edge_untold = play->press_untold = play->press_heard = false;
        play->edge_seq = play->press_seq = 0;
    }
    device_step(&play->config, &play->device, event, &play->out);
    if (play->out.save) {
        play->flash = play->out.keep;
    }
    if (is_boot || play->device.edge_seq != play->before.edge_seq) {
        play->edge_untold = play->device.edge_seq > play->device.seq || play->out.send_report;
    }
    follow_press(play, event);
    check_relays(play, event);
    check_outputs(play, event);
    check_report(play);
    for (int i = 0; i < DEVICE_RELAYS; i++) {
        if (play->device.relays[i].start_ms == DEVICE_NEVER) {
            play->agreed_ms[i] = DEVICE_NEVER;
        } else if (play->agreed_ms[i] == DEVICE_NEVER) {
            play->agreed_ms[i] = i == 1 ? play->agreed_ms[0] : play->now_ms;
        }
        if (play->agreed_ms[i] == DEVICE_NEVER && play->device.relays[i].start_ms != DEVICE_NEVER) {
            play->agreed_ms[i] = play->now_ms;
        }
    }
}

/* ---- from bytes ---- */

static void make_command(struct play *play, struct bytes *bytes, struct device_command *command)
{
    static const char *const displays[] = {
        NULL, "", "Welcome,\nAda", "a\nb\nc",
        "\xc3\x9c\xf0\x9f\x98\x80 longer than sixteen\n\xff\xfe"};
    uint8_t flags = bytes_8(bytes);
    uint8_t choice = bytes_8(bytes);
    size_t boot = bytes_below(bytes, 8);

    *command = (struct device_command){
        .relay = (flags & 1) != 0,
        .second_relay = (flags & 2) != 0,
        .oops_led = (flags & 12) == 12,
        .lockout = (flags & 48) == 48,
        .needs_card = (flags & 64) == 0,
        .second_needs_card = (flags & 128) == 0,
        .display = displays[choice % 5],
        .rgb = {1, 0.5F, 0},
        .brightness = 0.5F,
        .boot_id = boot < BOOTS ? boots[boot]
                   : boot == 7  ? NULL
                                : play->device.boot_id,
        .seq = play->device.seq,
        .version = play->device.applied,
    };
    switch (choice / 8 % 4) {
    case 0:
        command->version.rev++;
        break;
    case 1:
        command->version.rev -= bytes_8(bytes) % 3;
        break;
    case 2:
        command->version = (struct device_version){bytes_8(bytes) % 4, bytes_32(bytes)};
        break;
    default:
        break;
    }
    if (choice >= 192) {
        command->seq -= bytes_8(bytes) % 4;
    } else if (choice >= 184) {
        command->seq = bytes_32(bytes);
    }
}

static void boot(struct play *play, struct bytes *bytes)
{
    uint8_t choice = bytes_8(bytes);
    struct device_event event = {
        .type = DEVICE_EVENT_BOOT,
        .boot = {
            .boot_id = boots[choice % BOOTS],
            .seed = bytes_16(bytes),
            .keep = play->flash,
            .button_down = choice >= 224,
        }};

    step(play, &event);
}

static void configure(struct play *play, struct bytes *bytes)
{
    uint8_t flags = bytes_8(bytes);

    device_config_default(&play->config);
    play->config.card_present_line = (flags & 1) != 0;
    play->config.second_relay = (flags & 2) != 0;
    play->config.contact = (flags & 4) != 0;
    if ((flags & 8) != 0) {
        play->config.reconnect_random_ms = 0;
        play->config.start_delay_random_ms = 0;
    }
}

static void happen(struct play *play, struct bytes *bytes)
{
    uint8_t choice = bytes_8(bytes);
    struct device_event event = {.type = DEVICE_EVENT_COMMAND};

    if (choice < 160) {
        event.type = (enum device_event_type)(choice % (DEVICE_EVENT_LINK_DOWN + 1));
    }
    switch (event.type) {
    case DEVICE_EVENT_BOOT:
        boot(play, bytes);
        return;
    case DEVICE_EVENT_CARD_IN: {
        size_t card = bytes_below(bytes, CARDS);
        event.card = (struct device_card){cards[card], card == EMERGENCY_CARD};
        break;
    }
    case DEVICE_EVENT_CONTACT:
        choice = bytes_8(bytes);
        event.contact = (struct device_contact){(choice & 1) != 0, (choice & 2) != 0};
        break;
    case DEVICE_EVENT_COMMAND:
        make_command(play, bytes, &event.command);
        break;
    case DEVICE_EVENT_PROBE:
        event.probe_id = bytes_8(bytes);
        break;
    case DEVICE_EVENT_RESTART:
        event.restart = (struct device_restart){1, bytes_bool(bytes)};
        break;
    case DEVICE_EVENT_CARD_OUT:
    case DEVICE_EVENT_READER_LOST:
    case DEVICE_EVENT_READER_BACK:
    case DEVICE_EVENT_BUTTON_DOWN:
    case DEVICE_EVENT_BUTTON_UP:
    case DEVICE_EVENT_TICK:
    case DEVICE_EVENT_LINK_UP:
    case DEVICE_EVENT_LINK_DOWN:
        break;
    }
    step(play, &event);
}

static void pass(struct play *play, struct bytes *bytes)
{
    uint8_t how = bytes_8(bytes);

    if (how < 96 && play->out.next_deadline_ms != DEVICE_NEVER &&
        play->out.next_deadline_ms > play->now_ms) {
        struct device_event tick = {.type = DEVICE_EVENT_TICK};
        play->now_ms = play->out.next_deadline_ms;
        step(play, &tick);
    } else if (how >= 224) {
        play->now_ms += (uint64_t)bytes_ms(bytes);
    } else {
        play->now_ms += how % 16;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct play play = {.now_ms = 1000000, .agreed_ms = {DEVICE_NEVER, DEVICE_NEVER}};

    configure(&play, &bytes);
    boot(&play, &bytes);
    for (size_t i = 0; i < EVENTS_MAX && !bytes_end(&bytes); i++) {
        pass(&play, &bytes);
        if (play.out.reboot) {
            boot(&play, &bytes);
        }
        happen(&play, &bytes);
    }
    return 0;
}
