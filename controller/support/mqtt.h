/* A connection to the broker, kept for ever, on Paho (mqtt_threads.c and mqtt_direct*.c know it).
 *
 * One `struct mqtt` is one client with a fixed id. Paho's threads, or mqtt_read, only fill an inbox
 * (see inbox.h) with messages and changes of the connection; everything else is called from one
 * thread, the loop's, and never blocks. The owner calls mqtt_tick when the deadline that it gave
 * has come.
 *
 * Publishing goes through an outbox of our own, since Paho's queue is slow when long and can't be
 * taken back: at most MQTT_IN_FLIGHT_MAX messages are Paho's at a time. In the outbox a retained
 * message replaces an older one of the same topic (only the newest state of a thing matters);
 * others keep their order and are bounded. After a reconnect, retained topics are the owner's to
 * publish again: the outbox forgets them when the connection breaks, and keeps the others until the
 * broker has acknowledged them. QoS 0 is worth nothing later and is forgotten, too. Large messages
 * (OUTBOX_LARGE_BYTES) let the others pass.
 *
 * The fence around Paho 1.3.12 (why: README, "Paho's fence"): no persistence, MQTT 3.1.1 pinned,
 * reconnects by hand with back-off and jitter, no sending while disconnected, state known from
 * callbacks only, TCP_NODELAY set on its socket at each connect.
 */
#ifndef TAGOUT_SUPPORT_MQTT_H
#define TAGOUT_SUPPORT_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/inbox.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define MQTT_IN_FLIGHT_MAX 1000
/* So that what Paho has is soon in the socket's buffer, and nothing queues up inside Paho. */
#define MQTT_IN_FLIGHT_BYTES_MAX (128 * 1024)
#define MQTT_OUTBOX_EVENTS_MAX 10000
#define MQTT_PAYLOAD_MAX (16 * 1024 * 1024)
/* Of a direct client: the socket's buffer takes it in one piece, and what follows it, too. Longer
 * ones Paho would write in steps of 100 ms, and commands would stand behind them. */
#define MQTT_DIRECT_PAYLOAD_MAX (192 * 1024)

/* All strings are borrowed until mqtt_new returns. NULL or "" where not wanted. */
struct mqtt_options {
    const char *url; /* mqtt://host:port or mqtts://host:port */
    const char *client_id;
    const char *username;
    const char *password;
    const char *ca_file; /* mqtts: NULL for the host's own store */
    const char *cert_file;
    const char *key_file;
    int keep_alive_s;
    int retry_max_ms; /* longest wait between two attempts to connect; 0: MQTT_BACKOFF_MAX_MS */
    /* Clean session unless set. Then all that was acknowledged is in the inbox, also what came
     * while mqtt_stop said goodbye: pop it behind mqtt_free. */
    bool persistent_session;
    /* After an idle second Paho reads nothing for 100 ms. So that an answer never waits for that,
     * a little is said to the broker each 0.8 s, unless this client may doze. One client that may
     * not is enough for a whole process. A direct one has no thread that could. */
    bool may_doze;
    /* Reads and writes in the owner's calls instead of on Paho's threads, which halves what a
     * message costs: the owner calls mqtt_read when mqtt_fd is readable, and pops the inbox then.
     * One client of a process only. */
    bool direct;
    const char *will_topic; /* QoS 1, retained */
    const char *will_payload;
    /* Where an incoming message goes: requests to `requests`, all else (and what happens to the
     * connection) to `inbox`. NULL: everything goes to `inbox`. */
    struct inbox *inbox;
    struct inbox *requests;
    bool (*is_request)(const char *topic);
    /* Of a request that is longer only so much is kept (0: all): one byte more than the longest
     * that is understood, so that it is refused as too long, but takes no room. */
    size_t request_bytes;
    /* Called with each message before it is acknowledged, on Paho's thread; short, and calling
     * nothing of this. NULL: nobody wants that. */
    void (*keep)(
        void *context, const char *topic, const char *payload, size_t length, bool retained);
    void *keep_context;
    /* What is not published again, or at all, after the connection broke (NULL: nothing that has
     * QoS 1 and is not retained). */
    bool (*perishes)(const char *topic);
};

struct mqtt;

/* Checks the URL and the options; connects nowhere yet. `why` names what is wrong. */
MUST_USE enum status
mqtt_new(const struct mqtt_options *options, struct mqtt **ret_mqtt, struct text *why);

/* The same check alone. */
MUST_USE enum status mqtt_check(const struct mqtt_options *options, struct text *why);

/* Disconnects without a goodbye (the broker publishes the last will) unless mqtt_stop was called
 * and has finished. Waits for an attempt to connect to end, which can take a name server's 20 s:
 * see mqtt_let_go. Takes NULL. */
void mqtt_free(struct mqtt *mqtt);

/* Before mqtt_free, where a process must end in time: waits at most that long for a call to the
 * broker to end. False: a thread still uses what the client has and was given; don't free it, and
 * end the process by _exit. */
MUST_USE bool mqtt_let_go(struct mqtt *mqtt, int timeout_ms);

/* For the end of a process, when its last client is freed, if that was not a direct one. Paho's
 * threads have said by then that they end, but go on to free what OpenSSL keeps for each thread;
 * and the end of the process takes OpenSSL down. Waits until they are gone, 1 s at most. */
void mqtt_finish(void);

/* Connects now, and again for ever after each loss. The inbox tells of each result. */
void mqtt_start(struct mqtt *mqtt, struct mono_time now);

/* Sends what is in the outbox, then says goodbye; finished (or given up) by `timeout_ms`.
 * Blocks: for the end of a process only. */
void mqtt_stop(struct mqtt *mqtt, int timeout_ms);

/* The owner tells what it popped from the inbox, so that state changes in the loop's order. */
void mqtt_on_connected(struct mqtt *mqtt);
void mqtt_on_disconnected(struct mqtt *mqtt, struct mono_time now);

/* Does what is due: reconnecting, moving the outbox along. Cheap; called in every turn of the
 * loop. Returns when it wants to be called at the latest ({0}: not by itself). */
struct mono_time mqtt_tick(struct mqtt *mqtt, struct mono_time now);

/* Of a direct client: readable while something is to be read; the same for the client's life. */
int mqtt_fd(const struct mqtt *mqtt);

/* Reads what has come into the inbox, which is not told of messages: pop it afterwards. */
void mqtt_read(struct mqtt *mqtt, struct mono_time now);

bool mqtt_is_connected(const struct mqtt *mqtt);

/* Copies. While there is no connection, what the outbox would forget is forgotten at once, with
 * STATUS_OK. STATUS_FULL: the outbox had no room for a message that may not be merged; counted.
 * STATUS_INVALID: the topic has a wildcard or is none, or QoS is neither 0 nor 1. STATUS_TOO_LONG:
 * over MQTT_PAYLOAD_MAX, or MQTT_DIRECT_PAYLOAD_MAX. */
MUST_USE enum status mqtt_publish(
    struct mqtt *mqtt, const char *topic, const char *payload, size_t length, int qos, bool retain);

/* QoS 1, before all that waits in the outbox, and whatever its number: for one message at a time.
 * STATUS_DISCONNECTED where there is no connection. */
MUST_USE enum status
mqtt_publish_first(struct mqtt *mqtt, const char *topic, const char *payload, size_t length);

/* Drops what waits in the outbox: all of it, or only what is retained or of QoS 0. What Paho has
 * goes out. */
void mqtt_discard(struct mqtt *mqtt, bool all);

/* One SUBSCRIBE packet; its SUBACK comes to the inbox with `token`. */
MUST_USE enum status mqtt_subscribe(
    struct mqtt *mqtt, const char *const filters[], const int qos[], size_t count, int token);
MUST_USE enum status mqtt_unsubscribe(struct mqtt *mqtt, const char *filter);

/* For the owner's metrics. */
struct mqtt_counts {
    uint64_t connects;
    uint64_t published; /* handed to Paho */
    uint64_t merged;    /* replaced in the outbox by a newer one */
    uint64_t dropped;   /* the outbox was full */
    size_t waiting;     /* in the outbox now */
    size_t in_flight;
};
struct mqtt_counts mqtt_counts(const struct mqtt *mqtt);

#endif
