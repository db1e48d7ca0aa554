/* C7.1 and C7.2: which commands a device obeys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/device_bench.h"

static void C7_1_an_on_for_a_card_that_was_just_put_in_is_obeyed(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    assert_false(bench.out.relay[0]);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
    assert_int_equal(bench.out.refused[0], DEVICE_OBEYED);
    assert_true(bench_shows(&bench, "Welcome,\nAda"));
}

static void refused(struct bench *bench, struct device_command command, enum device_refusal why)
{
    bench_take(bench, command);
    assert_false(bench->out.relay[0]);
    assert_true(bench->out.refused_on[0]);
    assert_string_equal(device_refusal_text(bench->out.refused[0]), device_refusal_text(why));
}

static void C7_1_an_on_for_another_boot_or_for_none_is_refused(void **state)
{
    struct bench bench;
    struct device_command command;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    command = bench_on(&bench);
    command.boot_id = "boot-0";
    refused(&bench, command, DEVICE_REFUSED_OTHER_BOOT);
    command.boot_id = NULL;
    refused(&bench, command, DEVICE_REFUSED_OTHER_BOOT);
    command.boot_id = "";
    refused(&bench, command, DEVICE_REFUSED_OTHER_BOOT);
    command.boot_id = BENCH_BOOT;
    bench_take(&bench, command);
    assert_true(bench.out.relay[0]);
}

static void C7_1_an_on_below_the_last_version_applied_is_refused(void **state)
{
    struct bench bench;
    struct device_command on, off;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    on = bench_on(&bench);
    off = bench_off(&bench);
    bench_take(&bench, off);
    refused(&bench, on, DEVICE_REFUSED_OLD_VERSION);
    on.version = (struct device_version){.epoch = off.version.epoch - 1, .rev = UINT32_MAX};
    refused(&bench, on, DEVICE_REFUSED_OLD_VERSION);
    on.version = off.version;
    bench_take(&bench, on);
    assert_true(bench.out.relay[0]);
}

static void C7_1_a_higher_epoch_is_newer_whatever_its_rev(void **state)
{
    struct bench bench;
    struct device_command on;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_take(&bench, bench_off(&bench));
    on = bench_on(&bench);
    on.version = (struct device_version){.epoch = 6, .rev = 0};
    bench_take(&bench, on);
    assert_true(bench.out.relay[0]);
}

static void C7_1_an_on_for_a_report_from_before_the_card_went_in_is_refused(void **state)
{
    struct bench bench;
    struct device_command on;

    (void)state;
    bench_idle(&bench);
    on = bench_on(&bench);
    bench_card_in(&bench, BENCH_ADA);
    refused(&bench, on, DEVICE_REFUSED_OLD_SEQ);
    on.seq = 0;
    refused(&bench, on, DEVICE_REFUSED_OLD_SEQ);
}

static void C7_1_a_late_on_for_one_who_left_does_not_serve_the_next(void **state)
{
    struct bench bench;
    struct device_command for_ada;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    for_ada = bench_on(&bench);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    refused(&bench, for_ada, DEVICE_REFUSED_OLD_SEQ);
    bench_card_in(&bench, BENCH_BOB);
    refused(&bench, for_ada, DEVICE_REFUSED_OLD_SEQ);
}

static void C7_1_a_late_on_from_before_a_card_swap_is_refused(void **state)
{
    struct bench bench;
    struct device_command for_ada;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    for_ada = bench_on(&bench);
    bench_card_in(&bench, BENCH_BOB);
    refused(&bench, for_ada, DEVICE_REFUSED_OLD_SEQ);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

static void C7_1_a_card_that_came_while_offline_needs_an_answer_to_a_report_of_it(void **state)
{
    struct bench bench;
    struct device_command for_ada;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    for_ada = bench_on(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
    bench_card_in(&bench, BENCH_BOB);
    refused(&bench, for_ada, DEVICE_REFUSED_OLD_SEQ);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    refused(&bench, for_ada, DEVICE_REFUSED_OLD_SEQ);
    assert_string_equal(bench.report.card, BENCH_BOB);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

static void C7_1_an_on_from_before_an_oops_press_is_refused(void **state)
{
    struct bench bench;
    struct device_command on;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    on = bench_on(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    refused(&bench, on, DEVICE_REFUSED_OLD_SEQ);
}

static void C7_1_no_on_while_the_button_is_down(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_take(&bench, bench_oops(&bench));
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_BUTTON_DOWN);
}

static void C7_1_no_on_while_a_press_is_latched(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_PRESS_LATCHED);
    bench_take(&bench, bench_oops(&bench));
    bench_card_in(&bench, BENCH_BOB);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

/* A lost report makes an insertion and the press after it one to the controller, and the holder of
 * an override is then let in. */
static void C7_1_a_card_from_before_an_oops_press_has_to_be_put_in_again(void **state)
{
    struct bench bench;
    struct device_command override;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    override = bench_on(&bench);
    override.oops_led = true;
    refused(&bench, override, DEVICE_REFUSED_PRESS_LATCHED);
    refused(&bench, override, DEVICE_REFUSED_CARD_NOT_SEEN);
    assert_true(bench_shows(&bench, "Card out, then\nin again"));
}

static void C7_1_a_card_that_was_in_at_the_boot_opens_nothing(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    bench_card_in(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_CARD_NOT_SEEN);
    assert_true(bench_shows(&bench, "Card out, then\nin again"));
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

static void C7_1_a_card_that_the_reader_missed_once_after_the_boot_was_not_put_in(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1499);
    bench_card_in(&bench, BENCH_ADA);
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_CARD_NOT_SEEN);
}

static void C7_1_an_on_five_seconds_after_the_card_went_in_is_obeyed(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_wait(&bench, 5000);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

static void C7_1_an_on_a_millisecond_after_that_is_refused(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_wait(&bench, 5001);
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_WINDOW);
    assert_true(bench_shows(&bench, "Card out, then\nin again"));
}

static void C7_1_the_request_to_put_the_card_in_again_goes_with_the_card(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_wait(&bench, 6000);
    bench_take(&bench, bench_on(&bench));
    bench_wait(&bench, 20000);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench_shows(&bench, "Card out, then\nin again"));
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    bench_take(&bench, bench_off(&bench));
    assert_true(bench_shows(&bench, "Please Insert\nRFID Card"));
}

static void C7_1_nor_is_it_shown_to_the_next(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_wait(&bench, 6000);
    bench_take(&bench, bench_on(&bench));
    bench_card_in(&bench, BENCH_BOB);
    assert_true(bench_shows(&bench, "Checking card..."));
}

static void C7_1_reading_the_same_card_again_does_not_extend_the_window(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_wait(&bench, 4000);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 1001);
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_WINDOW);
}

static void C7_1_no_on_when_the_card_is_not_in(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_NO_CARD);
}

static void C7_1_no_on_while_the_reader_misses_the_card(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    refused(&bench, bench_on(&bench), DEVICE_REFUSED_CARD_LEAVING);
    bench_clear(&bench);
    bench_card_in(&bench, BENCH_ADA);
    assert_false(bench.out.relay[0]);
    assert_int_equal(bench.reports, 1);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

static void C7_1_an_on_for_a_relay_that_is_on_changes_nothing(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_wait(&bench, 9000);
    bench_clear(&bench);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
    assert_int_equal(bench.reports, 0);
    assert_int_equal(bench.out.refused[0], DEVICE_OBEYED);
    assert_true(bench_shows(&bench, "Welcome,\nAda"));
}

static void C7_1_a_retained_command_from_before_a_power_cut_energises_nothing(void **state)
{
    struct bench bench;
    struct device_command retained;

    (void)state;
    bench_session(&bench);
    retained = bench_on(&bench);
    retained.boot_id = BENCH_BOOT;
    bench_power_cut(&bench, "boot-2");
    bench_card_in(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    refused(&bench, retained, DEVICE_REFUSED_OTHER_BOOT);
}

static void C7_1_a_command_of_a_former_boot_is_no_measure_for_versions(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_power_cut(&bench, "boot-2");
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    bench_card_in(&bench, BENCH_ADA);
    bench.rev = 0;
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

static void C7_1_each_relay_has_its_own_window(void **state)
{
    struct bench bench;
    struct device_command both;

    (void)state;
    bench_session(&bench);
    bench_wait(&bench, 9000);
    both = bench_on(&bench);
    both.second_relay = true;
    bench_take(&bench, both);
    assert_true(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
    assert_int_equal(bench.out.refused[1], DEVICE_REFUSED_WINDOW);

    bench_card(&bench, BENCH_ADA);
    both = bench_on(&bench);
    both.second_relay = true;
    bench_take(&bench, both);
    assert_true(bench.out.relay[0]);
    assert_true(bench.out.relay[1]);
}

static void C7_1_the_second_relay_is_never_on_alone(void **state)
{
    struct bench bench;
    struct device_command command;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    command = bench_off(&bench);
    command.second_relay = true;
    bench_take(&bench, command);
    assert_false(bench.out.relay[1]);

    command = bench_on(&bench);
    command.needs_card = false;
    command.second_relay = true;
    bench_take(&bench, command);
    assert_false(bench.out.relay[1]);
    assert_int_equal(bench.out.refused[1], DEVICE_REFUSED_FIRST_RELAY_OFF);
}

static void C7_1_a_device_with_one_relay_refuses_the_second(void **state)
{
    struct bench bench;
    struct device_command both;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench.config.second_relay = false;
    both = bench_on(&bench);
    both.second_relay = true;
    bench_take(&bench, both);
    assert_true(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
    assert_int_equal(bench.out.refused[1], DEVICE_REFUSED_NO_SECOND_RELAY);
}

/* C7.2 */

static void C7_2_an_off_is_obeyed(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_take(&bench, bench_off(&bench));
    assert_false(bench.out.relay[0]);
}

static void C7_2_an_off_with_oops_or_lockout_is_obeyed_whatever_its_age(void **state)
{
    for (int i = 0; i < 4; i++) {
        struct bench bench;
        struct device_command stop;

        (void)state;
        bench_session(&bench);
        stop = i % 2 ? bench_oops(&bench) : bench_lockout(&bench);
        stop.version = (struct device_version){0, 0};
        stop.seq = i < 2 ? 0 : 1;
        stop.boot_id = i < 2 ? NULL : BENCH_BOOT;
        bench_take(&bench, stop);
        assert_false(bench.out.relay[0]);
    }
}

static void stays_on(struct bench *bench, struct device_command off, enum device_refusal why)
{
    bench_take(bench, off);
    assert_true(bench->out.relay[0]);
    assert_true(bench->out.relay[1]);
    assert_false(bench->out.refused_on[0]);
    assert_int_equal(bench->out.refused[0], why);
    assert_int_equal(bench->out.refused[1], why);
}

static void both_on(struct bench *bench)
{
    struct device_command both;

    bench_card(bench, BENCH_ADA);
    both = bench_on(bench);
    both.second_relay = true;
    bench_take(bench, both);
    bench_take(bench, both);
    assert_true(bench->out.relay[1]);
}

static void C7_2_a_stale_off_of_another_boot_does_not_cut(void **state)
{
    struct bench bench;
    struct device_command off;

    (void)state;
    both_on(&bench);
    off = bench_off(&bench);
    off.boot_id = "boot-0";
    stays_on(&bench, off, DEVICE_REFUSED_OTHER_BOOT);
    off.boot_id = NULL;
    stays_on(&bench, off, DEVICE_REFUSED_OTHER_BOOT);
}

static void C7_2_an_off_below_the_last_version_applied_does_not_cut(void **state)
{
    struct bench bench;
    struct device_command off;

    (void)state;
    both_on(&bench);
    off = bench_off(&bench);
    off.version.rev = 1;
    stays_on(&bench, off, DEVICE_REFUSED_OLD_VERSION);
}

static void C7_2_an_off_from_before_the_card_went_in_does_not_cut(void **state)
{
    struct bench bench;
    struct device_command off;
    uint32_t told;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    told = bench.report.seq;
    both_on(&bench);
    off = bench_off(&bench);
    off.seq = told - 1;
    stays_on(&bench, off, DEVICE_REFUSED_OLD_SEQ);
    off = bench_off(&bench);
    off.seq = told;
    bench_take(&bench, off);
    assert_false(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
}

static void C7_2_without_a_card_an_off_of_any_seq_is_obeyed(void **state)
{
    struct bench bench;
    struct device_command off;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 15000);
    assert_true(bench.out.relay[0]);
    off = bench_off(&bench);
    off.seq = 0;
    bench_take(&bench, off);
    assert_false(bench.out.relay[0]);
}

static void C7_2_once_the_card_is_out_its_seq_guards_nothing(void **state)
{
    struct bench bench;
    struct device_command off;

    (void)state;
    bench_idle(&bench);
    off = bench_off(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 15000);
    bench_card_in(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    off.version.rev = 1000;
    bench_take(&bench, off);
    assert_false(bench.out.relay[0]);
}

static void C7_2_the_second_relay_can_be_cut_alone(void **state)
{
    struct bench bench;

    (void)state;
    both_on(&bench);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
}

static void C7_2_an_on_for_the_first_relay_does_not_outlive_an_old_off(void **state)
{
    struct bench bench;
    struct device_command stop;

    (void)state;
    bench_session(&bench);
    stop = bench_lockout(&bench);
    bench_take(&bench, stop);
    bench_wait(&bench, 1);
    refused(
        &bench,
        (struct device_command){
            .relay = true,
            .needs_card = true,
            .boot_id = BENCH_BOOT,
            .seq = bench.report.seq,
            .version = {.epoch = 5, .rev = stop.version.rev - 1},
        },
        DEVICE_REFUSED_OLD_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C7_1_an_on_for_a_card_that_was_just_put_in_is_obeyed),
        cmocka_unit_test(C7_1_an_on_for_another_boot_or_for_none_is_refused),
        cmocka_unit_test(C7_1_an_on_below_the_last_version_applied_is_refused),
        cmocka_unit_test(C7_1_a_higher_epoch_is_newer_whatever_its_rev),
        cmocka_unit_test(C7_1_an_on_for_a_report_from_before_the_card_went_in_is_refused),
        cmocka_unit_test(C7_1_a_late_on_for_one_who_left_does_not_serve_the_next),
        cmocka_unit_test(C7_1_a_late_on_from_before_a_card_swap_is_refused),
        cmocka_unit_test(C7_1_a_card_that_came_while_offline_needs_an_answer_to_a_report_of_it),
        cmocka_unit_test(C7_1_an_on_from_before_an_oops_press_is_refused),
        cmocka_unit_test(C7_1_no_on_while_the_button_is_down),
        cmocka_unit_test(C7_1_no_on_while_a_press_is_latched),
        cmocka_unit_test(C7_1_a_card_from_before_an_oops_press_has_to_be_put_in_again),
        cmocka_unit_test(C7_1_a_card_that_was_in_at_the_boot_opens_nothing),
        cmocka_unit_test(C7_1_a_card_that_the_reader_missed_once_after_the_boot_was_not_put_in),
        cmocka_unit_test(C7_1_an_on_five_seconds_after_the_card_went_in_is_obeyed),
        cmocka_unit_test(C7_1_an_on_a_millisecond_after_that_is_refused),
        cmocka_unit_test(C7_1_the_request_to_put_the_card_in_again_goes_with_the_card),
        cmocka_unit_test(C7_1_nor_is_it_shown_to_the_next),
        cmocka_unit_test(C7_1_reading_the_same_card_again_does_not_extend_the_window),
        cmocka_unit_test(C7_1_no_on_when_the_card_is_not_in),
        cmocka_unit_test(C7_1_no_on_while_the_reader_misses_the_card),
        cmocka_unit_test(C7_1_an_on_for_a_relay_that_is_on_changes_nothing),
        cmocka_unit_test(C7_1_a_retained_command_from_before_a_power_cut_energises_nothing),
        cmocka_unit_test(C7_1_a_command_of_a_former_boot_is_no_measure_for_versions),
        cmocka_unit_test(C7_1_each_relay_has_its_own_window),
        cmocka_unit_test(C7_1_the_second_relay_is_never_on_alone),
        cmocka_unit_test(C7_1_a_device_with_one_relay_refuses_the_second),
        cmocka_unit_test(C7_2_an_off_is_obeyed),
        cmocka_unit_test(C7_2_an_off_with_oops_or_lockout_is_obeyed_whatever_its_age),
        cmocka_unit_test(C7_2_a_stale_off_of_another_boot_does_not_cut),
        cmocka_unit_test(C7_2_an_off_below_the_last_version_applied_does_not_cut),
        cmocka_unit_test(C7_2_an_off_from_before_the_card_went_in_does_not_cut),
        cmocka_unit_test(C7_2_without_a_card_an_off_of_any_seq_is_obeyed),
        cmocka_unit_test(C7_2_once_the_card_is_out_its_seq_guards_nothing),
        cmocka_unit_test(C7_2_the_second_relay_can_be_cut_alone),
        cmocka_unit_test(C7_2_an_on_for_the_first_relay_does_not_outlive_an_old_off),
    };

    return cmocka_run_group_tests_name("device, on and off", tests, NULL, NULL);
}
