/* A broker in memory, with one client that matters: the controller.
 *
 * It keeps what is retained, delivers it after a SUBACK, and writes down whatever the controller
 * publishes. While the connection is broken it does as the real outbox does: retained topics and
 * QoS 0 are forgotten, the rest goes out after the next connect. Nothing is delivered from inside
 * a call: deliveries wait until broker_next.
 */
#ifndef TAGOUT_SCENARIO_BROKER_H
#define TAGOUT_SCENARIO_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "topics/topic.h"

#define BROKER_FILTERS_MAX 16
#define BROKER_PREFIX "tagout"

enum delivery_kind {
    DELIVER_CONNECTED,
    DELIVER_DISCONNECTED,
    DELIVER_SUBACK,
    DELIVER_ECHO,
    DELIVER_MESSAGE,
};

struct message {
    struct message *next;
    enum delivery_kind kind;
    char topic[TOPIC_SIZE];
    char *payload;
    size_t length;
    bool retained;
    bool overflow; /* a request beyond the limit */
    int token;
    uint32_t number; /* of the echo */
};

/* What the controller published. */
struct published {
    struct topic_match match;
    char topic[TOPIC_SIZE];
    char *payload;
    size_t length;
    bool retain;
    unsigned act; /* in which act of the scenario */
    bool seen;    /* an expectation has spoken of it */
};

struct broker {
    bool connected;
    char filters[BROKER_FILTERS_MAX][TOPIC_SIZE];
    size_t filter_count;
    struct message *first; /* waits for the controller */
    struct message *last;
    struct message *retained;
    struct message *copy;   /* of what was retained at some time */
    struct message *outbox; /* newest first; what the controller said without a connection */
    struct published *published;
    size_t published_count;
};

void broker_free(struct broker *broker);

void broker_connect(struct broker *broker, unsigned act);
/* The connection breaks; the controller is told. */
void broker_disconnect(struct broker *broker);
/* The controller is gone, and nobody is told. */
void broker_drop_client(struct broker *broker);

/* The controller's calls. */
void broker_take(
    struct broker *broker, const char *topic, const char *payload, size_t length, int qos,
    bool retain, unsigned act);
void broker_subscribe(struct broker *broker, const char *const filters[], size_t count, int token);
void broker_unsubscribe(struct broker *broker, const char *filter);
void broker_echo(struct broker *broker, uint32_t number);
/* What the controller said without a connection is forgotten. */
void broker_discard(struct broker *broker);

/* Anybody else's message. */
void broker_send(
    struct broker *broker, const char *topic, const char *payload, size_t length, bool retain,
    bool overflow);

/* The next thing for the controller, to be freed by message_free; NULL when there is none. */
struct message *broker_next(struct broker *broker);
void message_free(struct message *message);

/* NULL for nothing retained. */
const struct message *broker_retained(const struct broker *broker, const char *topic);
void broker_forget(struct broker *broker);
void broker_keep_copy(struct broker *broker);
void broker_restore_copy(struct broker *broker);

#endif
