/* A controller's ports: its outbox, its clock, and the files that it reads. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/ports.h"
#include "tests/cluster/world.h"

#define WALL_START_MS 1767636000000 /* a Monday evening */

static struct now node_now(const struct node *node)
{
    int64_t now_ms = node_time(node) / MS;

    return (struct now){
        .mono = {node->mono_base_ms + now_ms},
        .wall = {WALL_START_MS + now_ms + node->wall_skew_ms},
    };
}

static struct now port_now(void *context)
{
    node_calls(context);
    return node_now(context);
}

static bool port_clock_is_synchronised(void *context)
{
    (void)context;
    return true;
}

static enum status port_read_roster(void *context)
{
    struct node *node = context;

    node->roster_wanted = true;
    node_wake(node->world, node->index);
    return STATUS_OK;
}

/* ---- the outbox: as the real one, it keeps what is neither retained nor of QoS 0 ---- */

static bool is_kept(const struct parcel *parcel)
{
    return !parcel->retained && parcel->qos > 0;
}

/* Answers perish with the connection. */
static bool survives_a_break(const struct parcel *parcel)
{
    return is_kept(parcel) && parcel->message->id != TOPIC_RESPONSE;
}

static void drop_lost(struct parcels *outbox, bool (*keeps)(const struct parcel *parcel))
{
    struct parcels all = *outbox;
    struct parcel *parcel;

    *outbox = (struct parcels){0};
    while ((parcel = parcels_take(&all)) != NULL) {
        if (keeps(parcel)) {
            parcels_add(outbox, parcel);
        } else {
            parcel_free(parcel);
        }
    }
}

void node_outbox_lost(struct node *node)
{
    drop_lost(&node->outbox, survives_a_break);
}

static void flow(struct world *world, struct node *node)
{
    struct parcel *parcel;

    while (world->wires[node->index].client_up && (parcel = parcels_take(&node->outbox)) != NULL) {
        wire_send_to_broker(world, parcel);
    }
}

void node_outbox_connected(struct world *world, struct node *node)
{
    flow(world, node);
}

void node_flows(struct world *world, struct due *due)
{
    struct node *node = (struct node *)((char *)due - offsetof(struct node, flows));

    if (node->is_frozen) {
        world_plan(world, due, world->now + 100 * MS);
    } else {
        flow(world, node);
    }
}

/* Where the network dawdles, what is said waits for it. */
static void queue(struct node *node, struct parcel *parcel)
{
    struct world *world = node->world;
    const struct wire *wire = &world->wires[node->index];

    if (!wire->client_up && !survives_a_break(parcel)) {
        parcel_free(parcel);
        return;
    }
    parcels_add(&node->outbox, parcel);
    if (world->delays > 0 && node->said_at != world->now && dice_percent(&world->dice, 5)) {
        world_plan_by(world, &node->flows, world->now + dice_between(&world->dice, 1, 500 * MS));
    } else if (!due_is_planned(&node->flows)) {
        flow(world, node);
    }
    node->said_at = world->now;
}

static unsigned who_of(const struct world *world, const struct topic_match *match)
{
    for (unsigned i = 0; i < BOXES; i++) {
        if (strcmp(world->boxes[i].name, match->first) == 0) {
            return i;
        }
    }
    for (unsigned i = 0; i < world->node_count; i++) {
        if (strcmp(world->nodes[i].id, match->first) == 0) {
            return i;
        }
    }
    return 0;
}

static enum status port_publish(
    void *context, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    struct node *node = context;
    struct parcel *parcel;
    struct topic_match match;

    if (topic_parse(PREFIX, topic, &match) != STATUS_OK) {
        world_fail(node->world, "%s publishes to an unknown topic, %s", node->id, topic);
        return STATUS_OK;
    }
    node_calls(node);
    parcel = parcel_new(PARCEL_MESSAGE, node->index);
    parcel->message = message_new(match.id, who_of(node->world, &match), topic, payload, length);
    parcel->message->author = node->life;
    parcel->message->said_at = node_time(node);
    parcel->qos = qos;
    parcel->retained = retain;
    check_published(node->world, node, parcel->message);
    queue(node, parcel);
    return STATUS_OK;
}

static void port_discard(void *context, bool events)
{
    struct node *node = context;

    if (events) {
        parcels_drop(&node->outbox);
    } else {
        drop_lost(&node->outbox, is_kept);
    }
}

/* ---- what goes past the outbox ---- */

static uint64_t topic_bit(const char *filter)
{
    char known[TOPIC_SIZE];

    for (enum topic_id id = 0; id < TOPIC_COUNT; id++) {
        if (topic_filter(known, sizeof known, PREFIX, id) == STATUS_OK &&
            strcmp(known, filter) == 0) {
            return (uint64_t)1 << id;
        }
    }
    return 0;
}

static enum status
port_subscribe(void *context, const char *const filters[], const int qos[], size_t count, int token)
{
    struct node *node = context;
    struct parcel *parcel = parcel_new(PARCEL_SUBSCRIBE, node->index);

    for (size_t i = 0; i < count; i++) {
        uint64_t bit = topic_bit(filters[i]);
        parcel->topics |= bit;
        parcel->topics_qos1 |= qos[i] > 0 ? bit : 0;
    }
    parcel->number = (uint32_t)token;
    wire_send_to_broker(node->world, parcel);
    return STATUS_OK;
}

static enum status port_unsubscribe(void *context, const char *filter)
{
    struct node *node = context;
    struct parcel *parcel = parcel_new(PARCEL_UNSUBSCRIBE, node->index);

    parcel->topics = topic_bit(filter);
    wire_send_to_broker(node->world, parcel);
    return STATUS_OK;
}

static void port_echo(void *context, uint32_t number)
{
    struct node *node = context;
    struct parcel *parcel = parcel_new(PARCEL_ECHO, node->index);

    node_calls(node);
    parcel->number = number;
    if (node->world->plant == PLANT_RENEW_CUT) {
        node_receive(node->world, parcel);
    } else {
        wire_send_to_broker(node->world, parcel);
    }
}

struct controller_ports node_ports(struct node *node)
{
    return (struct controller_ports){
        .broker =
            {
                .context = node,
                .publish = port_publish,
                .subscribe = port_subscribe,
                .unsubscribe = port_unsubscribe,
                .echo = port_echo,
                .discard = port_discard,
            },
        .host =
            {
                .context = node,
                .now = port_now,
                .clock_is_synchronised = port_clock_is_synchronised,
                .read_roster = port_read_roster,
            },
    };
}
