/* What the clients of broker and store are made of, as the settings say it: for the start, and for
 * a --check, which so accepts nothing that does not start. */
#ifndef TAGOUT_DAEMON_CONNECTIONS_H
#define TAGOUT_DAEMON_CONNECTIONS_H

#include "controller/config/settings.h"
#include "controller/support/mqtt.h"
#include "persistence/store.h"
#include "topics/topic.h"

/* The client as the broker knows it. */
struct connection_names {
    char will_topic[TOPIC_SIZE];
    char client_id[TOPIC_SIZE];
};

/* Without inboxes. What it returns points into both arguments. */
MUST_USE enum status connections_broker(
    const struct settings *settings, struct connection_names *names,
    struct mqtt_options *ret_options, struct text *why);

struct redis_options connections_store(const struct settings *settings, struct event_base *base);

/* Whether both take them; connects nowhere. */
MUST_USE enum status connections_check(const struct settings *settings, struct text *why);

#endif
