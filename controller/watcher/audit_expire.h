/* The audit's files that have been kept for long enough. */
#ifndef TAGOUT_WATCHER_AUDIT_EXPIRE_H
#define TAGOUT_WATCHER_AUDIT_EXPIRE_H

#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"

/* Removes the files of months that ended over `keep_days` days ago; returns how many. None where
 * the clock has leapt over a month, before lines of its own have stood for a day: one that is wrong
 * for an hour would take everything along. */
size_t audit_expire(int directory, struct wall_time now, int64_t keep_days);

#endif
