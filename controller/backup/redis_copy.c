#include "controller/backup/redis_copy.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#define LEASE "lease"
#define KEY_MAX 512
#define SCAN_COUNT "500"

/* ---- keys ---- */

struct keys {
    char **names;
    size_t count;
    size_t room;
    bool is_led;
};

static void keys_free(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->names[i]);
    }
    free(keys->names);
}

static enum status add_key(struct keys *keys, const char *name, struct text *why)
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
static void sort(struct keys *keys)
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

static enum status
take_page(struct keys *keys, const char *prefix, const struct redisReply *page, struct text *why)
{
    for (size_t i = 0; i < page->elements; i++) {
        const struct redisReply *key = page->element[i];
        enum status status = STATUS_OK;

        if (key->type != REDIS_REPLY_STRING || strlen(key->str) != (size_t)key->len ||
            (size_t)key->len > KEY_MAX || strncmp(key->str, prefix, strlen(prefix)) != 0) {
            text_addf(why, "Redis: a key that is not Tagout's stands under %s", prefix);
            return STATUS_INVALID;
        }
        if (strcmp(key->str + strlen(prefix), LEASE) == 0) {
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

/* On failure too, what was found is the caller's to free. */
static enum status find_keys(struct redis_place *place, struct keys *keys, struct text *why)
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

enum status
redis_look(struct redis_place *place, bool *ret_is_led, size_t *ret_keys, struct text *why)
{
    struct keys keys = {0};
    enum status status = find_keys(place, &keys, why);

    if (status == STATUS_OK) {
        *ret_is_led = keys.is_led;
        *ret_keys = keys.count;
    }
    keys_free(&keys);
    return status;
}

/* ---- out ---- */

static enum status
add_bytes(struct redis_copy *copy, size_t *room, const char *bytes, size_t length, struct text *why)
{
    if (copy->length + length > REDIS_COPY_MAX) {
        text_addf(why, "Redis holds over %zu MB", REDIS_COPY_MAX >> 20);
        return STATUS_TOO_LONG;
    }
    while (copy->length + length > *room) {
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
    struct keys keys = {0};
    struct redis_copy copy = {0};
    size_t room = 0;
    enum status status = find_keys(place, &keys, why);

    for (size_t i = 0; status == STATUS_OK && i < keys.count; i++) {
        status = copy_key(place, keys.names[i], &copy, &room, why);
    }
    keys_free(&keys);
    if (status != STATUS_OK) {
        free(copy.bytes);
        return status;
    }
    *ret_copy = copy;
    return STATUS_OK;
}

/* ---- in ---- */

struct command {
    int count;
    const char *words[REDIS_WORDS_MAX];
    size_t lengths[REDIS_WORDS_MAX];
};

/* `*3\r\n`: the number behind the mark. */
static bool
read_number(const struct redis_copy *copy, size_t *at, char mark, size_t max, size_t *ret_number)
{
    size_t number = 0;
    size_t i = *at;

    if (i >= copy->length || copy->bytes[i++] != mark) {
        return false;
    }
    for (; i < copy->length && copy->bytes[i] >= '0' && copy->bytes[i] <= '9'; i++) {
        number = number * 10 + (size_t)(copy->bytes[i] - '0');
        if (number > max) {
            return false;
        }
    }
    if (copy->length - i < 2 || memcmp(copy->bytes + i, "\r\n", 2) != 0) {
        return false;
    }
    *at = i + 2;
    *ret_number = number;
    return true;
}

static bool read_command(const struct redis_copy *copy, size_t *at, struct command *command)
{
    size_t count;

    if (!read_number(copy, at, '*', REDIS_WORDS_MAX, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_number(copy, at, '$', REDIS_COPY_MAX, &command->lengths[i]) ||
            copy->length - *at < command->lengths[i] + 2 ||
            memcmp(copy->bytes + *at + command->lengths[i], "\r\n", 2) != 0) {
            return false;
        }
        command->words[i] = copy->bytes + *at;
        *at += command->lengths[i] + 2;
    }
    command->count = (int)count;
    return true;
}

static bool is_word(const struct command *command, int index, const char *word)
{
    return command->lengths[index] == strlen(word) &&
           memcmp(command->words[index], word, strlen(word)) == 0;
}

static bool is_ours(const struct command *command, const char *prefix)
{
    size_t length = strlen(prefix);
    bool writes = command->count >= 3 && ((is_word(command, 0, "SET") && command->count == 3) ||
                                          (is_word(command, 0, "HSET") && command->count % 2 == 0));

    return writes && command->lengths[1] > length && command->lengths[1] <= KEY_MAX &&
           memcmp(command->words[1], prefix, length) == 0 &&
           !(command->lengths[1] == length + strlen(LEASE) &&
             memcmp(command->words[1] + length, LEASE, strlen(LEASE)) == 0);
}

enum status
redis_copy_check(const struct redis_place *place, struct redis_copy *copy, struct text *why)
{
    struct command command;

    copy->keys = 0;
    for (size_t at = 0; at < copy->length;) {
        if (!read_command(copy, &at, &command) || !is_ours(&command, redis_place_prefix(place))) {
            text_addf(
                why, "its copy of Redis holds what is none of Tagout's under the prefix %s",
                redis_place_prefix(place));
            return STATUS_INVALID;
        }
        copy->keys++;
    }
    return STATUS_OK;
}

static enum status order(
    struct redis_place *place, int count, const char *const words[], const size_t lengths[],
    struct text *why)
{
    struct redisReply *reply = NULL;
    enum status status = redis_ask(place, REDIS_REPLY_STATUS, count, words, lengths, &reply, why);

    freeReplyObject(reply);
    return status;
}

/* Between MULTI and EXEC Redis only takes note; nothing is there before the end. */
static enum status queue(
    struct redis_place *place, const struct keys *old, const struct redis_copy *copy,
    struct text *why)
{
    struct command command;
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < old->count; i++) {
        const char *const words[] = {"DEL", old->names[i]};
        status = order(place, 2, words, NULL, why);
    }
    for (size_t at = 0; status == STATUS_OK && at < copy->length;) {
        if (!read_command(copy, &at, &command)) {
            text_add(why, "the copy of Redis cannot be read");
            return STATUS_INVALID;
        }
        status = order(place, command.count, command.words, command.lengths, why);
    }
    return status;
}

enum status redis_copy_in(struct redis_place *place, struct redis_copy *copy, struct text *why)
{
    static const char *const begin[] = {"MULTI"};
    static const char *const end[] = {"EXEC"};
    struct keys old = {0};
    struct redisReply *reply = NULL;
    enum status status = redis_copy_check(place, copy, why);

    if (status == STATUS_OK) {
        status = find_keys(place, &old, why);
    }
    if (status == STATUS_OK) {
        status = order(place, 1, begin, NULL, why);
    }
    if (status == STATUS_OK) {
        status = queue(place, &old, copy, why);
    }
    if (status == STATUS_OK) {
        status = redis_ask(place, REDIS_REPLY_ARRAY, 1, end, NULL, &reply, why);
    }
    for (size_t i = 0; status == STATUS_OK && i < reply->elements; i++) {
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            text_addf(why, "Redis: %.200s", reply->element[i]->str);
            status = STATUS_INVALID;
        }
    }
    freeReplyObject(reply);
    keys_free(&old);
    return status;
}
