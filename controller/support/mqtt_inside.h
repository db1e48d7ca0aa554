/* What the files of the adapter share; see mqtt.h. Nobody else includes this. */
#ifndef TAGOUT_SUPPORT_MQTT_INSIDE_H
#define TAGOUT_SUPPORT_MQTT_INSIDE_H

#include "controller/support/mqtt.h"
#include "controller/support/mqtt_backoff.h"
#include "controller/support/mqtt_intake.h"
#include "controller/support/mqtt_link.h"
#include "controller/support/mqtt_outbox.h"
#include "controller/support/mqtt_settings.h"

/* Each message given to Paho waits for its lock; in between, the loop has other work. */
#define MOVE_AT_ONCE 32

struct mqtt {
    struct mqtt_settings settings;
    struct mqtt_intake intake;
    struct outbox *outbox;
    const struct mqtt_link_operations *operations;
    struct mqtt_link *link;
    int epoll; /* of a direct link, -1 for others */
    bool more; /* may be read, and nothing will say so */
    struct mono_time read_at;
    bool may_doze;
    bool started;
    bool connected; /* as far as the loop has read the inbox */
    bool connecting;
    struct mqtt_backoff backoff;
    bool (*perishes)(const char *topic);
    struct mono_time silent_since; /* nothing went out, so that nothing had to come back */
    uint64_t published_then;
    struct mqtt_counts counts; /* connects and published; the outbox has the others */
};

/* Takes note of what the broker has acknowledged. */
void mqtt_reap(struct mqtt *mqtt);
/* Hands the oldest messages that wait to Paho. True: it could take more at once. */
bool mqtt_move(struct mqtt *mqtt, int count);
/* Moves on, and sees to it that there is something to wake up for. True: don't wait. */
bool mqtt_move_and_watch(struct mqtt *mqtt);

#endif
