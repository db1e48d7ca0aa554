/* A moment as people write it on a command line. Pure: the time is told. */
#ifndef TAGOUT_CTL_MOMENT_H
#define TAGOUT_CTL_MOMENT_H

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

/* "45s", "30min", "2h", "3d", "2w" ago; "now", "today", "yesterday"; "14:30" today; "2026-11-01",
 * "2026-11-01 14:30", the same with seconds or with a T. Local time. STATUS_INVALID: `why` says
 * what fits. */
MUST_USE enum status moment_parse(
    const char *word, struct wall_time now, struct wall_time *ret_moment, struct text *why);

#endif
