/* Who used what, put together from events: each session once, when it ends. Pure.
 *
 * Where a leader that was cut off and its successor both tell of one, it is one.
 * A session whose beginning lies before what was read begins where its end says that it did. One
 * of which no end is heard (the watcher was away too long) ends with the machine's next one, at a
 * time that nobody knows; those that are open at the end are told by sessions_open.
 */
#ifndef TAGOUT_CTL_SESSIONS_H
#define TAGOUT_CTL_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/time.h"

#define SESSIONS_NAME_SIZE 257

enum session_kind {
    SESSION_LOGIN,
    SESSION_OVERRIDE,
    SESSION_EMERGENCY,
    SESSION_REFUSED, /* a try: denied, an unknown card, a card at a machine out of use */
};

struct session {
    enum session_kind kind;
    char machine[SESSIONS_NAME_SIZE];
    char display_name[SESSIONS_NAME_SIZE];
    char user[SESSIONS_NAME_SIZE]; /* "" for nobody known */
    char account_id[SESSIONS_NAME_SIZE];
    char reason[32]; /* how it ended, C8.2; of a try the event's name; "" while it is open or when
                      * nobody knows */
    struct wall_time from;
    struct wall_time to; /* {0}: open, or nobody knows */
    int64_t lasted_ms;
    bool approximate;
};

struct sessions;

MUST_USE enum status sessions_new(struct sessions **ret_sessions);
void sessions_free(struct sessions *sessions);

typedef void session_taker(void *context, const struct session *session);

/* Takes an event of the audit; calls for each session or try that it ends. */
MUST_USE enum status sessions_take(
    struct sessions *sessions, const struct json *event, struct wall_time at, session_taker *taker,
    void *context);

/* Calls for those that are still open. */
void sessions_open(const struct sessions *sessions, session_taker *taker, void *context);

#endif
