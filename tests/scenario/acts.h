/* What can happen in a scenario, beside what devices tell (device.h). */
#ifndef TAGOUT_SCENARIO_ACTS_H
#define TAGOUT_SCENARIO_ACTS_H

#include "tests/scenario/world.h"

/* False when the words are none of these. */
bool act_declare(struct world *world, struct words *words);
bool act_controller(struct world *world, struct words *words);
bool act_broker(struct world *world, struct words *words);
bool act_redis(struct world *world, struct words *words);
bool act_request(struct world *world, struct words *words);

#endif
