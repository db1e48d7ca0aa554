/* Whether connections of the simulator's throw each other out. Where the account is the client id,
 * as at the listener for devices of a secured broker, whoever comes in takes the place of who was
 * there; and the simulator has a connection of its own beside its machines'. Pure: the time is
 * told.
 */
#ifndef TAGOUT_SIM_RIVALS_H
#define TAGOUT_SIM_RIVALS_H

#include <stdbool.h>
#include <stdint.h>

#define RIVALS_PAIR_MS 500    /* the one goes within so long of the other's coming */
#define RIVALS_HOLDS_MS 15000 /* a connection that held so long was nobody's victim before */
#define RIVALS_TIMES 3        /* so often, and it is no chance */

/* Zero is a good start. `who` below is any pointer that tells connections apart. */
struct rivals {
    const void *last; /* who came in last, and when */
    int64_t last_ms;
    const void *gone; /* who went last, and nobody has come in since */
    int64_t gone_ms;
    const void *victim; /* whose losses are counted */
    int64_t victim_came_ms;
    unsigned times;
};

/* Either returns true, once, when it is certain. */
bool rivals_came(struct rivals *rivals, const void *who, int64_t now_ms);
bool rivals_went(struct rivals *rivals, const void *who, int64_t now_ms);

#endif
