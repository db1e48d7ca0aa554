/* Time that passes at a test's word. Wherever passing_clock.c is linked in, it stands before the C
 * library's clock_gettime, for libraries too: the monotonic clocks are ahead by what has passed,
 * so that a loop's timers come due at its next turn. The wall clock is left alone. */
#ifndef TAGOUT_TESTS_PASSING_CLOCK_H
#define TAGOUT_TESTS_PASSING_CLOCK_H

#include <stdint.h>

void passing_clock_pass(int64_t ms);

#endif
