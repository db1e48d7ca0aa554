/* The step itself, the broker's link and the reports (C7.4, C7.6, C7.7). */
#include "devices/device.h"

#include <string.h>

#include "devices/device_inside.h"

#define FIRST_REPEATS 2
#define FIRST_REPEAT_MS 2000
#define REPEAT_MS 10000
#define CONNECT_TIMEOUT_MS 10000

#define REFUSAL_TEXT(id, text) text,
const char *device_refusal_text(enum device_refusal refusal)
{
    static const char *const texts[] = {DEVICE_REFUSAL_LIST(REFUSAL_TEXT)};

    return refusal < DEVICE_REFUSAL_COUNT ? texts[refusal] : "";
}
#undef REFUSAL_TEXT

void device_config_default(struct device_config *config)
{
    memset(config, 0, sizeof *config);
    config->heartbeat_ms = 10000;
    config->on_window_ms = 5000;
    config->start_delay_ms = 10000;
    config->start_delay_random_ms = 5000;
    config->reconnect_random_ms = 3000;
    config->confirm_out_ms = 1500;
}

bool device_link_gone(const struct device *device)
{
    return device->now_ms - device->command_ms >= DEVICE_LINK_GONE_MS;
}

uint32_t device_next_seq(const struct device *device)
{
    return device->seq + 1;
}

/* Marsaglia's xorshift: it has to spread machines out, not to keep secrets. */
uint32_t device_random(struct device *device, uint32_t limit)
{
    device->random ^= device->random << 13;
    device->random ^= device->random >> 17;
    device->random ^= device->random << 5;
    return limit ? device->random % limit : 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t i;

    for (i = 0; i + 1 < size && from && from[i]; i++) {
        to[i] = from[i];
    }
    to[i] = '\0';
}

static void
boot(const struct device_config *config, struct device *device, const struct device_event *event)
{
    memset(device, 0, sizeof *device);
    device->running = true;
    device->now_ms = event->now_ms;
    device->boot_ms = event->now_ms;
    device->busy_ms = event->now_ms;
    device->command_ms = event->now_ms;
    device->random = event->boot.seed ? event->boot.seed : 1;
    copy_text(device->boot_id, sizeof device->boot_id, event->boot.boot_id);
    device->keep = event->boot.keep;
    device->reboot_again = device->keep.self_rebooted;
    device->keep.self_rebooted = false;
    device->relays[0].start_ms = DEVICE_NEVER;
    device->relays[1].start_ms = DEVICE_NEVER;
    device->relays[0].needs_card = true;
    device->relays[1].needs_card = true;
    device->connect_ms = device->now_ms + device_random(device, config->reconnect_random_ms + 1);
    device_input_boot(device, &event->boot);
}

static void link_up(struct device *device, struct device_outputs *outputs)
{
    device->connected = true;
    device->connects++;
    device->changed = true;
    outputs->link = DEVICE_LINK_ONLINE;
}

static void link_down(const struct device_config *config, struct device *device)
{
    device->connected = false;
    device->relays[0].start_ms = DEVICE_NEVER;
    device->relays[1].start_ms = DEVICE_NEVER;
    device->connect_ms = device->now_ms + device_random(device, config->reconnect_random_ms + 1);
}

static void go_down(struct device *device, struct device_outputs *outputs)
{
    device_cut(device, 0);
    device_cut(device, 1);
    outputs->link = device->connected ? DEVICE_LINK_OFFLINE : DEVICE_LINK_UNCHANGED;
    outputs->reboot = true;
    device->running = false;
    device->connected = false;
}

static void restart(struct device *device, bool force, struct device_outputs *outputs)
{
    if (!force && (device->relays[0].on || device->relays[1].on)) {
        outputs->refused_restart = DEVICE_REFUSED_RELAY_ON;
    } else {
        go_down(device, outputs);
    }
}

static bool is_busy(const struct device *device)
{
    return device->relays[0].on || device->relays[0].start_ms != DEVICE_NEVER ||
           device->reader == DEVICE_READER_CARD || device->button_down;
}

/* When the device tries whether a reboot brings the controller back (C7.7). */
static uint64_t self_reboot_ms(const struct device *device)
{
    uint64_t due = device->command_ms + DEVICE_REBOOT_MS;

    if (is_busy(device)) {
        return DEVICE_NEVER;
    }
    if (due < device->busy_ms + DEVICE_REBOOT_IDLE_MS) {
        due = device->busy_ms + DEVICE_REBOOT_IDLE_MS;
    }
    if (device->reboot_again && due < device->boot_ms + DEVICE_REBOOT_AGAIN_MS) {
        due = device->boot_ms + DEVICE_REBOOT_AGAIN_MS;
    }
    return due;
}

static void try_connect(
    const struct device_config *config, struct device *device, struct device_outputs *outputs)
{
    if (!device->connected && device->now_ms >= device->connect_ms) {
        outputs->connect = true;
        device->connect_ms = device->now_ms + CONNECT_TIMEOUT_MS +
                             device_random(device, config->reconnect_random_ms + 1);
    }
}

static void happen(
    const struct device_config *config, struct device *device, const struct device_event *event,
    struct device_outputs *outputs)
{
    switch (event->type) {
    case DEVICE_EVENT_CARD_IN:
        device_card_in(config, device, &event->card);
        break;
    case DEVICE_EVENT_CARD_OUT:
        device_card_out(config, device);
        break;
    case DEVICE_EVENT_READER_LOST:
        device_reader_lost(config, device);
        break;
    case DEVICE_EVENT_READER_BACK:
        device_reader_back(device);
        break;
    case DEVICE_EVENT_BUTTON_DOWN:
        device_button(device, true);
        break;
    case DEVICE_EVENT_BUTTON_UP:
        device_button(device, false);
        break;
    case DEVICE_EVENT_CONTACT:
        device->contact[0] = event->contact.relay;
        device->contact[1] = event->contact.second_relay;
        break;
    case DEVICE_EVENT_COMMAND:
        device_take_command(config, device, &event->command, outputs);
        break;
    case DEVICE_EVENT_PROBE:
        outputs->send_pong = true;
        outputs->pong_id = event->probe_id;
        break;
    case DEVICE_EVENT_RESTART:
        restart(device, event->restart.force, outputs);
        break;
    case DEVICE_EVENT_LINK_UP:
        link_up(device, outputs);
        break;
    case DEVICE_EVENT_LINK_DOWN:
        link_down(config, device);
        break;
    case DEVICE_EVENT_BOOT:
    case DEVICE_EVENT_TICK:
        break;
    }
}

static bool relay_state(const struct device_config *config, const struct device *device, int relay)
{
    return config->contact ? device->contact[relay] : device->relays[relay].on;
}

/* Whoever sends a command that does not answer has perhaps not heard the report: he leads since
 * just now (C12). */
static uint64_t repeat_ms(const struct device *device)
{
    uint64_t due =
        device->sent_ms + (device->repeats < FIRST_REPEATS ? FIRST_REPEAT_MS : REPEAT_MS);

    return device->commanded_ms > device->sent_ms
               ? earlier(due, device->commanded_ms + FIRST_REPEAT_MS)
               : due;
}

/* When the next report is due though nothing happens. While one is unanswered its repeats take
 * the place of the heartbeat. */
static uint64_t report_ms(const struct device_config *config, const struct device *device)
{
    if (!device->connected) {
        return DEVICE_NEVER;
    }
    if (device->answered_seq >= device->seq) {
        return device->sent_ms + config->heartbeat_ms;
    }
    return repeat_ms(device);
}

static void fill_report(
    const struct device_config *config, const struct device *device, struct device_report *report)
{
    report->seq = device->seq;
    report->uptime_ms = device->now_ms - device->boot_ms;
    copy_text(report->boot_id, sizeof report->boot_id, device->boot_id);
    report->oops = device->keep.press;
    copy_text(report->card, sizeof report->card, device->card);
    report->has_ack = device->has_applied;
    report->ack = device->applied;
    report->ack_oops = device->shown_oops;
    report->ack_lockout = device->shown_lockout;
    report->relay_state = relay_state(config, device, 0);
    report->has_second_relay = config->second_relay;
    report->second_relay_state = config->second_relay && relay_state(config, device, 1);
    report->feedback_is_contact = config->contact;
    report->emergency = device->emergency;
    report->reader_ok = device->reader_ok;
}

static void send_report(
    const struct device_config *config, struct device *device, struct device_outputs *outputs)
{
    bool repeat = device->answered_seq < device->seq;
    int i;

    for (i = 0; i < DEVICE_RELAYS; i++) {
        if (relay_state(config, device, i) != device->told_relay[i]) {
            device->changed = true;
        }
    }
    if (!device->connected || (!device->changed && device->now_ms < report_ms(config, device))) {
        return;
    }
    if (device->changed || device->ack_changed || !repeat) {
        device->seq++;
    }
    device->repeats = !device->changed && repeat ? device->repeats + 1 : 0;
    for (i = 0; i < DEVICE_RELAYS; i++) {
        device->told_relay[i] = relay_state(config, device, i);
    }
    device->changed = false;
    device->ack_changed = false;
    device->sent_ms = device->now_ms;
    outputs->send_report = true;
    fill_report(config, device, &outputs->report);
}

/* What follows from whatever happened. */
static void
settle(const struct device_config *config, struct device *device, struct device_outputs *outputs)
{
    device_release_press(device);
    device_try_emergency(config, device);
    device_enforce(device);
    if (is_busy(device)) {
        device->busy_ms = device->now_ms;
    }
    if (device->now_ms >= self_reboot_ms(device)) {
        device->keep.self_rebooted = true;
        go_down(device, outputs);
        return;
    }
    try_connect(config, device, outputs);
    send_report(config, device, outputs);
}

static uint64_t next_deadline(const struct device_config *config, const struct device *device)
{
    uint64_t next = earlier(device->out_ms, device->empty_ms);
    int i;

    for (i = 0; i < DEVICE_RELAYS; i++) {
        next = earlier(next, device->relays[i].start_ms);
    }
    if (!device->connected) {
        next = earlier(next, device->connect_ms);
    }
    if (!device_link_gone(device)) {
        next = earlier(next, device->command_ms + DEVICE_LINK_GONE_MS);
    }
    next = earlier(next, self_reboot_ms(device));
    next = earlier(next, report_ms(config, device));
    return earlier(next, device_view_deadline(config, device));
}

void device_step(
    const struct device_config *config, struct device *device, const struct device_event *event,
    struct device_outputs *outputs)
{
    bool is_boot = event->type == DEVICE_EVENT_BOOT;
    struct device_keep before = is_boot ? event->boot.keep : device->keep;

    memset(outputs, 0, sizeof *outputs);
    if (is_boot) {
        boot(config, device, event);
    } else if (event->now_ms > device->now_ms) {
        if (is_busy(device)) {
            device->busy_ms = event->now_ms;
        }
        device->now_ms = event->now_ms;
    }
    if (device->running) {
        device_input_time(device);
        device_relays_time(device);
        happen(config, device, event, outputs);
    }
    if (device->running) {
        settle(config, device, outputs);
    }
    outputs->save = memcmp(&before, &device->keep, sizeof before) != 0;
    outputs->keep = device->keep;
    outputs->relay[0] = device->relays[0].on;
    outputs->relay[1] = device->relays[1].on;
    outputs->next_deadline_ms = device->running ? next_deadline(config, device) : DEVICE_NEVER;
    device_view(config, device, outputs);
}
