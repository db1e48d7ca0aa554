/* A dictionary from strings to things that somebody else owns: the only user of uthash. */
#ifndef TAGOUT_CONFIG_INDEX_H
#define TAGOUT_CONFIG_INDEX_H

#include <stddef.h>

#include "controller/support/status.h"

struct index_entry;

/* {NULL} is an empty one. */
struct index {
    struct index_entry *entries;
};

/* The key is borrowed for as long as the index lives. A key that is there already must not be put
 * again: look first. */
MUST_USE enum status index_put(struct index *index, const char *key, const void *value);

/* NULL when there is none. */
const void *index_get(const struct index *index, const char *key);

void index_free(struct index *index);

#endif
