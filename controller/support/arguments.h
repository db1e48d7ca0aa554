/* The command line that the daemons have in common: -c FILE, --check, -v, -V, -h. */
#ifndef TAGOUT_SUPPORT_ARGUMENTS_H
#define TAGOUT_SUPPORT_ARGUMENTS_H

#include <stdbool.h>

#include "controller/support/status.h"

#define EXIT_USAGE 2 /* C1 */

struct arguments {
    const char *file; /* NULL: none was given */
    bool check;
    bool verbose;
};

/* Returns -1 to go on, else the exit status of a program that has said all there is to say. */
int arguments_parse(
    const char *program, const char *usage, int count, char *values[],
    struct arguments *ret_arguments);

/* For a configuration that was not taken: EXIT_USAGE, with which no supervisor tries again, unless
 * it was the host that lacked something. */
int arguments_exit_status(enum status status);

#endif
