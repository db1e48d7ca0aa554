#include "controller/config/authorizations.h"

#include <pthread.h>
#include <string.h>

#include "controller/config/arena.h"
#include "controller/config/index.h"

/* The process's own on purpose: rosters that come and go must agree on the numbers, because a
 * session can be older than the roster. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct index numbers;     /* name -> struct entry */
static struct arena entries;     /* never freed: a number stands for its name as long as we run */
static const struct entry *last; /* the head of a list of all */
static core_authorization last_number;

struct entry {
    const struct entry *previous;
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
    entry = arena_get(&entries, sizeof *entry + size);
    if (entry == NULL) {
        return STATUS_NO_MEMORY;
    }
    entry->number = last_number + 1;
    memcpy(entry->name, name, size);
    status = index_put(&numbers, entry->name, entry);
    if (status != STATUS_OK) {
        return status;
    }
    entry->previous = last;
    last = entry;
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

core_authorization authorization_last(void)
{
    core_authorization number;

    pthread_mutex_lock(&lock);
    number = last_number;
    pthread_mutex_unlock(&lock);
    return number;
}

const char *authorization_name(core_authorization number)
{
    const struct entry *entry;

    pthread_mutex_lock(&lock);
    entry = last;
    while (entry != NULL && entry->number != number) {
        entry = entry->previous;
    }
    pthread_mutex_unlock(&lock);
    return entry == NULL ? "?" : entry->name;
}
