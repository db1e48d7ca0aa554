/* What Prometheus' own libraries tell of a process, under their names; and the build. */
#ifndef TAGOUT_SUPPORT_PROCESS_METRICS_H
#define TAGOUT_SUPPORT_PROCESS_METRICS_H

#include "controller/support/text.h"
#include "controller/support/time.h"

/* Reads /proc/self, which no disk is behind. */
void process_metrics_print(struct wall_time started, struct text *out);

#endif
