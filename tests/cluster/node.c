/* A controller's process: it is started, turns its loop, stands still, and dies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/config.h"
#include "controller/daemon/controller.h"
#include "tests/cluster/log.h"
#include "tests/cluster/world.h"

#define MESSAGES_A_TURN 8
#define REQUESTS_A_TURN 4
#define ANSWERS_A_TURN 8
#define TURNS_MAX 1000 /* in a millisecond */

/* ---- its loop ---- */

void node_wake(struct world *world, unsigned index)
{
    struct node *node = &world->nodes[index];

    if (node->controller != NULL && !node->is_frozen) {
        world_plan_by(world, &node->turn, world->now + dice_between(&world->dice, 1, 2 * MS));
    }
}

void node_receive(struct world *world, struct parcel *parcel)
{
    struct node *node = &world->nodes[parcel->client];
    bool is_request = parcel->message != NULL && parcel->message->id == TOPIC_REQUEST;

    if (node->controller == NULL) {
        parcel_free(parcel);
        return;
    }
    parcel->received_ms = node->mono_base_ms + world->now / MS;
    parcels_add(is_request ? &node->requests : &node->inbox, parcel);
    node_wake(world, parcel->client);
}

static void deliver(struct world *world, struct node *node, const struct parcel *parcel)
{
    struct controller *controller = node->controller;
    const struct message *message = parcel->message;

    world->step++;
    switch (parcel->kind) {
    case PARCEL_MESSAGE:
        world_tell(world, "%s: hears %s %s", node->id, message->topic, message->payload);
        if (message->id == TOPIC_REQUEST) {
            controller_stamp(controller, parcel->received_ms * 1000);
            controller_on_request(
                controller, message->topic, message->payload, message->length, parcel->retained,
                false);
        } else {
            controller_on_message(
                controller, message->topic, message->payload, message->length, parcel->retained);
        }
        break;
    case PARCEL_ECHO:
        controller_on_echo(controller, parcel->number);
        break;
    case PARCEL_SUBACK:
        controller_on_subscribed(controller, (int)parcel->number, true);
        break;
    case PARCEL_CONNECTED:
        controller_on_connected(controller);
        break;
    case PARCEL_DISCONNECTED:
        if (world->plant != PLANT_RENEW_CUT) {
            controller_on_disconnected(controller, "the connection broke");
        }
        break;
    case PARCEL_SUBSCRIBE:
    case PARCEL_UNSUBSCRIBE:
        break;
    }
}

static void turn_inbox(struct world *world, struct node *node)
{
    struct parcel *parcel;

    for (int i = 0; i < MESSAGES_A_TURN && (parcel = parcels_take(&node->inbox)) != NULL; i++) {
        deliver(world, node, parcel);
        parcel_free(parcel);
    }
    controller_flush(node->controller);
}

static void turn_requests(struct world *world, struct node *node)
{
    struct parcel *parcel;

    for (int i = 0; i < REQUESTS_A_TURN && (parcel = parcels_take(&node->requests)) != NULL; i++) {
        deliver(world, node, parcel);
        parcel_free(parcel);
    }
}

static void turn_redis(struct world *world, const struct node *node)
{
    bool any = true;

    for (int i = 0; any && i < ANSWERS_A_TURN; i++) {
        any = redis_link_turn(world, node->index);
    }
}

static void read_roster(struct node *node)
{
    const struct settings *settings = node->settings;
    struct roster *roster = NULL;
    TEXT_LOCAL(why, 512);

    if (!node->roster_wanted) {
        return;
    }
    node->roster_wanted = false;
    if (roster_load(settings->controller.machines, settings->controller.users, &roster, &why) !=
        STATUS_OK) {
        roster = NULL;
    }
    controller_on_roster(node->controller, roster, why.data);
}

/* In any order: a loop looks at its sources as the kernel tells of them. */
static void turn(struct world *world, struct node *node)
{
    unsigned first = dice_below(&world->dice, 4);

    cluster_log_who(node->id);
    for (unsigned i = 0; i < 4; i++) {
        switch ((first + i) % 4) {
        case 0:
            turn_inbox(world, node);
            break;
        case 1:
            turn_requests(world, node);
            break;
        case 2:
            turn_redis(world, node);
            break;
        default:
            world->step++;
            (void)controller_tick(node->controller);
            break;
        }
    }
    read_roster(node);
}

static void on_turn(struct world *world, struct due *due)
{
    struct node *node = (struct node *)((char *)due - offsetof(struct node, turn));
    const struct request *asked;
    struct mono_time next;

    if (node->controller == NULL || node->is_frozen) {
        return;
    }
    node->turns = world->now / MS == node->turned_at_ms ? node->turns + 1 : 0;
    node->turned_at_ms = world->now / MS;
    if (node->turns > TURNS_MAX) {
        world_fail(world, "%s: its loop spins", node->id);
    }
    turn(world, node);
    next = controller_tick(node->controller);
    if (controller_must_end(node->controller)) {
        world_fail(world, "%s: takes a past life of its own for another process", node->id);
    }
    if (node->is_frozen) {
        return; /* in mid-turn */
    }
    asked = node->redis.asked;
    if (node->inbox.count + node->requests.count > 0 || node->redis.news[0] != NEWS_NOTHING ||
        (asked != NULL && (asked->is_answered || asked->has_failed))) {
        node_wake(world, node->index);
    } else if (next.ms != 0) {
        world_plan_by(world, due, (next.ms - node->mono_base_ms) * MS);
    }
}

/* ---- its life ---- */

void node_start(struct world *world, unsigned index)
{
    struct node *node = &world->nodes[index];
    struct controller_ports ports = node_ports(node);
    struct store_events events;
    struct roster *roster = NULL;
    TEXT_LOCAL(ini, 600);
    TEXT_LOCAL(why, 512);

    world_cancel(world, &node->starts);
    if (node->controller != NULL) {
        return;
    }
    text_addf(&ini, "%s/%s.ini", node->folder, node->id);
    if (settings_load(ini.data, &node->settings, &why) != STATUS_OK ||
        roster_load(
            node->settings->controller.machines, node->settings->controller.users, &roster, &why) !=
            STATUS_OK) {
        fprintf(stderr, "tagout-cluster: %s\n", why.data);
        abort();
    }
    node->life = ++world->lives;
    node->mono_base_ms = dice_between(&world->dice, 1, 1000000);
    node->spoke_epoch = 0;
    cluster_log_who(node->id);
    world_tell(world, "%s: starts, life %u", node->id, node->life);
    if (controller_new(node->settings, roster, &ports, &node->controller) != STATUS_OK) {
        (void)cluster_memory(NULL);
    }
    events = controller_store_events(node->controller);
    controller_start(node->controller, &node->redis.store);
    redis_link_open(world, index, &events);
    wire_connect_at(world, index, world->now + dice_between(&world->dice, 1, 100 * MS));
    node_wake(world, index);
}

static void end(struct world *world, struct node *node)
{
    struct wire *wire = &world->wires[node->index];

    redis_link_close(world, node->index);
    controller_free(node->controller);
    node->controller = NULL;
    settings_free(node->settings);
    node->settings = NULL;
    node->is_frozen = false;
    node->dozes_until = 0;
    node->roster_wanted = false;
    node_stay_awake(node);
    parcels_drop(&node->inbox);
    parcels_drop(&node->requests);
    parcels_drop(&node->outbox);
    world_cancel(world, &node->turn);
    world_cancel(world, &node->flows);
    world_cancel(world, &node->thaws);
    world_cancel(world, &wire->client_gives_up);
    world_cancel(world, &wire->connects);
    wire->client_up = false;
}

/* What the kernel has taken of it may still arrive before the broker sees the connection end. */
void node_kill(struct world *world, unsigned index)
{
    struct node *node = &world->nodes[index];
    struct wire *wire = &world->wires[index];

    if (node->controller == NULL) {
        return;
    }
    world_tell(world, "%s: is killed", node->id);
    if (node_dozes(node)) {
        wire_close_at_broker(world, index, true); /* nothing of it is under way */
    }
    end(world, node);
    if (wire->broker_up && !wire->is_cut) {
        world_plan(
            world, &wire->broker_gives_up, world->now + dice_between(&world->dice, 0, 5 * MS));
    }
}

void node_stop(struct world *world, unsigned index)
{
    struct node *node = &world->nodes[index];

    if (node->controller == NULL || node->is_frozen) {
        return;
    }
    world_tell(world, "%s: is told to stop", node->id);
    cluster_log_who(node->id);
    controller_stop(node->controller);
    node_outbox_connected(world, node);
    end(world, node);
    world->wires[index].says_goodbye = true;
    if (!world->wires[index].is_cut) {
        world_plan(
            world, &world->wires[index].broker_gives_up,
            world->now + dice_between(&world->dice, 2 * MS, 500 * MS));
    }
}

void node_freeze(struct world *world, unsigned index)
{
    struct node *node = &world->nodes[index];
    struct wire *wire = &world->wires[index];

    if (node->controller == NULL || node->is_frozen) {
        return;
    }
    world_tell(world, "%s: stands still", node->id);
    node->is_frozen = true;
    world_cancel(world, &node->turn);
    if (wire->broker_up) {
        world_plan_by(
            world, &wire->broker_gives_up,
            world->now + dice_between(&world->dice, 2 * SECOND, 3 * SECOND));
    }
}

void node_thaw(struct world *world, unsigned index)
{
    struct node *node = &world->nodes[index];
    struct wire *wire = &world->wires[index];

    if (!node->is_frozen || node_dozes(node)) {
        return;
    }
    world_cancel(world, &node->thaws);
    world_tell(world, "%s: goes on", node->id);
    node->is_frozen = false;
    if (wire->client_up && !wire->broker_up) {
        world_plan_by(world, &wire->client_gives_up, world->now + world_delay(world));
    } else if (wire->broker_up && !wire->is_cut) {
        world_cancel(world, &wire->broker_gives_up);
    }
    node_wake(world, index);
}

static void on_start(struct world *world, struct due *due)
{
    node_start(world, ((struct node *)((char *)due - offsetof(struct node, starts)))->index);
}

static void on_thaw(struct world *world, struct due *due)
{
    node_thaw(world, ((struct node *)((char *)due - offsetof(struct node, thaws)))->index);
}

void node_init(struct world *world, unsigned index, const char *folder)
{
    struct node *node = &world->nodes[index];

    node->world = world;
    node->index = index;
    node->id[0] = (char)('a' + index);
    text_copy(node->folder, sizeof node->folder, folder);
    node->wall_skew_ms = dice_between(&world->dice, -1500, 1500);
    node->turn.happen = on_turn;
    node->starts.happen = on_start;
    node->thaws.happen = on_thaw;
    node->flows.happen = node_flows;
    world_plan(world, &node->starts, world->now + dice_between(&world->dice, 0, 3 * SECOND));
}
