/* C2: machines that are heard and not configured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/daemon/strangers.h"

static struct now at(int64_t ms)
{
    return (struct now){.mono = {ms}, .wall = {1767636000000 + ms}};
}

static void C2_a_stranger_is_logged_at_once_and_then_once_a_minute(void **state)
{
    struct strangers strangers = {0};

    (void)state;
    assert_true(strangers_heard(&strangers, "saw", at(1000)));
    assert_false(strangers_heard(&strangers, "saw", at(1000)));
    assert_false(strangers_heard(&strangers, "saw", at(60999)));
    assert_true(strangers_heard(&strangers, "saw", at(61000)));
    assert_false(strangers_heard(&strangers, "saw", at(120999)));
    assert_true(strangers_heard(&strangers, "saw", at(121000)));
}

static void C2_each_name_is_logged_by_itself(void **state)
{
    struct strangers strangers = {0};

    (void)state;
    assert_true(strangers_heard(&strangers, "saw", at(1000)));
    assert_true(strangers_heard(&strangers, "mill", at(1000)));
    assert_false(strangers_heard(&strangers, "saw", at(2000)));
}

static void messages_are_counted_with_the_time_of_the_last(void **state)
{
    struct strangers strangers = {0};

    (void)state;
    strangers_heard(&strangers, "saw", at(1000));
    strangers_heard(&strangers, "saw", at(2000));
    strangers_heard(&strangers, "saw", at(3000));
    assert_int_equal(strangers.count, 1);
    assert_string_equal(strangers.items[0].name, "saw");
    assert_int_equal(strangers.items[0].messages, 3);
    assert_int_equal(strangers.items[0].last.ms, 1767636003000);
}

static void the_list_is_bounded(void **state)
{
    struct strangers strangers = {0};
    char name[16];

    (void)state;
    for (int i = 0; i < STRANGERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_true(strangers_heard(&strangers, name, at(1000)));
    }
    assert_false(strangers_heard(&strangers, "one-more", at(1000)));
    assert_int_equal(strangers.count, STRANGERS_MAX);
    assert_true(strangers_heard(&strangers, "m0", at(61000)));
}

static void a_full_list_gives_way_to_new_names_once_a_minute(void **state)
{
    struct strangers strangers = {0};
    char name[16];

    (void)state;
    for (int i = 0; i < STRANGERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        strangers_heard(&strangers, name, at(1000 + i));
    }
    assert_false(strangers_heard(&strangers, "new", at(60999)));
    assert_true(strangers_heard(&strangers, "new", at(61000)));
    assert_int_equal(strangers.count, STRANGERS_MAX);
    assert_string_equal(strangers.items[0].name, "new");
    assert_int_equal(strangers.items[0].messages, 1);
    assert_false(strangers_heard(&strangers, "m0", at(61000)));
    assert_true(strangers_heard(&strangers, "m0", at(61001)));
}

static void a_name_that_is_forgotten_makes_room(void **state)
{
    struct strangers strangers = {0};

    (void)state;
    strangers_heard(&strangers, "saw", at(1000));
    strangers_heard(&strangers, "mill", at(1000));
    strangers_heard(&strangers, "lathe", at(1000));
    assert_true(strangers_forget(&strangers, "saw"));
    assert_false(strangers_forget(&strangers, "nobody"));
    assert_int_equal(strangers.count, 2);
    assert_false(strangers_heard(&strangers, "lathe", at(2000)));
    assert_false(strangers_heard(&strangers, "mill", at(2000)));
    assert_true(strangers_heard(&strangers, "saw", at(2000)));
}

static void the_longest_name_of_a_machine_fits(void **state)
{
    struct strangers strangers = {0};
    char name[65];

    (void)state;
    memset(name, 'm', 64);
    name[64] = '\0';
    strangers_heard(&strangers, name, at(1000));
    assert_string_equal(strangers.items[0].name, name);
    assert_false(strangers_heard(&strangers, name, at(1000)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C2_a_stranger_is_logged_at_once_and_then_once_a_minute),
        cmocka_unit_test(C2_each_name_is_logged_by_itself),
        cmocka_unit_test(messages_are_counted_with_the_time_of_the_last),
        cmocka_unit_test(the_list_is_bounded),
        cmocka_unit_test(a_full_list_gives_way_to_new_names_once_a_minute),
        cmocka_unit_test(a_name_that_is_forgotten_makes_room),
        cmocka_unit_test(the_longest_name_of_a_machine_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
