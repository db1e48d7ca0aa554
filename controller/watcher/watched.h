/* What the watcher knows of each machine, by name: the last event heard of it, and its save
 * timeouts.
 *
 * Bounded, at 0.6 KB each: at the limit the machine that was heard of longest ago makes room, and a
 * gap behind its next event does not show. What comes again is known by other means (heard.h).
 */
#ifndef TAGOUT_WATCHER_WATCHED_H
#define TAGOUT_WATCHER_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"
#include "topics/topic.h"

#define WATCHED_MACHINES_MAX 16384
#define WATCHED_NAME_SIZE (TOPIC_MACHINE_MAX + 1)
#define WATCHED_DISPLAY_SIZE (64 * 4 + 1)
#define WATCHED_RECENT 5 /* timeouts of one machine that are worth an alert */

/* C8.2: where an event stands. */
struct event_place {
    uint32_t n;
    uint64_t epoch;
    struct wall_time at;
};

struct watched {
    char name[WATCHED_NAME_SIZE];
    char display_name[WATCHED_DISPLAY_SIZE]; /* the name until an event has told it */

    /* C8.2: the last event; {0} for none. */
    uint32_t n;
    uint64_t epoch; /* of the leader that told it; 0: not known */
    struct wall_time event_at;
    /* Where the disk was slow at the start: the first that was heard before the past was known, and
     * the last of the past; {0} for none. */
    struct event_place first;
    struct event_place past;

    /* C9.3: the greatest lifetime count that was told, and when the last was; 0 for none. */
    uint32_t timeouts;
    struct wall_time timeouts_at;

    /* Save timeouts on the monotonic clock, the oldest first. */
    struct mono_time recent[WATCHED_RECENT];
    size_t recent_count;
    struct mono_time last_timeout;
    struct mono_time quiet_until; /* no alert about repeated timeouts before */
    bool down;                    /* its outage has started and is not over */

    struct watched *next; /* from the one that was heard of longest ago on */
    struct watched *prev;
};

struct watched_table;

/* NULL when there is no memory. */
struct watched_table *watched_new(void);
void watched_free(struct watched_table *table);

/* The machine of that name; makes it, and notes that it was heard of. NULL when there is no
 * memory. */
struct watched *watched_touch(struct watched_table *table, const char *name);

/* All of them, by `next`. */
struct watched *watched_first(struct watched_table *table);
size_t watched_count(const struct watched_table *table);

#endif
