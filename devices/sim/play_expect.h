/* Whether what a scenario expects is so. */
#ifndef TAGOUT_SIM_PLAY_EXPECT_H
#define TAGOUT_SIM_PLAY_EXPECT_H

#include <stdbool.h>

#include "devices/sim/play.h"

bool play_holds(const struct play *play, const struct scenario_step *step);

/* Forgets the alert that was expected, and those before it. */
void play_pass_alert(struct play *play, const struct scenario_step *step);

/* What the step expects, and what is so instead. */
void play_explain(const struct play *play, const struct scenario_step *step, struct text *out);

#endif
