/* One connection to the broker, from the attempt to its end, on Paho.
 *
 * A link is used once. When it has gone down, another is made: Paho keeps what was queued on a
 * broken connection and would send it to the broker first thing after the next CONNACK, old
 * commands among it; only destroying the handle throws that away.
 *
 * There are two kinds. mqtt_link_threads is Paho's asynchronous client: it reads and writes on
 * threads of its own, and its events come on them, one at a time for all links of a process; they
 * must be short and must not call the link. mqtt_link_direct is Paho's synchronous client without
 * callbacks: it reads and writes in the calls of its owner, and its events come in `read`. No
 * thread has to wake another for a message, which halves what a message costs; but a process can
 * have only one such link at a time.
 *
 * The fence (README, "Paho's fence"): no persistence, MQTT 3.1.1 pinned, no automatic reconnect,
 * nothing sent while disconnected, no call that waits. Everything is the owner's thread's.
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
    int epoll; /* a direct link adds to it what its owner has to wait for */
};

struct mqtt_link_events {
    void *context;
    void (*connected)(void *context);
    /* Once, whether the attempt failed or the connection broke. */
    void (*disconnected)(void *context, const char *reason);
    /* False: the rest of what there is had better wait, where it can. */
    bool (*message)(
        void *context, const char *topic, const char *payload, size_t length, bool retained);
    void (*subscribed)(void *context, int token, bool granted);
    /* Something was acknowledged, and `watch` asked to be told. */
    void (*progress)(void *context);
};

enum mqtt_link_state {
    MQTT_LINK_NEW,
    MQTT_LINK_CONNECTING,
    MQTT_LINK_UP,
    MQTT_LINK_DOWN,
    MQTT_LINK_CLOSED, /* by a goodbye */
};

struct mqtt_link;

struct mqtt_link_operations {
    enum status (*make)(
        const struct mqtt_link_options *options, const struct mqtt_link_events *events,
        struct mqtt_link **ret_link);
    /* Cuts the connection if there is one, without a goodbye; no event comes after it. May wait for
     * the threads of the last link of the process, and for an attempt to connect to fail. Takes
     * NULL. */
    void (*free)(struct mqtt_link *link);
    /* At the end of a process: cuts the connection, and waits at most that long for the call that
     * is under way. False: it goes on, and all that the link borrows is still in use; see
     * mqtt_let_go. */
    bool (*let_go)(struct mqtt_link *link, int timeout_ms);
    /* Once for each link. Fails only where no event will come. */
    enum status (*connect)(struct mqtt_link *link);
    enum mqtt_link_state (*state)(const struct mqtt_link *link);
    /* Whether it would take this message now. */
    bool (*takes)(struct mqtt_link *link, const struct outbox_message *message);
    /* The message stays lent until `done` returns it, or the link is freed.
     * STATUS_DISCONNECTED, STATUS_BUSY: it was not taken. */
    enum status (*publish)(struct mqtt_link *link, struct outbox_message *message);
    /* What the broker acknowledged since the last call, linked by next_done. */
    struct outbox_message *(*done)(struct mqtt_link *link);
    /* Whether `progress` is wanted. Ask `done` once more after switching it on. */
    void (*watch)(struct mqtt_link *link, bool watch);
    enum status (*subscribe)(
        struct mqtt_link *link, const char *const filters[], const int qos[], size_t count,
        int token);
    enum status (*unsubscribe)(struct mqtt_link *link, const char *filter);
    /* Asks Paho to send DISCONNECT; the state becomes MQTT_LINK_CLOSED when it has. */
    enum status (*goodbye)(struct mqtt_link *link);
    /* Nothing more is published in this turn: what was held back for company goes out. */
    void (*flush)(struct mqtt_link *link);
    /* Reads what has come, calling the events, as far as it is good to do at once. True: there may
     * be more, and nothing will say so. */
    bool (*read)(struct mqtt_link *link);
};

extern const struct mqtt_link_operations mqtt_link_threads;
extern const struct mqtt_link_operations mqtt_link_direct;

#endif
