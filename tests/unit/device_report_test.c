/* C7.4, C3 and C5: what a device reports, when, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/device_bench.h"

static void C7_4_it_boots_with_both_relays_off(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_power_cut(&bench, "boot-2");
    assert_false(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
}

static void C7_4_it_reports_when_it_connects(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    assert_int_equal(bench.reports, 0);
    bench.now_ms += 1234;
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_int_equal(bench.out.link, DEVICE_LINK_ONLINE);
    assert_int_equal(bench.reports, 1);
    assert_string_equal(bench.report.boot_id, BENCH_BOOT);
    assert_int_equal(bench.report.seq, 1);
    assert_int_equal(bench.report.uptime_ms, 1234);
    assert_false(bench.report.has_ack);
    assert_false(bench.report.oops);
    assert_true(bench.report.reader_ok);
    assert_true(bench.report.has_second_relay);

    bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_int_equal(bench.reports, 2);
    assert_int_equal(bench.report.seq, 2);
}

static void C7_4_a_heartbeat_after_ten_seconds(void **state)
{
    struct bench bench;
    uint32_t seq;

    (void)state;
    bench_idle(&bench);
    bench_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_off(&bench));
    seq = bench.report.seq;
    bench_clear(&bench);
    bench_wait(&bench, 9999);
    assert_int_equal(bench.reports, 0);
    bench_wait(&bench, 1);
    assert_int_equal(bench.reports, 1);
    assert_int_equal(bench.report.seq, seq + 1);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 10000);
    assert_int_equal(bench.reports, 2);
    assert_int_equal(bench.report.seq, seq + 2);
}

static void expect_report(struct bench *bench)
{
    assert_int_equal(bench->reports, 1);
    bench_clear(bench);
}

static void C7_4_every_change_of_card_button_or_relay_is_reported(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_card_in(&bench, BENCH_ADA);
    expect_report(&bench);
    bench_take(&bench, bench_on(&bench));
    expect_report(&bench);
    assert_true(bench.report.relay_state);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    expect_report(&bench);
    assert_false(bench.report.relay_state);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    expect_report(&bench);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    expect_report(&bench);
}

static void C7_4_every_change_of_shown_oops_or_lockout_is_reported(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_lockout(&bench));
    expect_report(&bench);
    assert_true(bench.report.ack_lockout);
    bench_take(&bench, bench_lockout(&bench));
    assert_int_equal(bench.reports, 0);
    bench_take(&bench, bench_oops(&bench));
    expect_report(&bench);
    assert_true(bench.report.ack_oops);
    assert_false(bench.report.ack_lockout);
    bench_take(&bench, bench_off(&bench));
    expect_report(&bench);
    bench_take(&bench, bench_off(&bench));
    assert_int_equal(bench.reports, 0);
}

static void C7_4_what_changes_together_is_one_report(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_take(&bench, bench_lockout(&bench));
    expect_report(&bench);
    assert_false(bench.report.relay_state);
    assert_true(bench.report.ack_lockout);
}

static void C7_4_an_unanswered_report_is_repeated_after_two_two_and_ten_seconds(void **state)
{
    static const uint64_t gaps[] = {2000, 2000, 10000, 10000, 10000};
    struct bench bench;
    uint32_t seq;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    seq = bench.report.seq;
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        bench_clear(&bench);
        bench_wait(&bench, gaps[i] - 1);
        assert_int_equal(bench.reports, 0);
        bench_wait(&bench, 1);
        assert_int_equal(bench.reports, 1);
        assert_int_equal(bench.report.seq, seq);
    }
}

static void C7_4_an_answer_to_an_older_report_does_not_end_the_repeats(void **state)
{
    struct bench bench;
    struct device_command older;

    (void)state;
    bench_idle(&bench);
    older = bench_off(&bench);
    bench_card_in(&bench, BENCH_ADA);
    bench_clear(&bench);
    bench_take(&bench, older);
    bench_wait(&bench, 2000);
    assert_int_equal(bench.reports, 1);
}

static void C7_4_a_command_for_another_boot_does_not_end_the_repeats(void **state)
{
    struct bench bench;
    struct device_command foreign;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    foreign = bench_off(&bench);
    foreign.boot_id = "boot-0";
    bench_clear(&bench);
    bench_take(&bench, foreign);
    bench_wait(&bench, 2000);
    assert_int_equal(bench.reports, 1);
}

static void C7_4_an_answer_ends_the_repeats(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_take(&bench, bench_off(&bench));
    bench_clear(&bench);
    bench_wait(&bench, 9999);
    assert_int_equal(bench.reports, 0);
}

static void C7_4_a_repeat_that_has_something_new_to_tell_has_a_new_seq(void **state)
{
    struct bench bench;
    struct device_command older;
    uint32_t seq;

    (void)state;
    bench_idle(&bench);
    older = bench_off(&bench);
    bench_card_in(&bench, BENCH_ADA);
    seq = bench.report.seq;
    bench_take(&bench, older);
    bench_wait(&bench, 2000);
    assert_int_equal(bench.report.seq, seq + 1);
    assert_int_equal(bench.report.ack.rev, older.version.rev);
    bench_wait(&bench, 2000);
    assert_int_equal(bench.report.seq, seq + 1);
}

static void C7_4_a_change_begins_the_repeats_anew(void **state)
{
    struct bench bench;
    uint32_t seq;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_wait(&bench, 5000);
    bench_card_in(&bench, BENCH_BOB);
    seq = bench.report.seq;
    bench_clear(&bench);
    bench_wait(&bench, 4000);
    assert_int_equal(bench.reports, 2);
    assert_int_equal(bench.report.seq, seq);
    assert_string_equal(bench.report.card, BENCH_BOB);
}

static void C7_4_nothing_is_reported_while_the_broker_is_away(void **state)
{
    struct bench bench;
    uint32_t seq;

    (void)state;
    bench_idle(&bench);
    seq = bench.report.seq;
    bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
    bench_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 25000);
    assert_int_equal(bench.reports, 0);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_int_equal(bench.report.seq, seq + 1);
    assert_string_equal(bench.report.card, BENCH_ADA);
}

static void C7_4_what_is_applied_is_acknowledged_and_what_is_refused_shows(void **state)
{
    struct bench bench;
    struct device_command on;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_wait(&bench, 6000);
    on = bench_on(&bench);
    bench_take(&bench, on);
    bench_wait(&bench, 10000);
    assert_true(bench.report.has_ack);
    assert_int_equal(bench.report.ack.epoch, on.version.epoch);
    assert_int_equal(bench.report.ack.rev, on.version.rev);
    assert_false(bench.report.relay_state);
}

static void not_applied(struct bench *bench, struct device_command command)
{
    struct device_version before = bench->device.applied;

    bench_take(bench, command);
    bench_wait(bench, 8500);
    assert_int_equal(bench->report.ack.epoch, before.epoch);
    assert_int_equal(bench->report.ack.rev, before.rev);
    assert_true(bench_shows(bench, "Please Insert\nRFID Card"));
}

static void C7_4_a_command_for_another_boot_or_an_older_one_is_not_applied(void **state)
{
    struct bench bench;
    struct device_command command;

    (void)state;
    for (int i = 0; i < 3; i++) {
        bench_idle(&bench);
        command = bench_lockout(&bench);
        command.boot_id = i == 0 ? "boot-0" : i == 1 ? NULL : BENCH_BOOT;
        command.version.rev = i == 2 ? 0 : command.version.rev;
        not_applied(&bench, command);
    }
}

static void C3_seq_grows_by_one_from_one_in_each_boot(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    for (uint32_t seq = bench.report.seq + 1; seq < 100; seq++) {
        bench_card_in(&bench, seq % 2 ? BENCH_ADA : BENCH_BOB);
        assert_int_equal(bench.report.seq, seq);
    }
    bench_power_cut(&bench, "boot-2");
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_int_equal(bench.report.seq, 1);
}

static void C3_relay_state_is_the_contactors_where_it_has_a_contact(void **state)
{
    struct bench bench;
    struct device_event stuck = {
        .type = DEVICE_EVENT_CONTACT, .contact = {.relay = true, .second_relay = false}};

    (void)state;
    bench_session(&bench);
    assert_false(bench.report.feedback_is_contact);
    bench.config.contact = true;
    bench_take(&bench, bench_off(&bench));
    assert_true(bench.report.feedback_is_contact);
    assert_false(bench.report.relay_state);
    bench_clear(&bench);
    stuck.now_ms = bench.now_ms;
    device_step(&bench.config, &bench.device, &stuck, &bench.out);
    assert_true(bench.out.send_report);
    assert_true(bench.out.report.relay_state);
    assert_false(bench.out.relay[0]);
}

static void C3_a_card_is_reported_as_printable_ascii_of_at_most_64_characters(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_card_in(
        &bench, "\t234567890123456789012345678901234567890123456789012345678901234567890");
    assert_string_equal(
        bench.report.card, "?234567890123456789012345678901234567890123456789012345678901234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C7_4_it_boots_with_both_relays_off),
        cmocka_unit_test(C7_4_it_reports_when_it_connects),
        cmocka_unit_test(C7_4_a_heartbeat_after_ten_seconds),
        cmocka_unit_test(C7_4_every_change_of_card_button_or_relay_is_reported),
        cmocka_unit_test(C7_4_every_change_of_shown_oops_or_lockout_is_reported),
        cmocka_unit_test(C7_4_what_changes_together_is_one_report),
        cmocka_unit_test(C7_4_an_unanswered_report_is_repeated_after_two_two_and_ten_seconds),
        cmocka_unit_test(C7_4_an_answer_to_an_older_report_does_not_end_the_repeats),
        cmocka_unit_test(C7_4_a_command_for_another_boot_does_not_end_the_repeats),
        cmocka_unit_test(C7_4_an_answer_ends_the_repeats),
        cmocka_unit_test(C7_4_a_repeat_that_has_something_new_to_tell_has_a_new_seq),
        cmocka_unit_test(C7_4_a_change_begins_the_repeats_anew),
        cmocka_unit_test(C7_4_nothing_is_reported_while_the_broker_is_away),
        cmocka_unit_test(C7_4_what_is_applied_is_acknowledged_and_what_is_refused_shows),
        cmocka_unit_test(C7_4_a_command_for_another_boot_or_an_older_one_is_not_applied),
        cmocka_unit_test(C3_seq_grows_by_one_from_one_in_each_boot),
        cmocka_unit_test(C3_relay_state_is_the_contactors_where_it_has_a_contact),
        cmocka_unit_test(C3_a_card_is_reported_as_printable_ascii_of_at_most_64_characters),
    };

    return cmocka_run_group_tests_name("device, reports", tests, NULL, NULL);
}
