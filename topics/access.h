/* Who may read and write what: the accounts of the broker, and its access list for them (C2, C6).
 *
 * An account's name says what it is. A device's is its machine's name; all others have a dot in
 * theirs, which no machine can have: `op.ada`, `ad.ada`, `ha.home`, `svc.watcher`,
 * `svc.controller-one`. So the rules of devices can be patterns over the account's own name, though
 * Mosquitto applies patterns to every account: to one with a dot they give a machine that cannot
 * be.
 */
#ifndef TAGOUT_TOPICS_ACCESS_H
#define TAGOUT_TOPICS_ACCESS_H

#include <stdbool.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "topics/request.h"
#include "topics/topic.h"

/* ACCESS_LIST(X): id, what its accounts are called, how their names begin, what it is for. A name
 * goes on with an identifier of [a-z0-9_-]; a watcher's may end before it, since most shops have
 * one, and a controller's is its [controller] id. */
#define ACCESS_LIST(X)                                                                             \
    X(ACCESS_DEVICE, "device", "", "the box at a machine; has the machine's name")                 \
    X(ACCESS_OPERATOR, "operator", "op.", "a person who may look, lock out and clear")             \
    X(ACCESS_ADMIN, "admin", "ad.", "a person who may do everything")                              \
    X(ACCESS_HOME_ASSISTANT, "Home Assistant", "ha.", "Home Assistant")                            \
    X(ACCESS_WATCHER, "watcher", "svc.watcher", "tagout-watcher")                                  \
    X(ACCESS_CONTROLLER, "controller", "svc.controller-", "tagoutd; ends in its [controller] id")

#define ACCESS_ENUM(id, word, start, text) id,
enum access_role {
    ACCESS_LIST(ACCESS_ENUM) ACCESS_ROLE_COUNT
};
#undef ACCESS_ENUM

#define ACCESS_ID_MAX 32

struct access_role_info {
    const char *word;
    const char *start;
    const char *text;
};

struct access_account {
    enum access_role role;
    const char *name; /* the whole account, borrowed */
    const char *id;   /* the part of it that tells it from others of its role; "" for none */
};

const struct access_role_info *access_role_info(enum access_role role);

/* STATUS_INVALID for a name that no role has. */
MUST_USE enum status access_account(const char *name, struct access_account *ret_account);

/* Whether its accounts are people's, operators' and admins'. */
bool access_is_person(enum access_role role);

/* Whether a service may come in under that user name: STATUS_INVALID if it is somebody else's
 * account, whom it would throw out, or that of a controller with another id, which the broker would
 * not let speak. Names of no role may mean anything on a broker that is not of our making. */
MUST_USE enum status
access_check(const char *username, enum access_role role, const char *id, struct text *why);

/* Whether that role's accounts may ask for the verb. */
bool access_may_ask(enum access_role role, enum request_verb verb);
/* Whether an operator's may not: of a verb in words, also of one that is no request. */
bool access_is_admins(const char *verb);

/* What the rules are made for. */
struct access_shop {
    const char *prefix;
    const char *discovery_prefix; /* of Home Assistant */
};

#define ACCESS_RULES_SIZE 8192 /* enough for the rules of one account */

/* Lines of Mosquitto's acl_file: the patterns of all devices, and the paragraph of any other
 * account. A device adds nothing to its pattern. */
void access_print_devices(const struct access_shop *shop, struct text *out);
void access_print_account(
    const struct access_shop *shop, const struct access_account *account, struct text *out);

#endif
