/* A round trip over the broker: a message of the controller's own, which comes back behind all that
 * the broker sent before it (C12.2).
 *
 * SUBSCRIBE would be answered, too; but in a flood the client waits behind all of it, and reads and
 * publishes nothing meanwhile. */
#ifndef TAGOUT_DAEMON_ECHO_H
#define TAGOUT_DAEMON_ECHO_H

#include "controller/support/inbox.h"
#include "controller/support/mqtt.h"
#include "topics/topic.h"

struct echo {
    char topic[TOPIC_SIZE];
    uint32_t number; /* of the last one asked for */
    bool is_due;     /* it has not come back */
    bool waits;      /* it could not be asked for yet, or may have been discarded */
};

MUST_USE enum status echo_init(struct echo *echo, const char *prefix, const char *id);
/* After each connect; the answer has this token. */
void echo_listen(const struct echo *echo, struct mqtt *mqtt, int token);
void echo_ask(struct echo *echo, struct mqtt *mqtt, uint32_t number);
/* What waits to be published is discarded. */
void echo_discarded(struct echo *echo);
/* In each turn of the loop. */
void echo_tick(struct echo *echo, struct mqtt *mqtt);

bool echo_is(const struct echo *echo, const struct inbox_entry *message);
/* Whether it is the one that was asked for last. */
bool echo_take(struct echo *echo, const struct inbox_entry *message);

#endif
