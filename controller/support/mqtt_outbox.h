/* What is to be published: messages that wait, in order, and messages that Paho has but the broker
 * has not yet acknowledged. Belongs to the loop's thread; knows neither Paho nor time.
 *
 *   publish ──> waiting ──take──> in flight ──done──> gone
 *                  ^                  │
 *                  └──────break───────┘
 *
 * A retained message replaces one of the same topic that still waits, and takes its place in the
 * order: only the newest state of a thing matters. Others of QoS 1 keep their order, are bounded,
 * and are kept (in flight, too) until the broker has acknowledged them: at least once. When the
 * connection breaks, retained messages are forgotten, for their owner publishes all of them again
 * after each connect, and so is QoS 0, which is worth nothing later.
 *
 * A large message stands in the way of all that follow it on its connection, and is never urgent:
 * it lets the small ones pass, though not for ever.
 */
#ifndef TAGOUT_SUPPORT_MQTT_OUTBOX_H
#define TAGOUT_SUPPORT_MQTT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"

#define OUTBOX_LARGE_BYTES ((size_t)32 * 1024) /* of payload; more is large */
/* So many small messages pass a large one that waits. */
#define OUTBOX_PASSED_MAX 256
/* Of large messages that are not retained, waiting and in flight, unless there is only one. */
#define OUTBOX_LARGE_BYTES_MAX ((size_t)2 * 1024 * 1024)

struct outbox;

/* One message; the strings belong to it. */
struct outbox_message {
    const char *topic;
    const char *payload;
    size_t length;
    int qos;
    bool retain;
    /* For whoever has it in flight. */
    void *carrier;
    int token;
    struct outbox_message *next_done;
};

/* `events_max` bounds the waiting messages that may not be merged. */
MUST_USE enum status outbox_new(size_t events_max, struct outbox **ret_outbox);
void outbox_free(struct outbox *outbox);

bool outbox_is_large(const struct outbox_message *message);

/* Copies a message and lets it wait. STATUS_FULL: too many wait, or too much; counted. */
MUST_USE enum status outbox_put(
    struct outbox *outbox, const char *topic, const char *payload, size_t length, int qos,
    bool retain);

/* Before all that waits, whatever its number: of QoS 1, not retained. */
MUST_USE enum status
outbox_put_first(struct outbox *outbox, const char *topic, const char *payload, size_t length);

/* The oldest one that waits, small ones first; NULL where nothing waits. */
const struct outbox_message *outbox_next(const struct outbox *outbox);
/* The same, which becomes in flight. */
struct outbox_message *outbox_take(struct outbox *outbox);

/* It did not go out after all: it waits again, at the front. */
void outbox_untake(struct outbox *outbox, struct outbox_message *message);

/* The broker has it: frees it. */
void outbox_done(struct outbox *outbox, struct outbox_message *message);

/* The connection broke: forgets retained messages, QoS 0 and topics that perish (NULL: none), and
 * lets what was in flight wait again, before what waits already. More than `events_max` may wait
 * after it. */
void outbox_break(struct outbox *outbox, bool (*perishes)(const char *topic));

/* Forgets what waits; unless `all`, what is neither retained nor of QoS 0 stays. */
void outbox_discard(struct outbox *outbox, bool all);

struct outbox_counts {
    size_t waiting;
    size_t large_waiting; /* of them */
    size_t in_flight;
    size_t in_flight_bytes; /* about what the small ones take on the wire */
    uint64_t merged;
    uint64_t dropped;
};
struct outbox_counts outbox_counts(const struct outbox *outbox);

#endif
