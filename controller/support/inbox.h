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

/* Room beyond the limit that only changes of the connection may use: they are never dropped. */
#define INBOX_RESERVE_BYTES 16384

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
    int64_t received_us; /* when it was pushed, by clock_us; a push need not fill it in */
};

struct inbox;

struct inbox_limits {
    size_t bytes; /* hard limit; over it a push waits, then drops */
    size_t soft;  /* entries waiting from which on `overflow` is set; 0 for never */
};

MUST_USE enum status inbox_new(struct inbox_limits limits, struct inbox **ret_inbox);
void inbox_free(struct inbox *inbox);

/* Readable from a push or inbox_wake on, until a pop has found nothing. */
int inbox_fd(const struct inbox *inbox);

/* Copies the entry. STATUS_FULL when it was dropped, STATUS_TOO_LONG when it could never fit. */
MUST_USE enum status inbox_push(struct inbox *inbox, const struct inbox_entry *entry);

/* The same for the owner, who looks into the inbox anyway: wakes nobody, waits for no room. */
MUST_USE enum status inbox_put(struct inbox *inbox, const struct inbox_entry *entry);

/* Whether it is less than half full. */
bool inbox_has_room(struct inbox *inbox);

/* False when it is empty; pop until then, for only that gives the last entry's room back, without
 * which a large message may not fit. Whoever stops earlier is called again: only then is the
 * descriptor reset. */
bool inbox_pop(struct inbox *inbox, struct inbox_entry *ret_entry);

/* Wakes the owner though nothing was pushed; from any thread. */
void inbox_wake(struct inbox *inbox);

/* The owner brackets calls into something whose lock a waiting pusher may hold: Paho calls back
 * with its one lock taken. Without this the owner would stand behind a push that waits for the
 * owner, again and again. inbox_enter is false while the inbox is full: pop first, call later.
 * After true, and until inbox_leave, a push into a full inbox drops instead of waiting. */
bool inbox_enter(struct inbox *inbox);
void inbox_leave(struct inbox *inbox);

/* Messages dropped so far. */
uint64_t inbox_dropped(const struct inbox *inbox);

/* Entries that wait now, and the most that ever did. */
struct inbox_depth {
    size_t waiting;
    size_t high_water;
};
struct inbox_depth inbox_depth(struct inbox *inbox);

#endif
