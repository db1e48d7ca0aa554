/* The controller in the real world: libevent's loop, Paho, hiredis, the host's clocks, signals,
 * and a thread for reading files. */
#ifndef TAGOUT_DAEMON_LOOP_H
#define TAGOUT_DAEMON_LOOP_H

#include "controller/config/config.h"

/* Runs until SIGTERM or SIGINT. Takes the roster. Returns the process's exit code (C1). */
int loop_run(const struct settings *settings, struct roster *roster);

#endif
