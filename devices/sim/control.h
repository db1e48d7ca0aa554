/* Lines that come while the simulator runs. */
#ifndef TAGOUT_SIM_CONTROL_H
#define TAGOUT_SIM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "devices/sim/scenario.h"

struct control {
    int fd; /* -1: none, or at its end */
    const char *name;
    char buffer[SCENARIO_LINE_MAX + 2];
    size_t length;
    unsigned lines;
};

/* `path` is a file, a FIFO, or "-" for standard input; NULL for none. */
MUST_USE enum status control_open(struct control *control, const char *path, struct text *why);
void control_close(struct control *control);

/* Reads what is there; call when the descriptor is readable. `take` gets each whole line. */
void control_read(
    struct control *control, void (*take)(void *context, unsigned number, const char *line),
    void *context);

#endif
