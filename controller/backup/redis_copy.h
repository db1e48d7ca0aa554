/* What Tagout keeps in Redis, out of it and into it again.
 *
 * The copy is text: the commands, in Redis's own protocol, that would bring it back. So it can go
 * into another version of Redis, and `redis-cli --pipe` takes it as well as we do.
 *
 * These calls wait for Redis, up to ten seconds for each answer; nothing but a command line may
 * call them.
 */
#ifndef TAGOUT_BACKUP_REDIS_COPY_H
#define TAGOUT_BACKUP_REDIS_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/backup/redis_place.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define REDIS_COPY_MAX ((size_t)256 << 20)

struct redis_copy {
    char *bytes; /* freed by the caller */
    size_t length;
    size_t keys;
};

/* All keys below the prefix, but for the lease, which is a process's own. Each key is copied at one
 * moment, and not all of them at the same: machines know nothing of each other, so that is enough.
 */
MUST_USE enum status
redis_copy_out(struct redis_place *place, struct redis_copy *ret_copy, struct text *why);

/* Whether a controller holds the lease, and how many keys there are besides. */
MUST_USE enum status
redis_look(struct redis_place *place, bool *ret_is_led, size_t *ret_keys, struct text *why);

/* Nothing but commands that write keys below the prefix; counts them. */
MUST_USE enum status
redis_copy_check(const struct redis_place *place, struct redis_copy *copy, struct text *why);
/* Puts the copy in the place of what is there below the prefix, all at once or not at all. */
MUST_USE enum status
redis_copy_in(struct redis_place *place, struct redis_copy *copy, struct text *why);

#endif
