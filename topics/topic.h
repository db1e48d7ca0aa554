/* The names on the wire: one table, from which the code, the broker's ACL and the README's topic
 * table come (C2).
 *
 * TOPIC_LIST(X): id, the name below the prefix, writer, QoS, retained, what it carries.
 * `%m` stands for a machine, `%c` for a controller, `%a` for a broker account, `%v` for a request's
 * verb, `%s` for a service; each is one level.
 */
#ifndef TAGOUT_TOPICS_TOPIC_H
#define TAGOUT_TOPICS_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"

#define TOPIC_PREFIX_MAX 32  /* C, head */
#define TOPIC_MACHINE_MAX 64 /* C, head */
#define TOPIC_SIZE 512       /* any topic of ours, with the NUL */

#define TOPIC_LIST(X)                                                                              \
    X(TOPIC_REPORT, "machine/%m/report", "device", 1, false, "C3: the device's whole state")       \
    X(TOPIC_LINK, "machine/%m/link", "device", 1, true, "`online`, `offline` or `lost` (will)")    \
    X(TOPIC_PONG, "machine/%m/pong", "device", 0, false, "answer to a probe")                      \
    X(TOPIC_COMMAND, "machine/%m/command", "controller", 1, true, "C5: what to show and switch")   \
    X(TOPIC_PROBE, "machine/%m/probe", "controller", 0, false, "are you there?")                   \
    X(TOPIC_RESTART, "machine/%m/restart", "controller", 1, false, "the device reboots")           \
    X(TOPIC_STATE, "machine/%m/state", "controller", 1, true, "C8.1: what the controller knows")   \
    X(TOPIC_TELEMETRY, "machine/%m/telemetry", "controller", 0, false,                             \
      "numbers of the last report")                                                                \
    X(TOPIC_EVENT, "machine/%m/event", "controller", 1, false,                                     \
      "C8.2: one per thing that happened")                                                         \
    X(TOPIC_SET_OOPS, "machine/%m/set/oops", "Home Assistant", 1, false, "`ON` or `OFF`")          \
    X(TOPIC_SET_LOCKOUT, "machine/%m/set/lockout", "Home Assistant", 1, false, "`ON` or `OFF`")    \
    X(TOPIC_REQUEST, "request/%a/%v", "client", 1, false, "C6: what a person asks for")            \
    X(TOPIC_RESPONSE, "response/%a/%v", "controller", 1, false, "the answer to it")                \
    X(TOPIC_CONTROLLER_STATUS, "controller/%c/status", "controller", 1, true,                      \
      "who leads, Redis, version; `lost` (will)")                                                  \
    X(TOPIC_CONTROLLER_MARKER, "controller/%c/marker", "controller", 0, false,                     \
      "what it says to itself: end of a start (C9.4), echo")                                       \
    X(TOPIC_BLOCKS, "controller/blocks", "controller", 1, true, "keyed hashes of blocked cards")   \
    X(TOPIC_SAVE_TIMEOUT, "fleet/save_timeout", "controller", 1, false,                            \
      "a save missed its budget (C9.3)")                                                           \
    X(TOPIC_ALERT, "fleet/alert", "watcher", 1, false, "C9.5: what operators must know")           \
    X(TOPIC_SERVICE, "service/%s", "watcher", 1, true,                                             \
      "health of controllers, broker, Redis, Slack (C11.6)")

#define TOPIC_ENUM(id, name, writer, qos, retained, text) id,
enum topic_id {
    TOPIC_LIST(TOPIC_ENUM) TOPIC_COUNT
};
#undef TOPIC_ENUM

struct topic_info {
    const char *name;
    const char *writer;
    int qos;
    bool retained;
    const char *text;
};

const struct topic_info *topic_info(enum topic_id id);

/* What a topic's placeholders stood for. `first` is the machine, controller, account or service,
 * `second` the verb; "" where the name has none. */
struct topic_match {
    enum topic_id id;
    char first[TOPIC_MACHINE_MAX + 1];
    char second[TOPIC_MACHINE_MAX + 1];
};

/* Builds a topic; `first` and `second` fill the placeholders in order, NULL where there are none.
 * STATUS_INVALID for an empty level or one with `/`, `+`, `#`; STATUS_TOO_LONG. */
MUST_USE enum status topic_build(
    char *ret_topic, size_t size, const char *prefix, enum topic_id id, const char *first,
    const char *second);

/* The filter that matches all topics of that kind: `+` for each placeholder. */
MUST_USE enum status
topic_filter(char *ret_filter, size_t size, const char *prefix, enum topic_id id);

/* STATUS_NOT_FOUND for a topic that is none of ours. */
MUST_USE enum status
topic_parse(const char *prefix, const char *topic, struct topic_match *ret_match);

/* Whether the topic looks like a request's, whatever the prefix: for sorting before parsing. */
bool topic_is_request(const char *topic);
/* Whether a topic built from the table is an answer's. */
bool topic_is_response(const char *topic);

#endif
