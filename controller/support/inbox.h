/* What Paho's threads hand to the loop: a bounded queue of messages, in the order of arrival.
 *
 * Any thread pushes; one thread, the loop, pops. A push wakes the loop through a file descriptor
 * (eventfd), once for many messages. A full inbox makes the pusher wait for a moment
 * (INBOX_WAIT_MS), which leaves the rest in the socket and lets the broker queue; only then is the
 * message dropped and counted. Devices repeat what is not answered (C7.4).
 */
#ifndef TAGOUT_SUPPORT_INBOX_H
#define TAGOUT_SUPPORT_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"

#define INBOX_WAIT_MS 100

enum inbox_kind {
    INBOX_MESSAGE,      /* topic, payload, retained */
    INBOX_CONNECTED,    /* the broker accepted us */
    INBOX_DISCONNECTED, /* the connection is gone, or an attempt failed; payload is the reason */
    INBOX_SUBSCRIBED,   /* SUBACK; `token` is that of mqtt_subscribe */
    INBOX_SUBSCRIBE_FAILED,
};

/* One entry; the strings live until the next inbox_pop or inbox_free. */
struct inbox_entry {
    enum inbox_kind kind;
    const char *topic;
    const char *payload; /* NUL-terminated for convenience; may hold NULs */
    size_t payload_length;
    bool retained;
    bool overflow; /* pushed beyond the soft limit: answer "busy", don't carry it out */
    int token;
};

struct inbox;

struct inbox_limits {
    size_t bytes; /* hard limit; over it a push waits, then drops */
    size_t soft;  /* entries waiting from which on `overflow` is set; 0 for never */
};

MUST_USE enum status inbox_new(struct inbox_limits limits, struct inbox **ret_inbox);
void inbox_free(struct inbox *inbox);

/* Readable while something waits. */
int inbox_fd(const struct inbox *inbox);

/* Copies the entry. STATUS_FULL when it was dropped. */
MUST_USE enum status inbox_push(struct inbox *inbox, const struct inbox_entry *entry);

/* False when it is empty. Resets the descriptor when it empties the inbox. */
bool inbox_pop(struct inbox *inbox, struct inbox_entry *ret_entry);

/* Messages dropped so far. */
uint64_t inbox_dropped(const struct inbox *inbox);

#endif
