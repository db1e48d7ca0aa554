/* I6 by torture: a scenario is played again and again, each time with another single call of a
 * port failing. Expectations are not looked at; check.h's rules are, and nothing may crash, leak
 * or never come to rest. */
#ifndef TAGOUT_SCENARIO_TORTURE_H
#define TAGOUT_SCENARIO_TORTURE_H

#include <stdbool.h>

#include "tests/scenario/script.h"

/* False when a run went wrong, which is then told on standard output. Adds to `*runs`. */
bool torture(const struct scenario *scenario, const char *folder, unsigned *runs);

#endif
