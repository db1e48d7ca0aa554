#include "controller/daemon/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"

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

bool blocks_has(const struct blocks *blocks, const char *card)
{
    return card[0] != '\0' && find(blocks, card) != NULL;
}

static enum status add(struct blocks *blocks, const char *card, const char *account_id)
{
    struct block *block;

    if (blocks->count == BLOCKS_MAX) {
        return STATUS_FULL;
    }
    if (blocks->count == blocks->room) {
        size_t room = blocks->room == 0 ? 16 : blocks->room * 2;
        struct block *items = realloc(blocks->items, room * sizeof *items);
        if (items == NULL) {
            return STATUS_NO_MEMORY;
        }
        blocks->items = items;
        blocks->room = room;
    }
    block = &blocks->items[blocks->count++];
    text_copy(block->card, sizeof block->card, card);
    text_copy(block->account_id, sizeof block->account_id, account_id);
    return STATUS_OK;
}

static void take_out(struct blocks *blocks, struct block *block)
{
    *block = blocks->items[--blocks->count];
}

static bool set_one(
    struct blocks *blocks, const char *card, const char *account_id, bool blocked,
    enum status *status)
{
    struct block *block = find(blocks, card);

    if ((block != NULL) == blocked) {
        return false;
    }
    if (blocked) {
        *status = add(blocks, card, account_id);
        return *status == STATUS_OK;
    }
    take_out(blocks, block);
    return true;
}

enum status blocks_set(
    struct blocks *blocks, const struct card_key *key, const struct roster_user *user,
    const char *fob, bool blocked, size_t *ret_changed)
{
    enum status status = STATUS_OK;
    size_t changed = 0;
    bool found = false;

    text_copy(blocks->card_key, sizeof blocks->card_key, key->fingerprint);
    for (size_t i = 0; status == STATUS_OK && i < user->fob_count; i++) {
        char card[CORE_CARD_SIZE];
        if (fob != NULL && strcmp(fob, user->fobs[i]) != 0) {
            continue;
        }
        found = true;
        card_hash(key, user->fobs[i], card);
        changed += set_one(blocks, card, user->holder.user.account_id, blocked, &status);
    }
    if (status != STATUS_OK) {
        return status;
    }
    *ret_changed = changed;
    return found ? STATUS_OK : STATUS_NOT_FOUND;
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
        if (card == NULL || json_type(card) != JSON_STRING || account == NULL ||
            json_type(account) != JSON_STRING || strlen(json_string(card)) >= CORE_CARD_SIZE) {
            text_add(why, "/cards: must be objects with card and account_id");
            return STATUS_INVALID;
        }
        status = add(blocks, json_string(card), json_string(account));
        if (status != STATUS_OK) {
            text_addf(why, "/cards: %s", status_text(status));
            return status;
        }
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
    if (epoch == NULL || !json_is_integer(epoch, 0, VERSION_EPOCH_MAX) || rev == NULL ||
        !json_is_integer(rev, 0, VERSION_REV_MAX) || key == NULL || json_type(key) != JSON_STRING ||
        cards == NULL || json_type(cards) != JSON_ARRAY) {
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
