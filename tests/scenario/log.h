/* The controller's log lines, kept instead of written: to be expected, and to be shown when a
 * scenario fails. */
#ifndef TAGOUT_SCENARIO_LOG_H
#define TAGOUT_SCENARIO_LOG_H

#include <stdbool.h>
#include <stdio.h>

/* Forgets the lines so far. */
void scenario_log_clear(void);
/* From here on lines belong to the next act. */
void scenario_log_mark(void);
/* Whether a line since the mark holds the text. */
bool scenario_log_has(const char *text);
/* The last lines. */
void scenario_log_show(FILE *file);

#endif
