/* A queue of records of any length in one block of memory of a fixed size, for whoever has it to
 * himself, or under his own lock.
 *
 * A record never wraps, so that it can be used where it lies: what is left at the end of the block
 * is skipped when it is too short, and counts as used until the record before it is dropped.
 */
#ifndef TAGOUT_SUPPORT_RING_H
#define TAGOUT_SUPPORT_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"

/* All of it may be read; only ring.c writes. */
struct ring {
    unsigned char *bytes;
    size_t size;
    size_t head; /* of the oldest record */
    size_t used; /* from head on, with what is skipped */
};

/* `size` is rounded up to what ring_cost gives. */
MUST_USE enum status ring_init(struct ring *ring, size_t size);
void ring_free(struct ring *ring);

/* What a record of `length` bytes takes of the ring, where nothing is skipped for it. */
size_t ring_cost(size_t length);

/* Room for `length` bytes behind all that is there, aligned for integers and pointers; NULL where
 * more than `limit` bytes would then be in use. */
void *ring_add(struct ring *ring, size_t length, size_t limit);

/* The oldest record, which stays where it is until ring_drop gives its room back; there must be
 * one. */
void *ring_first(struct ring *ring);
void ring_drop(struct ring *ring);

#endif
