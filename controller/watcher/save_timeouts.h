/* Counting save timeouts over all machines and controllers (C9.5): when a machine, when the fleet
 * is worth an alert, and when an outage is over. Pure: told the time, touches nothing.
 *
 * An *outage* begins with the first timeout or `started` and ends when each machine that was down
 * has been saved again, or when nothing was heard of it for long. It is known by the wall time of
 * its beginning.
 */
#ifndef TAGOUT_WATCHER_SAVE_TIMEOUTS_H
#define TAGOUT_WATCHER_SAVE_TIMEOUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"
#include "controller/watcher/alert.h"
#include "controller/watcher/watched.h"

/* Machines that are saved again are so for good when no other was heard of for this long. */
#define SAVE_TIMEOUTS_SETTLE_MS 2000
/* Timeouts of one machine: WATCHED_RECENT of them within this are an alert. */
#define SAVE_TIMEOUTS_REPEATED_MS 600000
/* Without word from machines that are down an outage ends all the same. */
#define SAVE_TIMEOUTS_LOST_MS 600000
#define SAVE_TIMEOUTS_ALERTS_MAX 2

struct save_timeouts_limits {
    int64_t window_ms;
    uint32_t threshold;
    int64_t cooldown_ms;
};

struct save_timeouts {
    struct save_timeouts_limits limits;
    struct watched_table *machines; /* borrowed */

    struct mono_time fleet_quiet_until; /* no alert for the fleet before */

    /* The outage. */
    bool open;
    bool alerted;       /* some alert has told of it */
    bool fleet_alerted; /* one for the fleet has */
    struct wall_time since;
    struct mono_time began;
    struct mono_time last_heard;  /* its last timeout, start or end */
    struct mono_time clear_since; /* no machine is down since; {0}: some are, or were never */
};

/* C9.3's payload. */
struct save_timeout {
    const char *machine;
    uint32_t count; /* over the machine's life */
    int64_t budget_ms;
    struct wall_time at;
};

/* One timeout was told. Returns how many alerts are in `ret_alerts`. A message that was heard
 * before changes nothing, and `ret_is_new` is false. */
size_t save_timeouts_count(
    struct save_timeouts *counting, const struct save_timeout *timeout, struct now now,
    struct alert ret_alerts[SAVE_TIMEOUTS_ALERTS_MAX], bool *ret_is_new);

/* The event `save_timeout` of C8.2: a machine's outage has started, or is over. */
void save_timeouts_mark(
    struct save_timeouts *counting, struct watched *machine, bool over, struct now now);

/* Machines with a timeout within the window that ends now. */
uint32_t save_timeouts_machines(const struct save_timeouts *counting, struct mono_time now);

/* What only time does. True with the alert that tells of the outage's end. */
bool save_timeouts_tick(struct save_timeouts *counting, struct now now, struct alert *ret_alert);
/* When it wants to be called; {0}: not by itself. */
struct mono_time save_timeouts_due(const struct save_timeouts *counting);

#endif
