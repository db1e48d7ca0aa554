#include "controller/support/clock.h"

#include <sys/timex.h>
#include <time.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time); /* cannot fail for the two clocks used here */
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* A host that slept stood still, too: CLOCK_MONOTONIC would hide it from a leader whose lease ran
 * out meanwhile (C12.2). */
struct now clock_now(void)
{
    return (struct now){
        .mono = {.ms = read_ms(CLOCK_BOOTTIME)},
        .wall = {.ms = read_ms(CLOCK_REALTIME)},
    };
}

int64_t clock_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

bool clock_is_synchronised(void)
{
    struct timex state = {0};
    int answer = adjtimex(&state);

    return answer >= 0 && answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}
