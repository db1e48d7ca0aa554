/* What a device does by itself while time passes.
 *
 *   table-saw lives               reports each 10 s from now on
 *   table-saw falls silent        not a word more: no report of its own, no pong
 *   table-saw hangs with pongs    no report of its own, but it answers probes
 *   table-saw roams every 20 s    its link is lost for 0.3 s, then it reports; as long as it lives
 *   table-saw flaps every 200 ms for 1 min
 *                                 its link is lost half of that time, then it reports
 */
#ifndef TAGOUT_SCENARIO_LIFE_H
#define TAGOUT_SCENARIO_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/scenario/words.h"

/* Times are on the scenario's clock; 0 for never. */
struct life {
    bool is_silent;
    bool link_is_lost;
    int64_t beat_ms; /* when it reports next */
    int64_t lose_ms; /* when the link is lost next */
    int64_t back_ms; /* when it is back */
    int64_t lose_every_ms;
    int64_t lost_for_ms;
    int64_t lose_until_ms; /* 0: for ever */
};

struct device;
struct world;

/* False when the words are none of a device's life; `device` may be NULL. */
bool life_play(struct world *world, struct device *device, struct words *words);

/* Does what is due. */
void life_turn(struct world *world);
/* When something is due next; 0 for never. */
int64_t life_next(const struct world *world);

/* A probe has come. */
void life_answer(struct world *world, struct device *device, const char *payload);

#endif
