/* Deadlines, the earliest first: a binary heap whose items live in their owners.
 *
 * Setting, moving and removing a deadline costs O(log n) and never scans; looking at the earliest
 * is free.
 */
#ifndef TAGOUT_SUPPORT_HEAP_H
#define TAGOUT_SUPPORT_HEAP_H

#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/time.h"

/* Embedded in the owner; zeroed means "not in a heap". */
struct heap_item {
    struct mono_time at;
    size_t place; /* 1-based place in the heap, 0 when it is in none */
    void *owner;
};

struct heap {
    struct heap_item **items;
    size_t count;
    size_t room;
};

/* Makes room for `count` items, so that heap_set cannot fail afterwards. */
MUST_USE enum status heap_reserve(struct heap *heap, size_t count);
void heap_free(struct heap *heap);

/* Puts the item in, or moves it; {0} takes it out. */
void heap_set(struct heap *heap, struct heap_item *item, struct mono_time at);

/* The item that is due first, NULL when there is none. */
struct heap_item *heap_first(const struct heap *heap);

#endif
