/* C8.3: what Home Assistant is told of a device, as one message of its MQTT discovery.
 *
 * Its rules, read in its sources: a key that it does not know is an error at the message's root,
 * in `device`, in `origin` and in `availability`, and silently dropped inside a component; a
 * component without `unique_id` costs the whole device. A `unique_id` is for ever. A component that
 * is no more must stand in the message with nothing but its platform, or it stays in Home Assistant
 * for ever; one that never was may stand there so too.
 */
#ifndef TAGOUT_DAEMON_DISCOVERY_MESSAGE_H
#define TAGOUT_DAEMON_DISCOVERY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/config/config.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "topics/topic.h"

#define DISCOVERY_BYTES_MAX 24576 /* the longest names give some 20,000 */

/* Whose absence makes an entity unavailable. */
enum discovery_follows {
    FOLLOWS_LEADER,
    FOLLOWS_MACHINE, /* and the leader */
    FOLLOWS_WATCHER,
    FOLLOWS_NOBODY,
};

/* When an entity is there. */
enum discovery_needs {
    NEEDS_NOTHING,
    NEEDS_SECOND_RELAY,
    NEEDS_MAY_CLEAR,
};

/* One entity of a device; NULL where it has no such thing. Templates are Home Assistant's. */
struct discovery_entity {
    const char *key; /* of its component; end of `unique_id` and of the entity's id */
    const char *platform;
    const char *name;
    enum topic_id topic;        /* what it shows, or for a button where its word goes */
    const char *topic_of;       /* the topic's placeholder, where that is no machine */
    const char *value;          /* template of the state */
    const char *value_nameless; /* instead of it, where names are not shown */
    const char *attributes;
    const char *attributes_nameless;
    const char *word; /* what a button sends */
    const char *device_class;
    const char *unit; /* a measurement, shown with `decimals` */
    const char *category;
    const char *icon;
    int decimals;
    enum discovery_follows follows;
    enum discovery_needs needs;
    bool is_hidden; /* not enabled unless somebody does */
};

/* Ends with an entity whose key is NULL. */
extern const struct discovery_entity discovery_machine_entities[];
extern const struct discovery_entity discovery_controller_entities[];

/* `machine` NULL: the controller's own device. */
MUST_USE enum status
discovery_topic(const struct settings *settings, const char *machine, char ret_topic[TOPIC_SIZE]);

/* `fw` is "" where the device has not told it. */
MUST_USE enum status discovery_print_machine(
    const struct settings *settings, const struct roster_machine *machine, const char *fw,
    struct text *out);
MUST_USE enum status discovery_print_controller(const struct settings *settings, struct text *out);

#endif
