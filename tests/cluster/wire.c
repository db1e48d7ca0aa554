/* A client's connection to the broker: what is under way arrives late, twice or never, and in order
 * on each topic; a cut is noticed by each end in its own time. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/world.h"

#define KEEP_ALIVE_LEAST (2 * SECOND)
#define KEEP_ALIVE_MOST (3 * SECOND)
#define CLIENT_NOTICES_MOST (4 * SECOND)
#define ASIDE TOPIC_COUNT /* the place of what has no topic */

bool client_is_node(unsigned client)
{
    return client < NODES_MAX;
}

/* ---- parcels ---- */

static void arrive(struct world *world, struct due *due);

struct parcel *parcel_new(enum parcel_kind kind, unsigned client)
{
    struct parcel *parcel = cluster_memory(calloc(1, sizeof *parcel));

    parcel->kind = kind;
    parcel->client = client;
    parcel->due.happen = arrive;
    return parcel;
}

void parcel_free(struct parcel *parcel)
{
    message_release(parcel->message);
    free(parcel);
}

void parcels_add(struct parcels *parcels, struct parcel *parcel)
{
    parcel->next = NULL;
    if (parcels->last != NULL) {
        parcels->last->next = parcel;
    } else {
        parcels->first = parcel;
    }
    parcels->last = parcel;
    parcels->count++;
}

struct parcel *parcels_take(struct parcels *parcels)
{
    struct parcel *parcel = parcels->first;

    if (parcel != NULL) {
        parcels->first = parcel->next;
        parcels->count--;
        if (parcels->first == NULL) {
            parcels->last = NULL;
        }
    }
    return parcel;
}

void parcels_drop(struct parcels *parcels)
{
    struct parcel *parcel;

    while ((parcel = parcels_take(parcels)) != NULL) {
        parcel_free(parcel);
    }
}

bool wire_forget(struct due *due)
{
    bool is_parcel = due->happen == arrive;

    if (is_parcel) {
        parcel_free((struct parcel *)due);
    }
    return is_parcel;
}

/* ---- on the way ---- */

/* On its way to a box anything may overtake what is of another topic. A controller reads all in the
 * order in which the broker sent it: ours has so much room in flight that what has QoS 1 waits for
 * nothing. What a controller says goes through one outbox. */
static unsigned lane_of(const struct parcel *parcel)
{
    bool has_topic = parcel->message != NULL;

    if (!client_is_node(parcel->client)) {
        return has_topic ? parcel->message->id : ASIDE;
    }
    return has_topic && parcel->to_broker ? 0 : ASIDE;
}

/* When it leaves its sender. */
static int64_t leaves_at(const struct world *world, const struct parcel *parcel)
{
    return parcel->to_broker && client_is_node(parcel->client)
               ? node_time(&world->nodes[parcel->client])
               : world->now;
}

static void dispatch(struct world *world, struct parcel *parcel, int64_t delay)
{
    struct wire *wire = &world->wires[parcel->client];
    int64_t *last = &(parcel->to_broker ? wire->to_broker : wire->to_client)[lane_of(parcel)];
    int64_t now = leaves_at(world, parcel);
    int64_t at = now + delay;
    bool is_of_burst =
        parcel->to_broker && client_is_node(parcel->client) && wire->burst_at == now && *last > now;

    /* What is said in one turn of a loop travels in one piece. */
    *last = at > *last && !is_of_burst ? at : *last + 1;
    if (parcel->to_broker) {
        wire->burst_at = now;
    }
    world_plan(world, &parcel->due, *last);
}

/* At QoS 1 a report or a command may come twice, the second time behind newer ones. */
static void send_twice(struct world *world, const struct parcel *parcel)
{
    bool may_come_twice =
        parcel->message != NULL && parcel->qos > 0 &&
        (parcel->to_broker ? parcel->message->id == TOPIC_REPORT : !client_is_node(parcel->client));

    if (may_come_twice && world->delays > 0 && dice_percent(&world->dice, 3)) {
        struct parcel *twin = parcel_new(parcel->kind, parcel->client);

        twin->connection = parcel->connection;
        twin->to_broker = parcel->to_broker;
        twin->message = message_hold(parcel->message);
        twin->qos = parcel->qos;
        world_plan(world, &twin->due, world->now + dice_between(&world->dice, 1, 5 * SECOND));
    }
}

void wire_send_to_broker(struct world *world, struct parcel *parcel)
{
    const struct wire *wire = &world->wires[parcel->client];

    if (!wire->client_up) {
        parcel_free(parcel);
        return;
    }
    parcel->to_broker = true;
    parcel->connection = wire->connection;
    send_twice(world, parcel);
    dispatch(world, parcel, world_delay(world));
}

void wire_send_to_client(struct world *world, struct parcel *parcel)
{
    const struct wire *wire = &world->wires[parcel->client];

    parcel->to_broker = false;
    parcel->connection = wire->connection;
    send_twice(world, parcel);
    dispatch(world, parcel, world_delay(world));
}

static void arrive_at_broker(struct world *world, struct parcel *parcel)
{
    struct wire *wire = &world->wires[parcel->client];

    world->step++;
    switch (parcel->kind) {
    case PARCEL_MESSAGE:
        world_tell(world, "broker: %s %s", parcel->message->topic, parcel->message->payload);
        broker_take(world, parcel->message, parcel->qos, parcel->retained);
        break;
    case PARCEL_SUBSCRIBE:
        broker_subscribe(world, parcel);
        break;
    case PARCEL_UNSUBSCRIBE:
        wire->topics &= ~parcel->topics;
        break;
    case PARCEL_ECHO: {
        struct parcel *echo = parcel_new(PARCEL_ECHO, parcel->client);
        echo->number = parcel->number;
        wire_send_to_client(world, echo);
        break;
    }
    case PARCEL_SUBACK:
    case PARCEL_CONNECTED:
    case PARCEL_DISCONNECTED:
        break;
    }
    parcel_free(parcel);
}

static void arrive(struct world *world, struct due *due)
{
    struct parcel *parcel = (struct parcel *)due;
    struct wire *wire = &world->wires[parcel->client];
    bool is_open = parcel->to_broker ? wire->broker_up : wire->client_up;

    if (!is_open || parcel->connection != wire->connection) {
        parcel_free(parcel);
    } else if (wire->is_cut) {
        parcels_add(&wire->held, parcel);
    } else if (parcel->to_broker) {
        arrive_at_broker(world, parcel);
    } else if (client_is_node(parcel->client)) {
        node_receive(world, parcel);
    } else {
        box_take(world, &world->boxes[parcel->client - NODES_MAX], parcel->message);
        parcel_free(parcel);
    }
}

/* ---- cuts ---- */

void wire_cut(struct world *world, unsigned client)
{
    struct wire *wire = &world->wires[client];

    if (!wire->is_cut) {
        wire->is_cut = true;
        world_plan(
            world, &wire->broker_gives_up,
            world->now + dice_between(&world->dice, KEEP_ALIVE_LEAST, KEEP_ALIVE_MOST));
        world_plan(
            world, &wire->client_gives_up,
            world->now + dice_between(&world->dice, KEEP_ALIVE_LEAST, CLIENT_NOTICES_MOST));
    }
}

/* Before what is still under way, for nothing overtakes what was sent before it. */
static void go_on(struct world *world, struct parcel *parcel, int64_t at)
{
    struct wire *wire = &world->wires[parcel->client];
    int64_t *last = &(parcel->to_broker ? wire->to_broker : wire->to_client)[lane_of(parcel)];

    *last = at > *last ? at : *last;
    world_plan(world, &parcel->due, at);
}

/* The end that gave up refuses what the other one still sends, so that this learns of it, too. */
void wire_heal(struct world *world, unsigned client)
{
    struct wire *wire = &world->wires[client];
    struct parcels held = wire->held;
    struct parcel *parcel;
    int64_t at = world->now;

    if (!wire->is_cut) {
        return;
    }
    wire->is_cut = false;
    wire->held = (struct parcels){0};
    while ((parcel = parcels_take(&held)) != NULL) {
        go_on(world, parcel, ++at);
    }
    if (wire->client_up && wire->broker_up) {
        world_cancel(world, &wire->broker_gives_up);
        world_cancel(world, &wire->client_gives_up);
    } else {
        world_plan(world, &wire->broker_gives_up, world->now + world_delay(world));
        world_plan(world, &wire->client_gives_up, world->now + world_delay(world));
    }
}

static void publish_will(struct world *world, unsigned client)
{
    static const char will[] = "{\"status\":\"lost\"}";
    bool is_node = client_is_node(client);
    unsigned who = is_node ? client : client - NODES_MAX;
    const char *name = is_node ? world->nodes[who].id : world->boxes[who].name;
    enum topic_id id = is_node ? TOPIC_CONTROLLER_STATUS : TOPIC_LINK;
    const char *payload = is_node ? will : "lost";
    char topic[TOPIC_SIZE];
    struct message *message;

    if (topic_build(topic, sizeof topic, PREFIX, id, name, NULL) != STATUS_OK) {
        abort();
    }
    world_tell(world, "broker: the last will of %s", name);
    message = message_new(id, who, topic, payload, strlen(payload));
    broker_take(world, message, 1, true);
    message_release(message);
}

void wire_close_at_broker(struct world *world, unsigned client, bool with_will)
{
    struct wire *wire = &world->wires[client];

    world_cancel(world, &wire->broker_gives_up);
    if (wire->broker_up) {
        wire->broker_up = false;
        wire->topics = 0;
        wire->topics_qos1 = 0;
        if (with_will && !wire->says_goodbye && !world->broker.is_down) {
            publish_will(world, client);
        }
    }
}

void wire_close_at_client(struct world *world, unsigned client)
{
    struct wire *wire = &world->wires[client];

    world_cancel(world, &wire->client_gives_up);
    if (!wire->client_up) {
        return;
    }
    wire->client_up = false;
    if (client_is_node(client)) {
        node_outbox_lost(&world->nodes[client]);
        node_receive(world, parcel_new(PARCEL_DISCONNECTED, client));
        wire_connect_at(world, client, world->now + dice_between(&world->dice, 200 * MS, SECOND));
    } else {
        box_step(
            world, &world->boxes[client - NODES_MAX],
            (struct device_event){.type = DEVICE_EVENT_LINK_DOWN});
    }
}

static void broker_gives_up(struct world *world, struct due *due)
{
    struct wire *wire = (struct wire *)((char *)due - offsetof(struct wire, broker_gives_up));

    wire_close_at_broker(world, (unsigned)(wire - world->wires), true);
}

static void client_gives_up(struct world *world, struct due *due)
{
    struct wire *wire = (struct wire *)((char *)due - offsetof(struct wire, client_gives_up));
    unsigned client = (unsigned)(wire - world->wires);

    if (client_is_node(client) && world->nodes[client].is_frozen) {
        world_plan(world, due, world->now + 100 * MS); /* it notices when it runs again */
        return;
    }
    wire_close_at_client(world, client);
}

/* ---- connecting ---- */

void wire_connect_at(struct world *world, unsigned client, int64_t at)
{
    world_plan(world, &world->wires[client].connects, at);
}

static bool process_runs(const struct world *world, unsigned client)
{
    return client_is_node(client) ? world->nodes[client].controller != NULL
                                  : world->boxes[client - NODES_MAX].runs;
}

static void connected(struct world *world, unsigned client)
{
    struct wire *wire = &world->wires[client];

    wire_close_at_broker(world, client, true); /* the same client again: the old one is closed */
    parcels_drop(&wire->held);
    wire->connection++;
    wire->says_goodbye = false;
    wire->client_up = true;
    wire->broker_up = true;
    if (client_is_node(client)) {
        node_outbox_connected(world, &world->nodes[client]);
        node_receive(world, parcel_new(PARCEL_CONNECTED, client));
        return;
    }
    wire->topics =
        (uint64_t)1 << TOPIC_COMMAND | (uint64_t)1 << TOPIC_PROBE | (uint64_t)1 << TOPIC_RESTART;
    wire->topics_qos1 = wire->topics;
    box_connected(world, &world->boxes[client - NODES_MAX]);
}

static void connects(struct world *world, struct due *due)
{
    struct wire *wire = (struct wire *)((char *)due - offsetof(struct wire, connects));
    unsigned client = (unsigned)(wire - world->wires);

    if (!process_runs(world, client) || wire->client_up) {
        return;
    }
    if (client_is_node(client) && world->nodes[client].is_frozen) {
        world_plan(world, due, world->now + 100 * MS);
    } else if (!wire->is_cut && !world->broker.is_down) {
        connected(world, client);
    } else if (client_is_node(client)) {
        world_plan(world, due, world->now + dice_between(&world->dice, 500 * MS, 2 * SECOND));
    } else {
        box_step(
            world, &world->boxes[client - NODES_MAX],
            (struct device_event){.type = DEVICE_EVENT_LINK_DOWN});
    }
}

void wire_init(struct world *world, unsigned client)
{
    struct wire *wire = &world->wires[client];

    wire->client_gives_up.happen = client_gives_up;
    wire->broker_gives_up.happen = broker_gives_up;
    wire->connects.happen = connects;
}

void wire_free(struct wire *wire)
{
    parcels_drop(&wire->held);
}
