#include "controller/config/authorizations.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/index.h"

/* The process's own on purpose: rosters that come and go must agree on the numbers, because a
 * session can be older than the roster. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct index numbers; /* name -> its number, in an allocation together with the name */
static core_authorization last_number;

struct entry {
    core_authorization number;
    char name[];
};

static enum status add(const char *name, core_authorization *ret_number)
{
    size_t size = strlen(name) + 1;
    struct entry *entry;
    enum status status;

    if (last_number >= AUTHORIZATIONS_MAX) {
        return STATUS_FULL;
    }
    entry = malloc(sizeof *entry + size);
    if (entry == NULL) {
        return STATUS_NO_MEMORY;
    }
    entry->number = last_number + 1;
    memcpy(entry->name, name, size);
    status = index_put(&numbers, entry->name, entry);
    if (status != STATUS_OK) {
        free(entry);
        return status;
    }
    last_number = entry->number;
    *ret_number = entry->number;
    return STATUS_OK;
}

enum status authorization_number(const char *name, core_authorization *ret_number)
{
    enum status status = STATUS_OK;
    const struct entry *entry;

    pthread_mutex_lock(&lock);
    entry = index_get(&numbers, name);
    if (entry != NULL) {
        *ret_number = entry->number;
    } else {
        status = add(name, ret_number);
    }
    pthread_mutex_unlock(&lock);
    return status;
}
