/* From a link into the owner's inboxes, and the owner's way past them back into Paho. */
#ifndef TAGOUT_SUPPORT_MQTT_INTAKE_H
#define TAGOUT_SUPPORT_MQTT_INTAKE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "controller/support/inbox.h"
#include "controller/support/mqtt_link.h"

struct mqtt_intake {
    struct inbox *inbox;
    struct inbox *requests; /* NULL: `inbox` */
    bool (*is_request)(const char *topic);
    size_t request_bytes; /* more of a request is not kept; 0: no limit */
    bool is_owners;       /* the link's events come on the owner's thread, which then pops */
    bool is_kept; /* what is acknowledged must be heard: the owner pops once more at the end */
    /* Before a message is acknowledged; NULL for nobody. */
    void (*keep)(
        void *context, const char *topic, const char *payload, size_t length, bool retained);
    void *keep_context;
    atomic_bool closed; /* nobody pops any more */
};

/* What a link calls; `intake` is borrowed. */
struct mqtt_link_events mqtt_intake_events(struct mqtt_intake *intake);

/* Whether Paho may be called now (see inbox_enter); mqtt_intake_leave follows then. */
bool mqtt_intake_enter(struct mqtt_intake *intake);
void mqtt_intake_leave(struct mqtt_intake *intake);

#endif
