/* Saving a record: one call of the save script (C9.1). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/record.h"
#include "persistence/redis_scripts.h"
#include "persistence/redis_store.h"

#define WORDS_MAX (7 + 2 * RECORD_FIELDS_MAX)
#define PROTOCOL_BYTES 8 /* what the protocol adds to a word, about */

/* A save under way. The record is not kept, for there may be many. */
struct save {
    struct redis_request request;
    struct redis_store *owner;
    uint64_t token;
    size_t bytes;
};

static enum status send_save(struct save *save, const struct record *record)
{
    const struct redis_store *store = save->owner;
    struct record_fields fields;
    const char *words[WORDS_MAX];
    size_t lengths[WORDS_MAX];
    size_t count = 0;
    char key[REDIS_KEY_SIZE];
    char epoch_key[REDIS_KEY_SIZE];
    char epoch[24];
    char rev[16];

    redis_machine_key(store, record->machine, key);
    redis_key(store, "epoch", epoch_key);
    (void)snprintf(epoch, sizeof epoch, "%" PRIu64, record->core.version.epoch);
    (void)snprintf(rev, sizeof rev, "%" PRIu32, record->core.version.rev);
    words[count++] = "EVALSHA";
    words[count++] = store->save_sha;
    words[count++] = "2";
    words[count++] = key;
    words[count++] = epoch_key;
    words[count++] = epoch;
    words[count++] = rev;
    for (size_t i = 0; i < count; i++) {
        lengths[i] = strlen(words[i]);
    }
    record_write(record, &fields);
    for (size_t i = 0; i < fields.count; i++) {
        words[count] = fields.fields[i].name;
        lengths[count++] = fields.fields[i].name_length;
        words[count] = fields.fields[i].value;
        lengths[count++] = fields.fields[i].value_length;
    }
    save->bytes = fields.bytes + PROTOCOL_BYTES * count;
    return redis_link_send(store->link, &save->request, words, lengths, count);
}

static void finish_save(struct save *save, enum store_saved result, const char *reason)
{
    struct redis_store *store = save->owner;
    uint64_t token = save->token;

    store->save_bytes -= save->bytes;
    free(save);
    if (!store->closing) {
        store->events.on_saved(store->events.context, token, result, reason);
    }
}

enum store_saved redis_saved(const struct redisReply *reply)
{
    const char *text = reply == NULL ? NULL : redis_reply_text(reply, NULL);

    if (reply == NULL) {
        return STORE_SAVE_LOST;
    } else if (text != NULL && strcmp(text, "OK") == 0) {
        return STORE_SAVE_DONE;
    } else if (text != NULL && redis_is_kind(text, "EPOCH")) {
        return STORE_SAVE_STALE_EPOCH;
    } else if (text != NULL && redis_is_kind(text, "VERSION")) {
        return STORE_SAVE_STALE_VERSION;
    }
    return STORE_SAVE_REFUSED;
}

void redis_on_script_loaded(struct redis_request *request, const struct redisReply *reply)
{
    struct redis_store *store = REDIS_OWNER(request, struct redis_store, script_load);

    store->script_load_waits = false;
    store->script_is_refused = reply == NULL || redis_reply_error(reply) != NULL;
}

/* Somebody flushed the scripts: Redis learns this one again before the next save comes. */
static void load_script(struct redis_store *store)
{
    static const char *const words[] = {"SCRIPT", "LOAD", redis_save_script};

    if (!store->script_load_waits) {
        store->script_load_waits =
            redis_link_send(store->link, &store->script_load, words, NULL, 3) == STATUS_OK;
    }
}

static void on_save_reply(struct redis_request *request, const struct redisReply *reply)
{
    struct save *save = REDIS_OWNER(request, struct save, request);
    const char *error = reply == NULL ? NULL : redis_reply_error(reply);
    const char *text = reply == NULL ? NULL : redis_reply_text(reply, NULL);

    if (error != NULL && redis_is_kind(error, "NOSCRIPT")) {
        bool is_refused = save->owner->script_is_refused;
        load_script(save->owner);
        finish_save(save, is_refused ? STORE_SAVE_REFUSED : STORE_SAVE_LOST, error);
        return;
    }
    redis_note_refusal(save->owner, reply);
    finish_save(save, redis_saved(reply), text != NULL ? text : redis_reason(reply));
}

enum status redis_save(struct store *base, const struct record *record, uint64_t token)
{
    struct redis_store *store = (struct redis_store *)base;
    struct save *save = NULL;

    if (!redis_link_is_up(store->link)) {
        return STATUS_DISCONNECTED;
    }
    if (store->save_bytes >= STORE_SAVE_BYTES_MAX) {
        return STATUS_BUSY;
    }
    save = malloc(sizeof *save);
    if (save == NULL) {
        return STATUS_NO_MEMORY;
    }
    save->request.on_reply = on_save_reply;
    save->owner = store;
    save->token = token;
    enum status status = send_save(save, record);
    if (status != STATUS_OK) {
        free(save);
        return status;
    }
    store->save_bytes += save->bytes;
    return STATUS_OK;
}
