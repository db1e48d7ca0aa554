/* Two kinds of time that must never be mixed, and the pair that every decision is given.
 *
 * Monotonic time measures durations and deadlines: it never jumps, and means nothing outside
 * this process. Wall time is what people and other programs read: it may jump. They are
 * different types, so that the compiler finds whoever subtracts one from the other.
 */
#ifndef TAGOUT_SUPPORT_TIME_H
#define TAGOUT_SUPPORT_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds on the monotonic clock. 0 stands for "never". */
struct mono_time {
    int64_t ms;
};

/* Milliseconds since 1970 UTC. 0 stands for "never". */
struct wall_time {
    int64_t ms;
};

struct now {
    struct mono_time mono;
    struct wall_time wall;
};

/* A moment that is "never" has not come. */
static inline bool mono_is_past(struct mono_time moment, struct mono_time now)
{
    return moment.ms != 0 && now.ms >= moment.ms;
}

static inline struct mono_time mono_earlier(struct mono_time one, struct mono_time other)
{
    return one.ms == 0 || (other.ms != 0 && other.ms < one.ms) ? other : one;
}

#endif
