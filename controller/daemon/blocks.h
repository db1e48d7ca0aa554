/* Blocked cards (C6 `block`): refused at once, until users.json no longer lists them.
 *
 * They are kept twice, like states: in Redis and on `controller/blocks`, as one document under a
 * version; the newer one wins. A card is known by its keyed hash alone. While Redis is away and
 * with it the key, or for good should the key get lost, the hashes say nothing; then every card of
 * the person is blocked.
 */
#ifndef TAGOUT_DAEMON_BLOCKS_H
#define TAGOUT_DAEMON_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/config/config.h"
#include "controller/daemon/card_hash.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/version.h"

/* So that the document stays below STORE_BLOCKS_MAX, and with account ids of up to 64 bytes below
 * what the broker is told in one piece (MQTT_DIRECT_PAYLOAD_MAX), too. */
#define BLOCKS_MAX 1500

struct block {
    char card[CORE_CARD_SIZE];
    char account_id[CORE_NAME_SIZE];
};

struct blocks {
    struct block *items;
    size_t count;
    size_t room;
    struct version version;
    char card_key[CARD_KEY_FINGERPRINT_SIZE]; /* of the key that made the hashes */
};

void blocks_free(struct blocks *blocks);

/* Whether that card opens nothing. `card_key` is the fingerprint of the key that made its hash; for
 * hashes that can't be compared `account_id` decides, which is "" where nobody is known. */
bool blocks_refuse(
    const struct blocks *blocks, const char *card_key, const char *card, const char *account_id);

/* Blocks or unblocks one card of a user, or (`fob` NULL) all of them; all or nothing.
 * STATUS_NOT_FOUND: the user has no such card. STATUS_FULL. `ret_changed` counts cards. */
MUST_USE enum status blocks_set(
    struct blocks *blocks, const struct card_key *key, const struct roster_user *user,
    const char *fob, bool blocked, size_t *ret_changed);

/* Adds what the other list has, with hashes of the same key; all or nothing. STATUS_FULL. */
MUST_USE enum status blocks_unite(struct blocks *blocks, const struct blocks *other);

/* The key is another one now, and both are at hand: each card stays as it is. */
void blocks_change_key(
    struct blocks *blocks, const struct card_key *from, const struct card_key *to,
    const struct roster *roster);

/* After a reload, or when the key got lost: drops what the roster no longer lists, and blocks
 * all cards of a person whose hash another key made. True when anything changed. */
bool blocks_settle(struct blocks *blocks, const struct card_key *key, const struct roster *roster);

/* The document, and back. Reading replaces `blocks` only on STATUS_OK. */
void blocks_print(const struct blocks *blocks, struct text *out);
MUST_USE enum status
blocks_parse(const char *payload, size_t length, struct blocks *blocks, struct text *why);

#endif
