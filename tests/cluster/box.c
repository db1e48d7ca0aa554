/* A machine's box: devices/device.c with a slot, a button and a cable. */
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "tests/cluster/world.h"
#include "topics/report.h"

#define BOOT_MS 2000
#define CONNECT_MOST (500 * MS)

const char *card_number(int card)
{
    static const char *const numbers[CARDS] = {
        [CARD_NONE] = "",
        [CARD_MEMBER] = "0000000001",
        [CARD_OTHER] = "0000000002",
        [CARD_STRANGER] = "0000000003",
    };
    return numbers[card];
}

static unsigned client_of(const struct box *box)
{
    return NODES_MAX + box->index;
}

static void
publish(struct world *world, const struct box *box, enum topic_id id, const char *payload)
{
    const struct topic_info *info = topic_info(id);
    struct parcel *parcel = parcel_new(PARCEL_MESSAGE, client_of(box));
    char topic[TOPIC_SIZE];

    if (topic_build(topic, sizeof topic, PREFIX, id, box->name, NULL) != STATUS_OK) {
        abort();
    }
    parcel->message = message_new(id, box->index, topic, payload, strlen(payload));
    parcel->qos = info->qos;
    parcel->retained = info->retained;
    wire_send_to_broker(world, parcel);
}

static void note_report(struct world *world, struct box *box)
{
    struct truth *truth = &box->truth;

    if (box->reported && box->card != CARD_NONE && box->card != box->reported_card) {
        truth->told_insertion = true;
    }
    box->reported = true;
    box->reported_card = box->card;
    if (world->is_calm && truth->calm_seq == 0) {
        truth->calm_seq = box->outputs.report.seq;
        truth->calm_report_at = world->now;
    }
}

static void send_report(struct world *world, struct box *box)
{
    const struct device_report *from = &box->outputs.report;
    struct report report = {
        .oops = from->oops,
        .uptime_s = (double)from->uptime_ms / 1000,
        .seq = from->seq,
        .has_ack = from->has_ack,
        .ack = {.epoch = from->ack.epoch, .rev = from->ack.rev},
        .ack_oops = from->ack_oops,
        .ack_lockout = from->ack_lockout,
        .relay_state = from->relay_state ? REPORT_RELAY_ON : REPORT_RELAY_OFF,
    };
    TEXT_LOCAL(payload, REPORT_BYTES_MAX);

    text_copy(report.card, sizeof report.card, from->card);
    text_copy(report.boot_id, sizeof report.boot_id, from->boot_id);
    if (report_print(&report, &payload) != STATUS_OK) {
        abort();
    }
    note_report(world, box);
    publish(world, box, TOPIC_REPORT, payload.data);
}

static void send_pong(struct world *world, const struct box *box)
{
    TEXT_LOCAL(payload, 128);
    struct json_out out = json_out(&payload);

    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "id", box->outputs.pong_id);
    json_out_string(&out, "boot_id", box->device.boot_id);
    json_out_close(&out, '}');
    publish(world, box, TOPIC_PONG, payload.data);
}

static void carry_out(struct world *world, struct box *box)
{
    const struct device_outputs *outputs = &box->outputs;

    if (outputs->save) {
        box->keep = outputs->keep;
    }
    if (outputs->link == DEVICE_LINK_ONLINE) {
        publish(world, box, TOPIC_LINK, "online");
    } else if (outputs->link == DEVICE_LINK_OFFLINE) {
        publish(world, box, TOPIC_LINK, "offline");
    }
    if (outputs->send_report) {
        send_report(world, box);
    }
    if (outputs->send_pong) {
        send_pong(world, box);
    }
    if (outputs->connect) {
        wire_connect_at(
            world, client_of(box), world->now + dice_between(&world->dice, MS, CONNECT_MOST));
    }
    if (outputs->reboot) {
        box_power_off(world, box);
        world_plan(world, &box->boots_at, world->now + BOOT_MS * MS);
    } else if (outputs->next_deadline_ms == DEVICE_NEVER) {
        world_cancel(world, &box->tick);
    } else {
        world_plan(world, &box->tick, (int64_t)outputs->next_deadline_ms * MS);
    }
}

void box_step(struct world *world, struct box *box, struct device_event event)
{
    struct device before = box->device;

    if (!box->runs) {
        return;
    }
    world->step++;
    event.now_ms = (uint64_t)(world->now / MS);
    device_step(&box->config, &box->device, &event, &box->outputs);
    truth_check(world, box, &event, &before);
    carry_out(world, box);
}

static void on_tick(struct world *world, struct due *due)
{
    struct box *box = (struct box *)((char *)due - offsetof(struct box, tick));

    box_step(world, box, (struct device_event){.type = DEVICE_EVENT_TICK});
}

/* ---- what comes over the wire ---- */

void box_connected(struct world *world, struct box *box)
{
    static const enum retained_kind kind = RETAINED_COMMAND;
    struct message *retained = world->broker.retained.of[kind][box->index];

    world_tell(world, "%s: connected", box->name);
    box_step(world, box, (struct device_event){.type = DEVICE_EVENT_LINK_UP});
    if (retained != NULL) {
        struct parcel *parcel = parcel_new(PARCEL_MESSAGE, client_of(box));
        parcel->message = message_hold(retained);
        parcel->qos = 1;
        wire_send_to_client(world, parcel);
    }
}

static void take_command(struct world *world, struct box *box, const struct message *message)
{
    const struct command *command = &message->command;
    struct device_event event = {
        .type = DEVICE_EVENT_COMMAND,
        .command =
            {
                .relay = command->relay,
                .second_relay = command->second_relay,
                .display = command->display,
                .oops_led = command->oops_led,
                .lockout = command->lockout,
                .needs_card = command->needs_card,
                .second_needs_card = command->second_needs_card,
                .boot_id = command->boot_id[0] != '\0' ? command->boot_id : NULL,
                .seq = command->seq,
                .version = {.epoch = command->version.epoch, .rev = command->version.rev},
            },
    };

    if (!message->is_command) {
        if (message->length > 0) {
            world_fail(world, "%s: a command that cannot be read", box->name);
        }
        return;
    }
    world_tell(world, "%s: takes %s", box->name, message->payload);
    box_step(world, box, event);
    check_accepted(world, box, message);
}

void box_take(struct world *world, struct box *box, const struct message *message)
{
    struct device_event event = {0};
    const char *id = strchr(message->payload, ':');

    if (message->id == TOPIC_COMMAND) {
        take_command(world, box, message);
    } else if (message->id == TOPIC_PROBE && id != NULL) {
        event.type = DEVICE_EVENT_PROBE;
        event.probe_id = (uint32_t)strtoul(id + 1, NULL, 10);
        box_step(world, box, event);
    } else if (message->id == TOPIC_RESTART && id != NULL) {
        event.type = DEVICE_EVENT_RESTART;
        event.restart.id = (uint32_t)strtoul(id + 1, NULL, 10);
        box_step(world, box, event);
    }
}

/* ---- what people do to it ---- */

static void read_slot(struct world *world, struct box *box)
{
    struct device_event event = {.type = DEVICE_EVENT_CARD_OUT};

    if (box->card != CARD_NONE) {
        event.type = DEVICE_EVENT_CARD_IN;
        event.card.card = card_number(box->card);
    }
    box_step(world, box, event);
}

void box_card(struct world *world, struct box *box, int card)
{
    world_tell(world, "%s: card %s", box->name, card == CARD_NONE ? "out" : card_number(card));
    box->card = card;
    box->truth.inserted = card != CARD_NONE;
    box->truth.inserted_at = world->now;
    if (!box->always) {
        truth_end_session(box);
    }
    read_slot(world, box);
}

void box_button(struct world *world, struct box *box, bool down)
{
    world_tell(world, "%s: Oops %s", box->name, down ? "pressed" : "released");
    box->button_down = down;
    if (down) {
        world->tally.presses++;
        box->truth.inserted = false;
        box->truth.stopped = box->truth.stopped || (box->runs && world->now > box->truth.clears_by);
        truth_end_session(box);
    }
    box_step(
        world, box,
        (struct device_event){.type = down ? DEVICE_EVENT_BUTTON_DOWN : DEVICE_EVENT_BUTTON_UP});
}

void box_power_off(struct world *world, struct box *box)
{
    struct wire *wire = &world->wires[client_of(box)];

    world_tell(world, "%s: goes dark", box->name);
    box->runs = false;
    box->truth.inserted = false;
    truth_end_session(box);
    world_cancel(world, &box->tick);
    world_cancel(world, &wire->client_gives_up);
    wire->client_up = false;
    if (wire->broker_up) {
        world_plan_by(
            world, &wire->broker_gives_up, world->now + dice_between(&world->dice, 0, 20 * SECOND));
    }
}

void box_boot(struct world *world, struct box *box)
{
    TEXT_LOCAL(boot_id, DEVICE_BOOT_ID_SIZE);
    struct device_event event = {.type = DEVICE_EVENT_BOOT};

    if (box->runs) {
        return;
    }
    box->boots++;
    text_addf(&boot_id, "%s-%u", box->name, box->boots);
    world_tell(world, "%s: boots as %s", box->name, boot_id.data);
    box->runs = true;
    box->reported = false;
    box->truth.told_insertion = false;
    box->truth.epoch = 0;
    event.boot.boot_id = boot_id.data;
    event.boot.seed = (uint32_t)dice_roll(&world->dice) | 1;
    event.boot.keep = box->keep;
    event.boot.button_down = box->button_down;
    box_step(world, box, event);
    read_slot(world, box);
}

static void on_boot(struct world *world, struct due *due)
{
    box_boot(world, (struct box *)((char *)due - offsetof(struct box, boots_at)));
}

void box_init(struct world *world, unsigned index)
{
    static const char *const names[BOXES] = {"saw", "lathe", "fan"};
    struct box *box = &world->boxes[index];

    box->index = index;
    box->name = names[index];
    box->always = strcmp(box->name, "fan") == 0;
    device_config_default(&box->config);
    box->config.card_present_line = true; /* so that a card is out when it is out */
    box->tick.happen = on_tick;
    box->boots_at.happen = on_boot;
    world_plan(world, &box->boots_at, world->now + dice_between(&world->dice, 0, 5 * SECOND));
}
