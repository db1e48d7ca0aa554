#include "controller/support/heap.h"

#include <stdlib.h>

enum status heap_reserve(struct heap *heap, size_t count)
{
    struct heap_item **items;

    if (count <= heap->room) {
        return STATUS_OK;
    }
    items = realloc(heap->items, count * sizeof *items);
    if (items == NULL) {
        return STATUS_NO_MEMORY;
    }
    heap->items = items;
    heap->room = count;
    return STATUS_OK;
}

void heap_free(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){0};
}

static void put(struct heap *heap, size_t place, struct heap_item *item)
{
    heap->items[place - 1] = item;
    item->place = place;
}

static void sift_up(struct heap *heap, struct heap_item *item)
{
    size_t place = item->place;

    while (place > 1 && heap->items[place / 2 - 1]->at.ms > item->at.ms) {
        put(heap, place, heap->items[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, item);
}

static void sift_down(struct heap *heap, struct heap_item *item)
{
    size_t place = item->place;

    for (;;) {
        size_t child = place * 2;
        if (child > heap->count) {
            break;
        }
        if (child < heap->count && heap->items[child]->at.ms < heap->items[child - 1]->at.ms) {
            child++;
        }
        if (heap->items[child - 1]->at.ms >= item->at.ms) {
            break;
        }
        put(heap, place, heap->items[child - 1]);
        place = child;
    }
    put(heap, place, item);
}

static void take_out(struct heap *heap, struct heap_item *item)
{
    struct heap_item *last = heap->items[heap->count - 1];

    heap->count--;
    if (last != item) {
        put(heap, item->place, last);
        sift_up(heap, last);
        sift_down(heap, last);
    }
    item->place = 0;
}

void heap_set(struct heap *heap, struct heap_item *item, struct mono_time at)
{
    if (at.ms == 0) {
        if (item->place != 0) {
            take_out(heap, item);
        }
        item->at = at;
        return;
    }
    item->at = at;
    if (item->place == 0) {
        heap->count++;
        put(heap, heap->count, item);
    }
    sift_up(heap, item);
    sift_down(heap, item);
}

struct heap_item *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}
