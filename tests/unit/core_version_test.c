/* What a decision writes down for others: C9.4's acknowledgement, C5's versions, C8.1's `confirmed`
 * and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/core_bench.h"

static struct bench bench;

static bool is_version(struct version version, uint64_t epoch, uint32_t rev)
{
    return version.epoch == epoch && version.rev == rev;
}

/* ---- C9.4, C12.3 ---- */

static void C9_4_with_all_state_lost_the_ack_brings_oops_and_lockout_back(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_set_oops(&bench, true);
    core_bench_set_lockout(&bench, true);
    core_bench_acknowledge(&bench);
    core_bench_lose_everything(&bench);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "oops | oops, lockout");
    assert_int_equal(bench.effects.rule, CORE_RULE_ACK);
    assert_int_equal(bench.effects.notices[0].source, CORE_SOURCE_REBOOT);
    assert_true(bench.state.oopsed && bench.state.locked_out);
}

static void C9_4_with_an_older_state_loaded_a_lockout_ends_its_session(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_acknowledge(&bench);
    bench.next.ack.version.rev++;
    bench.next.ack.lockout = true;
    core_bench_restart_controller(&bench);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "lockout | lockout Ada, logout Ada lockout about 1 s");
}

static void C9_4_the_ack_never_clears(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_oops(&bench, true);
    core_bench_set_lockout(&bench, true);
    core_bench_acknowledge(&bench);
    bench.next.ack = (struct core_ack){.version = {bench.epoch, 100}};
    core_bench_restart_controller(&bench);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "oops");
    assert_true(bench.state.oopsed && bench.state.locked_out);
    core_bench_set_lockout(&bench, false);
    bench.next.ack = (struct core_ack){.version = {bench.epoch, 200}, .lockout = true};
    core_bench_restart_controller(&bench);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "oops | lockout");
}

static void C9_4_an_ack_that_is_not_above_the_loaded_version_sets_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_acknowledge(&bench);
    bench.next.ack.oops = true;
    core_bench_restart_controller(&bench);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
}

static void C9_4_only_the_first_report_after_a_load_sets_anything(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_acknowledge(&bench);
    bench.next.ack.version.rev += 10;
    bench.next.ack.oops = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    assert_true(is_version(bench.state.version, bench.epoch, 12));
}

static void C12_3_the_answer_is_above_what_the_device_applied(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.has_ack = true;
    bench.next.ack.version = (struct version){bench.epoch_ceiling, 41};
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch_ceiling, 42));
}

static void C12_3_an_ack_of_the_last_epoch_leaves_no_version_that_nobody_reads(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.epoch_ceiling = VERSION_EPOCH_MAX;
    bench.next.has_ack = true;
    bench.next.ack = (struct core_ack){.version = {VERSION_EPOCH_MAX, VERSION_REV_MAX}};
    core_bench_heartbeat(&bench);
    assert_true(bench.state.version.epoch <= VERSION_EPOCH_MAX);
    bench.next.ack = (struct core_ack){.version = {VERSION_EPOCH_MAX - 1, VERSION_REV_MAX}};
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, VERSION_EPOCH_MAX, 1));
}

static void C12_3_an_ack_above_the_ceiling_is_ignored(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.has_ack = true;
    bench.next.ack =
        (struct core_ack){.version = {bench.epoch_ceiling + 1, 41}, .oops = true, .lockout = true};
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    assert_true(is_version(bench.state.version, bench.epoch, 1));
}

static void C12_3_an_ack_raises_no_epoch_before_Redis_has_confirmed_the_lease(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.lead_in_doubt = true;
    bench.next.has_ack = true;
    bench.next.ack.version = (struct version){bench.epoch + 1, 41};
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch, 1));
    bench.next.ack.version = (struct version){bench.epoch, 41};
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch, 42));

    bench.lead_in_doubt = false;
    bench.next.ack.version = (struct version){bench.epoch + 1, 41};
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch + 1, 42));
}

/* A lost lockout is taken over all the same: it makes nothing run. */
static void
C9_4_an_ack_tells_of_oops_and_lockout_before_Redis_has_confirmed_the_lease(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.state.heard = false;
    bench.lead_in_doubt = true;
    bench.next.has_ack = true;
    bench.next.ack = (struct core_ack){.version = {bench.epoch + 1, 41}, .lockout = true};
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "lockout | lockout");
}

/* ---- C5 ---- */

static void C5_each_report_and_each_change_has_a_version_of_its_own(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch, 1));
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch, 2));
    assert_false(bench.effects.changed);
    core_bench_set_lockout(&bench, true);
    assert_true(is_version(bench.state.version, bench.epoch, 3));
    assert_true(is_version(bench.state.switched, bench.epoch, 3));
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch, 4));
    assert_true(is_version(bench.state.switched, bench.epoch, 3));
}

static void C5_rev_goes_on_in_a_new_epoch(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_restart_controller(&bench);
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch, 2));
}

static void C5_a_rev_at_its_end_goes_into_the_next_epoch(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.state.version = (struct version){bench.epoch, UINT32_MAX - 1};
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch, UINT32_MAX));
    core_bench_heartbeat(&bench);
    assert_true(is_version(bench.state.version, bench.epoch + 1, 1));
}

/* ---- C8.1 ---- */

static void C8_1_confirmed_needs_an_ack_of_the_last_switch(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.next.relay_seen = CORE_ON;
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.confirmed, CORE_UNKNOWN);
    core_bench_acknowledge(&bench);
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.confirmed, CORE_ON);
    assert_true(bench.effects.changed);
    core_bench_heartbeat(
        &bench); /* acknowledges an older version, but the relay has not moved since */
    assert_int_equal(bench.state.confirmed, CORE_ON);
    assert_false(bench.effects.changed);
    core_bench_set_lockout(&bench, true);
    assert_int_equal(bench.state.confirmed, CORE_UNKNOWN);
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.confirmed, CORE_UNKNOWN);
    core_bench_acknowledge(&bench);
    bench.next.relay_seen = CORE_OFF;
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.confirmed, CORE_OFF);
    bench.next.relay_seen = CORE_UNKNOWN;
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.confirmed, CORE_UNKNOWN);
}

static void C8_1_confirmed_expires_after_15_s(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_acknowledge(&bench);
    bench.next.relay_seen = CORE_OFF;
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.effects.wake_at.ms, bench.now.mono.ms + 15000);
    core_bench_elapse(&bench, 14999);
    core_bench_wake(&bench);
    assert_int_equal(bench.state.confirmed, CORE_OFF);
    assert_false(bench.effects.changed);
    assert_int_equal(bench.effects.wake_at.ms, bench.now.mono.ms + 1);
    core_bench_elapse(&bench, 1);
    core_bench_wake(&bench);
    assert_int_equal(bench.state.confirmed, CORE_UNKNOWN);
    assert_true(bench.effects.changed);
    assert_false(bench.effects.save || bench.effects.command);
    assert_int_equal(bench.effects.wake_at.ms, 0);
}

static void C8_1_a_device_that_never_acknowledges_confirms_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.relay_seen = CORE_OFF;
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.confirmed, CORE_UNKNOWN);
}

static void C8_1_booted_at_is_fixed_by_the_boots_first_report(void **unused)
{
    int64_t booted_ms = 0;

    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    booted_ms = bench.now.wall.ms - 3601000;
    assert_int_equal(bench.state.booted_at.ms, booted_ms);
    bench.now.wall.ms += 777;
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.booted_at.ms, booted_ms);
    core_bench_reboot(&bench, "boot-2");
    assert_int_equal(bench.state.booted_at.ms, bench.now.wall.ms - 3000);
    bench.next.uptime_s = 1e300;
    core_bench_reboot(&bench, "boot-3");
    bench.next.boot_id = "boot-4";
    bench.next.uptime_s = 1e300;
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.booted_at.ms, 0);
}

static void C8_1_last_update_is_the_last_change_that_a_person_made(void **unused)
{
    struct wall_time updated;

    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    assert_int_equal(bench.state.last_update.ms, 0);
    core_bench_insert_stranger(&bench);
    updated = bench.now.wall;
    assert_int_equal(bench.state.last_update.ms, updated.ms);
    core_bench_heartbeat(&bench);
    core_bench_offline(&bench);
    assert_int_equal(bench.state.last_update.ms, updated.ms);
    core_bench_set_lockout(&bench, true);
    assert_int_equal(bench.state.last_update.ms, bench.now.wall.ms);
}

static void C8_1_a_heartbeat_that_changes_nothing_publishes_no_state(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    assert_true(bench.effects.changed); /* health */
    core_bench_heartbeat(&bench);
    assert_false(bench.effects.changed);
    assert_true(bench.effects.command && bench.effects.save);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C9_4_with_all_state_lost_the_ack_brings_oops_and_lockout_back),
        cmocka_unit_test(C9_4_with_an_older_state_loaded_a_lockout_ends_its_session),
        cmocka_unit_test(C9_4_the_ack_never_clears),
        cmocka_unit_test(C9_4_an_ack_that_is_not_above_the_loaded_version_sets_nothing),
        cmocka_unit_test(C9_4_only_the_first_report_after_a_load_sets_anything),
        cmocka_unit_test(C12_3_the_answer_is_above_what_the_device_applied),
        cmocka_unit_test(C12_3_an_ack_of_the_last_epoch_leaves_no_version_that_nobody_reads),
        cmocka_unit_test(C12_3_an_ack_above_the_ceiling_is_ignored),
        cmocka_unit_test(C12_3_an_ack_raises_no_epoch_before_Redis_has_confirmed_the_lease),
        cmocka_unit_test(
            C9_4_an_ack_tells_of_oops_and_lockout_before_Redis_has_confirmed_the_lease),
        cmocka_unit_test(C5_each_report_and_each_change_has_a_version_of_its_own),
        cmocka_unit_test(C5_rev_goes_on_in_a_new_epoch),
        cmocka_unit_test(C5_a_rev_at_its_end_goes_into_the_next_epoch),
        cmocka_unit_test(C8_1_confirmed_needs_an_ack_of_the_last_switch),
        cmocka_unit_test(C8_1_confirmed_expires_after_15_s),
        cmocka_unit_test(C8_1_a_device_that_never_acknowledges_confirms_nothing),
        cmocka_unit_test(C8_1_booted_at_is_fixed_by_the_boots_first_report),
        cmocka_unit_test(C8_1_last_update_is_the_last_change_that_a_person_made),
        cmocka_unit_test(C8_1_a_heartbeat_that_changes_nothing_publishes_no_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
