#include "controller/support/heap.h"

#include <stdlib.h>

enum status heap_reserve(struct heap *heap, size_t count)
{
    struct heap_place *places;

    if (count <= heap->room) {
        return STATUS_OK;
    }
    places = realloc(heap->places, count * sizeof *places);
    if (places == NULL) {
        return STATUS_NO_MEMORY;
    }
    heap->places = places;
    heap->room = count;
    return STATUS_OK;
}

void heap_free(struct heap *heap)
{
    free(heap->places);
    *heap = (struct heap){0};
}

/* `number` counts from 1. */
static void put(const struct heap *heap, size_t number, struct heap_place place)
{
    heap->places[number - 1] = place;
    place.item->place = number;
}

static void sift_up(const struct heap *heap, size_t number)
{
    const struct heap_place moving = heap->places[number - 1];

    while (number > 1 && heap->places[number / 2 - 1].at_ms > moving.at_ms) {
        put(heap, number, heap->places[number / 2 - 1]);
        number /= 2;
    }
    put(heap, number, moving);
}

static void sift_down(const struct heap *heap, size_t number)
{
    const struct heap_place moving = heap->places[number - 1];

    for (;;) {
        size_t child = number * 2;
        if (child > heap->count) {
            break;
        }
        if (child < heap->count && heap->places[child].at_ms < heap->places[child - 1].at_ms) {
            child++;
        }
        if (heap->places[child - 1].at_ms >= moving.at_ms) {
            break;
        }
        put(heap, number, heap->places[child - 1]);
        number = child;
    }
    put(heap, number, moving);
}

static void take_out(struct heap *heap, struct heap_item *item)
{
    const struct heap_place last = heap->places[heap->count - 1];
    size_t number = item->place;

    heap->count--;
    item->place = 0;
    if (last.item != item) {
        put(heap, number, last);
        sift_up(heap, number);
        sift_down(heap, last.item->place);
    }
}

void heap_set(struct heap *heap, struct heap_item *item, struct mono_time at)
{
    item->at = at;
    if (at.ms == 0) {
        if (item->place != 0) {
            take_out(heap, item);
        }
        return;
    }
    if (item->place == 0) {
        heap->count++;
        put(heap, heap->count, (struct heap_place){at.ms, item});
    } else if (at.ms < heap->places[item->place - 1].at_ms) {
        heap->places[item->place - 1].at_ms = at.ms;
    } else {
        return; /* put off */
    }
    sift_up(heap, item->place);
}

struct heap_item *heap_first(const struct heap *heap)
{
    while (heap->count > 0 && heap->places[0].at_ms < heap->places[0].item->at.ms) {
        heap->places[0].at_ms = heap->places[0].item->at.ms;
        sift_down(heap, 1);
    }
    return heap->count > 0 ? heap->places[0].item : NULL;
}
