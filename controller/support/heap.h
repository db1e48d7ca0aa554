/* Deadlines, the earliest first: a binary heap whose items live in their owners.
 *
 * Setting and removing a deadline costs O(log n) and never scans. Putting one off, which is what
 * nearly every report of a machine does, costs nothing: the item keeps its place until it is the
 * first there. What is compared stands in the heap itself, not in items all over the memory.
 */
#ifndef TAGOUT_SUPPORT_HEAP_H
#define TAGOUT_SUPPORT_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/time.h"

/* Embedded in the owner; zeroed means "not in a heap". */
struct heap_item {
    struct mono_time at;
    size_t place; /* 1-based place in the heap, 0 when it is in none */
    void *owner;
};

struct heap_place {
    int64_t at_ms; /* no later than the item's own deadline */
    struct heap_item *item;
};

struct heap {
    struct heap_place *places;
    size_t count;
    size_t room;
};

/* Makes room for `count` items, so that heap_set cannot fail afterwards. */
MUST_USE enum status heap_reserve(struct heap *heap, size_t count);
void heap_free(struct heap *heap);

/* Puts the item in, or moves it; {0} takes it out. */
void heap_set(struct heap *heap, struct heap_item *item, struct mono_time at);

/* The item that is due first, NULL when there is none. Moves to their places those that were put
 * off. */
struct heap_item *heap_first(const struct heap *heap);

#endif
