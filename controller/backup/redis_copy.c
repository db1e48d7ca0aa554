#include "controller/backup/redis_copy.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "controller/backup/redis_keys.h"

enum status
redis_look(struct redis_place *place, bool *ret_is_led, size_t *ret_keys, struct text *why)
{
    struct redis_keys keys = {0};
    enum status status = redis_keys_find(place, &keys, why);

    if (status == STATUS_OK) {
        *ret_is_led = keys.is_led;
        *ret_keys = keys.count;
    }
    redis_keys_free(&keys);
    return status;
}

static enum status
add_bytes(struct redis_copy *copy, size_t *room, const char *bytes, size_t length, struct text *why)
{
    if (copy->length + length > REDIS_COPY_MAX) {
        text_addf(why, "Redis holds over %zu MB", REDIS_COPY_MAX >> 20);
        return STATUS_TOO_LONG;
    }
    if (length == 0) {
        return STATUS_OK;
    }
    while (copy->bytes == NULL || copy->length + length > *room) {
        size_t more = *room == 0 ? 65536 : *room * 2;
        char *grown = realloc(copy->bytes, more);

        if (grown == NULL) {
            text_add(why, "out of memory");
            return STATUS_NO_MEMORY;
        }
        copy->bytes = grown;
        *room = more;
    }
    memcpy(copy->bytes + copy->length, bytes, length);
    copy->length += length;
    return STATUS_OK;
}

static enum status add_command(
    struct redis_copy *copy, size_t *room, const char *verb, const char *key,
    const struct redisReply *values, size_t count, struct text *why)
{
    const char *words[REDIS_WORDS_MAX] = {verb, key};
    size_t lengths[REDIS_WORDS_MAX] = {strlen(verb), strlen(key)};
    char *command = NULL;
    long long length;
    enum status status;

    for (size_t i = 0; i < count; i++) {
        const struct redisReply *value =
            values->type == REDIS_REPLY_ARRAY ? values->element[i] : values;
        words[2 + i] = value->str;
        lengths[2 + i] = (size_t)value->len;
    }
    length = redisFormatCommandArgv(&command, (int)count + 2, words, lengths);
    if (length < 0) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    status = add_bytes(copy, room, command, (size_t)length, why);
    redisFreeCommand(command);
    return status;
}

/* A hash as Redis answers it: fields and values, all of them strings. */
static bool is_hash(const struct redisReply *values)
{
    for (size_t i = 0; i < values->elements; i++) {
        if (values->element[i]->type != REDIS_REPLY_STRING) {
            return false;
        }
    }
    return values->elements % 2 == 0;
}

/* A key that went in the meantime is no part of the copy. */
static enum status copy_key(
    struct redis_place *place, const char *key, struct redis_copy *copy, size_t *room,
    struct text *why)
{
    const char *const ask_type[] = {"TYPE", key};
    const char *const get[] = {"GET", key};
    const char *const get_all[] = {"HGETALL", key};
    struct redisReply *type = NULL;
    struct redisReply *values = NULL;
    enum status status = redis_ask(place, REDIS_REPLY_STATUS, 2, ask_type, NULL, &type, why);

    if (status != STATUS_OK) {
        return status;
    }
    if (strcmp(type->str, "hash") == 0) {
        status = redis_ask(place, REDIS_REPLY_ARRAY, 2, get_all, NULL, &values, why);
        if (status == STATUS_OK && values->elements > REDIS_WORDS_MAX - 2) {
            text_addf(why, "Redis: %s has over %d fields", key, REDIS_WORDS_MAX / 2 - 1);
            status = STATUS_TOO_LONG;
        } else if (status == STATUS_OK && !is_hash(values)) {
            text_addf(why, "Redis, to HGETALL %s: an answer of another kind", key);
            status = STATUS_INVALID;
        } else if (status == STATUS_OK && values->elements > 0) {
            status = add_command(copy, room, "HSET", key, values, values->elements, why);
            copy->keys++;
        }
    } else if (strcmp(type->str, "string") == 0) {
        status = redis_ask(place, 0, 2, get, NULL, &values, why);
        if (status == STATUS_OK && values->type == REDIS_REPLY_STRING) {
            status = add_command(copy, room, "SET", key, values, 1, why);
            copy->keys++;
        }
    } else if (strcmp(type->str, "none") != 0) {
        text_addf(why, "Redis: %s is a %s, which Tagout does not keep", key, type->str);
        status = STATUS_INVALID;
    }
    freeReplyObject(values);
    freeReplyObject(type);
    return status;
}

enum status redis_copy_out(struct redis_place *place, struct redis_copy *ret_copy, struct text *why)
{
    struct redis_keys keys = {0};
    struct redis_copy copy = {0};
    size_t room = 0;
    enum status status = redis_keys_find(place, &keys, why);

    for (size_t i = 0; status == STATUS_OK && i < keys.count; i++) {
        status = copy_key(place, keys.names[i], &copy, &room, why);
    }
    redis_keys_free(&keys);
    if (status != STATUS_OK) {
        free(copy.bytes);
        return status;
    }
    *ret_copy = copy;
    return STATUS_OK;
}
