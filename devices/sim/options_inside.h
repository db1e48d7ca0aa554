/* Shared by the files that read the command line. */
#ifndef TAGOUT_SIM_OPTIONS_INSIDE_H
#define TAGOUT_SIM_OPTIONS_INSIDE_H

#include "devices/sim/options.h"

/* What is put together only when all has been read. */
struct options_reading {
    struct options *options;
    const char *machines;
    const char *users;
    const char *name_prefix;
    size_t count;
    bool wrong;
};

/* Says what is wrong, and that something is. */
void options_complain(struct options_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void options_check_broker(struct options_reading *reading);
void options_take_machines(struct options_reading *reading, char *names[], int count);

#endif
