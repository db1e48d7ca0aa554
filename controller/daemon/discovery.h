/* When Home Assistant is told of which device (C8.3). The messages are discovery_message.h's. */
#ifndef TAGOUT_DAEMON_DISCOVERY_H
#define TAGOUT_DAEMON_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/heap.h"
#include "controller/support/status.h"
#include "controller/support/time.h"
#include "topics/topic.h"

struct controller;
struct machine;

/* What it was told of a device. */
struct announcement {
    struct heap_item due;    /* when it is told next */
    struct machine *machine; /* NULL: the controller's own device */
    uint64_t told;           /* hash of the last message, 0 for none or a removal */
    struct mono_time told_at;
    bool again; /* told even if it is the same */
};

struct discovery {
    struct heap due; /* announcements */
    struct announcement own;
    struct mono_time next_batch;
};

/* The machine, or what is said of it, has changed. */
void discovery_want(struct controller *controller, struct machine *machine);
/* It is removed there, whether or not this controller has announced it. */
void discovery_forget(struct controller *controller, const char *name);
void discovery_publish_everything(struct controller *controller);
/* What Home Assistant says when it starts. STATUS_NOT_FOUND: nobody is to listen for it. */
MUST_USE enum status
discovery_birth_filter(const struct controller *controller, char ret_filter[TOPIC_SIZE]);
/* True when the message was that, or would have been. */
bool discovery_heard(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained);
void discovery_tick(struct controller *controller);
struct mono_time discovery_deadline(const struct controller *controller);
void discovery_free(struct controller *controller);

#endif
