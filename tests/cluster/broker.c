/* The broker: keeps what is retained, and passes on. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/world.h"

/* ---- messages ---- */

struct message *
message_new(enum topic_id id, unsigned who, const char *topic, const char *payload, size_t length)
{
    struct message *message = cluster_memory(calloc(1, sizeof *message));
    TEXT_LOCAL(why, 256);

    message->holders = 1;
    message->id = id;
    message->who = who;
    message->topic = cluster_memory(strdup(topic));
    message->payload = cluster_memory(malloc(length + 1));
    memcpy(message->payload, payload, length);
    message->payload[length] = '\0';
    message->length = length;
    message->is_command =
        id == TOPIC_COMMAND &&
        command_parse(message->payload, length, &message->command, &why) == STATUS_OK;
    return message;
}

struct message *message_hold(struct message *message)
{
    message->holders++;
    return message;
}

void message_release(struct message *message)
{
    if (message != NULL && --message->holders == 0) {
        free(message->topic);
        free(message->payload);
        free(message);
    }
}

/* ---- what is retained ---- */

static struct message **place_of(struct retained *retained, const struct message *message)
{
    static const enum topic_id ids[RETAINED_KINDS] = {
        [RETAINED_LINK] = TOPIC_LINK,     [RETAINED_COMMAND] = TOPIC_COMMAND,
        [RETAINED_STATE] = TOPIC_STATE,   [RETAINED_STATUS] = TOPIC_CONTROLLER_STATUS,
        [RETAINED_BLOCKS] = TOPIC_BLOCKS,
    };

    for (size_t i = 0; i < RETAINED_KINDS; i++) {
        if (ids[i] == message->id) {
            return &retained->of[i][message->who];
        }
    }
    return NULL;
}

static void retain(struct broker *broker, struct message *message)
{
    struct message **place = place_of(&broker->retained, message);

    if (place != NULL) {
        message_release(*place);
        *place = message->length == 0 ? NULL : message_hold(message);
    }
}

static void forget(struct retained *retained)
{
    struct message **all = &retained->of[0][0];

    for (size_t i = 0; i < sizeof retained->of / sizeof *all; i++) {
        message_release(all[i]);
        all[i] = NULL;
    }
}

static void copy(struct retained *to, const struct retained *from)
{
    struct message **target = &to->of[0][0];
    struct message *const *source = &from->of[0][0];

    forget(to);
    for (size_t i = 0; i < sizeof to->of / sizeof *target; i++) {
        target[i] = source[i] == NULL ? NULL : message_hold(source[i]);
    }
}

void broker_keep_copy(struct world *world)
{
    copy(&world->broker.copy, &world->broker.retained);
}

void broker_free(struct broker *broker)
{
    forget(&broker->retained);
    forget(&broker->copy);
}

/* ---- passing on ---- */

static void
pass(struct world *world, unsigned client, struct message *message, int qos, bool retained)
{
    const struct wire *wire = &world->wires[client];
    struct parcel *parcel = parcel_new(PARCEL_MESSAGE, client);
    bool at_qos1 = (wire->topics_qos1 >> message->id & 1) != 0;

    parcel->message = message_hold(message);
    parcel->qos = at_qos1 ? qos : 0;
    parcel->retained = retained;
    wire_send_to_client(world, parcel);
}

static bool wants(const struct world *world, unsigned client, const struct message *message)
{
    const struct wire *wire = &world->wires[client];

    return wire->broker_up && (wire->topics >> message->id & 1) != 0 &&
           (client_is_node(client) || client - NODES_MAX == message->who);
}

void broker_take(struct world *world, struct message *message, int qos, bool retained)
{
    if (retained) {
        retain(&world->broker, message);
    }
    if (message->id == TOPIC_RESPONSE) {
        people_hear(world, message);
    }
    for (unsigned client = 0; client < CLIENTS; client++) {
        if (wants(world, client, message)) {
            pass(world, client, message, qos, false);
        }
    }
}

void broker_subscribe(struct world *world, const struct parcel *parcel)
{
    struct wire *wire = &world->wires[parcel->client];
    struct message *const *all = &world->broker.retained.of[0][0];
    struct parcel *granted = parcel_new(PARCEL_SUBACK, parcel->client);

    wire->topics |= parcel->topics;
    wire->topics_qos1 = (wire->topics_qos1 & ~parcel->topics) | parcel->topics_qos1;
    granted->number = parcel->number;
    wire_send_to_client(world, granted);
    for (size_t i = 0; i < sizeof world->broker.retained.of / sizeof *all; i++) {
        if (all[i] != NULL && (parcel->topics >> all[i]->id & 1) != 0 &&
            wants(world, parcel->client, all[i])) {
            pass(world, parcel->client, all[i], topic_info(all[i]->id)->qos, true);
        }
    }
}

/* ---- its life ---- */

void broker_stop(struct world *world, enum memory_loss loss, int64_t back_at)
{
    struct broker *broker = &world->broker;

    world_tell(
        world, "the broker dies%s",
        loss == LOSS_ALL    ? ", and forgets all"
        : loss == LOSS_SOME ? ", and remembers only older messages"
                            : "");
    broker->is_down = true;
    for (unsigned client = 0; client < CLIENTS; client++) {
        wire_close_at_broker(world, client, false);
        wire_close_at_client(world, client);
    }
    if (loss == LOSS_ALL) {
        forget(&broker->retained);
    } else if (loss == LOSS_SOME) {
        copy(&broker->retained, &broker->copy);
    }
    world->tally.losses += loss != LOSS_NOTHING;
    world_plan(world, &broker->returns, back_at);
}

void broker_return(struct world *world, struct due *due)
{
    (void)due;
    world->broker.is_down = false;
    world_tell(world, "the broker is back");
}
