#include "controller/watcher/heard.h"

#include <stdlib.h>

#include "controller/config/hash.h"

#define SLOTS_FIRST 64

/* Open addressing, at most half full. A print of 0 is an empty slot. */
struct prints {
    uint64_t *slots;
    size_t size; /* a power of two, or 0 */
    size_t count;
};

/* When the young ones are as many as may be, they become the old ones, and those are forgotten. */
struct heard {
    struct prints young;
    struct prints old;
};

struct heard *heard_new(void)
{
    return hash_start() == STATUS_OK ? calloc(1, sizeof(struct heard)) : NULL;
}

void heard_free(struct heard *heard)
{
    if (heard == NULL) {
        return;
    }
    free(heard->young.slots);
    free(heard->old.slots);
    free(heard);
}

uint64_t heard_print(const char *members, size_t length)
{
    uint64_t print = hash_bytes(members, length);
    return print == 0 ? 1 : print;
}

/* Its slot, or the empty one where it belongs. */
static size_t slot_of(const struct prints *prints, uint64_t print)
{
    size_t slot = (size_t)print & (prints->size - 1);

    while (prints->slots[slot] != 0 && prints->slots[slot] != print) {
        slot = (slot + 1) & (prints->size - 1);
    }
    return slot;
}

static bool has(const struct prints *prints, uint64_t print)
{
    return prints->size > 0 && prints->slots[slot_of(prints, print)] != 0;
}

bool heard_has(const struct heard *heard, uint64_t print)
{
    return has(&heard->young, print) || has(&heard->old, print);
}

static bool grow(struct prints *prints)
{
    size_t size = prints->size == 0 ? SLOTS_FIRST : 2 * prints->size;
    struct prints grown = {.slots = calloc(size, sizeof(uint64_t)), .size = size};

    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < prints->size; i++) {
        if (prints->slots[i] != 0) {
            grown.slots[slot_of(&grown, prints->slots[i])] = prints->slots[i];
        }
    }
    grown.count = prints->count;
    free(prints->slots);
    *prints = grown;
    return true;
}

void heard_add(struct heard *heard, uint64_t print)
{
    struct prints *young = &heard->young;

    if (has(young, print)) {
        return;
    }
    if (young->count == HEARD_PRINTS) {
        free(heard->old.slots);
        heard->old = *young;
        *young = (struct prints){.slots = NULL};
    }
    if (young->count * 2 >= young->size && !grow(young)) {
        return;
    }
    young->slots[slot_of(young, print)] = print;
    young->count++;
}
