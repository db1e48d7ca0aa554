/* A preloaded library: a wall clock that somebody sets, forwards and back.
 *
 * WRONG_CLOCK names a file of one 64-bit number that the test maps: by so many milliseconds the
 * wall clock is ahead of the host's. The clocks that only run on are the host's. Who waits until a
 * time of the wall clock waits as long as it meant when it began.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#include "tests/lib/preload.h"

#define NS_PER_S 1000000000
#define GOES_BY_MONOTONIC 2u /* where glibc keeps of a condition which clock it goes by */

static _Atomic int64_t *ahead_ms;

__attribute__((constructor)) static void map_clock(void)
{
    ahead_ms = preload_map("WRONG_CLOCK", sizeof *ahead_ms);
}

static int host_clock(clockid_t clock, struct timespec *time)
{
    static int (*_Atomic next)(clockid_t, struct timespec *);
    int (*function)(clockid_t, struct timespec *) = atomic_load(&next);

    if (function == NULL) {
        *(void **)&function = preload_next("clock_gettime");
        atomic_store(&next, function);
    }
    return function(clock, time);
}

static void add(struct timespec *time, int64_t ms)
{
    int64_t ns = time->tv_nsec + ms % 1000 * 1000000;

    time->tv_sec += ms / 1000 + (ns >= NS_PER_S) - (ns < 0);
    time->tv_nsec = ns + (ns < 0 ? NS_PER_S : 0) - (ns >= NS_PER_S ? NS_PER_S : 0);
}

static int64_t now_ahead_ms(void)
{
    return ahead_ms == NULL ? 0 : atomic_load(ahead_ms);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = host_clock(clock, time);

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        add(time, now_ahead_ms());
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret_time)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time != NULL) {
        *ret_time = now.tv_sec;
    }
    return now.tv_sec;
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
    const struct timespec *restrict until)
{
    static int (*_Atomic next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    int (*function)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) =
        atomic_load(&next);
    struct timespec host = *until;

    if (function == NULL) {
        *(void **)&function = preload_next("pthread_cond_timedwait");
        atomic_store(&next, function);
    }
    if ((condition->__data.__wrefs & GOES_BY_MONOTONIC) == 0) {
        add(&host, -now_ahead_ms());
    }
    return function(condition, mutex, &host);
}
