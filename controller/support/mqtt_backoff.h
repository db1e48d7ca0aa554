/* When to connect again: soon at first, then ever later, never in step with other clients. */
#ifndef TAGOUT_SUPPORT_MQTT_BACKOFF_H
#define TAGOUT_SUPPORT_MQTT_BACKOFF_H

#include "controller/support/time.h"

#define MQTT_BACKOFF_MIN_MS 200
#define MQTT_BACKOFF_MAX_MS 5000

/* Zero is a good start. */
struct mqtt_backoff {
    int max_ms; /* 0: MQTT_BACKOFF_MAX_MS */
    int wait_ms;
    struct mono_time connected_at;
    struct mono_time retry_at;
};

/* After a failed attempt or a loss: sets `retry_at`. A connection that held as long as the longest
 * wait was a good one, and the waits begin anew; one that the broker ended at once was not. */
void mqtt_backoff_plan(struct mqtt_backoff *backoff, struct mono_time now);

#endif
