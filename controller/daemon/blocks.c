#include "controller/daemon/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"

#define FOBS_MAX 8 /* C10.2 */

void blocks_free(struct blocks *blocks)
{
    free(blocks->items);
    *blocks = (struct blocks){0};
}

static struct block *find(const struct blocks *blocks, const char *card)
{
    for (size_t i = 0; i < blocks->count; i++) {
        if (strcmp(blocks->items[i].card, card) == 0) {
            return &blocks->items[i];
        }
    }
    return NULL;
}

static bool has_account(const struct blocks *blocks, const char *account_id)
{
    for (size_t i = 0; i < blocks->count; i++) {
        if (strcmp(blocks->items[i].account_id, account_id) == 0) {
            return true;
        }
    }
    return false;
}

bool blocks_refuse(
    const struct blocks *blocks, const char *card_key, const char *card, const char *account_id)
{
    if (strcmp(blocks->card_key, card_key) != 0) {
        return has_account(blocks, account_id);
    }
    return find(blocks, card) != NULL;
}

static enum status make_room(struct blocks *blocks, size_t count)
{
    size_t room = blocks->room == 0 ? 16 : blocks->room;
    struct block *items;

    if (blocks->count + count > BLOCKS_MAX) {
        return STATUS_FULL;
    }
    while (room < blocks->count + count) {
        room *= 2;
    }
    if (room == blocks->room) {
        return STATUS_OK;
    }
    items = realloc(blocks->items, room * sizeof *items);
    if (items == NULL) {
        return STATUS_NO_MEMORY;
    }
    blocks->items = items;
    blocks->room = room;
    return STATUS_OK;
}

/* There is room for it. */
static void add(struct blocks *blocks, const char *card, const char *account_id)
{
    struct block *block = &blocks->items[blocks->count++];

    text_copy(block->card, sizeof block->card, card);
    text_copy(block->account_id, sizeof block->account_id, account_id);
}

static void take_out(struct blocks *blocks, struct block *block)
{
    *block = blocks->items[--blocks->count];
}

/* True when that changed anything; there is room for it. */
static bool set_one(struct blocks *blocks, const char *card, const char *account_id, bool blocked)
{
    struct block *block = find(blocks, card);

    if ((block != NULL) == blocked) {
        return false;
    }
    if (blocked) {
        add(blocks, card, account_id);
    } else {
        take_out(blocks, block);
    }
    return true;
}

enum status blocks_set(
    struct blocks *blocks, const struct card_key *key, const struct roster_user *user,
    const char *fob, bool blocked, size_t *ret_changed)
{
    char cards[FOBS_MAX][CORE_CARD_SIZE];
    enum status status = STATUS_OK;
    size_t count = 0;
    size_t missing = 0;

    for (size_t i = 0; i < user->fob_count && count < FOBS_MAX; i++) {
        if (fob == NULL || strcmp(fob, user->fobs[i]) == 0) {
            card_hash(key, user->fobs[i], cards[count]);
            missing += find(blocks, cards[count]) == NULL;
            count++;
        }
    }
    if (count == 0) {
        return STATUS_NOT_FOUND;
    }
    if (blocked) {
        status = make_room(blocks, missing);
    }
    if (status != STATUS_OK) {
        return status;
    }
    text_copy(blocks->card_key, sizeof blocks->card_key, key->fingerprint);
    *ret_changed = 0;
    for (size_t i = 0; i < count; i++) {
        *ret_changed += set_one(blocks, cards[i], user->holder.user.account_id, blocked);
    }
    return STATUS_OK;
}

enum status blocks_unite(struct blocks *blocks, const struct blocks *other)
{
    size_t missing = 0;
    enum status status;

    for (size_t i = 0; i < other->count; i++) {
        missing += find(blocks, other->items[i].card) == NULL;
    }
    status = make_room(blocks, missing);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < other->count; i++) {
        set_one(blocks, other->items[i].card, other->items[i].account_id, true);
    }
    text_copy(blocks->card_key, sizeof blocks->card_key, other->card_key);
    return STATUS_OK;
}

void blocks_change_key(
    struct blocks *blocks, const struct card_key *from, const struct card_key *to,
    const struct roster *roster)
{
    if (strcmp(blocks->card_key, from->fingerprint) != 0) {
        return; /* a third key's: blocks_settle sees to it */
    }
    for (size_t i = 0; i < blocks->count; i++) {
        struct block *block = &blocks->items[i];
        const struct roster_user *user = roster_user_by_account(roster, block->account_id);
        for (size_t fob = 0; user != NULL && fob < user->fob_count; fob++) {
            char hash[CORE_CARD_SIZE];
            card_hash(from, user->fobs[fob], hash);
            if (strcmp(hash, block->card) == 0) {
                card_hash(to, user->fobs[fob], block->card);
                break;
            }
        }
    }
    text_copy(blocks->card_key, sizeof blocks->card_key, to->fingerprint);
}

static bool lists_card(const struct card_key *key, const struct roster_user *user, const char *card)
{
    for (size_t i = 0; i < user->fob_count; i++) {
        char hash[CORE_CARD_SIZE];
        card_hash(key, user->fobs[i], hash);
        if (strcmp(hash, card) == 0) {
            return true;
        }
    }
    return false;
}

/* Another key made the hashes: all that is left of them is whose they were. */
static bool
block_people(struct blocks *blocks, const struct card_key *key, const struct roster *roster)
{
    struct blocks again = {.version = blocks->version};

    for (size_t i = 0; i < blocks->count; i++) {
        const struct roster_user *user =
            roster_user_by_account(roster, blocks->items[i].account_id);
        size_t changed;
        if (user != NULL &&
            blocks_set(&again, key, user, NULL, true, &changed) == STATUS_NO_MEMORY) {
            blocks_free(&again);
            return false;
        }
    }
    text_copy(again.card_key, sizeof again.card_key, key->fingerprint);
    blocks_free(blocks);
    *blocks = again;
    return true;
}

bool blocks_settle(struct blocks *blocks, const struct card_key *key, const struct roster *roster)
{
    bool changed = false;

    if (blocks->count == 0) {
        return false;
    }
    if (strcmp(blocks->card_key, key->fingerprint) != 0) {
        return block_people(blocks, key, roster);
    }
    for (size_t i = blocks->count; i > 0; i--) {
        struct block *block = &blocks->items[i - 1];
        const struct roster_user *user = roster_user_by_account(roster, block->account_id);
        if (user == NULL || !lists_card(key, user, block->card)) {
            take_out(blocks, block);
            changed = true;
        }
    }
    return changed;
}

void blocks_print(const struct blocks *blocks, struct text *out)
{
    struct json_out json = json_out(out);

    json_out_open(&json, NULL, '{');
    json_out_integer(&json, "epoch", (int64_t)blocks->version.epoch);
    json_out_integer(&json, "rev", blocks->version.rev);
    json_out_string(&json, "card_key", blocks->card_key);
    json_out_open(&json, "cards", '[');
    for (size_t i = 0; i < blocks->count; i++) {
        json_out_open(&json, NULL, '{');
        json_out_string(&json, "card", blocks->items[i].card);
        json_out_string(&json, "account_id", blocks->items[i].account_id);
        json_out_close(&json, '}');
    }
    json_out_close(&json, ']');
    json_out_close(&json, '}');
}

static enum status take_cards(const struct json *document, struct blocks *blocks, struct text *why)
{
    const struct json *cards = json_get(document, "cards");

    for (const struct json *item = json_first(cards); item != NULL; item = json_next(item)) {
        const struct json *card = json_get(item, "card");
        const struct json *account = json_get(item, "account_id");
        enum status status;
        if (json_type(card) != JSON_STRING || json_type(account) != JSON_STRING ||
            strlen(json_string(card)) >= CORE_CARD_SIZE) {
            text_add(why, "/cards: must be objects with card and account_id");
            return STATUS_INVALID;
        }
        status = make_room(blocks, 1);
        if (status != STATUS_OK) {
            text_addf(why, "/cards: %s", status_text(status));
            return status;
        }
        set_one(blocks, json_string(card), json_string(account), true);
    }
    return STATUS_OK;
}

enum status
blocks_parse(const char *payload, size_t length, struct blocks *blocks, struct text *why)
{
    struct blocks read = {0};
    struct json *document;
    enum status status = json_parse(payload, length, &document, why);

    if (status != STATUS_OK) {
        return status;
    }
    const struct json *epoch = json_get(document, "epoch");
    const struct json *rev = json_get(document, "rev");
    const struct json *key = json_get(document, "card_key");
    const struct json *cards = json_get(document, "cards");
    if (!json_is_integer(epoch, 0, VERSION_EPOCH_MAX) ||
        !json_is_integer(rev, 0, VERSION_REV_MAX) || json_type(key) != JSON_STRING ||
        json_type(cards) != JSON_ARRAY) {
        text_add(why, "epoch, rev, card_key or cards is missing or of a wrong type");
        status = STATUS_INVALID;
    } else {
        read.version.epoch = (uint64_t)json_number(epoch);
        read.version.rev = (uint32_t)json_number(rev);
        text_copy(read.card_key, sizeof read.card_key, json_string(key));
        status = take_cards(document, &read, why);
    }
    json_free(document);
    if (status != STATUS_OK) {
        blocks_free(&read);
        return status;
    }
    blocks_free(blocks);
    *blocks = read;
    return STATUS_OK;
}
