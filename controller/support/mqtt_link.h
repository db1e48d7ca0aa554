/* One connection to the broker, from the attempt to its end: the only user of MQTTAsync.h.
 *
 * A link is used once. When it has gone down, another is made: Paho keeps what was queued on a
 * broken connection and would send it to the broker first thing after the next CONNACK, old
 * commands among it; only destroying the handle throws that away.
 *
 * The fence (README, "Paho's fence"): no persistence, MQTT 3.1.1 pinned, no automatic reconnect,
 * nothing sent while disconnected, no call that waits for Paho's one lock to find out a state.
 * Paho holds that lock while it resolves a name and while it calls back, so a link that is
 * connecting is left alone.
 *
 * Events come on Paho's threads, one at a time for all links of a process; they must be short and
 * must not call the link. Everything else is the owner's thread's.
 */
#ifndef TAGOUT_SUPPORT_MQTT_LINK_H
#define TAGOUT_SUPPORT_MQTT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/mqtt_outbox.h"
#include "controller/support/mqtt_url.h"
#include "controller/support/status.h"

#define MQTT_CONNECT_TIMEOUT_S 5

/* All is borrowed for the life of the link; NULL where not wanted. */
struct mqtt_link_options {
    struct mqtt_url url;
    const char *client_id;
    const char *username;
    const char *password;
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
    const char *will_topic;
    const char *will_payload;
    int keep_alive_s;
    bool persistent_session;
};

struct mqtt_link_events {
    void *context;
    void (*connected)(void *context);
    /* Once, whether the attempt failed or the connection broke. */
    void (*disconnected)(void *context, const char *reason);
    void (*message)(
        void *context, const char *topic, const char *payload, size_t length, bool retained);
    void (*subscribed)(void *context, int token, bool granted);
    /* Something was acknowledged, and mqtt_link_watch asked to be told. */
    void (*progress)(void *context);
};

enum mqtt_link_state {
    MQTT_LINK_NEW,
    MQTT_LINK_CONNECTING,
    MQTT_LINK_UP,
    MQTT_LINK_DOWN,
    MQTT_LINK_CLOSED, /* by mqtt_link_goodbye */
};

struct mqtt_link;

MUST_USE enum status mqtt_link_new(
    const struct mqtt_link_options *options, const struct mqtt_link_events *events,
    struct mqtt_link **ret_link);

/* Cuts the connection if there is one, without a goodbye; no event comes after it. May wait for
 * Paho's threads to end when it is the last link of the process. Takes NULL. */
void mqtt_link_free(struct mqtt_link *link);

/* Once for each link. Fails only where no event will come. */
MUST_USE enum status mqtt_link_connect(struct mqtt_link *link);

enum mqtt_link_state mqtt_link_state(const struct mqtt_link *link);

/* The message stays lent until mqtt_link_done returns it, or the link is freed.
 * STATUS_DISCONNECTED: it was not taken. */
MUST_USE enum status mqtt_link_publish(struct mqtt_link *link, struct outbox_message *message);

/* What the broker acknowledged since the last call, linked by next_done. */
struct outbox_message *mqtt_link_done(struct mqtt_link *link);

/* Whether `progress` is wanted. Ask mqtt_link_done once more after switching it on. */
void mqtt_link_watch(struct mqtt_link *link, bool watch);

MUST_USE enum status mqtt_link_subscribe(
    struct mqtt_link *link, const char *const filters[], const int qos[], size_t count, int token);
MUST_USE enum status mqtt_link_unsubscribe(struct mqtt_link *link, const char *filter);

/* Asks Paho to send DISCONNECT; the state becomes MQTT_LINK_CLOSED when it has. */
MUST_USE enum status mqtt_link_goodbye(struct mqtt_link *link);

#endif
