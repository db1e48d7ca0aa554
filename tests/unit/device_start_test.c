/* C7.5: a machine that needs no card starts with a warning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/device_bench.h"

/* A delay of 10 s sharp. */
static void starting(struct bench *bench)
{
    bench_idle(bench);
    bench->config.start_delay_random_ms = 0;
    bench_take(bench, bench_always_on(bench));
}

static void C7_5_a_relay_that_needs_no_card_waits_ten_seconds(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    assert_false(bench.out.relay[0]);
    assert_true(bench.out.status_led.blink);
    bench_wait(&bench, 9999);
    assert_false(bench.out.relay[0]);
    bench_wait(&bench, 1);
    assert_true(bench.out.relay[0]);
    assert_false(bench.out.status_led.blink);
    assert_true(bench_shows(&bench, "Always On"));
}

static void C7_5_the_display_counts_down(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    assert_true(bench_shows(&bench, "STARTS in 10 s\nSTAND CLEAR"));
    bench_wait(&bench, 999);
    assert_true(bench_shows(&bench, "STARTS in 10 s\nSTAND CLEAR"));
    bench_wait(&bench, 1);
    assert_true(bench_shows(&bench, "STARTS in 9 s\nSTAND CLEAR"));
    bench_wait(&bench, 8999);
    assert_true(bench_shows(&bench, "STARTS in 1 s\nSTAND CLEAR"));
    bench.config.start_delay_ms = 123456;
    bench_take(&bench, bench_off(&bench));
    bench_take(&bench, bench_always_on(&bench));
    assert_true(bench_shows(&bench, "STARTS in 124 s\nSTAND CLEAR"));
}

static void C7_5_machines_do_not_start_together(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    for (uint32_t i = 0; i < 500; i++) {
        struct bench bench;
        uint64_t from;

        bench_idle(&bench);
        bench.device.random = 12345 + i * 1000003;
        from = bench.now_ms;
        bench_take(&bench, bench_always_on(&bench));
        bench_wait(&bench, 20000);
        assert_int_equal(bench.switched_on[0], 1);
        from = bench.switched_on_ms[0] - from;
        least = from < least ? from : least;
        most = from > most ? from : most;
    }
    assert_in_range(least, 10000, 10200);
    assert_in_range(most, 14800, 15000);
}

static void C7_5_a_repeated_on_neither_shortens_nor_extends_the_delay(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    bench_wait(&bench, 5000);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 4999);
    assert_false(bench.out.relay[0]);
    bench_wait(&bench, 1);
    assert_true(bench.out.relay[0]);
}

static void never_starts(struct bench *bench)
{
    bench_wait(bench, 20000);
    assert_int_equal(bench->switched_on[0], 0);
    assert_false(bench->out.relay[0]);
}

static void C7_5_an_off_calls_the_start_off_whatever_its_age(void **state)
{
    struct bench bench;
    struct device_command stale;

    (void)state;
    starting(&bench);
    bench_wait(&bench, 9000);
    bench_take(&bench, bench_off(&bench));
    assert_true(bench_shows(&bench, "Please Insert\nRFID Card"));
    never_starts(&bench);

    starting(&bench);
    bench_take(&bench, bench_lockout(&bench));
    never_starts(&bench);

    starting(&bench);
    stale = bench_off(&bench);
    stale.boot_id = "boot-0";
    bench_take(&bench, stale);
    never_starts(&bench);
}

static void C7_5_oops_calls_the_start_off(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    never_starts(&bench);
}

static void C7_5_without_a_link_nothing_starts(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
    never_starts(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 9999);
    assert_false(bench.out.relay[0]);
    bench_wait(&bench, 1);
    assert_true(bench.out.relay[0]);
}

static void C7_5_a_link_that_was_lost_for_a_moment_calls_the_start_off(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    never_starts(&bench);
}

static void C7_5_a_card_during_the_delay_wants_another_on(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    bench_wait(&bench, 5000);
    bench_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 5000);
    assert_false(bench.out.relay[0]);

    starting(&bench);
    bench_wait(&bench, 5000);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 4999);
    assert_false(bench.out.relay[0]);
    bench_wait(&bench, 1);
    assert_true(bench.out.relay[0]);
}

static void C7_5_an_on_that_needs_a_card_ends_the_wait_for_one_that_does_not(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    bench_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 5001);
    bench_take(&bench, bench_on(&bench));
    assert_int_equal(bench.out.refused[0], DEVICE_REFUSED_WINDOW);
    never_starts(&bench);

    starting(&bench);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 5001);
    bench_take(&bench, bench_on(&bench));
    never_starts(&bench);
}

static void C7_5_every_start_waits(void **state)
{
    struct bench bench;

    (void)state;
    starting(&bench);
    bench_wait(&bench, 10000);
    bench_take(&bench, bench_off(&bench));
    bench_take(&bench, bench_always_on(&bench));
    assert_false(bench.out.relay[0]);
    bench_wait(&bench, 9999);
    assert_false(bench.out.relay[0]);
    bench_wait(&bench, 1);
    assert_true(bench.out.relay[0]);
}

static void C7_5_the_second_relay_starts_with_the_first_or_waits_by_itself(void **state)
{
    struct bench bench;
    struct device_command both;

    (void)state;
    bench_idle(&bench);
    both = bench_always_on(&bench);
    both.second_relay = true;
    both.second_needs_card = false;
    bench_take(&bench, both);
    bench_wait(&bench, 15000);
    assert_true(bench.out.relay[0] && bench.out.relay[1]);
    assert_int_equal(bench.switched_on_ms[0], bench.switched_on_ms[1]);

    bench_session(&bench);
    both = bench_on(&bench);
    both.second_relay = true;
    both.second_needs_card = false;
    bench_take(&bench, both);
    bench_wait(&bench, 9999);
    assert_false(bench.out.relay[1]);
    assert_true(bench_shows(&bench, "STARTS in 1 s\nSTAND CLEAR") || bench.out.status_led.blink);
    bench_wait(&bench, 5001);
    assert_true(bench.out.relay[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C7_5_a_relay_that_needs_no_card_waits_ten_seconds),
        cmocka_unit_test(C7_5_the_display_counts_down),
        cmocka_unit_test(C7_5_machines_do_not_start_together),
        cmocka_unit_test(C7_5_a_repeated_on_neither_shortens_nor_extends_the_delay),
        cmocka_unit_test(C7_5_an_off_calls_the_start_off_whatever_its_age),
        cmocka_unit_test(C7_5_oops_calls_the_start_off),
        cmocka_unit_test(C7_5_without_a_link_nothing_starts),
        cmocka_unit_test(C7_5_a_link_that_was_lost_for_a_moment_calls_the_start_off),
        cmocka_unit_test(C7_5_a_card_during_the_delay_wants_another_on),
        cmocka_unit_test(C7_5_an_on_that_needs_a_card_ends_the_wait_for_one_that_does_not),
        cmocka_unit_test(C7_5_every_start_waits),
        cmocka_unit_test(C7_5_the_second_relay_starts_with_the_first_or_waits_by_itself),
    };

    return cmocka_run_group_tests_name("device, starts", tests, NULL, NULL);
}
