/* How one log line looks. */
#ifndef TAGOUT_SUPPORT_LOG_LINE_H
#define TAGOUT_SUPPORT_LOG_LINE_H

#include <stddef.h>

#include "controller/support/log.h"
#include "controller/support/time.h"

#define LOG_TEXT_MAX 2048 /* before escaping, with the NUL */
#define LOG_LINE_MAX 4096 /* PIPE_BUF: written at once */

/* Looks whether standard error is a terminal or the journal. */
void log_line_look_around(void);

/* Fills `line`; returns its length, with the newline and without a NUL. */
size_t log_line(
    char line[LOG_LINE_MAX], enum log_level level, const char *program, const char *text,
    struct wall_time now);

#endif
