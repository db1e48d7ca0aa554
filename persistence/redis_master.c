/* The store with Sentinels: it connects to whichever Redis is the master, and leaves one that is
 * not any more. */
#include <stdlib.h>
#include <string.h>

#include "persistence/redis_store.h"

static bool locate(void *context, struct redis_url *url, struct text *why)
{
    struct redis_store *store = context;
    struct endpoint master;
    struct text place = text_over(store->place, sizeof store->place);

    if (!redis_sentinel_master(store->sentinel, &master, why)) {
        return false;
    }
    text_copy(url->host, sizeof url->host, master.host);
    url->port = master.port;
    endpoint_add(&place, &master);
    return true;
}

static void on_moved(void *context, const char *reason)
{
    struct redis_store *store = context;
    redis_link_leave(store->link, reason);
}

static void on_trouble(void *context, const char *reason)
{
    const struct redis_store *store = context;

    if (!store->closing && store->events.on_trouble != NULL) {
        store->events.on_trouble(store->events.context, reason);
    }
}

enum status redis_find_master(
    struct redis_store *store, const struct redis_options *options, struct redis_link_options *link,
    struct text *why)
{
    const char *password = options->sentinel_password == NULL ? "" : options->sentinel_password;
    struct redis_sentinel_options sentinel = {
        .base = options->base,
        .sentinels = options->sentinels,
        .master = store->master,
        .password = store->sentinel_password,
        .nameserver = store->nameserver,
        .context = store,
        .on_moved = on_moved,
        .on_trouble = on_trouble,
    };

    if (options->sentinels == NULL || options->sentinels[0] == '\0') {
        return STATUS_OK;
    }
    if (options->master == NULL || strlen(options->master) >= sizeof store->master ||
        strlen(password) >= sizeof store->sentinel_password) {
        text_add(why, "the master's name or the password of Redis Sentinel is too long");
        return STATUS_TOO_LONG;
    }
    text_copy(store->master, sizeof store->master, options->master);
    text_copy(store->sentinel_password, sizeof store->sentinel_password, password);
    link->locate = locate;
    return redis_sentinel_new(&sentinel, &store->sentinel, why);
}

void redis_note_refusal(struct redis_store *store, const struct redisReply *reply)
{
    const char *error = reply == NULL ? NULL : redis_reply_error(reply);

    /* Before version 7 the word stands somewhere in a script's error. */
    if (store->sentinel != NULL && error != NULL && strstr(error, "READONLY ") != NULL) {
        redis_link_leave(store->link, "it is read-only: the master no more");
    }
}
