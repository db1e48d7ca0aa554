/* What is wrong with a machine that answers: C11.7's relays, C3's twin, reader, boot loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/live_bench.h"

static struct live live;
static struct bench *const bench = &live.bench;

static bool has_fault(enum core_fault_index fault)
{
    return (bench->state.faults & CORE_FAULT(fault)) != 0;
}

/* The device applies the newest command and says so, with its relays as they are. */
static void acknowledge(enum core_observed relay, enum core_observed second)
{
    core_bench_acknowledge(bench);
    bench->next.relay_seen = relay;
    bench->next.second_relay_seen = second;
    live_report(&live);
}

static void report_after(int64_t ms, enum core_observed relay)
{
    live_elapse(&live, ms);
    acknowledge(relay, bench->next.second_relay_seen);
}

/* A session has ended and the device has just acknowledged the "off". */
static void start_off(enum core_observed relay)
{
    live_start(&live);
    live_insert(&live, &ADA);
    acknowledge(CORE_ON, CORE_UNKNOWN);
    live_remove(&live);
    acknowledge(relay, CORE_UNKNOWN);
    live_mark(&live);
}

/* ---- relays ---- */

static void C11_7_a_relay_that_stays_on_is_a_fault_and_locks_out(void **unused)
{
    (void)unused;
    start_off(CORE_ON);
    report_after(5000, CORE_ON);
    live_tells(&live, "");
    report_after(1, CORE_ON);
    live_tells(&live, "+5001 fault relay_stuck_on lockout");
    assert_true(bench->state.locked_out && bench->effects.command && bench->effects.save);
    assert_int_equal(bench->effects.notices[1].source, CORE_SOURCE_LIVENESS);
    assert_int_equal(bench->effects.rule, CORE_RULE_DISOBEYED);
    core_bench_tells(bench, "lockout | fault relay_stuck_on, lockout");
}

static void C11_7_before_5_s_after_the_ack_it_may_still_be_on(void **unused)
{
    (void)unused;
    start_off(CORE_ON);
    for (int i = 0; i < 5; i++) {
        report_after(i == 0 ? 999 : 1000, CORE_ON);
    }
    live_tells(&live, "");
    report_after(1, CORE_ON); /* the first that counts */
    live_tells(&live, "");
    report_after(1, CORE_ON);
    live_tells(&live, "+5001 fault relay_stuck_on lockout");
}

static void C11_7_the_two_reports_follow_each_other(void **unused)
{
    (void)unused;
    start_off(CORE_ON);
    for (int i = 0; i < 10; i++) {
        report_after(6000, CORE_ON);
        report_after(1000, i % 2 == 0 ? CORE_OFF : CORE_UNKNOWN);
    }
    live_tells(&live, "");
}

static void C11_7_without_an_ack_of_the_off_nothing_is_stuck(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    acknowledge(CORE_ON, CORE_UNKNOWN);
    live_remove(&live); /* and again and again the ack of the "on" */
    for (int i = 0; i < 10; i++) {
        live_elapse(&live, 10000);
        live_report(&live);
    }
    assert_false(has_fault(CORE_FAULT_RELAY_STUCK_ON));
}

static void C11_7_a_person_lifts_the_lockout_and_is_not_overruled(void **unused)
{
    (void)unused;
    start_off(CORE_ON);
    report_after(5000, CORE_ON);
    report_after(1000, CORE_ON);
    core_bench_set_lockout(bench, false);
    assert_false(bench->state.locked_out);
    acknowledge(CORE_ON, CORE_UNKNOWN);
    for (int i = 0; i < 5; i++) {
        report_after(10000, CORE_ON);
    }
    assert_false(bench->state.locked_out);
    assert_true(has_fault(CORE_FAULT_RELAY_STUCK_ON));
    live_mark(&live);
    report_after(1000, CORE_OFF);
    live_tells(&live, "+1000 fault_cleared relay_stuck_on");
    report_after(10000, CORE_ON); /* and it is stuck anew */
    report_after(1000, CORE_ON);
    assert_true(bench->state.locked_out);
}

static void C11_7_a_machine_that_is_locked_out_already_only_gets_the_fault(void **unused)
{
    (void)unused;
    start_off(CORE_ON);
    core_bench_set_lockout(bench, true);
    acknowledge(CORE_ON, CORE_UNKNOWN);
    report_after(5000, CORE_ON);
    report_after(1000, CORE_ON);
    live_tells(&live, "+6000 fault relay_stuck_on");
}

static void C11_7_a_second_relay_that_sticks_cuts_nobody_off(void **unused)
{
    (void)unused;
    live_start(&live);
    bench->config.second_relay.present = true;
    live_insert(&live, &ADA);
    core_bench_tells(bench, "in_use Ada -denied | login Ada");
    bench->next.second_relay_seen = CORE_ON;
    report_after(0, CORE_ON);
    report_after(5000, CORE_ON);
    report_after(1000, CORE_ON);
    assert_true(has_fault(CORE_FAULT_RELAY_STUCK_ON));
    assert_int_equal(bench->state.mode, CORE_IN_USE);
    live_remove(&live); /* the lockout waits for this */
    core_bench_tells(bench, "lockout | logout Ada card_removed 6 s, lockout");
}

static void C11_7_current_without_a_command_is_the_fault_alone(void **unused)
{
    (void)unused;
    start_off(CORE_UNKNOWN);
    bench->config.has_idle_amps = true;
    bench->config.idle_amps = 0.5;
    bench->next.has_amps = true;
    bench->next.amps = 0.6;
    report_after(10000, CORE_UNKNOWN);
    report_after(10000, CORE_UNKNOWN);
    report_after(9999, CORE_UNKNOWN);
    report_after(1, CORE_UNKNOWN); /* 30 s */
    bench->next.has_amps = false;
    report_after(1, CORE_UNKNOWN); /* one that does not carry it is none of the two */
    live_tells(&live, "");
    bench->next.has_amps = true;
    report_after(1, CORE_UNKNOWN);
    live_tells(&live, "+30002 fault relay_stuck_on");
    assert_false(bench->state.locked_out);
    bench->next.amps = 0.5;
    report_after(1, CORE_UNKNOWN);
    live_tells(&live, "+30002 fault relay_stuck_on; +30003 fault_cleared relay_stuck_on");
}

static void C11_7_no_idle_amps_no_fault(void **unused)
{
    (void)unused;
    start_off(CORE_OFF);
    bench->next.has_amps = true;
    bench->next.amps = 90;
    for (int i = 0; i < 10; i++) {
        report_after(10000, CORE_OFF);
    }
    live_tells(&live, "");
}

static void C11_7_a_relay_that_stays_off_for_60_s_is_a_fault(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    acknowledge(CORE_OFF, CORE_UNKNOWN);
    live_mark(&live);
    for (int i = 0; i < 5; i++) {
        report_after(10000, CORE_OFF);
    }
    report_after(9999, CORE_OFF);
    live_tells(&live, "");
    report_after(1, CORE_OFF);
    live_tells(&live, "+60000 fault relay_refused");
    assert_int_equal(bench->state.mode, CORE_IN_USE);
    report_after(1, CORE_ON);
    live_tells(&live, "+60000 fault relay_refused; +60001 fault_cleared relay_refused");
}

static void C11_7_off_and_on_in_between_begins_anew(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    acknowledge(CORE_OFF, CORE_UNKNOWN);
    live_elapse(&live, 10000);
    live_remove(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    for (int i = 0; i < 5; i++) {
        report_after(10000, CORE_OFF);
    }
    report_after(9000, CORE_OFF);
    live_tells(&live, "");
}

/* ---- reader ---- */

static void a_reader_that_failed_is_a_fault_until_it_works(void **unused)
{
    (void)unused;
    live_start(&live);
    bench->next.has_reader_ok = true;
    live_report(&live);
    live_report(&live);
    assert_false(bench->effects.changed);
    bench->next.has_reader_ok = false; /* not told is not changed */
    live_report(&live);
    live_tells(&live, "+0 fault reader_failed");
    bench->next.has_reader_ok = true;
    bench->next.reader_ok = true;
    live_report(&live);
    live_tells(&live, "+0 fault reader_failed; +0 fault_cleared reader_failed");
}

/* ---- boots ---- */

static const char *const boot_ids[] = {"b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9"};

static void boots(int count, int64_t apart_ms)
{
    for (int i = 0; i < count; i++) {
        live_boot(&live, boot_ids[i], 0);
        if (i + 1 < count) {
            live_elapse(&live, apart_ms);
        }
    }
}

static void five_boots_in_10_min_are_a_boot_loop(void **unused)
{
    (void)unused;
    live_start(&live);
    boots(5, 149999);
    assert_true(has_fault(CORE_FAULT_BOOT_LOOP));
    live_start(&live);
    boots(5, 150000);
    assert_false(has_fault(CORE_FAULT_BOOT_LOOP));
    live_start(&live);
    boots(4, 1);
    assert_false(has_fault(CORE_FAULT_BOOT_LOOP));
}

static void a_boot_loop_is_over_10_min_after_the_last_boot(void **unused)
{
    (void)unused;
    live_start(&live);
    boots(5, 1000);
    live_mark(&live);
    for (int i = 0; i < 59; i++) {
        live_elapse(&live, 10000);
        live_report(&live);
    }
    live_elapse(&live, 9999);
    live_tells(&live, "");
    live_elapse(&live, 1);
    live_tells(&live, "+600000 fault_cleared boot_loop");
}

static void boots_that_were_asked_for_are_no_loop(void **unused)
{
    (void)unused;
    live_start(&live);
    for (int i = 0; i < 8; i++) {
        live_restart_asked(&live, false, false);
        live_elapse(&live, 5000);
        live_boot(&live, boot_ids[i], 0);
    }
    assert_false(has_fault(CORE_FAULT_BOOT_LOOP));
}

/* ---- twin ---- */

static void report_as(const char *boot_id)
{
    struct core_report report = bench->next;

    report.boot_id = boot_id;
    report.seq = 1000;
    live_decide(&live, (struct core_event){.type = CORE_EVENT_REPORT, .report = report});
}

static void C3_three_reports_of_a_past_boot_in_60_s_are_a_twin(void **unused)
{
    (void)unused;
    for (int64_t late_ms = 0; late_ms < 2; late_ms++) {
        live_start(&live);
        live_boot(&live, "b2", 100);
        live_mark(&live);
        report_as("boot-1");
        live_elapse(&live, 10000);
        live_report(&live);
        report_as("boot-1");
        for (int i = 0; i < 4; i++) {
            live_elapse(&live, 10000);
            live_report(&live);
        }
        live_elapse(&live, 9999 + late_ms);
        live_report(&live);
        report_as("boot-1");
        live_tells(&live, late_ms == 0 ? "+59999 fault twin" : "");
        assert_true(bench->effects.dropped && !bench->effects.command && !bench->effects.save);
        assert_int_equal(bench->effects.changed, late_ms == 0);
        assert_int_equal(bench->effects.keep, late_ms == 0);
    }
}

static void C3_dropped_reports_are_no_sign_of_life(void **unused)
{
    (void)unused;
    live_start(&live);
    live_boot(&live, "b2", 100);
    live_mark(&live);
    live_elapse(&live, 14000);
    report_as("boot-1");
    live_elapse(&live, 1000);
    live_tells(&live, "+15000 suspect probe");
}

static void C3_the_boot_whose_session_is_open_keeps_the_machine(void **unused)
{
    (void)unused;
    live_start(&live);
    live_boot(&live, "b2", 100);
    for (int i = 0; i < 3; i++) {
        report_as("boot-1");
    }
    live_insert(&live, &ADA);
    live_elapse(&live, 14999);
    report_as("b3"); /* the other box boots */
    assert_true(bench->effects.dropped);
    assert_int_equal(bench->state.mode, CORE_IN_USE);
    live_elapse(&live, 1);
    report_as("b3"); /* the session's box is heard no more: it booted */
    assert_false(bench->effects.dropped);
    assert_int_equal(bench->state.mode, CORE_IDLE);
}

static void C3_without_the_fault_a_new_boot_is_a_reboot(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    report_as("b2");
    assert_false(bench->effects.dropped);
    assert_int_equal(bench->state.mode, CORE_IDLE);
}

static void C3_a_twin_is_over_60_s_after_its_last_report(void **unused)
{
    (void)unused;
    live_start(&live);
    live_boot(&live, "b2", 100);
    for (int i = 0; i < 3; i++) {
        report_as("boot-1");
    }
    live_mark(&live);
    for (int i = 0; i < 7; i++) {
        live_elapse(&live, 9000);
        live_report(&live);
    }
    live_tells(&live, "+60000 fault_cleared twin");
}

/* ---- over a restart of the controller ---- */

static void loaded_faults_end_as_those_that_were_seen(void **unused)
{
    (void)unused;
    live_start(&live);
    bench->state.faults = CORE_FAULT(CORE_FAULT_TWIN) | CORE_FAULT(CORE_FAULT_BOOT_LOOP) |
                          CORE_FAULT(CORE_FAULT_LINK_LOST) | CORE_FAULT(CORE_FAULT_RELAY_STUCK_ON) |
                          CORE_FAULT(CORE_FAULT_RELAY_REFUSED);
    core_bench_restart_controller(bench);
    live_connect(&live);
    live_mark(&live);
    acknowledge(CORE_OFF, CORE_OFF);
    for (int i = 0; i < 61; i++) {
        live_elapse(&live, 10000);
        live_report(&live);
    }
    live_tells(
        &live, "+0 fault_cleared relay_refused fault_cleared relay_stuck_on "
               "fault_cleared link_lost; +60000 fault_cleared twin; "
               "+600000 fault_cleared boot_loop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C11_7_a_relay_that_stays_on_is_a_fault_and_locks_out),
        cmocka_unit_test(C11_7_before_5_s_after_the_ack_it_may_still_be_on),
        cmocka_unit_test(C11_7_the_two_reports_follow_each_other),
        cmocka_unit_test(C11_7_without_an_ack_of_the_off_nothing_is_stuck),
        cmocka_unit_test(C11_7_a_person_lifts_the_lockout_and_is_not_overruled),
        cmocka_unit_test(C11_7_a_machine_that_is_locked_out_already_only_gets_the_fault),
        cmocka_unit_test(C11_7_a_second_relay_that_sticks_cuts_nobody_off),
        cmocka_unit_test(C11_7_current_without_a_command_is_the_fault_alone),
        cmocka_unit_test(C11_7_no_idle_amps_no_fault),
        cmocka_unit_test(C11_7_a_relay_that_stays_off_for_60_s_is_a_fault),
        cmocka_unit_test(C11_7_off_and_on_in_between_begins_anew),
        cmocka_unit_test(a_reader_that_failed_is_a_fault_until_it_works),
        cmocka_unit_test(five_boots_in_10_min_are_a_boot_loop),
        cmocka_unit_test(a_boot_loop_is_over_10_min_after_the_last_boot),
        cmocka_unit_test(boots_that_were_asked_for_are_no_loop),
        cmocka_unit_test(C3_three_reports_of_a_past_boot_in_60_s_are_a_twin),
        cmocka_unit_test(C3_dropped_reports_are_no_sign_of_life),
        cmocka_unit_test(C3_the_boot_whose_session_is_open_keeps_the_machine),
        cmocka_unit_test(C3_without_the_fault_a_new_boot_is_a_reboot),
        cmocka_unit_test(C3_a_twin_is_over_60_s_after_its_last_report),
        cmocka_unit_test(loaded_faults_end_as_those_that_were_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
