/* The watcher in the real world: libevent's loop, Paho, the audit's thread, curl, signals. */
#ifndef TAGOUT_WATCHER_LOOP_H
#define TAGOUT_WATCHER_LOOP_H

#include "controller/config/settings.h"

/* Runs until SIGTERM or SIGINT; returns the process's exit code (C1). */
int loop_run_watcher(const struct settings *settings);

#endif
