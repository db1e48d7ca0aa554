#include "controller/backup/redis_place.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "persistence/redis_url.h"

#define WAIT_S 10
#define ELEMENTS_MAX (1 << 16) /* of an array; a page of keys, or a machine's hash, has fewer */

struct redis_place {
    redisContext *context;
    redisReplyObjectFunctions own; /* hiredis's, but for arrays */
    redisReplyObjectFunctions *theirs;
    char prefix[REDIS_PREFIX_SIZE];
};

static enum status greet(
    struct redis_place *place, const struct settings *settings, unsigned database, struct text *why)
{
    bool named = settings->redis.username[0] != '\0';
    const char *const login[] = {
        "AUTH", named ? settings->redis.username : settings->redis.password,
        settings->redis.password};
    char number[16];
    const char *const select[] = {"SELECT", number};
    struct text text = text_over(number, sizeof number);
    struct redisReply *reply = NULL;
    enum status status = STATUS_OK;

    if (settings->redis.password[0] != '\0') {
        status = redis_ask(place, REDIS_REPLY_STATUS, named ? 3 : 2, login, NULL, &reply, why);
        freeReplyObject(reply);
    }
    if (status == STATUS_OK && database != 0) {
        reply = NULL;
        text_add_integer(&text, database);
        status = redis_ask(place, REDIS_REPLY_STATUS, 2, select, NULL, &reply, why);
        freeReplyObject(reply);
    }
    return status;
}

/* hiredis makes room for as many elements as an array says that it has. */
static void *create_array(const redisReadTask *task, int count)
{
    const struct redis_place *place = task->privdata;
    return count <= ELEMENTS_MAX ? place->theirs->createArray(task, count) : NULL;
}

static void bound_arrays(struct redis_place *place)
{
    redisReader *reader = place->context->reader;

    place->theirs = reader->fn;
    place->own = *reader->fn;
    place->own.createArray = create_array;
    reader->fn = &place->own;
    reader->privdata = place;
}

static enum status
connect_to(struct redis_place *place, const struct redis_url *url, struct text *why)
{
    const struct timeval wait = {.tv_sec = WAIT_S};

    place->context = url->path[0] != '\0' ? redisConnectUnixWithTimeout(url->path, wait)
                                          : redisConnectWithTimeout(url->host, url->port, wait);
    if (place->context == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    if (place->context->err != 0 ||
        setsockopt(place->context->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        setsockopt(place->context->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0) {
        text_addf(why, "Redis is out of reach: %s", place->context->errstr);
        return STATUS_DISCONNECTED;
    }
    bound_arrays(place);
    return STATUS_OK;
}

enum status
redis_place_open(const struct settings *settings, struct redis_place **ret_place, struct text *why)
{
    struct redis_place *place = calloc(1, sizeof *place);
    struct redis_url url = {.port = REDIS_PORT};
    struct text prefix;
    enum status status;

    if (place == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    prefix = text_over(place->prefix, sizeof place->prefix);
    text_addf(&prefix, "%s:", settings->controller.prefix);
    if (settings->redis.sentinels[0] != '\0') {
        text_add(
            why, "Redis is where its Sentinels say: name it with TAGOUT_REDIS_URL, and set "
                 "TAGOUT_REDIS_SENTINELS and TAGOUT_REDIS_MASTER to nothing");
        status = STATUS_INVALID;
    } else {
        status = redis_url_parse(settings->redis.url, &url, why);
    }
    if (status == STATUS_OK) {
        status = connect_to(place, &url, why);
    }
    if (status == STATUS_OK) {
        status = greet(place, settings, url.database, why);
    }
    if (status != STATUS_OK) {
        redis_place_close(place);
        return status;
    }
    *ret_place = place;
    return STATUS_OK;
}

void redis_place_close(struct redis_place *place)
{
    if (place != NULL) {
        if (place->context != NULL) {
            redisFree(place->context);
        }
        free(place);
    }
}

const char *redis_place_prefix(const struct redis_place *place)
{
    return place->prefix;
}

enum status redis_ask(
    struct redis_place *place, int type, int count, const char *const words[],
    const size_t lengths[], struct redisReply **ret_reply, struct text *why)
{
    /* hiredis only reads them; its type is older than const. */
    redisReply *reply =
        redisCommandArgv(place->context, count, (const char **)(uintptr_t)words, lengths);

    if (reply == NULL) {
        text_addf(why, "Redis does not answer: %s", place->context->errstr);
        return STATUS_DISCONNECTED;
    }
    if (reply->type == REDIS_REPLY_ERROR || (type != 0 && reply->type != type)) {
        text_addf(
            why, "Redis, to %s: %.200s", words[0],
            reply->type == REDIS_REPLY_ERROR ? reply->str : "an answer of another kind");
        freeReplyObject(reply);
        return STATUS_INVALID;
    }
    *ret_reply = reply;
    return STATUS_OK;
}
