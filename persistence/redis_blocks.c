/* The blocked cards, and forgetting a machine: what is kept beside the records. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/redis_scripts.h"
#include "persistence/redis_store.h"

#define FIELD "document"

void redis_on_blocks(struct redis_request *request, const struct redisReply *reply)
{
    struct redis_store *store = REDIS_OWNER(request, struct redis_store, blocks);
    bool ok = reply != NULL && redis_reply_error(reply) == NULL;

    store->blocks_wait = false;
    if (store->closing) {
        return;
    }
    if (!ok) {
        redis_trouble(store, "reading the blocked cards", redis_reason(reply));
    }
    store->events.on_blocks(store->events.context, ok, ok ? redis_reply_text(reply, NULL) : NULL);
}

enum status redis_load_blocks(struct store *base)
{
    struct redis_store *store = (struct redis_store *)base;
    char key[REDIS_KEY_SIZE];
    const char *const words[] = {"HGET", key, FIELD};

    if (store->blocks_wait) {
        return STATUS_BUSY;
    }
    redis_key(store, "blocks", key);
    enum status status = redis_link_send(store->link, &store->blocks, words, NULL, 3);
    store->blocks_wait = status == STATUS_OK;
    return status;
}

void redis_on_blocks_saved(struct redis_request *request, const struct redisReply *reply)
{
    struct redis_store *store = REDIS_OWNER(request, struct redis_store, blocks_save);
    const char *text = reply == NULL ? NULL : redis_reply_text(reply, NULL);
    enum store_saved result = redis_saved(reply);

    store->blocks_save_waits = false;
    if (!store->closing) {
        store->events.on_blocks_saved(
            store->events.context, result, text != NULL ? text : redis_reason(reply));
    }
}

/* Rare and small in number: the script's text goes along, whether Redis knows it or not. */
enum status redis_save_blocks(struct store *base, struct version version, const char *document)
{
    struct redis_store *store = (struct redis_store *)base;
    char key[REDIS_KEY_SIZE];
    char epoch_key[REDIS_KEY_SIZE];
    char epoch[24];
    char rev[16];
    const char *const words[] = {"EVAL",  redis_save_script, "2",   key,   epoch_key, epoch,
                                 rev,     "epoch",           epoch, "rev", rev,       FIELD,
                                 document};

    if (store->blocks_save_waits) {
        return STATUS_BUSY;
    }
    redis_key(store, "blocks", key);
    redis_key(store, "epoch", epoch_key);
    (void)snprintf(epoch, sizeof epoch, "%" PRIu64, version.epoch);
    (void)snprintf(rev, sizeof rev, "%" PRIu32, version.rev);
    enum status status = redis_link_send(
        store->link, &store->blocks_save, words, NULL, sizeof words / sizeof words[0]);
    store->blocks_save_waits = status == STATUS_OK;
    return status;
}

static void on_forgotten(struct redis_request *request, const struct redisReply *reply)
{
    (void)reply; /* a record that stays is named at the next start, and can be forgotten again */
    free(request);
}

enum status redis_forget(struct store *base, const char *machine)
{
    struct redis_store *store = (struct redis_store *)base;
    struct redis_request *request = calloc(1, sizeof *request);
    char key[REDIS_KEY_SIZE];
    const char *const words[] = {"DEL", key};
    enum status status;

    if (request == NULL) {
        return STATUS_NO_MEMORY;
    }
    request->on_reply = on_forgotten;
    redis_machine_key(store, machine, key);
    status = redis_link_send(store->link, request, words, NULL, 2);
    if (status != STATUS_OK) {
        free(request);
    }
    return status;
}
