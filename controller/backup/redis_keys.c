#include "controller/backup/redis_keys.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_COUNT "500"

void redis_keys_free(struct redis_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->names[i]);
    }
    free(keys->names);
}

static enum status add_key(struct redis_keys *keys, const char *name, struct text *why)
{
    if (keys->count == keys->room) {
        size_t room = keys->room == 0 ? 1024 : keys->room * 2;
        char **names = reallocarray(keys->names, room, sizeof *names);

        if (names == NULL) {
            text_add(why, "out of memory");
            return STATUS_NO_MEMORY;
        }
        keys->names = names;
        keys->room = room;
    }
    keys->names[keys->count] = strdup(name);
    if (keys->names[keys->count] == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    keys->count++;
    return STATUS_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* SCAN may name a key more than once. */
static void sort(struct redis_keys *keys)
{
    size_t kept = 0;

    if (keys->count == 0) {
        return;
    }
    qsort(keys->names, keys->count, sizeof *keys->names, by_name);
    for (size_t i = 1; i < keys->count; i++) {
        if (strcmp(keys->names[i], keys->names[kept]) == 0) {
            free(keys->names[i]);
        } else {
            keys->names[++kept] = keys->names[i];
        }
    }
    keys->count = kept + 1;
}

static enum status take_page(
    struct redis_keys *keys, const char *prefix, const struct redisReply *page, struct text *why)
{
    for (size_t i = 0; i < page->elements; i++) {
        const struct redisReply *key = page->element[i];
        enum status status = STATUS_OK;

        if (key->type != REDIS_REPLY_STRING || strlen(key->str) != (size_t)key->len ||
            (size_t)key->len > REDIS_KEY_MAX || strncmp(key->str, prefix, strlen(prefix)) != 0) {
            text_addf(why, "Redis: a key that is not Tagout's stands under %s", prefix);
            return STATUS_INVALID;
        }
        if (strcmp(key->str + strlen(prefix), REDIS_LEASE) == 0) {
            keys->is_led = true;
        } else {
            status = add_key(keys, key->str, why);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

enum status redis_keys_find(struct redis_place *place, struct redis_keys *keys, struct text *why)
{
    char cursor[24] = "0";
    char pattern[REDIS_PREFIX_SIZE + 1];
    struct text text = text_over(pattern, sizeof pattern);
    const char *const words[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT};
    enum status status = STATUS_OK;

    text_addf(&text, "%s*", redis_place_prefix(place));
    do {
        struct redisReply *reply = NULL;

        status = redis_ask(place, REDIS_REPLY_ARRAY, 6, words, NULL, &reply, why);
        if (status != STATUS_OK) {
            break;
        }
        if (reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
            reply->element[1]->type != REDIS_REPLY_ARRAY) {
            text_add(why, "Redis, to SCAN: an answer of another kind");
            status = STATUS_INVALID;
        } else {
            text_copy(cursor, sizeof cursor, reply->element[0]->str);
            status = take_page(keys, redis_place_prefix(place), reply->element[1], why);
        }
        freeReplyObject(reply);
    } while (status == STATUS_OK && strcmp(cursor, "0") != 0);
    sort(keys);
    return status;
}
