#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "controller/backup/redis_copy.h"
#include "controller/backup/redis_keys.h"

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

    return writes && command->lengths[1] > length && command->lengths[1] <= REDIS_KEY_MAX &&
           memcmp(command->words[1], prefix, length) == 0 &&
           !(command->lengths[1] == length + strlen(REDIS_LEASE) &&
             memcmp(command->words[1] + length, REDIS_LEASE, strlen(REDIS_LEASE)) == 0);
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
    struct redis_place *place, const struct redis_keys *old, const struct redis_copy *copy,
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
    struct redis_keys old = {0};
    struct redisReply *reply = NULL;
    enum status status = redis_copy_check(place, copy, why);

    if (status == STATUS_OK) {
        status = redis_keys_find(place, &old, why);
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
    redis_keys_free(&old);
    return status;
}
