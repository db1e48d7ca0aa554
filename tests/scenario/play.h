/* Plays one scenario, line by line. */
#ifndef TAGOUT_SCENARIO_PLAY_H
#define TAGOUT_SCENARIO_PLAY_H

#include "tests/scenario/world.h"

struct run {
    struct fault fault;
    const struct trace *sound; /* NULL: expectations are checked; else only what check.h checks */
    bool expects;
};

/* Returns true when all went well; else `failure` says what did not. `ret_fault` tells whether the
 * fault has struck, `ret_trace` which relays were on. NULL where not wanted. */
bool play(
    const struct scenario *scenario, const char *folder, const struct run *run, char failure[4096],
    struct fault *ret_fault, struct trace *ret_trace);

#endif
