/* What must hold whatever a scenario does: I1 to I5 of C4 on everything that is published, seen
 * from outside, and I6 against the run without faults. */
#ifndef TAGOUT_SCENARIO_CHECK_H
#define TAGOUT_SCENARIO_CHECK_H

#include "tests/scenario/world.h"

/* Looks at one message of the controller; devices take their commands here. */
void check_published(struct world *world, const char *topic, const char *payload, size_t length);

/* After each act: what is retained of each machine must fit together. */
void check_act(struct world *world);

#endif
