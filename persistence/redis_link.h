/* A connection to Redis, kept for ever.
 *
 * It looks up the name, connects to each of its addresses in turn, greets (AUTH, SELECT, PING,
 * SCRIPT LOAD: whatever `greeting` holds) and is up only once all of that was answered without an
 * error, which a Redis that is still loading its data does not do. Connecting and greeting have
 * LINK_ATTEMPT_MS; after that, or after a loss, comes the next attempt, later each time
 * (LINK_BACKOFF_MIN_MS to LINK_BACKOFF_MAX_MS, with jitter).
 *
 * A connection that is up is kept however long nothing answers: a frozen Redis still owes its
 * answers, and they come in order.
 */
#ifndef TAGOUT_PERSISTENCE_REDIS_LINK_H
#define TAGOUT_PERSISTENCE_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "persistence/redis_refusal.h"
#include "persistence/redis_socket.h"
#include "persistence/redis_url.h"

#define LINK_ATTEMPT_MS 5000
#define LINK_BACKOFF_MIN_MS 200
#define LINK_BACKOFF_MAX_MS 5000
#define LINK_BACKOFF_LOCATE_MAX_MS 1000 /* where the place may be another one soon */
#define LINK_GREETING_MAX 7

struct redis_link;

/* A command of the greeting. Its answer's text is copied to `keep` where there is one. */
struct redis_greeting {
    const char *words[3];
    size_t count;
    char *keep;
    size_t keep_size;
    const char *first;   /* NULL, or how the answer, a list of words, must begin */
    bool for_rights;     /* asked only to see whether it may be: any answer but a refusal will do */
    const char *may_say; /* NULL, or how an error begins that will do */
};

/* What it points to outlives the link. */
struct redis_link_options {
    struct event_base *base;
    struct redis_url url;
    const char *nameserver;       /* "" for the host's own */
    struct redis_account account; /* for words: the greeting holds its AUTH */
    struct redis_greeting greeting[LINK_GREETING_MAX];
    size_t greeting_count; /* at least 1 */
    void *context;
    /* Asked before each attempt: writes host and port into `url`. False: there is no attempt now,
     * as `why` says; "" while that is still being found out. NULL: what the URL says stays so. */
    bool (*locate)(void *context, struct redis_url *url, struct text *why);
    void (*on_up)(void *context);
    /* The connection broke, or an attempt failed for another reason than the last one. `refused`:
     * somebody answers there, and it is the account that he does not want. */
    void (*on_down)(void *context, bool refused, const char *reason);
};

MUST_USE enum status
redis_link_new(const struct redis_link_options *options, struct redis_link **ret_link);

/* Every request under way gets its NULL reply in here. Not from a callback of the link. Takes
 * NULL. */
void redis_link_free(struct redis_link *link);

/* This place is not it any more: ends the connection, or whatever is under way, and begins anew
 * soon; what only waits begins at once. */
void redis_link_leave(struct redis_link *link, const char *reason);

bool redis_link_is_up(const struct redis_link *link);

/* As redis_socket_send; STATUS_DISCONNECTED while it is not up. */
MUST_USE enum status redis_link_send(
    struct redis_link *link, struct redis_request *request, const char *const words[],
    const size_t lengths[], size_t count);

#endif
