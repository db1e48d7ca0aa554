#include "controller/support/ring.h"

#include <stdint.h>
#include <stdlib.h>

/* In front of each record. All sizes are multiples of its own, so that there is always room for one
 * where anything is left at the end of the block. */
struct header {
    uint64_t cost; /* of the record with its header; 0: the rest of the block is skipped */
};

static size_t rounded(size_t size)
{
    return (size + sizeof(struct header) - 1) / sizeof(struct header) * sizeof(struct header);
}

enum status ring_init(struct ring *ring, size_t size)
{
    *ring = (struct ring){.size = rounded(size)};
    ring->bytes = malloc(ring->size);
    return ring->bytes == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

void ring_free(struct ring *ring)
{
    free(ring->bytes);
    *ring = (struct ring){0};
}

size_t ring_cost(size_t length)
{
    return sizeof(struct header) + rounded(length);
}

static struct header *header_at(struct ring *ring, size_t offset)
{
    return (struct header *)(void *)(ring->bytes + offset);
}

/* Where a record that costs so much goes; marks a skipped rest. NULL where there is no room. */
static struct header *place(struct ring *ring, size_t cost, size_t limit)
{
    size_t tail = ring->head + ring->used;
    size_t rest;

    if (ring->used == 0) {
        ring->head = tail = 0;
    }
    if (tail >= ring->size) {
        tail -= ring->size;
    }
    if (ring->used > 0 && tail == ring->head) {
        return NULL;
    }
    rest = tail >= ring->head ? ring->size - tail : ring->head - tail;
    if (cost <= rest) {
        if (ring->used + cost > limit) {
            return NULL;
        }
        ring->used += cost;
        return header_at(ring, tail);
    }
    if (tail < ring->head || cost > ring->head || ring->used + rest + cost > limit) {
        return NULL;
    }
    header_at(ring, tail)->cost = 0;
    ring->used += rest + cost;
    return header_at(ring, 0);
}

void *ring_add(struct ring *ring, size_t length, size_t limit)
{
    size_t cost = ring_cost(length);
    struct header *header = place(ring, cost, limit);

    if (header == NULL) {
        return NULL;
    }
    header->cost = cost;
    return header + 1;
}

/* Gives room at the head back. */
static void release(struct ring *ring, size_t size)
{
    ring->head += size;
    ring->used -= size;
    if (ring->head == ring->size) {
        ring->head = 0;
    }
}

static struct header *first(struct ring *ring)
{
    if (header_at(ring, ring->head)->cost == 0) {
        release(ring, ring->size - ring->head);
    }
    return header_at(ring, ring->head);
}

void *ring_first(struct ring *ring)
{
    return first(ring) + 1;
}

void ring_drop(struct ring *ring)
{
    release(ring, first(ring)->cost);
}
