/* A host's addresses, found in the loop: hiredis would look them up inside its connect and stop
 * everything meanwhile. One look-up has its own view of the host's DNS configuration, so that what
 * changes there is seen by the next one.
 */
#ifndef TAGOUT_PERSISTENCE_RESOLVE_H
#define TAGOUT_PERSISTENCE_RESOLVE_H

#include <stddef.h>

#include "controller/support/status.h"

#define RESOLVE_ADDRESSES_MAX 8
#define RESOLVE_ADDRESS_SIZE 46 /* the longest IPv6 address in text */
#define RESOLVE_TIMEOUT_S 5

struct event_base;

struct addresses {
    size_t count;
    char text[RESOLVE_ADDRESSES_MAX][RESOLVE_ADDRESS_SIZE];
};

/* `addresses` is NULL when there are none, and `reason` says why. */
typedef void resolve_done(void *context, const struct addresses *addresses, const char *reason);

struct resolve;

/* Calls `done` once, from the loop, at the latest after RESOLVE_TIMEOUT_S. `nameserver` is
 * "address:port", or "" for the host's own. */
MUST_USE enum status resolve_start(
    struct event_base *base, const char *host, const char *nameserver, resolve_done *done,
    void *context, struct resolve **ret_resolve);

/* `done` is not called any more. Only before it was; afterwards the look-up frees itself. The
 * memory goes in the next turns of the loop. Takes NULL. */
void resolve_cancel(struct resolve *resolve);

#endif
