/* The keys of Tagout's in Redis. For the files of this folder that copy them. */
#ifndef TAGOUT_BACKUP_REDIS_KEYS_H
#define TAGOUT_BACKUP_REDIS_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/backup/redis_place.h"

#define REDIS_KEY_MAX 512
#define REDIS_LEASE "lease" /* behind the prefix; a process's own */

struct redis_keys {
    char **names; /* in order, each once */
    size_t count;
    size_t room;
    bool is_led; /* there is a lease; it is none of them */
};

/* On failure too, what was found is the caller's to free. */
MUST_USE enum status
redis_keys_find(struct redis_place *place, struct redis_keys *keys, struct text *why);
void redis_keys_free(struct redis_keys *keys);

#endif
