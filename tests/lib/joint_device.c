/* The device's end: devices/device.c between two reduced states. */
#include <stdio.h>
#include <string.h>

#include "devices/device.h"
#include "tests/lib/joint.h"

#define NOW_MS 1000000
#define WINDOW_MS 5000
#define STEP_MS (WINDOW_MS + 1)
#define EPOCH 1

static const char cards[][DEVICE_CARD_SIZE] = {"", "1", "2"};

static uint8_t card_of(const char *text)
{
    return (uint8_t)(text[0] == '\0' ? JOINT_NO_CARD : text[0] - '0');
}

static uint32_t delay_ms(const struct joint_world *world)
{
    return world->without_delay ? 0 : STEP_MS;
}

static void make_config(const struct joint_world *world, struct device_config *config)
{
    device_config_default(config);
    config->card_present_line = true;
    config->heartbeat_ms = STEP_MS;
    config->on_window_ms = world->without_window ? UINT32_MAX : WINDOW_MS;
    config->start_delay_ms = delay_ms(world);
    config->start_delay_random_ms = 0;
}

/* A report was just sent and answered: it sends another when something changes, or at
 * JOINT_HEARTBEAT, which can be at any time and so stands for the repeats too. */
static void
make_device(const struct joint_world *world, const struct joint_device *from, struct device *device)
{
    memset(device, 0, sizeof *device);
    device->running = true;
    device->now_ms = device->boot_ms = device->busy_ms = NOW_MS;
    device->sent_ms = NOW_MS + STEP_MS;
    device->random = 1;
    device->boot_id[0] = '0' + JOINT_BOOT;
    device->keep.press = from->press;
    device->keep.last_oops = from->last_oops;
    device->keep.last_lockout = from->last_lockout;
    device->reader = (enum device_reader)from->reader;
    device->reader_ok = true;
    device->seen_empty = from->seen_empty;
    device->out_ms = device->empty_ms = DEVICE_NEVER;
    memcpy(device->card, cards[from->card], sizeof device->card);
    device->card_seen = from->card_seen;
    device->card_emergency = from->card_emergency;
    device->card_ms = from->card_young ? NOW_MS : NOW_MS - STEP_MS;
    device->emergency = from->emergency;
    device->button_down = from->button;
    device->press_heard = from->press_heard;
    device->connected = from->connected;
    device->connect_ms = DEVICE_NEVER;
    device->seq = device->answered_seq = from->seq;
    device->edge_seq = from->edge_seq;
    device->card_seq = from->card_seq;
    device->press_seq = from->press_seq;
    device->told_relay[0] = from->on;
    device->has_applied = from->has_applied;
    device->applied = (struct device_version){EPOCH, from->applied};
    device->shown_oops = from->shown_oops;
    device->shown_lockout = from->shown_lockout;
    device->command_ms = from->gone ? NOW_MS - DEVICE_LINK_GONE_MS : NOW_MS;
    device->relays[0] = (struct device_relay){
        .on = from->on,
        .needs_card = from->needs_card,
        .start_ms = from->starting ? NOW_MS + delay_ms(world) : DEVICE_NEVER,
        .start_seq = from->start_seq,
    };
    device->relays[1] = (struct device_relay){.needs_card = true, .start_ms = DEVICE_NEVER};
}

static void take_device(const struct device *device, struct joint_device *to)
{
    *to = (struct joint_device){
        .press = device->keep.press,
        .press_heard = device->press_heard,
        .button = device->button_down,
        .last_oops = device->keep.last_oops,
        .last_lockout = device->keep.last_lockout,
        .reader = (uint8_t)device->reader,
        .seen_empty = device->seen_empty,
        .card = card_of(device->card),
        .card_seen = device->card_seen,
        .card_emergency = device->card_emergency,
        .card_young = device->now_ms - device->card_ms <= WINDOW_MS,
        .emergency = device->emergency,
        .connected = device->connected,
        .gone = device->now_ms - device->command_ms >= DEVICE_LINK_GONE_MS,
        .seq = (uint8_t)device->seq,
        .edge_seq = (uint8_t)device->edge_seq,
        .card_seq = (uint8_t)device->card_seq,
        .press_seq = (uint8_t)device->press_seq,
        .has_applied = device->has_applied,
        .applied = (uint8_t)device->applied.rev,
        .shown_oops = device->shown_oops,
        .shown_lockout = device->shown_lockout,
        .on = device->relays[0].on,
        .needs_card = device->relays[0].needs_card,
        .starting = device->relays[0].start_ms != DEVICE_NEVER,
        .start_seq = (uint8_t)device->relays[0].start_seq,
    };
}

static void take_report(const struct device_report *report, struct joint_report *to)
{
    *to = (struct joint_report){
        .seq = (uint8_t)report->seq,
        .card = card_of(report->card),
        .oops = report->oops,
        .emergency = report->emergency,
        .ack_oops = report->has_ack && report->ack_oops,
        .ack_lockout = report->has_ack && report->ack_lockout,
    };
}

struct bench_device {
    const struct joint_world *world;
    struct device_config config;
    struct device device;
    struct joint_device_step *step;
};

static void feed(struct bench_device *bench, struct device_event event)
{
    struct device_outputs outputs;

    if (event.now_ms == 0) {
        event.now_ms = NOW_MS;
    }
    device_step(&bench->config, &bench->device, &event, &outputs);
    if (bench->world->without_latch && !bench->device.button_down) {
        bench->device.keep.press = false;
    }
    bench->step->refused = outputs.refused[0] != DEVICE_OBEYED;
    if (outputs.send_report) {
        take_report(&outputs.report, &bench->step->report);
    }
}

static void put_in(struct bench_device *bench, enum joint_card card)
{
    struct device_event event = {
        .type = DEVICE_EVENT_CARD_IN,
        .card = {cards[card], bench->world->emergency && card == JOINT_STRANGER},
    };

    feed(bench, event);
}

/* The card that is in stays in, and is read again at once. */
static void boot(struct bench_device *bench, enum joint_card card)
{
    char boot_id[] = {'0' + JOINT_BOOT, '\0'};
    struct device_event event = {
        .type = DEVICE_EVENT_BOOT,
        .boot =
            {
                .boot_id = boot_id,
                .seed = 1,
                .keep = bench->device.keep,
                .button_down = bench->device.button_down,
            },
    };

    feed(bench, event);
    bench->device.seen_empty = bench->world->without_seen_empty;
    if (card == JOINT_NO_CARD) {
        feed(bench, (struct device_event){.type = DEVICE_EVENT_CARD_OUT});
    } else {
        put_in(bench, card);
    }
}

/* With the version test of "off" taken away, an old one passes for the last applied. */
static void obey(struct bench_device *bench, const struct joint_command *command)
{
    const struct joint_world *world = bench->world;
    struct device_version applied = bench->device.applied;
    char boot_id[] = {'0' + JOINT_BOOT, '\0'};
    struct device_event event = {
        .type = DEVICE_EVENT_COMMAND,
        .command =
            {
                .relay = command->relay,
                .oops_led = command->oops,
                .lockout = command->lockout,
                .needs_card = command->needs_card,
                .second_needs_card = true,
                .boot_id = command->own ? boot_id : NULL,
                .seq = command->seq,
                .version = {EPOCH, command->version},
            },
    };

    if (command->relay ? world->without_on_seq : world->without_off_seq && !command->oops) {
        event.command.seq = bench->device.seq;
    }
    if (world->without_off_version && !command->relay && command->version < applied.rev) {
        bench->device.applied.rev = command->version;
    }
    feed(bench, event);
    if (bench->device.applied.rev < applied.rev) {
        bench->device.applied = applied;
    }
}

static void press(struct bench_device *bench)
{
    feed(bench, (struct device_event){.type = DEVICE_EVENT_BUTTON_DOWN});
    if (!bench->world->hold) {
        feed(bench, (struct device_event){.type = DEVICE_EVENT_BUTTON_UP});
    }
}

static void happen(
    struct bench_device *bench, enum joint_event event, const struct joint_device *before,
    const struct joint_command *command)
{
    switch ((int)event) {
    case JOINT_MEMBER_IN:
        put_in(bench, JOINT_MEMBER);
        break;
    case JOINT_STRANGER_IN:
        put_in(bench, JOINT_STRANGER);
        break;
    case JOINT_CARD_OUT:
        feed(bench, (struct device_event){.type = DEVICE_EVENT_CARD_OUT});
        break;
    case JOINT_PRESS:
        press(bench);
        break;
    case JOINT_RELEASE:
        feed(bench, (struct device_event){.type = DEVICE_EVENT_BUTTON_UP});
        break;
    case JOINT_TIME:
        feed(bench, (struct device_event){.type = DEVICE_EVENT_TICK, .now_ms = NOW_MS + STEP_MS});
        break;
    case JOINT_HEARTBEAT:
        bench->device.sent_ms = NOW_MS - STEP_MS;
        feed(bench, (struct device_event){.type = DEVICE_EVENT_TICK});
        break;
    case JOINT_LINK_GONE:
        bench->device.command_ms = NOW_MS - DEVICE_LINK_GONE_MS;
        feed(bench, (struct device_event){.type = DEVICE_EVENT_TICK});
        break;
    case JOINT_POWER_CUT:
        boot(bench, (enum joint_card)before->card);
        break;
    case JOINT_LINK_UP:
        feed(bench, (struct device_event){.type = DEVICE_EVENT_LINK_UP});
        break;
    case JOINT_LINK_DOWN:
        feed(bench, (struct device_event){.type = DEVICE_EVENT_LINK_DOWN});
        break;
    default:
        obey(bench, command);
    }
}

void joint_device_step(
    const struct joint_world *world, enum joint_event event, const struct joint_device *before,
    const struct joint_command *command, struct joint_device_step *ret_step)
{
    struct bench_device bench = {.world = world, .step = ret_step};

    memset(ret_step, 0, sizeof *ret_step);
    make_config(world, &bench.config);
    make_device(world, before, &bench.device);
    happen(&bench, event, before, command);
    take_device(&bench.device, &ret_step->after);
}
