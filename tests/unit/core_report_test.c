/* What a report is before its card is judged: C3's duplicates and superseded boots, C4.1, C4.2,
 * C9.4's acknowledgement, C5's versions, C8.1's `confirmed`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/core_bench.h"
#include "tests/lib/core_same.h"

static struct bench bench;

static bool is_version(struct version version, uint64_t epoch, uint32_t rev)
{
    return version.epoch == epoch && version.rev == rev;
}

/* ---- C3 ---- */

static void C3_a_duplicate_is_answered_and_changes_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_repeat(&bench);
    core_bench_tells(&bench, "in_use Ada");
    assert_int_equal(bench.effects.rule, CORE_RULE_DUPLICATE);
    assert_true(bench.effects.command);
    assert_false(bench.effects.save || bench.effects.changed || bench.effects.dropped);
    assert_true(core_same_state(&bench.state, &bench.previous));
}

static void C3_an_older_report_of_the_boot_is_a_duplicate_whatever_it_says(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_remove(&bench);
    bench.next.seq--;
    bench.next.card = core_bench_card(&ADA);
    bench.next.holder = &ADA;
    core_bench_repeat(&bench);
    core_bench_tells(&bench, "idle");
    assert_int_equal(bench.effects.rule, CORE_RULE_DUPLICATE);
}

static void C3_oops_in_a_duplicate_always_counts(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.next.oops = true;
    core_bench_repeat(&bench);
    core_bench_tells(&bench, "oops | oops Ada, logout Ada oops 0 s");
    assert_int_equal(bench.effects.rule, CORE_RULE_OOPS);
    assert_true(bench.effects.command && bench.effects.save && bench.effects.changed);
    assert_int_equal(bench.state.seq, 1);
    core_bench_repeat(&bench);
    core_bench_tells(&bench, "oops");
    assert_int_equal(bench.effects.rule, CORE_RULE_DUPLICATE);
    assert_false(bench.effects.save);
}

static void C3_a_device_without_seq_or_boot_id_has_no_duplicates(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    bench.next.seq = 0;
    core_bench_repeat(&bench);
    assert_int_equal(bench.effects.rule, CORE_RULE_NOTHING);
    assert_true(bench.effects.save);
    bench.next.boot_id = "";
    bench.next.seq = 1;
    core_bench_repeat(&bench);
    core_bench_repeat(&bench);
    assert_int_equal(bench.effects.rule, CORE_RULE_NOTHING);
}

static void C3_a_report_of_a_superseded_boot_is_dropped(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_reboot(&bench, "boot-2");
    core_bench_tells(&bench, "idle | reboot");
    bench.next.boot_id = "boot-1";
    bench.next.oops = true;
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "idle");
    assert_int_equal(bench.effects.rule, CORE_RULE_SUPERSEDED);
    assert_true(bench.effects.dropped);
    assert_false(bench.effects.command || bench.effects.save || bench.effects.changed);
    assert_true(core_same_state(&bench.state, &bench.previous));
}

static void C3_the_last_four_boots_heard_live_are_remembered(void **unused)
{
    static const char *const boots[] = {"boot-2", "boot-3", "boot-4", "boot-5", "boot-6"};

    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    for (size_t i = 0; i < 5; i++) {
        core_bench_reboot(&bench, boots[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        bench.next.boot_id = boots[i];
        core_bench_heartbeat(&bench);
        assert_true(bench.effects.dropped);
    }
    core_bench_reboot(&bench, "boot-1"); /* forgotten by now */
    core_bench_tells(&bench, "idle | reboot");
}

static void C3_a_boot_that_was_only_loaded_is_not_superseded(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_restart_controller(&bench);
    core_bench_reboot(&bench, "boot-2");
    core_bench_reboot(&bench, "boot-1");
    core_bench_tells(&bench, "idle | reboot");
}

/* ---- C4.1 ---- */

static void C4_1_after_a_reboot_the_card_that_is_in_opens_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_reboot(&bench, "boot-2");
    core_bench_tells(&bench, "idle | reboot Ada, logout Ada reboot 0 s");
    assert_int_equal(bench.effects.rule, CORE_RULE_REBOOT);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    core_bench_remove(&bench);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | login Ada");
}

static void C4_1_another_card_than_before_the_reboot_opens_nothing_either(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.next.card = core_bench_card(&EVE);
    bench.next.holder = &EVE;
    core_bench_reboot(&bench, "boot-2");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    assert_string_equal(bench.state.card, core_bench_card(&EVE));
}

static void C4_1_an_emergency_card_that_was_in_at_the_reboot_opens_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert_stranger(&bench);
    core_bench_reboot(&bench, "boot-2");
    bench.next.emergency = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    core_bench_remove(&bench);
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "emergency | emergency_login");
}

static void C4_1_a_session_lasted_until_the_old_boots_last_report(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_elapse(&bench, 29000);
    core_bench_heartbeat(&bench);
    core_bench_elapse(&bench, 3600000);
    core_bench_reboot(&bench, "boot-2");
    core_bench_tells(&bench, "idle | reboot Ada, logout Ada reboot 30 s");
}

static void C4_1_without_boot_id_an_uptime_below_the_last_is_a_reboot(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.boot_id = "";
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | login Ada");
    core_bench_repeat(&bench); /* the same uptime is no reboot */
    core_bench_tells(&bench, "in_use Ada");
    bench.next.uptime_s -= 0.1;
    core_bench_repeat(&bench);
    core_bench_tells(&bench, "idle | reboot Ada, logout Ada reboot 0 s");
}

static void C4_1_where_only_one_report_has_a_boot_id_the_uptime_decides(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.next.boot_id = "";
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Ada");
    bench.next.boot_id = "boot-1";
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Ada");
    bench.next.boot_id = "";
    bench.next.uptime_s = 1;
    core_bench_repeat(&bench);
    core_bench_tells(&bench, "idle | reboot Ada, logout Ada reboot 2 s");
}

static void C4_1_with_boot_ids_the_uptime_says_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.next.uptime_s = 1;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Ada");
}

static void C4_1_a_first_report_ever_of_a_young_boot_counts_as_a_reboot(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.uptime_s = 58.9; /* and a second until the report */
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "idle");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");

    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.uptime_s = 59;
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | login Ada");

    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.uptime_s = 2;
    bench.next.boot_id = "";
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | login Ada");
}

static void C4_1_an_always_enabled_machine_is_on_again_without_a_user(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    bench.config.always_enabled = true;
    core_bench_insert(&bench, &EVE);
    core_bench_reboot(&bench, "boot-2");
    core_bench_tells(&bench, "always_on | reboot Eve");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on");
}

static void C4_1_oops_counts_in_a_boots_first_report(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    bench.next.oops = true;
    core_bench_reboot(&bench, "boot-2");
    core_bench_tells(&bench, "oops | reboot, oops");
}

static void C4_1_a_controllers_restart_is_no_reboot_of_the_machine(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    core_bench_insert(&bench, &EVE);
    core_bench_restart_controller(&bench);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Eve +granted");
    core_bench_elapse(&bench, 8000);
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle | logout Eve card_removed about 10 s");
    assert_true(bench.effects.notices[0].approximate);
}

static void C4_1_a_reboot_while_the_controller_was_down_ends_the_session(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_elapse(&bench, 5000);
    core_bench_heartbeat(&bench);
    core_bench_restart_controller(&bench);
    core_bench_reboot(&bench, "boot-2");
    core_bench_tells(&bench, "idle | reboot Ada, logout Ada reboot about 6 s");
}

static void C8_2_a_duration_over_a_restart_is_never_negative(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_restart_controller(&bench);
    bench.now.wall.ms -= 86400000;
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle | logout Ada card_removed about 0 s");
}

/* ---- C4.2 ---- */

static void C4_2_a_press_ends_the_session_and_holding_repeats_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ALWAYS);
    core_bench_insert(&bench, &ADA);
    core_bench_press(&bench);
    core_bench_tells(&bench, "oops | oops Ada, logout Ada oops 1 s");
    assert_int_equal(bench.effects.rule, CORE_RULE_OOPS);
    assert_int_equal(bench.effects.notices[0].source, CORE_SOURCE_BUTTON);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "oops");
    core_bench_release(&bench);
    core_bench_tells(&bench, "oops");
    core_bench_press(&bench);
    core_bench_tells(&bench, "oops");
}

static void C4_2_a_press_ends_an_override_too(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_oops(&bench, true);
    core_bench_insert(&bench, &MIA);
    core_bench_tells(&bench, "override Mia | override_login Mia");
    core_bench_press(&bench);
    core_bench_tells(&bench, "oops | oops Mia, logout Mia oops 1 s");
    core_bench_release(&bench);
    core_bench_tells(&bench, "oops");
}

static void C4_2_a_press_and_a_card_in_one_report_are_judged_in_that_order(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.oops = true;
    core_bench_insert(&bench, &MIA);
    core_bench_tells(&bench, "override Mia | oops, override_login Mia");
    /* The button is still down in the next report: the letter of rule 2, and the safe side. */
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "oops | oops Mia, logout Mia oops 1 s");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "oops");

    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.next.oops = true;
    core_bench_remove(&bench);
    core_bench_tells(&bench, "oops | oops Ada, logout Ada oops 1 s");
    assert_int_equal(bench.effects.rule, CORE_RULE_OOPS);
}

static void C4_2_oops_goes_before_lockout(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_lockout(&bench, true);
    core_bench_press(&bench);
    core_bench_tells(&bench, "oops | oops");
    core_bench_release(&bench);
    core_bench_set_oops(&bench, false);
    core_bench_tells(&bench, "lockout | unoops");
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
        cmocka_unit_test(C3_a_duplicate_is_answered_and_changes_nothing),
        cmocka_unit_test(C3_an_older_report_of_the_boot_is_a_duplicate_whatever_it_says),
        cmocka_unit_test(C3_oops_in_a_duplicate_always_counts),
        cmocka_unit_test(C3_a_device_without_seq_or_boot_id_has_no_duplicates),
        cmocka_unit_test(C3_a_report_of_a_superseded_boot_is_dropped),
        cmocka_unit_test(C3_the_last_four_boots_heard_live_are_remembered),
        cmocka_unit_test(C3_a_boot_that_was_only_loaded_is_not_superseded),
        cmocka_unit_test(C4_1_after_a_reboot_the_card_that_is_in_opens_nothing),
        cmocka_unit_test(C4_1_another_card_than_before_the_reboot_opens_nothing_either),
        cmocka_unit_test(C4_1_an_emergency_card_that_was_in_at_the_reboot_opens_nothing),
        cmocka_unit_test(C4_1_a_session_lasted_until_the_old_boots_last_report),
        cmocka_unit_test(C4_1_without_boot_id_an_uptime_below_the_last_is_a_reboot),
        cmocka_unit_test(C4_1_where_only_one_report_has_a_boot_id_the_uptime_decides),
        cmocka_unit_test(C4_1_with_boot_ids_the_uptime_says_nothing),
        cmocka_unit_test(C4_1_a_first_report_ever_of_a_young_boot_counts_as_a_reboot),
        cmocka_unit_test(C4_1_an_always_enabled_machine_is_on_again_without_a_user),
        cmocka_unit_test(C4_1_oops_counts_in_a_boots_first_report),
        cmocka_unit_test(C4_1_a_controllers_restart_is_no_reboot_of_the_machine),
        cmocka_unit_test(C4_1_a_reboot_while_the_controller_was_down_ends_the_session),
        cmocka_unit_test(C8_2_a_duration_over_a_restart_is_never_negative),
        cmocka_unit_test(C4_2_a_press_ends_the_session_and_holding_repeats_nothing),
        cmocka_unit_test(C4_2_a_press_ends_an_override_too),
        cmocka_unit_test(C4_2_a_press_and_a_card_in_one_report_are_judged_in_that_order),
        cmocka_unit_test(C4_2_oops_goes_before_lockout),
        cmocka_unit_test(C9_4_with_all_state_lost_the_ack_brings_oops_and_lockout_back),
        cmocka_unit_test(C9_4_with_an_older_state_loaded_a_lockout_ends_its_session),
        cmocka_unit_test(C9_4_the_ack_never_clears),
        cmocka_unit_test(C9_4_an_ack_that_is_not_above_the_loaded_version_sets_nothing),
        cmocka_unit_test(C9_4_only_the_first_report_after_a_load_sets_anything),
        cmocka_unit_test(C12_3_the_answer_is_above_what_the_device_applied),
        cmocka_unit_test(C12_3_an_ack_above_the_ceiling_is_ignored),
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
