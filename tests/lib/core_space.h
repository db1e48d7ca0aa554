/* The space that the exhaustive test walks: every combination of what decides about a machine.
 *
 * A node packs what a later decision can depend on: the deciding part of the state, the present
 * configuration, and one fact that the core does not keep (whether the card that is in was put in
 * after the machine's boot). Versions, times and sequence numbers are put to fixed values: how they
 * compare with an event's is part of the event.
 */
#ifndef TAGOUT_TESTS_CORE_SPACE_H
#define TAGOUT_TESTS_CORE_SPACE_H

#include "controller/core/decide.h"

/* Where a node's machine stands; an event's values are chosen around these. */
#define SPACE_BOOT "now"
#define SPACE_PAST_BOOT "past"
#define SPACE_SEQ 100
#define SPACE_UPTIME_S 1000.0
#define SPACE_REV 1000
#define SPACE_EPOCH 10
#define SPACE_OPENED_MS 1 /* session_since of a session that was open before the event */

/* Cards: none; of a member, of somebody unauthorized, of a maintainer, of nobody, of a member who
 * may use the second relay. */
enum space_card {
    NO_CARD,
    MEMBER,
    GUEST,
    MAINTAINER,
    STRANGER_CARD,
    EXPERT,
    SPACE_CARDS,
};

/* Who is in users.json and may what. */
enum space_users {
    USERS_AS_USUAL,
    USERS_SWAPPED, /* the guest may everything, all others nothing */
    USERS_GONE,
    SPACE_USERS,
};

enum space_second {
    SPACE_SECOND_ABSENT,
    SPACE_SECOND_PLAIN,
    SPACE_SECOND_WARNS,
    SPACE_SECOND_ALWAYS,
    SPACE_SECONDS,
};

struct space_config {
    bool always_enabled;
    bool warn_only;
    enum space_second second;
    enum space_users users;
};

#define SPACE_CONFIGS (2 * 2 * SPACE_SECONDS * SPACE_USERS)

struct space_node {
    struct space_config config;
    struct core_state state;
    bool put_in; /* the card that is in was told of as put in, after the boot's first report */
};

struct space_config space_config_at(unsigned index);
void space_core_config(struct space_config config, struct core_config *ret_config);
const char *space_card_text(enum space_card card);
/* NULL for a card that is nobody's. */
const struct core_holder *space_holder(enum space_users users, enum space_card card);
/* The user of the state, in these users; NULL when there is none. */
const struct core_holder *space_holder_of(enum space_users users, const struct core_state *state);

uint64_t space_pack(const struct space_node *node);
void space_unpack(uint64_t key, struct space_node *ret_node);

/* The nodes found so far, in the order in which they were found. */
struct space_set {
    uint64_t *keys;
    size_t count;
    size_t room;
    uint32_t *slots; /* index + 1 into `keys`; 0 for a free one */
    size_t slot_count;
};

void space_set_add(struct space_set *set, uint64_t key);
void space_set_free(struct space_set *set);

/* One line about a node, for a failure. */
const char *space_tell(const struct space_node *node);

#endif
