#include "controller/watcher/watched.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Without this uthash ends the process when there is no memory. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->failed = true)
#include <uthash.h>
#include <utlist.h>

#include "controller/support/text.h"

struct entry {
    struct watched machine; /* first: a pointer to it is one to the entry */
    bool failed;            /* uthash ran out of memory while adding it */
    UT_hash_handle hh;
};

struct watched_table {
    struct entry *by_name;
    struct watched *list;
};

struct watched_table *watched_new(void)
{
    return calloc(1, sizeof(struct watched_table));
}

static void drop(struct watched_table *table, struct entry *entry)
{
    HASH_DEL(table->by_name, entry);
    DL_DELETE(table->list, &entry->machine);
    free(entry);
}

void watched_free(struct watched_table *table)
{
    if (table == NULL) {
        return;
    }
    while (table->list != NULL) {
        drop(table, (struct entry *)table->list);
    }
    free(table);
}

struct watched *watched_touch(struct watched_table *table, const char *name)
{
    struct entry *entry;

    HASH_FIND_STR(table->by_name, name, entry);
    if (entry != NULL) {
        DL_DELETE(table->list, &entry->machine);
        DL_APPEND(table->list, &entry->machine);
        return &entry->machine;
    }
    if (HASH_COUNT(table->by_name) >= WATCHED_MACHINES_MAX) {
        drop(table, (struct entry *)table->list);
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    text_copy(entry->machine.name, sizeof entry->machine.name, name);
    text_copy(entry->machine.display_name, sizeof entry->machine.display_name, name);
    HASH_ADD_STR(table->by_name, machine.name, entry);
    if (entry->failed) {
        free(entry);
        return NULL;
    }
    DL_APPEND(table->list, &entry->machine);
    return &entry->machine;
}

struct watched *watched_first(struct watched_table *table)
{
    return table->list;
}

size_t watched_count(const struct watched_table *table)
{
    return HASH_COUNT(table->by_name);
}
