/* Runs another program, without a shell, and waits for its end. */
#ifndef TAGOUT_SETUP_PROGRAM_H
#define TAGOUT_SETUP_PROGRAM_H

#include "controller/support/status.h"
#include "controller/support/text.h"

/* `words` ends with NULL; the first is looked for in PATH. It reads nothing, gets
 * next to no environment, runs in `directory`, and what it creates is for this account alone.
 * STATUS_NOT_FOUND: it is not installed. STATUS_IO: it failed; `why` ends with what it said. */
MUST_USE enum status
program_run(const char *const words[], const char *directory, struct text *why);

#endif
