/* What a report is before its card is judged: C3's duplicates and superseded boots, C4.1, C4.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/core_bench.h"
#include "tests/lib/core_same.h"

static struct bench bench;

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
    assert_int_equal(bench.effects.rule, CORE_RULE_REBOOT);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
