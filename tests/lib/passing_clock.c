#include "tests/lib/passing_clock.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_int_least64_t passed_ms;

void passing_clock_pass(int64_t ms)
{
    atomic_fetch_add(&passed_ms, ms);
}

/* The kernel is asked itself: whatever stands between it and us would call this function. */
int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
    int result = (int)syscall(SYS_clock_gettime, clock_id, tp);
    int64_t ms = atomic_load(&passed_ms);

    if (result != 0 || clock_id == CLOCK_REALTIME || clock_id == CLOCK_REALTIME_COARSE) {
        return result;
    }
    if (clock_id == CLOCK_MONOTONIC || clock_id == CLOCK_MONOTONIC_COARSE ||
        clock_id == CLOCK_BOOTTIME) {
        tp->tv_sec += ms / 1000;
        tp->tv_nsec += ms % 1000 * 1000000;
        if (tp->tv_nsec >= 1000000000) {
            tp->tv_sec++;
            tp->tv_nsec -= 1000000000;
        }
    }
    return result;
}
