#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/watcher/heard.h"

static struct heard *heard;

static int open_heard(void **state)
{
    (void)state;
    heard = heard_new();
    return heard == NULL ? -1 : 0;
}

static int close_heard(void **state)
{
    (void)state;
    heard_free(heard);
    return 0;
}

/* Prints as they come: spread over all bits. */
static uint64_t print_of(unsigned number)
{
    char event[32];
    int length = snprintf(event, sizeof event, "\"n\":%u}", number);

    return heard_print(event, (size_t)length);
}

static void only_what_was_heard_is_known(void **state)
{
    (void)state;
    assert_false(heard_has(heard, print_of(1)));
    heard_add(heard, print_of(1));
    heard_add(heard, print_of(1));
    assert_true(heard_has(heard, print_of(1)));
    assert_false(heard_has(heard, print_of(2)));
    for (unsigned i = 2; i < 1000; i++) {
        assert_false(heard_has(heard, print_of(i)));
        heard_add(heard, print_of(i));
    }
    for (unsigned i = 1; i < 1000; i++) {
        assert_true(heard_has(heard, print_of(i)));
    }
}

/* Neighbours share slots, at the end of the table, too. */
static void prints_that_want_one_slot_are_told_apart(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 20; i++) {
        heard_add(heard, i << 32 | 0xffff);
    }
    for (uint64_t i = 1; i <= 20; i++) {
        assert_true(heard_has(heard, i << 32 | 0xffff));
        assert_false(heard_has(heard, i << 33 << 8 | 0xffff));
    }
}

static void the_newest_are_kept_and_the_oldest_make_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HEARD_PRINTS; i++) {
        heard_add(heard, print_of(i));
    }
    assert_true(heard_has(heard, print_of(0)));
    for (unsigned i = HEARD_PRINTS; i < 2 * HEARD_PRINTS; i++) {
        heard_add(heard, print_of(i));
    }
    assert_true(heard_has(heard, print_of(0)));
    heard_add(heard, print_of(2 * HEARD_PRINTS));
    assert_false(heard_has(heard, print_of(0)));
    for (unsigned i = HEARD_PRINTS; i <= 2 * HEARD_PRINTS; i++) {
        assert_true(heard_has(heard, print_of(i)));
    }
}

static void a_print_is_of_every_byte(void **state)
{
    static const char event[] = "\"n\":5,\"at\":1700000000.125}";
    char other[sizeof event];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof event; i++) {
        memcpy(other, event, sizeof event);
        other[i] ^= 1;
        assert_true(heard_print(other, sizeof other - 1) != heard_print(event, sizeof event - 1));
    }
    assert_true(heard_print(event, sizeof event - 2) != heard_print(event, sizeof event - 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_heard, close_heard)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_was_heard_is_known),
        TEST(prints_that_want_one_slot_are_told_apart),
        TEST(the_newest_are_kept_and_the_oldest_make_room),
        TEST(a_print_is_of_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
