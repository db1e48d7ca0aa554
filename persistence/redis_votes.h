/* What several Sentinels say of where the master is, and whom to believe: no clock, no I/O.
 *
 * During a fail-over they tell of it one after the other, and one that is cut off from the rest may
 * name a Redis that is the master no more. To find a master, the one that most of them name is
 * tried, and where as many name another, each in its turn; whoever connects asks it for its ROLE.
 * To leave a connection that works takes more than half of all of them, which is what Sentinels
 * need among themselves for a fail-over.
 */
#ifndef TAGOUT_PERSISTENCE_REDIS_VOTES_H
#define TAGOUT_PERSISTENCE_REDIS_VOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/endpoint.h"
#include "controller/support/time.h"

#define SENTINELS_MAX 8

/* An answer that is older counts no more: three questions went without. */
#define SENTINEL_FRESH_MS 3000

/* The last answer of one Sentinel. */
struct sentinel_voice {
    bool named;             /* it named a master */
    struct mono_time at;    /* when */
    struct endpoint master; /* and where that is */
};

/* The master to try next; NULL when no voice is fresh. `last` is the one that was tried last, with
 * an empty host when none was. */
const struct endpoint *sentinel_choose(
    const struct sentinel_voice voices[], size_t count, struct mono_time now,
    const struct endpoint *last);

/* The master that more than half of all name, if it is another than `last`; else NULL. Where there
 * is no `last`, one voice is enough. */
const struct endpoint *sentinel_moved(
    const struct sentinel_voice voices[], size_t count, struct mono_time now,
    const struct endpoint *last);

#endif
