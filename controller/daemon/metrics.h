/* Metrics and health over HTTP (C10 `[http] listen`):
 *
 *   /metrics  Prometheus' text format: this process, and, of the one that leads, each machine
 *   /healthz  200 as long as the loop turns: for whoever restarts a process that hangs
 *   /readyz   200 while it leads, or stands by and follows (C12); else 503; reasons in JSON
 */
#ifndef TAGOUT_DAEMON_METRICS_H
#define TAGOUT_DAEMON_METRICS_H

#include "controller/daemon/controller.h"
#include "controller/support/inbox.h"
#include "controller/support/mqtt.h"

struct event_base;
struct metrics;

struct metrics_sources {
    const struct controller *controller;
    const struct mqtt *mqtt;
    struct inbox *inbox;
    struct inbox *requests;
};

/* `listen` is host:port, "" for none: then `ret_metrics` is NULL. An address that is taken is
 * logged and tried again: no reason for a shop to stay closed. */
MUST_USE enum status metrics_new(
    struct event_base *base, const char *listen, const struct metrics_sources *sources,
    struct metrics **ret_metrics);
/* Takes NULL. */
void metrics_free(struct metrics *metrics);

#endif
