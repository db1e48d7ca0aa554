/* Too many unknown cards: none is read for a minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/live_bench.h"

static struct live live;
static struct bench *const bench = &live.bench;

static void insert_stranger(void)
{
    core_bench_insert_stranger(bench);
    core_bench_remove(bench);
}

static bool is_flood(void)
{
    return (bench->state.faults & CORE_FAULT(CORE_FAULT_CARD_FLOOD)) != 0;
}

/* Eleven unknown cards; the last is still in. */
static void flood(void)
{
    live_start(&live);
    for (int i = 0; i < 10; i++) {
        insert_stranger();
    }
    core_bench_insert_stranger(bench);
}

/* The eleventh comes so long after the first. */
static void insert_eleven_in(int64_t ms)
{
    int64_t first_ms = 0;

    live_start(&live);
    core_bench_insert_stranger(bench);
    first_ms = bench->now.mono.ms;
    core_bench_remove(bench);
    for (int i = 1; i < 10; i++) {
        insert_stranger();
        assert_false(is_flood());
    }
    core_bench_elapse(bench, first_ms + ms - 1000 - bench->now.mono.ms); /* a report takes 1 s */
    core_bench_insert_stranger(bench);
    assert_int_equal(bench->now.mono.ms, first_ms + ms);
}

static void the_eleventh_unknown_card_within_a_minute_is_a_fault(void **unused)
{
    (void)unused;
    insert_eleven_in(60000);
    assert_false(is_flood());
    insert_eleven_in(59999);
    core_bench_tells(bench, "unknown_fob | fault card_flood, unknown_fob");
}

static void no_card_is_read_for_a_minute(void **unused)
{
    (void)unused;
    flood();
    core_bench_remove(bench);
    core_bench_insert(bench, &ADA);
    core_bench_tells(bench, "idle");
    assert_int_equal(bench->effects.rule, CORE_RULE_CARD_FLOOD);
    assert_true(bench->effects.command && bench->effects.save && bench->state.card_spent);
    core_bench_remove(bench);
    core_bench_insert_stranger(bench);
    core_bench_tells(bench, "idle");
    core_bench_remove(bench);
    core_bench_set_lockout(bench, true);
    core_bench_insert(bench, &MIA); /* an override is a card like any other */
    core_bench_tells(bench, "lockout");
}

static void a_minute_later_cards_are_read_again(void **unused)
{
    int64_t over_ms;

    (void)unused;
    flood();
    over_ms = bench->now.mono.ms + 60000;
    live_mark(&live);
    core_bench_remove(bench);
    core_bench_insert(bench, &ADA); /* and stays in */
    for (int i = 0; i < 5; i++) {
        live_elapse(&live, 10000);
        live_report(&live);
    }
    live_elapse(&live, over_ms - 1 - bench->now.mono.ms);
    assert_true(is_flood());
    live_elapse(&live, 1);
    live_tells(&live, "+60000 fault_cleared card_flood");
    live_report(&live);
    core_bench_tells(bench, "idle"); /* it was put in when none was read */
    core_bench_remove(bench);
    core_bench_insert(bench, &ADA);
    core_bench_tells(bench, "in_use Ada | login Ada");
    core_bench_remove(bench);
    core_bench_insert_stranger(bench);
    core_bench_tells(bench, "unknown_fob | unknown_fob"); /* counted from nothing */
    assert_false(is_flood());
}

static void cards_of_members_are_not_counted(void **unused)
{
    (void)unused;
    live_start(&live);
    for (int i = 0; i < 12; i++) {
        core_bench_insert(bench, i % 2 == 0 ? &BOB : &ADA);
        core_bench_remove(bench);
    }
    assert_false(is_flood());
}

static void an_unknown_card_counts_while_locked_out_too(void **unused)
{
    (void)unused;
    live_start(&live);
    core_bench_set_lockout(bench, true);
    for (int i = 0; i < 11; i++) {
        insert_stranger();
    }
    assert_true(is_flood());
}

static void an_oops_and_an_emergency_card_are_heeded_all_the_same(void **unused)
{
    (void)unused;
    flood();
    core_bench_remove(bench);
    bench->next.emergency = true;
    core_bench_insert_stranger(bench);
    core_bench_tells(bench, "emergency | emergency_login");
    core_bench_press(bench);
    assert_true(bench->state.oopsed);
    assert_false(core_mode_relay(bench->state.mode));
}

static void an_always_enabled_machine_runs_on_and_knows_no_user(void **unused)
{
    (void)unused;
    live_start(&live);
    bench->config.always_enabled = true;
    for (int i = 0; i < 11; i++) {
        insert_stranger();
    }
    assert_true(is_flood());
    assert_int_equal(bench->state.mode, CORE_ALWAYS_ON);
    core_bench_insert(bench, &ADA);
    core_bench_tells(bench, "always_on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_eleventh_unknown_card_within_a_minute_is_a_fault),
        cmocka_unit_test(no_card_is_read_for_a_minute),
        cmocka_unit_test(a_minute_later_cards_are_read_again),
        cmocka_unit_test(cards_of_members_are_not_counted),
        cmocka_unit_test(an_unknown_card_counts_while_locked_out_too),
        cmocka_unit_test(an_oops_and_an_emergency_card_are_heeded_all_the_same),
        cmocka_unit_test(an_always_enabled_machine_runs_on_and_knows_no_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
