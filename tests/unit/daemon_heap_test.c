/* Deadlines: the heap against a list that is searched anew each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/support/heap.h"

#define ITEMS 200
#define STEPS 20000

/* xorshift: the same numbers in every run. */
static uint32_t next_number(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static int64_t earliest(const int64_t at_ms[ITEMS])
{
    int64_t first = 0;

    for (size_t i = 0; i < ITEMS; i++) {
        if (at_ms[i] != 0 && (first == 0 || at_ms[i] < first)) {
            first = at_ms[i];
        }
    }
    return first;
}

static void the_first_is_always_the_earliest(void **state)
{
    struct heap heap = {0};
    struct heap_item items[ITEMS] = {0};
    int64_t at_ms[ITEMS] = {0};
    uint32_t seed = 2463534242;
    size_t count = 0;

    (void)state;
    assert_int_equal(heap_reserve(&heap, ITEMS), STATUS_OK);
    for (int step = 0; step < STEPS; step++) {
        size_t i = next_number(&seed) % ITEMS;
        /* A third of the steps take out; deadlines are close together, many the same. */
        int64_t at = next_number(&seed) % 3 == 0 ? 0 : 1 + next_number(&seed) % 50;
        const struct heap_item *first;

        count = count + (at != 0) - (at_ms[i] != 0);
        at_ms[i] = at;
        heap_set(&heap, &items[i], (struct mono_time){at});
        first = heap_first(&heap);
        assert_int_equal(heap.count, count);
        assert_int_equal(first == NULL ? 0 : first->at.ms, earliest(at_ms));
        assert_true(first == NULL || at_ms[first - items] == first->at.ms);
    }
    heap_free(&heap);
}

static void what_is_taken_out_one_after_the_other_is_sorted(void **state)
{
    struct heap heap = {0};
    struct heap_item items[ITEMS] = {0};
    uint32_t seed = 88172645;
    int64_t last = 0;

    (void)state;
    assert_int_equal(heap_reserve(&heap, ITEMS), STATUS_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        items[i].owner = &items[i];
        heap_set(&heap, &items[i], (struct mono_time){1 + next_number(&seed) % 1000});
    }
    for (size_t i = 0; i < ITEMS; i++) {
        struct heap_item *first = heap_first(&heap);
        assert_true(first->at.ms >= last);
        assert_ptr_equal(first->owner, first);
        last = first->at.ms;
        heap_set(&heap, first, (struct mono_time){0});
        assert_int_equal(first->place, 0);
    }
    assert_null(heap_first(&heap));
    heap_free(&heap);
}

static void an_item_that_is_in_none_can_be_taken_out(void **state)
{
    struct heap heap = {0};
    struct heap_item item = {0};

    (void)state;
    heap_set(&heap, &item, (struct mono_time){0});
    assert_null(heap_first(&heap));
}

static void room_once_made_stays(void **state)
{
    struct heap heap = {0};

    (void)state;
    assert_int_equal(heap_reserve(&heap, 10), STATUS_OK);
    assert_int_equal(heap_reserve(&heap, 5), STATUS_OK);
    assert_int_equal(heap.room, 10);
    heap_free(&heap);
    assert_int_equal(heap.room, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_earliest),
        cmocka_unit_test(what_is_taken_out_one_after_the_other_is_sorted),
        cmocka_unit_test(an_item_that_is_in_none_can_be_taken_out),
        cmocka_unit_test(room_once_made_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
