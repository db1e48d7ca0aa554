/* C8.3: when Home Assistant is told of whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/discovery_bench.h"
#include "tests/lib/scratch.h"

#define MANY 1000

#define SAW "\"saw\": {\"authorizations_or\": [], \"alias\": \"Table Saw\"}"
#define NEW_SAW "\"saw\": {\"authorizations_or\": [], \"alias\": \"New Saw\"}"
#define LATHE "\"lathe\": {\"authorizations_or\": []}"

static void C8_3_the_start_tells_of_each_device_once(void **state)
{
    (void)state;
    open_shop_with("{" SAW ", " LATHE "}", true);
    pass(9000);
    assert_int_equal(bench.told_count, 3);
    assert_int_equal(told_of("tagout-controller"), 1);
    assert_int_equal(told_of("tagout_saw"), 1);
    assert_int_equal(told_of("tagout_lathe"), 1);
    assert_true(bench.hears_birth);
    pass(600000); /* C12.1: all of it once more, ten seconds later */
    assert_int_equal(bench.told_count, 6);
}

static void C8_3_without_discovery_nothing_is_told_and_no_birth_heard(void **state)
{
    (void)state;
    open_shop_with("{" SAW "}", false);
    hear_birth(false);
    reload_with("{" NEW_SAW "}");
    pass(60000);
    assert_int_equal(bench.told_count, 0);
    assert_false(bench.hears_birth);
}

static void C8_3_a_birth_is_answered_after_one_to_five_seconds(void **state)
{
    (void)state;
    open_shop_with("{" SAW ", " LATHE "}", true);
    settle();
    hear_birth(false);
    pass(999);
    assert_int_equal(bench.told_count, 0);
    pass(4001);
    assert_int_equal(bench.told_count, 3);
    pass(60000);
    assert_int_equal(bench.told_count, 3);
}

static void what_is_no_birth_tells_nothing(void **state)
{
    (void)state;
    open_shop_with("{" SAW "}", true);
    settle();
    hear_birth(true);
    controller_on_message(bench.controller, "homeassistant/status", "offline", 7, false);
    controller_on_message(bench.controller, "homeassistant/status", "onlines", 7, false);
    controller_on_message(bench.controller, "homeassistant/other", "online", 6, false);
    pass(60000);
    assert_int_equal(bench.told_count, 0);
}

static void C8_3_a_rename_is_told_and_who_stayed_the_same_is_left_alone(void **state)
{
    (void)state;
    open_shop_with("{" SAW ", " LATHE "}", true);
    settle();
    reload_with("{" NEW_SAW ", " LATHE "}");
    pass(60000);
    assert_int_equal(bench.told_count, 1);
    assert_true(last_of("tagout_saw")->named_new);
}

static void C8_3_never_twice_within_five_seconds(void **state)
{
    int64_t first_ms;

    (void)state;
    open_shop_with("{" SAW "}", true);
    settle();
    reload_with("{" NEW_SAW "}");
    pass(100);
    first_ms = last_of("tagout_saw")->at_ms;
    reload_with("{" SAW "}");
    pass(first_ms + 4999 - bench.fake.now.mono.ms);
    assert_int_equal(told_of("tagout_saw"), 1);
    reload_with("{" NEW_SAW "}");
    reload_with("{" SAW "}");
    pass(1);
    assert_int_equal(told_of("tagout_saw"), 2);
    assert_false(last_of("tagout_saw")->named_new);
    pass(60000);
    assert_int_equal(told_of("tagout_saw"), 2);
}

static void a_change_that_is_taken_back_in_time_is_never_told(void **state)
{
    (void)state;
    open_shop_with("{" SAW "}", true);
    settle();
    hear_birth(false);
    pass(5000);
    assert_int_equal(told_of("tagout_saw"), 1);
    reload_with("{" NEW_SAW "}");
    reload_with("{" SAW "}");
    pass(60000);
    assert_int_equal(told_of("tagout_saw"), 1);
}

static void C8_3_a_machine_that_leaves_is_removed_and_comes_back(void **state)
{
    (void)state;
    open_shop_with("{" SAW ", " LATHE "}", true);
    settle();
    reload_with("{" SAW "}");
    pass(1);
    assert_int_equal(last_of("tagout_lathe")->length, 0);
    reload_with("{" SAW ", " LATHE "}");
    pass(4998);
    assert_int_equal(last_of("tagout_lathe")->length, 0);
    pass(2);
    assert_true(last_of("tagout_lathe")->length > 0);
    assert_int_equal(told_of("tagout_lathe"), 2);
}

static void each_connect_tells_of_everything_again(void **state)
{
    (void)state;
    open_shop_with("{" SAW ", " LATHE "}", true);
    settle();
    controller_on_disconnected(bench.controller, "for a test");
    reload_with("{" NEW_SAW ", " LATHE "}");
    pass(60000);
    assert_int_equal(bench.told_count, 0);
    connect_broker();
    pass(5000);
    assert_int_equal(bench.told_count, 3);
    assert_true(last_of("tagout_saw")->named_new);
}

/* The connection may have broken before the broker had it. */
static void a_removal_is_told_again_at_a_connect_and_not_at_a_birth(void **state)
{
    (void)state;
    open_shop_with("{" SAW ", " LATHE "}", true);
    settle();
    reload_with("{" SAW "}");
    pass(100);
    hear_birth(false);
    pass(10000);
    assert_int_equal(told_of("tagout_lathe"), 1);
    controller_on_disconnected(bench.controller, "for a test");
    connect_broker();
    pass(5000);
    assert_int_equal(told_of("tagout_lathe"), 2);
    assert_int_equal(last_of("tagout_lathe")->length, 0);
}

static void a_device_that_was_deleted_there_is_not_fought(void **state)
{
    (void)state;
    open_shop_with("{" SAW "}", true);
    settle();
    controller_on_message(bench.controller, "homeassistant/device/tagout_saw/config", "", 0, false);
    pass(600000);
    assert_int_equal(bench.told_count, 0);
}

static void who_stands_by_tells_nothing(void **state)
{
    static const char other[] = "{\"status\":\"running\",\"leader\":true,\"epoch\":1999999999}";

    (void)state;
    open_shop_with("{" SAW "}", true);
    settle();
    hear_birth(false);
    controller_on_message(
        bench.controller, "tagout/controller/b/status", other, strlen(other), false);
    hear_birth(false);
    pass(6000);
    assert_int_equal(bench.told_count, 0);
}

static void what_the_outbox_refused_is_told_later(void **state)
{
    (void)state;
    open_shop_with("{" SAW "}", true);
    settle();
    bench.refuses = true;
    hear_birth(false);
    pass(5000);
    bench.refuses = false;
    assert_true(last_of("tagout_saw")->lost);
    pass(60000);
    assert_false(last_of("tagout_saw")->lost);
    assert_false(last_of("tagout-controller")->lost);
}

/* ---- many ---- */

static void a_large_fleet_is_told_in_batches(void **state)
{
    char *machines = calloc(MANY, 64);
    struct text text = text_over(machines, (size_t)MANY * 64);
    size_t at_once = 0;

    (void)state;
    assert_non_null(machines);
    text_add(&text, "{");
    for (int i = 0; i < MANY; i++) {
        text_addf(&text, "%s\"m%d\": {\"authorizations_or\": []}", i == 0 ? "" : ", ", i);
    }
    text_add(&text, "}");
    open_shop_with(machines, true);
    free(machines);
    pass(9000);
    assert_int_equal(bench.told_count, MANY + 1);
    for (size_t i = 0; i < bench.told_count; i++) {
        at_once = i > 0 && bench.told[i].at_ms == bench.told[i - 1].at_ms ? at_once + 1 : 1;
        assert_true(at_once <= 10);
    }
    /* 500 a second. */
    assert_true(bench.told[MANY].at_ms - bench.told[0].at_ms <= 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(C8_3_the_start_tells_of_each_device_once, close_bench),
        cmocka_unit_test_teardown(
            C8_3_without_discovery_nothing_is_told_and_no_birth_heard, close_bench),
        cmocka_unit_test_teardown(C8_3_a_birth_is_answered_after_one_to_five_seconds, close_bench),
        cmocka_unit_test_teardown(what_is_no_birth_tells_nothing, close_bench),
        cmocka_unit_test_teardown(
            C8_3_a_rename_is_told_and_who_stayed_the_same_is_left_alone, close_bench),
        cmocka_unit_test_teardown(C8_3_never_twice_within_five_seconds, close_bench),
        cmocka_unit_test_teardown(a_change_that_is_taken_back_in_time_is_never_told, close_bench),
        cmocka_unit_test_teardown(
            C8_3_a_machine_that_leaves_is_removed_and_comes_back, close_bench),
        cmocka_unit_test_teardown(each_connect_tells_of_everything_again, close_bench),
        cmocka_unit_test_teardown(
            a_removal_is_told_again_at_a_connect_and_not_at_a_birth, close_bench),
        cmocka_unit_test_teardown(a_device_that_was_deleted_there_is_not_fought, close_bench),
        cmocka_unit_test_teardown(who_stands_by_tells_nothing, close_bench),
        cmocka_unit_test_teardown(what_the_outbox_refused_is_told_later, close_bench),
        cmocka_unit_test_teardown(a_large_fleet_is_told_in_batches, close_bench),
    };

    if (sodium_init() < 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
