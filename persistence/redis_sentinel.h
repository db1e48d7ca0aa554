/* Redis Sentinel: who is the master at the moment (C10.1 `sentinels`, `master`).
 *
 * There is a connection to each Sentinel, kept for ever as redis_link keeps it, and all are asked
 * once a second; no call here waits. The answers are weighed by redis_votes. It only says where the
 * master is: whoever connects there asks it for its ROLE, for a Sentinel may be late.
 */
#ifndef TAGOUT_PERSISTENCE_REDIS_SENTINEL_H
#define TAGOUT_PERSISTENCE_REDIS_SENTINEL_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/endpoint.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define SENTINEL_PORT 26379
#define SENTINEL_ASK_MS 1000

struct event_base;
struct redis_sentinel;

/* What it points to outlives the object. */
struct redis_sentinel_options {
    struct event_base *base;
    const char *sentinels; /* host:port, host:port */
    const char *master;    /* its name among the Sentinels */
    const char *password;  /* of the Sentinels; "": none */
    const char *nameserver;
    void *context;
    /* The master is another one than redis_sentinel_master last told; the first one, too. */
    void (*on_moved)(void *context, const char *reason);
    /* A Sentinel cannot be asked, or knows no such master; said again when the reason changes. */
    void (*on_trouble)(void *context, const char *reason);
};

MUST_USE enum status redis_sentinel_new(
    const struct redis_sentinel_options *options, struct redis_sentinel **ret_sentinel,
    struct text *why);
/* Not from a callback. Takes NULL. */
void redis_sentinel_free(struct redis_sentinel *sentinel);

/* Where to try next: what the Sentinels name, or, while none of them answers, what they named last.
 * False: nothing was ever named; `why` says what each of them lacks, "" while one may still
 * answer. */
bool redis_sentinel_master(
    struct redis_sentinel *sentinel, struct endpoint *ret_master, struct text *why);

#endif
