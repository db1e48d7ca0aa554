/* Log lines that never block the caller.
 *
 * A line goes into a bounded ring; a thread of its own writes it to standard error. When nobody
 * reads standard error the ring fills, and lines are dropped and counted; the count is logged when
 * writing works again. Before log_start and after log_stop (which waits a moment for the rest)
 * lines are written directly. One line: time, level, text; control characters are escaped, so that
 * a hostile payload can't forge a line. Levels are coloured on a terminal (NO_COLOR is heeded).
 * Under a supervisor that keeps the time itself (JOURNAL_STREAM) lines carry its <n> priority
 * instead of the time.
 */
#ifndef TAGOUT_SUPPORT_LOG_H
#define TAGOUT_SUPPORT_LOG_H

#include <stdint.h>

#include "controller/support/status.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
};

/* `program` is borrowed for good. */
MUST_USE enum status log_start(const char *program, enum log_level least);
void log_stop(void);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lines dropped since log_start. */
uint64_t log_dropped(void);

#endif
