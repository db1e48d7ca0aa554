/* Metrics and health over HTTP (C10 `[http] listen`): /metrics in Prometheus' text format, /health
 * with 200 once ready and 503 before. */
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
    const struct inbox *inbox;
    const struct inbox *requests;
};

/* `listen` is host:port, "" for none. NULL when there is nothing to serve: an address that is
 * taken is logged, and no reason for a shop to stay closed. */
struct metrics *
metrics_new(struct event_base *base, const char *listen, const struct metrics_sources *sources);
void metrics_free(struct metrics *metrics);

#endif
