/* Hashes by which entries and whole rosters are compared: the only user of libsodium here.
 * They are the same in every process and on every host. */
#ifndef TAGOUT_CONFIG_HASH_H
#define TAGOUT_CONFIG_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"

/* Before the first hash; from any thread, as often as one likes. */
MUST_USE enum status hash_start(void);
uint64_t hash_bytes(const char *bytes, size_t length);
uint64_t hash_string(const char *string);
/* Of numbers in this order. */
uint64_t hash_list(const uint64_t *numbers, size_t count);
/* Of numbers in any order; sorts them. */
uint64_t hash_set(uint64_t *numbers, size_t count);

#endif
