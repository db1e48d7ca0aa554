/* The simulator: its boxes, its loop. */
#ifndef TAGOUT_SIM_SIM_H
#define TAGOUT_SIM_SIM_H

#include "devices/sim/options.h"

/* Runs until a signal, or until scenario and control have ended. Returns the exit status. */
int sim_run(const struct options *options);

#endif
