/* What may switch a relay on and what cuts it (C7.1, C7.2, C7.3, C7.5, C7.8). */
#include <string.h>

#include "devices/device_inside.h"

void device_cut(struct device *device, int relay)
{
    device->relays[relay].on = false;
    device->relays[relay].start_ms = DEVICE_NEVER;
}

/* The card that was in is not in any more: it went out, or another one came. */
void device_card_left(struct device *device)
{
    int i;

    device->again = false;
    device->ask_again = false;
    device->emergency = false;
    device->card_emergency = false;
    for (i = 0; i < DEVICE_RELAYS; i++) {
        if (device->relays[i].needs_card) {
            device_cut(device, i);
        }
    }
}

void device_enforce(struct device *device)
{
    int i;

    for (i = 0; i < DEVICE_RELAYS; i++) {
        if (device->relays[i].needs_card && device->reader != DEVICE_READER_CARD) {
            device_cut(device, i);
        }
    }
    if (!device->relays[0].on) {
        device->relays[1].on = false;
        if (device->relays[0].start_ms == DEVICE_NEVER) {
            device->relays[1].start_ms = DEVICE_NEVER;
        }
    }
}

/* The delay is over. What agreed to the start must still be the newest word: a card or a press in
 * between asks for another "on", and while the broker is away no "off" could come. */
static void start(struct device *device, int relay)
{
    struct device_relay *it = &device->relays[relay];
    bool agreed = device->connected && !device->button_down && !device->keep.press &&
                  it->start_seq >= device->edge_seq && (relay == 0 || device->relays[0].on);

    it->start_ms = DEVICE_NEVER;
    it->on = agreed;
}

void device_relays_time(struct device *device)
{
    int i;

    for (i = 0; i < DEVICE_RELAYS; i++) {
        if (device->now_ms >= device->relays[i].start_ms) {
            start(device, i);
        }
    }
}

static int compare(struct device_version a, struct device_version b)
{
    if (a.epoch != b.epoch) {
        return a.epoch < b.epoch ? -1 : 1;
    }
    return a.rev < b.rev ? -1 : a.rev > b.rev;
}

static bool is_own(const struct device *device, const struct device_command *command)
{
    return command->boot_id && command->boot_id[0] &&
           strcmp(command->boot_id, device->boot_id) == 0;
}

static bool wants(const struct device_command *command, int relay)
{
    return command->relay && (relay == 0 || command->second_relay);
}

/* C5: only a relay that is to be on can do without a card. */
static bool wants_card(const struct device_command *command, int relay)
{
    bool needs = relay == 0 ? command->needs_card : command->second_needs_card;

    return needs || !wants(command, relay);
}

/* C7.1, what the card has to do with it. */
static enum device_refusal
card_refusal(const struct device_config *config, const struct device *device)
{
    if (device->reader != DEVICE_READER_CARD) {
        return DEVICE_REFUSED_NO_CARD;
    }
    if (device->out_ms != DEVICE_NEVER) {
        return DEVICE_REFUSED_CARD_LEAVING;
    }
    if (!device->card_seen) {
        return DEVICE_REFUSED_CARD_NOT_SEEN;
    }
    if (device->now_ms - device->card_ms > config->on_window_ms) {
        return DEVICE_REFUSED_WINDOW;
    }
    return DEVICE_OBEYED;
}

static enum device_refusal
age_refusal(const struct device_command *command, bool own, bool current, uint32_t least_seq)
{
    if (!own) {
        return DEVICE_REFUSED_OTHER_BOOT;
    }
    if (!current) {
        return DEVICE_REFUSED_OLD_VERSION;
    }
    return command->seq < least_seq ? DEVICE_REFUSED_OLD_SEQ : DEVICE_OBEYED;
}

/* C7.1: whether a relay that is off may go on. */
static enum device_refusal on_refusal(
    const struct device_config *config, const struct device *device,
    const struct device_command *command, int relay)
{
    if (device->button_down) {
        return DEVICE_REFUSED_BUTTON_DOWN;
    }
    if (device->keep.press) {
        return DEVICE_REFUSED_PRESS_LATCHED;
    }
    if (relay == 1 && !config->second_relay) {
        return DEVICE_REFUSED_NO_SECOND_RELAY;
    }
    if (relay == 1 && !device->relays[0].on &&
        (wants_card(command, 1) || device->relays[0].start_ms == DEVICE_NEVER)) {
        return DEVICE_REFUSED_FIRST_RELAY_OFF;
    }
    return wants_card(command, relay) ? card_refusal(config, device) : DEVICE_OBEYED;
}

/* C7.5. The second relay joins a first one that is about to start. */
static void
delay_start(const struct device_config *config, struct device *device, int relay, uint32_t seq)
{
    struct device_relay *it = &device->relays[relay];

    it->start_seq = seq;
    if (it->start_ms == DEVICE_NEVER && relay == 1 && !device->relays[0].on) {
        it->start_ms = device->relays[0].start_ms;
    } else if (it->start_ms == DEVICE_NEVER) {
        it->start_ms = device->now_ms + config->start_delay_ms +
                       device_random(device, config->start_delay_random_ms + 1);
    }
}

static enum device_refusal switch_on(
    const struct device_config *config, struct device *device, const struct device_command *command,
    int relay, enum device_refusal age)
{
    struct device_relay *it = &device->relays[relay];
    enum device_refusal refusal;

    if (it->on) {
        /* It goes on by the right of a card, from now: not by that of one that has left. */
        if (age == DEVICE_REFUSED_OLD_SEQ && wants_card(command, relay) && !it->needs_card) {
            device_cut(device, relay);
            return age;
        }
        return DEVICE_OBEYED;
    }
    if (wants_card(command, relay)) {
        it->start_ms = DEVICE_NEVER;
    }
    refusal = age != DEVICE_OBEYED ? age : on_refusal(config, device, command, relay);
    if (refusal != DEVICE_OBEYED) {
        return refusal;
    }
    if (wants_card(command, relay)) {
        it->on = true;
    } else {
        delay_start(config, device, relay, command->seq);
    }
    return DEVICE_OBEYED;
}

/* C7.2. A start that is only about to happen is called off by any "off": the next "on" makes up
 * for it. */
static enum device_refusal switch_off(
    struct device *device, const struct device_command *command, int relay, enum device_refusal age)
{
    device->relays[relay].start_ms = DEVICE_NEVER;
    if (age != DEVICE_OBEYED && !command->oops_led && !command->lockout) {
        return device->relays[relay].on ? age : DEVICE_OBEYED;
    }
    device_cut(device, relay);
    if (relay == 0) {
        device->emergency = false;
        device->card_emergency = false;
    }
    return DEVICE_OBEYED;
}

static void show(struct device *device, const struct device_command *command)
{
    device_text_fold(device->shown, command->display);
    memcpy(device->shown_led.rgb, command->rgb, sizeof device->shown_led.rgb);
    device->shown_led.brightness = command->brightness;
}

/* C7.4 "applied"; the relays have been seen to. */
static void apply(struct device *device, const struct device_command *command)
{
    bool newer = !device->has_applied || compare(command->version, device->applied) > 0;
    int i;

    if (newer || command->seq > device->applied_seq) {
        device->command_ms =
            device->now_ms; /* a retained one that comes again is no sign of life */
    }
    device->ack_changed = device->ack_changed || newer;
    if (device->shown_oops != command->oops_led || device->shown_lockout != command->lockout) {
        device->changed = true;
    }
    device->has_applied = true;
    device->applied = command->version;
    device->applied_seq = command->seq;
    device->shown_oops = command->oops_led;
    device->shown_lockout = command->lockout;
    device->keep.last_oops = command->oops_led;
    device->keep.last_lockout = command->lockout;
    for (i = 0; i < DEVICE_RELAYS; i++) {
        device->relays[i].needs_card = wants_card(command, i);
    }
    show(device, command);
}

static bool is_window(enum device_refusal refusal)
{
    return refusal == DEVICE_REFUSED_WINDOW || refusal == DEVICE_REFUSED_CARD_NOT_SEEN;
}

/* No oops, and newer than one that showed it: it was cleared, or is not known. */
static void take_clear(struct device *device, const struct device_command *command)
{
    bool knows = command->seq >= device->let_go_seq;

    device->let_go_seq = 0;
    if (!knows) {
        device_press_again(device);
    }
}

/* What an answer tells about reports, whatever becomes of its relays. */
static void take_answer(struct device *device, const struct device_command *command)
{
    if (command->seq > device->answered_seq) {
        device->answered_seq = command->seq < device->seq ? command->seq : device->seq;
    }
    if (command->oops_led && command->seq >= device->press_seq) {
        device->press_heard = device->keep.press;
    }
}

void device_take_command(
    const struct device_config *config, struct device *device, const struct device_command *command,
    struct device_outputs *outputs)
{
    bool own = is_own(device, command);
    bool current = own && (!device->has_applied || compare(command->version, device->applied) >= 0);
    uint32_t off_seq = device->reader == DEVICE_READER_CARD ? device->card_seq : 0;
    int i;

    for (i = 0; i < DEVICE_RELAYS; i++) {
        outputs->refused_on[i] = wants(command, i);
        outputs->refused[i] =
            wants(command, i)
                ? switch_on(
                      config, device, command, i,
                      age_refusal(command, own, current, device->edge_seq))
                : switch_off(device, command, i, age_refusal(command, own, current, off_seq));
    }
    if (own) {
        take_answer(device, command);
    }
    if (device->commanded_ms <= device->sent_ms) {
        device->commanded_ms = device->now_ms;
    }
    if (current && !command->oops_led) {
        take_clear(device, command);
    }
    if (current) {
        device->again = is_window(outputs->refused[0]) || is_window(outputs->refused[1]);
        device->ask_again = outputs->refused[0] == DEVICE_REFUSED_CARD_LEAVING ||
                            outputs->refused[1] == DEVICE_REFUSED_CARD_LEAVING;
        apply(device, command);
    } else {
        device->keep.last_oops = device->keep.last_oops || command->oops_led;
        device->keep.last_lockout = device->keep.last_lockout || command->lockout;
    }
}

static bool emergency_may(const struct device *device)
{
    return device_link_gone(device) && device->reader == DEVICE_READER_CARD &&
           device->card_emergency && !device->emergency && !device->button_down &&
           !device->keep.press && !device->keep.last_oops && !device->keep.last_lockout &&
           !device->relays[0].on;
}

void device_try_emergency(const struct device_config *config, struct device *device)
{
    if (emergency_may(device) && card_refusal(config, device) == DEVICE_OBEYED) {
        device->emergency = true;
        device->changed = true;
        device->relays[0].needs_card = true;
        device->relays[0].start_ms = DEVICE_NEVER;
        device->relays[0].on = true;
    }
}

bool device_emergency_again(const struct device *device)
{
    return emergency_may(device);
}
