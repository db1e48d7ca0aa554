/* Where time comes from: the host's clocks, or a test's.
 *
 * Only whoever drives the loop asks; everything below is told the time with the event.
 */
#ifndef TAGOUT_SUPPORT_CLOCK_H
#define TAGOUT_SUPPORT_CLOCK_H

#include <stdbool.h>

#include "controller/support/time.h"

struct now clock_now(void);

/* Microseconds, for measuring how long something takes; from an arbitrary moment on. */
int64_t clock_us(void);

/* Whether the kernel says that something (NTP, PTP) disciplines the wall clock. */
bool clock_is_synchronised(void);

#endif
