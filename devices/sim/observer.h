/* The simulator's own connection, beside its machines': it sees whether a name is taken, what the
 * controller says of the machines, and sends an operator's requests. */
#ifndef TAGOUT_SIM_OBSERVER_H
#define TAGOUT_SIM_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/mqtt.h"
#include "devices/sim/box.h"

struct observer_events {
    void *context;
    /* All retained `link`s have come: once. */
    void (*checked)(void *context);
    void (*link)(void *context, const char *machine, bool online);
    void (*state)(void *context, const char *machine, const char *payload, size_t length);
    void (*event)(void *context, const char *machine, const char *payload, size_t length);
    void (*answer)(void *context, const char *payload, size_t length);
    void (*alert)(void *context, const char *payload, size_t length);
};

struct observer {
    const struct box_world *world;
    const char *account;
    struct observer_events events;
    struct mqtt *mqtt;
    struct inbox *inbox;
    bool checked;
    bool complained;
    int64_t nudged_ms;
};

MUST_USE enum status observer_init(
    struct observer *observer, const struct box_world *world, const char *account,
    const struct observer_events *events, int64_t now_ms, struct text *why);
void observer_free(struct observer *observer);

int observer_fd(const struct observer *observer);
/* Returns when it wants to be called at the latest. */
int64_t observer_turn(struct observer *observer, int64_t now_ms);

/* Makes the broker answer something, at most each 20 ms if `often`, else twice a second. Paho's one
 * reading thread waits up to a second for the sockets that it knew when it began to wait, and then
 * sleeps for 100 ms: without this a new connection, or a message, would be late by that. */
int64_t observer_nudge(struct observer *observer, bool often, int64_t now_ms);

MUST_USE enum status
observer_request(struct observer *observer, const char *verb, const char *body);

#endif
