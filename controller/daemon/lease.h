/* Who leads (C12): the decisions of one controller among several, and nothing else.
 *
 * A pure state machine. It has no clock, no Redis and no broker: time is in every event, and what
 * is to be done comes back as actions. Whoever drives it (the daemon, a test, a simulation) carries
 * the actions out, tells what came of them, and calls again at lease_wake_at at the latest.
 *
 * The story. A controller begins as a standby. Once it has read from the broker who else is there,
 * and from Redis what is kept, it tries to take the lease; held by another, it tries again soon.
 * With the lease come an epoch above all others and the lead. The leader renews each third of the
 * lease and asks the broker for an echo twice a second. What can happen to it:
 *
 *   - Redis shows another token or a newer epoch, or a status on the broker does: it stands down.
 *   - Redis is silent: it leads on, since nobody could take the lease without being seen on the
 *     broker, where it listens.
 *   - Its own loop stood still for over a third of the lease: it falls silent, for the others may
 *     have waited long enough meanwhile. It speaks again once an echo from the broker, asked for
 *     after the standstill, has come behind whatever the others say. Redis alone does not do: it
 *     does not know of one who leads without it.
 *   - The broker is out of reach for two seconds, or does not answer: it gives the lease back,
 *     since no machine hears it, and a standby may be heard.
 *
 * The epoch of a lease is to be above all others, also if Redis has lost its own. So it is asked
 * for only when an echo has just shown all that the others said.
 *
 * Without Redis a standby leads if no other status says `leader`: it announces itself, waits, and
 * of two that announced themselves the newer epoch stays, of equal ones the smaller id. A broker
 * that was restored from an old file may remember a leader that is long gone, and has no last will
 * of it. So the standby asks, with its own status, and one that leads answers with its own. Should
 * it be there all the same, and unable to answer, it stands down when it hears of the announcement.
 *
 * A Redis that forgot, or a replica that became the master and never had the lease, would give it
 * to whoever asks first. Beside one that leads a standby waits there for a whole lease.
 *
 * Only one question to Redis is under way at a time, but for a release, which goes out at once and
 * whose answer nobody waits for.
 */
#ifndef TAGOUT_DAEMON_LEASE_H
#define TAGOUT_DAEMON_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"

#define LEASE_MS 5000
#define LEASE_THIRD_MS (LEASE_MS / 3)
#define LEASE_ECHO_MS 500   /* from an echo to the next */
#define LEASE_CUT_MS 2000   /* without an echo: cut off */
#define LEASE_FRESH_MS 1000 /* since an echo was asked for: what the others said is known */
/* So many messages since an echo was asked for: it waits behind them, and the broker is there. More
 * than what the largest fleet says in LEASE_CUT_MS without a flood (10,000 machines, a heartbeat in
 * 10 s each: 2,000), or a broker that does not hear would be taken for one that is busy; such a one
 * ends the connection by itself a second later, since nothing reaches it for 1.5 keep-alives. No
 * more than that, for a starved host has time for few: below 1,250 messages a second, a thirtieth
 * of what one core can do, a flood looks like a cut, and it gives the lease back. */
#define LEASE_FLOOD 2500
#define LEASE_ANNOUNCE_MS 2000 /* from announcing to leading, without Redis */
#define LEASE_AGAIN_MS 10000   /* from the take-over to publishing everything once more */
/* Without Redis, beside a status that says `leader`: from one question to the next whether that one
 * is still there, and how long it has to answer. */
#define LEASE_INQUIRE_MS 5000
#define LEASE_GONE_MS 12000
/* The loop is looked at this often while it leads, so that a standstill shows. */
#define LEASE_TICK_MS 500
/* From an answer that another has the lease to the next question, when nobody says that he leads:
 * it is about to be given back, or to run out. */
#define LEASE_SOON_MS 200
/* From an error, or a question that could not be sent, to the next question. */
#define LEASE_RETRY_MS 1000

#define LEASE_ID_SIZE 33
#define LEASE_TOKEN_SIZE 33
#define LEASE_OTHERS_MAX 16

enum lease_role {
    LEASE_STANDS_BY,
    LEASE_ANNOUNCES, /* says `leader`, does nothing yet */
    LEASE_LEADS,
    LEASE_IS_SILENT, /* leads, unless somebody took over while its loop stood still */
};

enum lease_event_type {
    LEASE_TICK,         /* nothing but time */
    LEASE_BROKER_UP,    /* connected */
    LEASE_BROKER_READ,  /* and every `controller/+/status` that it retains was read */
    LEASE_BROKER_ECHO,  /* the echo `number` has come back */
    LEASE_BROKER_DOWN,  /* the connection broke */
    LEASE_STORE_UP,     /* Redis answers */
    LEASE_STORE_READ,   /* and has told all that it keeps */
    LEASE_STORE_DOWN,   /* its connection broke */
    LEASE_ANSWER_OURS,  /* taken or renewed, under `epoch` as stored */
    LEASE_ANSWER_OTHER, /* another token: `epoch` as stored, free in `remaining_ms` */
    LEASE_ANSWER_FREE,  /* to a renewal: nobody has it */
    LEASE_ANSWER_NONE,  /* an error, or no answer will come */
    LEASE_STATUS,       /* a `controller/+/status`: `status` */
    LEASE_HEARD,        /* another's epoch in something retained: `epoch` */
    LEASE_DEPOSED,      /* Redis refused a save for its older epoch */
    LEASE_HAND_OVER,    /* a person asked for it */
    LEASE_STOP,         /* the process ends */
    LEASE_EVENT_COUNT,
};

/* What a controller says of itself on the broker. */
struct lease_status {
    const char *id;
    bool runs;          /* `running` */
    bool leads;         /* and `leader` */
    bool without_redis; /* it could not take the lease */
    uint64_t epoch;     /* 0: none in it */
};

struct lease_event {
    enum lease_event_type type;
    struct now now;
    union {
        uint32_t number;
        uint64_t epoch;
        struct {
            uint64_t epoch;
            int64_t remaining_ms;
        } answer;
        struct lease_status status;
    };
};

enum lease_question {
    LEASE_ASK_NOTHING,
    LEASE_ASK_TAKE,  /* with `heard`; `own_id_at_once` as the lease says */
    LEASE_ASK_RENEW, /* if the token is still ours */
};

/* To be carried out in the order in which they stand. */
struct lease_actions {
    bool stand_down; /* say no more at once: drop what waits to be sent */
    const char *why; /* of standing down, or of falling silent */
    bool release;    /* give the lease back, if the token is still ours */
    bool fall_silent;
    bool speak;         /* again: publish everything */
    bool lead;          /* under `epoch`, from now on: publish everything */
    bool announce;      /* publish the status with `leader` and `epoch` */
    bool tell;          /* publish the status: a question to who leads, or the answer */
    bool publish_again; /* everything, once more (C12.1) */
    enum lease_question ask;
    bool echo; /* ask the broker for the echo `echo_number`, behind all that was said above */
};

struct lease_other {
    char id[LEASE_ID_SIZE];
    bool runs;
    bool leads;
    bool without_redis;
    uint64_t epoch;
    struct mono_time asked_at; /* first, since it was last heard; {0}: it was not asked */
};

/* All of it may be read; only lease.c writes. Plain data: it may be copied. */
struct lease {
    char id[LEASE_ID_SIZE];
    char token[LEASE_TOKEN_SIZE]; /* of this process, never used by another */
    int64_t patience_ms;          /* how long a standby waits for Redis to answer */

    enum lease_role role;
    uint64_t epoch; /* that it leads or last led under; 0: never */
    bool is_kept;   /* Redis knows the epoch */
    /* Until Redis has given it the lease, one under its own id is its past life's: what that one
     * asked of a Redis that hung is carried out long after it died. */
    bool own_id_at_once;
    bool has_stopped;
    uint64_t heard; /* the greatest epoch in anything retained */

    bool broker_is_up;
    bool broker_is_read;
    bool store_is_up;
    bool store_is_read;
    bool store_was_up;
    struct mono_time yields_until; /* to one that leads, at a Redis that may have forgotten */
    uint32_t echo_number;          /* of the last one asked for */
    bool echo_waits;
    uint32_t heard_since_echo;      /* messages, since it was asked for */
    struct mono_time echo_asked_at; /* the last one */
    struct mono_time known_at;      /* what the others said before then was heard; {0}: nothing */

    enum lease_question asked; /* and not answered */
    struct mono_time asked_at;
    struct mono_time confirmed_at;  /* when the last question was asked that said: ours */
    struct mono_time ask_at;        /* not before then */
    struct mono_time stepped_at;    /* the last event */
    struct mono_time echo_at;       /* not before then */
    struct mono_time touched_at;    /* the broker's last sign of life */
    struct mono_time waiting_since; /* for Redis: its last answer, or when waiting began */
    struct mono_time rests_until;   /* after a hand-over: for another to take it */
    struct mono_time announced_at;
    struct mono_time inquire_at;
    struct mono_time again_at; /* 0: it was done */

    struct lease_other others[LEASE_OTHERS_MAX];
    size_t other_count;
};

/* The token is random, and new for each process. */
void lease_init(
    struct lease *lease, const char *id, const char *token, int64_t patience_ms, struct now now);

/* An epoch in something retained, a record, or what Redis keeps: what is taken will be above it,
 * unless it is beyond belief. */
void lease_hear(struct lease *lease, uint64_t epoch);

/* Any message from the broker is a sign of life, too: in a storm of reports the echo may be late.
 * But where one came in so long after the echo was asked for, the broker does not hear what is said
 * to it. It ends no silence. */
void lease_touch(struct lease *lease, struct mono_time now, struct mono_time received_at);

void lease_step(
    struct lease *lease, const struct lease_event *event, struct lease_actions *ret_actions);

/* When it wants a LEASE_TICK; {0}: not by itself. */
struct mono_time lease_wake_at(const struct lease *lease);

/* Whether it may decide and publish. A standstill shows only in lease_step: every event of the
 * loop begins with one. */
bool lease_may_speak(const struct lease *lease);

/* Whether another says that it leads. */
bool lease_another_leads(const struct lease *lease);

/* Whether somebody else runs who could take over. */
bool lease_has_standby(const struct lease *lease);

#endif
