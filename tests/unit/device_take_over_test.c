/* C7.4, C7.3 and C12: what a device says again when another leads: a report that nobody has
 * answered, and a press of which only the last leader knew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/device_bench.h"

/* What an earlier leader answered, to whichever boot, under the epoch of one that has taken over.
 */
static struct device_command take_over(struct bench *bench, const char *boot_id)
{
    struct device_command command = bench_off(bench);

    command.seq--;
    command.boot_id = boot_id;
    command.version.epoch++;
    return command;
}

/* Reported, and then `ms` without an answer. */
static void press_unanswered_for(struct bench *bench, uint64_t ms)
{
    bench_idle(bench);
    bench_event(bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_wait(bench, ms);
    bench_clear(bench);
}

static void expect_no_report_but_after(struct bench *bench, uint64_t ms)
{
    bench_clear(bench);
    bench_wait(bench, ms - 1);
    assert_int_equal(bench->reports, 0);
    bench_wait(bench, 1);
    assert_int_equal(bench->reports, 1);
}

static void C12_4_what_is_unanswered_is_said_again_two_seconds_after_a_take_over(void **state)
{
    static const char *const boots[] = {BENCH_BOOT, "boot-0"};
    struct bench bench;

    (void)state;
    for (int i = 0; i < 2; i++) {
        press_unanswered_for(&bench, 5000); /* said three times: the next is due at 14 s */
        bench_take(&bench, take_over(&bench, boots[i]));
        expect_no_report_but_after(&bench, 2000);
        assert_true(bench.report.oops);
        expect_no_report_but_after(&bench, 10000);
    }
}

static void C12_4_a_take_over_delays_nothing_that_is_due_earlier(void **state)
{
    struct bench bench;

    (void)state;
    press_unanswered_for(&bench, 13000);
    bench_take(&bench, take_over(&bench, BENCH_BOOT));
    expect_no_report_but_after(&bench, 1000);
}

static void C12_4_more_commands_that_do_not_answer_delay_nothing(void **state)
{
    struct bench bench;

    (void)state;
    press_unanswered_for(&bench, 5000);
    bench_take(&bench, take_over(&bench, BENCH_BOOT));
    bench_wait(&bench, 1500);
    bench_take(&bench, take_over(&bench, BENCH_BOOT));
    expect_no_report_but_after(&bench, 500);
}

static void C12_4_what_is_answered_is_not_said_again_at_a_take_over(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 1000);
    bench_take(&bench, take_over(&bench, BENCH_BOOT));
    expect_no_report_but_after(&bench, 9000);
}

/* Pressed, shown, and let go; whoever showed it has told nobody else. */
static void press_and_let_go(struct bench *bench)
{
    bench_idle(bench);
    bench_event(bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_take(bench, bench_oops(bench));
    bench_event(bench, DEVICE_EVENT_BUTTON_UP);
    assert_false(bench->report.oops);
    bench_clear(bench);
}

/* As take_over, of the report before the press. */
static struct device_command take_over_unaware(struct bench *bench)
{
    struct device_command command = take_over(bench, BENCH_BOOT);

    command.seq = 1;
    return command;
}

static void C7_3_a_press_of_which_a_new_leader_does_not_know_is_told_again(void **state)
{
    struct bench bench;

    (void)state;
    press_and_let_go(&bench);
    bench_take(&bench, take_over_unaware(&bench));
    assert_int_equal(bench.reports, 1);
    assert_true(bench.report.oops);
    assert_true(bench.flash.press);
    bench_take(&bench, bench_oops(&bench));
    assert_false(bench.report.oops);
}

static void C7_3_a_press_that_was_cleared_is_not_told_again_at_a_take_over(void **state)
{
    struct bench bench;

    (void)state;
    press_and_let_go(&bench);
    bench_take(&bench, bench_off(&bench));
    bench_take(&bench, take_over_unaware(&bench));
    assert_false(bench.report.oops);
    assert_false(bench.flash.press);
}

static void C7_3_a_press_of_which_the_new_leader_knows_is_not_told_again(void **state)
{
    struct bench bench;
    struct device_command command;

    (void)state;
    press_and_let_go(&bench);
    command = take_over_unaware(&bench);
    command.oops_led = true;
    bench_take(&bench, command);
    assert_false(bench.flash.press);
    command = take_over(&bench, BENCH_BOOT);
    command.seq = bench.device.press_seq;
    bench_take(&bench, command);
    assert_false(bench.flash.press);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C12_4_what_is_unanswered_is_said_again_two_seconds_after_a_take_over),
        cmocka_unit_test(C12_4_a_take_over_delays_nothing_that_is_due_earlier),
        cmocka_unit_test(C12_4_more_commands_that_do_not_answer_delay_nothing),
        cmocka_unit_test(C12_4_what_is_answered_is_not_said_again_at_a_take_over),
        cmocka_unit_test(C7_3_a_press_of_which_a_new_leader_does_not_know_is_told_again),
        cmocka_unit_test(C7_3_a_press_that_was_cleared_is_not_told_again_at_a_take_over),
        cmocka_unit_test(C7_3_a_press_of_which_the_new_leader_knows_is_not_told_again),
    };

    return cmocka_run_group_tests_name("device, a take-over", tests, NULL, NULL);
}
