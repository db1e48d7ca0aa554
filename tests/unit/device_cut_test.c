/* C7.3: what a device cuts by itself, and the press that is never lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/device_bench.h"

static void C7_3_a_card_present_line_cuts_at_once(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench.config.card_present_line = true;
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    assert_false(bench.out.relay[0]);
    assert_int_equal(bench.reports, 1);
    assert_string_equal(bench.report.card, "");
    assert_false(bench.report.relay_state);
}

static void C7_3_a_polled_reader_may_miss_the_card_for_less_than_a_second_and_a_half(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1499);
    assert_true(bench.out.relay[0]);
    bench_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 1500);
    assert_true(bench.out.relay[0]);
    assert_int_equal(bench.reports, 0);
}

static void C7_3_a_card_out_of_a_polled_reader_cuts_after_a_second_and_a_half(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1000);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 500);
    assert_false(bench.out.relay[0]);
    assert_int_equal(bench.reports, 1);
}

static void C7_3_another_card_cuts_at_once(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_card_in(&bench, BENCH_BOB);
    assert_false(bench.out.relay[0]);
    assert_string_equal(bench.report.card, BENCH_BOB);
}

static void C7_3_a_card_out_leaves_a_relay_that_needs_no_card(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 15000);
    bench_card_in(&bench, BENCH_ADA);
    bench_card_in(&bench, BENCH_BOB);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_true(bench.out.relay[0]);
}

static void C7_3_the_last_command_says_whether_a_relay_needs_a_card(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_true(bench.out.relay[0]);
    assert_int_equal(bench.switched_on[0], 0);

    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_on(&bench));
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_false(bench.out.relay[0]);
}

static void C7_3_an_off_that_is_not_obeyed_says_that_the_relay_needs_its_card(void **state)
{
    struct bench bench;
    struct device_command off;

    (void)state;
    bench_idle(&bench);
    off = bench_off(&bench);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_on(&bench));
    off.version.rev = 1000;
    off.needs_card = false;
    bench_take(&bench, off);
    assert_true(bench.out.relay[0]);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_false(bench.out.relay[0]);
}

static void C7_3_a_relay_that_comes_to_need_a_card_is_cut_when_none_is_in(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 15000);
    bench_take(&bench, bench_on(&bench));
    assert_false(bench.out.relay[0]);
}

static void C7_3_a_relay_that_comes_to_need_a_card_that_has_left_is_cut(void **state)
{
    struct bench bench;
    struct device_command for_ada;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 15000);
    bench_card_in(&bench, BENCH_ADA);
    for_ada = bench_on(&bench);
    bench_card_in(&bench, BENCH_BOB);
    bench_take(&bench, for_ada);
    assert_false(bench.out.relay[0]);
}

static void C7_3_the_second_relay_goes_with_the_first(void **state)
{
    struct bench bench;
    struct device_command both;

    (void)state;
    bench_session(&bench);
    both = bench_on(&bench);
    both.second_relay = true;
    both.second_needs_card = false;
    bench_take(&bench, both);
    bench_wait(&bench, 15000);
    assert_true(bench.out.relay[1]);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_false(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
}

static void C7_3_a_card_out_cuts_the_second_relay_alone_where_only_that_needs_it(void **state)
{
    struct bench bench;
    struct device_command both;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 15000);
    bench_card_in(&bench, BENCH_ADA);
    both = bench_always_on(&bench);
    both.second_relay = true;
    bench_take(&bench, both);
    assert_true(bench.out.relay[1]);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_true(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
}

static void C7_3_oops_cuts_both_relays_whether_they_need_a_card_or_not(void **state)
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
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    assert_false(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
}

/* A reader that fails. */

static void C7_3_a_reader_that_is_lost_for_a_moment_cuts_nothing(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    assert_int_equal(bench.reports, 1);
    assert_false(bench.report.reader_ok);
    bench_wait(&bench, 1499);
    bench_event(&bench, DEVICE_EVENT_READER_BACK);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_on(&bench));
    bench_wait(&bench, 5000);
    assert_true(bench.out.relay[0]);
    assert_true(bench.report.reader_ok);
}

static void C7_3_a_reader_that_stays_lost_counts_as_card_out(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    bench_wait(&bench, 1500);
    assert_false(bench.out.relay[0]);
    assert_string_equal(bench.report.card, "");
}

static void C7_3_with_a_card_present_line_a_lost_reader_cuts_nothing(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench.config.card_present_line = true;
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    bench_take(&bench, bench_on(&bench));
    bench_wait(&bench, 9000);
    assert_true(bench.out.relay[0]);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    assert_false(bench.out.relay[0]);
}

static void opens_nothing(struct bench *bench)
{
    bench_card_in(bench, BENCH_ADA);
    bench_take(bench, bench_on(bench));
    assert_false(bench->out.relay[0]);
    assert_int_equal(bench->out.refused[0], DEVICE_REFUSED_CARD_NOT_SEEN);
}

static void C7_1_a_card_that_is_in_when_the_reader_comes_back_was_not_seen_going_in(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    bench_wait(&bench, 3000);
    bench_event(&bench, DEVICE_EVENT_READER_BACK);
    opens_nothing(&bench);

    bench_session(&bench); /* back before the card was given up, read only after */
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    bench_wait(&bench, 1400);
    bench_event(&bench, DEVICE_EVENT_READER_BACK);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1499);
    assert_false(bench.out.relay[0]);
    opens_nothing(&bench);

    bench_idle(&bench); /* lost while empty */
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    bench_event(&bench, DEVICE_EVENT_READER_BACK);
    opens_nothing(&bench);
}

static void C7_1_a_reader_that_is_lost_is_not_seen_empty(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1000);
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    bench_wait(&bench, 1000);
    bench_event(&bench, DEVICE_EVENT_READER_BACK);
    opens_nothing(&bench);
}

static void C7_1_a_reader_that_came_back_and_was_seen_empty_opens_again(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_READER_LOST);
    bench_wait(&bench, 1400);
    bench_event(&bench, DEVICE_EVENT_READER_BACK);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_on(&bench));
    assert_true(bench.out.relay[0]);
}

/* The press. */

static void C7_3_a_press_is_reported_and_written_to_flash_at_once(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    assert_true(bench.out.save);
    assert_true(bench.flash.press);
    assert_int_equal(bench.reports, 1);
    assert_true(bench.report.oops);
    assert_true(bench_shows(&bench, "OOPS: power off\nTelling staff..."));
    assert_true(bench.out.oops_led && bench.out.oops_led_blink);
}

static void C7_3_a_press_by_a_short_finger_is_told_until_it_is_answered(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    bench_wait(&bench, 25000);
    assert_true(bench.report.oops);
    bench_take(&bench, bench_oops(&bench));
    assert_false(bench.report.oops);
    assert_false(bench.flash.press);
    assert_true(bench.out.save);
    assert_true(bench.out.oops_led);
    assert_false(bench.out.oops_led_blink);
    assert_true(bench_shows(&bench, "Oops!! Please\ncheck/post Slack"));
}

static void still_latched(struct bench *bench, struct device_command command)
{
    bench_take(bench, command);
    bench_wait(bench, 11000);
    assert_true(bench->report.oops);
    assert_true(bench->flash.press);
}

static void pressed(struct bench *bench)
{
    bench_idle(bench);
    bench_event(bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(bench, DEVICE_EVENT_BUTTON_UP);
}

static void C7_3_an_answer_without_oops_led_does_not_release_a_press(void **state)
{
    struct bench bench;

    (void)state;
    pressed(&bench);
    still_latched(&bench, bench_lockout(&bench));
}

static void C7_3_an_oops_led_for_a_report_from_before_the_press_does_not_release_it(void **state)
{
    struct bench bench;
    struct device_command before;

    (void)state;
    bench_idle(&bench);
    before = bench_oops(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    still_latched(&bench, before);
}

static void C7_3_an_oops_led_for_another_boot_does_not_release_a_press(void **state)
{
    struct bench bench;
    struct device_command foreign;

    (void)state;
    pressed(&bench);
    foreign = bench_oops(&bench);
    foreign.boot_id = "boot-0";
    foreign.seq = 1000;
    still_latched(&bench, foreign);
}

static void C7_3_a_press_is_not_released_while_the_button_is_down(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_take(&bench, bench_oops(&bench));
    bench_wait(&bench, 60000);
    assert_true(bench.report.oops);
    assert_true(bench.flash.press);
    bench_clear(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    assert_int_equal(bench.reports, 1);
    assert_false(bench.report.oops);
    assert_false(bench.flash.press);
}

static void C7_3_a_second_press_wants_an_answer_of_its_own(void **state)
{
    struct bench bench;
    struct device_command first;

    (void)state;
    pressed(&bench);
    first = bench_oops(&bench);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    still_latched(&bench, first);
    bench_take(&bench, bench_oops(&bench));
    assert_false(bench.report.oops);
}

static void C7_3_a_press_without_a_link_is_told_when_it_is_back(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    bench_take(&bench, bench_oops(&bench));
    assert_int_equal(bench.reports, 0);
    assert_true(bench.flash.press);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_true(bench.report.oops);
    bench_take(&bench, bench_oops(&bench));
    assert_false(bench.report.oops);
}

static void C7_3_a_press_outlives_a_reboot(void **state)
{
    struct bench bench;

    (void)state;
    pressed(&bench);
    bench_power_cut(&bench, "boot-2");
    assert_true(bench_shows(&bench, "OOPS: power off\nTelling staff..."));
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_int_equal(bench.report.seq, 1);
    assert_true(bench.report.oops);
    bench_take(&bench, bench_oops(&bench));
    assert_false(bench.report.oops);
    assert_false(bench.flash.press);
}

static void C7_3_after_a_reboot_the_answer_to_the_former_boot_does_not_release(void **state)
{
    struct bench bench;
    struct device_command former;

    (void)state;
    pressed(&bench);
    former = bench_oops(&bench);
    bench_power_cut(&bench, "boot-2");
    former.boot_id = BENCH_BOOT;
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    still_latched(&bench, former);
    former.boot_id = "boot-2";
    former.seq = 0;
    still_latched(&bench, former);
}

static void C7_3_a_released_press_does_not_come_back_with_a_reboot(void **state)
{
    struct bench bench;

    (void)state;
    pressed(&bench);
    bench_take(&bench, bench_oops(&bench));
    bench_power_cut(&bench, "boot-2");
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_false(bench.report.oops);
}

static void C7_3_a_button_that_is_down_at_the_boot_is_a_press(void **state)
{
    struct bench bench;
    struct device_event boot = {
        .type = DEVICE_EVENT_BOOT, .boot = {.boot_id = "boot-2", .seed = 1, .button_down = true}};

    (void)state;
    bench_boot(&bench);
    boot.now_ms = bench.now_ms;
    device_step(&bench.config, &bench.device, &boot, &bench.out);
    assert_true(bench.out.save);
    assert_true(bench.out.keep.press);
}

static void C7_3_a_press_without_a_server_promises_no_staff(void **state)
{
    struct bench bench;

    (void)state;
    pressed(&bench);
    bench_wait(&bench, 30000);
    assert_true(bench_shows(&bench, "OOPS: power off\nNo server"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C7_3_a_card_present_line_cuts_at_once),
        cmocka_unit_test(C7_3_a_polled_reader_may_miss_the_card_for_less_than_a_second_and_a_half),
        cmocka_unit_test(C7_3_a_card_out_of_a_polled_reader_cuts_after_a_second_and_a_half),
        cmocka_unit_test(C7_3_another_card_cuts_at_once),
        cmocka_unit_test(C7_3_a_card_out_leaves_a_relay_that_needs_no_card),
        cmocka_unit_test(C7_3_the_last_command_says_whether_a_relay_needs_a_card),
        cmocka_unit_test(C7_3_an_off_that_is_not_obeyed_says_that_the_relay_needs_its_card),
        cmocka_unit_test(C7_3_a_relay_that_comes_to_need_a_card_is_cut_when_none_is_in),
        cmocka_unit_test(C7_3_a_relay_that_comes_to_need_a_card_that_has_left_is_cut),
        cmocka_unit_test(C7_3_the_second_relay_goes_with_the_first),
        cmocka_unit_test(C7_3_a_card_out_cuts_the_second_relay_alone_where_only_that_needs_it),
        cmocka_unit_test(C7_3_oops_cuts_both_relays_whether_they_need_a_card_or_not),
        cmocka_unit_test(C7_3_a_reader_that_is_lost_for_a_moment_cuts_nothing),
        cmocka_unit_test(C7_3_a_reader_that_stays_lost_counts_as_card_out),
        cmocka_unit_test(C7_3_with_a_card_present_line_a_lost_reader_cuts_nothing),
        cmocka_unit_test(C7_1_a_card_that_is_in_when_the_reader_comes_back_was_not_seen_going_in),
        cmocka_unit_test(C7_1_a_reader_that_is_lost_is_not_seen_empty),
        cmocka_unit_test(C7_1_a_reader_that_came_back_and_was_seen_empty_opens_again),
        cmocka_unit_test(C7_3_a_press_is_reported_and_written_to_flash_at_once),
        cmocka_unit_test(C7_3_a_press_by_a_short_finger_is_told_until_it_is_answered),
        cmocka_unit_test(C7_3_an_answer_without_oops_led_does_not_release_a_press),
        cmocka_unit_test(C7_3_an_oops_led_for_a_report_from_before_the_press_does_not_release_it),
        cmocka_unit_test(C7_3_an_oops_led_for_another_boot_does_not_release_a_press),
        cmocka_unit_test(C7_3_a_press_is_not_released_while_the_button_is_down),
        cmocka_unit_test(C7_3_a_second_press_wants_an_answer_of_its_own),
        cmocka_unit_test(C7_3_a_press_without_a_link_is_told_when_it_is_back),
        cmocka_unit_test(C7_3_a_press_outlives_a_reboot),
        cmocka_unit_test(C7_3_after_a_reboot_the_answer_to_the_former_boot_does_not_release),
        cmocka_unit_test(C7_3_a_released_press_does_not_come_back_with_a_reboot),
        cmocka_unit_test(C7_3_a_button_that_is_down_at_the_boot_is_a_press),
        cmocka_unit_test(C7_3_a_press_without_a_server_promises_no_staff),
    };

    return cmocka_run_group_tests_name("device, local cuts", tests, NULL, NULL);
}
