#include "controller/config/index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->failed = true)
#include <uthash.h>

struct index_entry {
    const char *key;
    const void *value;
    bool failed; /* uthash ran out of memory while adding it */
    UT_hash_handle hh;
};

enum status index_put(struct index *index, const char *key, const void *value)
{
    struct index_entry *entry = calloc(1, sizeof *entry);

    if (entry == NULL) {
        return STATUS_NO_MEMORY;
    }
    entry->key = key;
    entry->value = value;
    HASH_ADD_KEYPTR(hh, index->entries, entry->key, strlen(entry->key), entry);
    if (entry->failed) {
        free(entry);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

const void *index_get(const struct index *index, const char *key)
{
    struct index_entry *entry;

    HASH_FIND(hh, index->entries, key, strlen(key), entry);
    return entry == NULL ? NULL : entry->value;
}

void index_free(struct index *index)
{
    struct index_entry *entry = index->entries;

    /* Tables first: they stand in the handle of the first entry. */
    HASH_CLEAR(hh, index->entries);
    while (entry != NULL) {
        struct index_entry *next = entry->hh.next;
        free(entry);
        entry = next;
    }
}
