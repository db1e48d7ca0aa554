/* C4 "From outside", "Reload" and a clean `offline`; C6 `end`; damaged states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/text.h"
#include "tests/lib/core_bench.h"
#include "tests/lib/core_same.h"

static struct bench bench;

static bool nothing_happened(void)
{
    return core_same_state(&bench.state, &bench.previous) && !bench.effects.command &&
           !bench.effects.save && !bench.effects.changed && !bench.effects.flag_changed &&
           bench.effects.notice_count == 0;
}

/* ---- from outside ---- */

static void C4_outside_oops_and_lockout_end_the_session(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_set_oops(&bench, true);
    core_bench_tells(&bench, "oops | oops Ada, logout Ada oops 0 s");
    assert_int_equal(bench.effects.rule, CORE_RULE_OUTSIDE);
    assert_int_equal(bench.effects.notices[0].source, CORE_SOURCE_OUTSIDE);
    assert_true(bench.effects.flag_changed && bench.effects.command && bench.effects.save);
    core_bench_set_oops(&bench, false);
    core_bench_tells(&bench, "idle | unoops");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    core_bench_remove(&bench);
    core_bench_insert(&bench, &ADA);
    core_bench_set_lockout(&bench, true);
    core_bench_tells(&bench, "lockout | lockout Ada, logout Ada lockout 0 s");
    core_bench_set_lockout(&bench, false);
    core_bench_tells(&bench, "idle | unlock");
}

static void C4_outside_setting_what_is_set_does_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_heartbeat(&bench);
    core_bench_set_oops(&bench, false);
    assert_true(nothing_happened());
    core_bench_set_lockout(&bench, false);
    assert_true(nothing_happened());
    core_bench_set_oops(&bench, true);
    core_bench_set_oops(&bench, true);
    assert_true(nothing_happened());
    core_bench_set_lockout(&bench, true);
    core_bench_set_lockout(&bench, true);
    assert_true(nothing_happened());
}

static void C4_outside_clearing_what_is_clear_leaves_a_member_alone(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_set_oops(&bench, false);
    assert_true(nothing_happened());
    core_bench_set_lockout(&bench, false);
    assert_true(nothing_happened());
    core_bench_tells(&bench, "in_use Ada");
}

static void C4_outside_setting_what_is_set_ends_an_override(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_oops(&bench, true);
    core_bench_insert(&bench, &MIA);
    core_bench_set_oops(&bench, true);
    core_bench_tells(&bench, "oops | logout Mia oops 0 s");
    assert_false(bench.effects.flag_changed);
    assert_true(bench.effects.command && bench.effects.save);
    core_bench_remove(&bench);
    core_bench_insert(&bench, &MIA);
    core_bench_set_lockout(&bench, false);
    core_bench_tells(&bench, "oops | logout Mia unlock 0 s");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "oops");
}

static void C4_outside_every_change_ends_an_override(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_oops(&bench, true);
    core_bench_insert(&bench, &MIA);
    core_bench_set_oops(&bench, false);
    core_bench_tells(&bench, "idle | unoops Mia, logout Mia unoops 0 s");
    core_bench_set_lockout(&bench, true);
    core_bench_remove(&bench);
    core_bench_insert(&bench, &MIA);
    core_bench_set_lockout(&bench, false);
    core_bench_tells(&bench, "idle | unlock Mia, logout Mia unlock 0 s");
    core_bench_set_lockout(&bench, true);
    core_bench_remove(&bench);
    core_bench_insert(&bench, &MIA);
    core_bench_set_oops(&bench, true);
    core_bench_tells(&bench, "oops | oops Mia, logout Mia oops 0 s");
}

static void C4_outside_lifting_one_of_two_flags_leaves_the_other(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_lockout(&bench, true);
    core_bench_set_oops(&bench, true);
    core_bench_set_lockout(&bench, false);
    core_bench_tells(&bench, "oops | unlock");
    core_bench_set_oops(&bench, false);
    core_bench_tells(&bench, "idle | unoops");
}

static void C4_outside_an_always_enabled_machine_is_on_when_the_last_flag_is_lifted(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ALWAYS);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    core_bench_set_lockout(&bench, true);
    core_bench_tells(&bench, "lockout | lockout");
    core_bench_set_lockout(&bench, false);
    core_bench_tells(&bench, "always_on +always_enabled | unlock");
}

static void C4_outside_works_before_the_machine_was_ever_heard(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_lockout(&bench, true);
    core_bench_tells(&bench, "lockout | lockout");
    assert_int_equal(bench.state.version.rev, 1);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "lockout | refused Ada");
}

static void C6_end_ends_the_session_and_nothing_else(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_end(&bench);
    core_bench_tells(&bench, "idle | logout Ada ended 0 s");
    assert_int_equal(bench.effects.notices[0].source, CORE_SOURCE_OUTSIDE);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    core_bench_end(&bench);
    assert_true(nothing_happened());
    core_bench_insert(&bench, &BOB);
    core_bench_end(&bench);
    assert_true(nothing_happened());
    core_bench_tells(&bench, "denied");
}

static void C6_end_of_an_emergency_is_an_end(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.emergency = true;
    core_bench_insert_stranger(&bench);
    core_bench_end(&bench);
    core_bench_tells(&bench, "idle | logout ended 0 s");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
}

/* ---- reload ---- */

static void C4_reload_always_enabled_gone_is_off_at_once(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ALWAYS);
    bench.config.always_enabled = true;
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "always_on Ada +always_enabled");
    bench.config.always_enabled = false;
    core_bench_reload(&bench, &ADA);
    core_bench_tells(&bench, "idle");
    assert_int_equal(bench.effects.rule, CORE_RULE_RELOAD);
    assert_true(bench.effects.command && bench.effects.save && bench.effects.changed);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
}

static void C4_reload_always_enabled_new_is_on_at_the_next_report(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ALWAYS);
    core_bench_heartbeat(&bench);
    bench.config.always_enabled = true;
    core_bench_reload(&bench, NULL);
    assert_true(nothing_happened());
    core_bench_tells(&bench, "idle");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on +always_enabled");
}

static void C4_reload_always_enabled_new_keeps_the_session_until_its_card_leaves(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.config.always_enabled = true;
    core_bench_reload(&bench, &ADA);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Ada");
    core_bench_remove(&bench);
    core_bench_tells(&bench, "always_on | logout Ada card_removed 2 s");
}

static void C4_reload_a_session_goes_on_on_a_copy_of_its_user(void **unused)
{
    struct core_holder renamed = ADA;

    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    core_bench_insert(&bench, &EVE);
    core_bench_reload(&bench, NULL);
    core_bench_tells(&bench, "in_use Eve +granted | fault Eve user_revoked");
    assert_int_equal(bench.effects.notices[0].source, CORE_SOURCE_CONFIG);
    bench.next.holder = NULL;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Eve +granted");
    core_bench_reload(&bench, NULL);
    assert_true(nothing_happened());
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle | logout Eve card_removed 2 s, fault_cleared Eve user_revoked");

    core_bench_insert(&bench, &ADA);
    text_copy(renamed.user.name, sizeof renamed.user.name, "Augusta");
    core_bench_reload(&bench, &renamed);
    core_bench_tells(&bench, "in_use Ada -denied");
}

static void C4_reload_a_revoked_user_who_is_back_is_no_fault(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.config.authorizations_or.count = 0;
    core_bench_reload(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | fault Ada user_revoked");
    bench.config.unauthorized_warn_only = true;
    core_bench_reload(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | fault_cleared Ada user_revoked");
}

static void C4_reload_an_override_without_its_right_is_a_fault(void **unused)
{
    struct core_holder demoted = MIA;

    (void)unused;
    demoted.oops_override = false;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_lockout(&bench, true);
    core_bench_insert(&bench, &MIA);
    core_bench_reload(&bench, &MIA);
    assert_true(nothing_happened());
    core_bench_reload(&bench, &demoted);
    core_bench_tells(&bench, "override Mia | fault Mia user_revoked");
    core_bench_set_oops(&bench, true);
    core_bench_tells(
        &bench, "oops | oops Mia, logout Mia oops 0 s, fault_cleared Mia user_revoked");
}

static void C4_reload_a_second_relay_that_is_gone_is_off_and_stays_off(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    core_bench_insert(&bench, &EVE);
    bench.config.second_relay.present = false;
    core_bench_reload(&bench, &EVE);
    core_bench_tells(&bench, "in_use Eve");
    assert_true(bench.effects.command);
    bench.config.second_relay.present = true;
    core_bench_reload(&bench, &EVE);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Eve");
    core_bench_remove(&bench);
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "in_use Eve +granted | login Eve");
}

static void C4_reload_a_second_relay_that_is_new_waits_for_the_next_session(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ALWAYS);
    bench.config.second_relay.present = false;
    core_bench_insert(&bench, &EVE);
    bench.config.second_relay.present = true;
    core_bench_reload(&bench, &EVE);
    assert_true(nothing_happened());
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Eve");
}

static void C4_reload_the_second_relay_of_an_always_enabled_machine(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    bench.config.second_relay.always_enabled = true;
    core_bench_reload(&bench, NULL);
    assert_true(nothing_happened());
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on +always_enabled");
    bench.config.second_relay.always_enabled = false;
    core_bench_reload(&bench, NULL);
    core_bench_tells(&bench, "always_on");
    assert_true(bench.effects.command);

    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "always_on Eve +granted");
    bench.config.second_relay.always_enabled = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on Eve +always_enabled");
    bench.config.second_relay.always_enabled = false;
    core_bench_reload(&bench, &EVE);
    core_bench_tells(&bench, "always_on Eve -denied");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on Eve -denied");
}

/* ---- offline ---- */

static void C4_offline_ends_an_open_session(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_offline(&bench);
    core_bench_tells(&bench, "idle | logout Ada offline 0 s, machine_offline");
    assert_int_equal(bench.effects.rule, CORE_RULE_OFFLINE);
    assert_int_equal(bench.state.health, CORE_HEALTH_OFFLINE);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    assert_int_equal(bench.state.health, CORE_HEALTH_ONLINE);
}

static void C4_offline_without_a_session_is_only_told(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    core_bench_offline(&bench);
    core_bench_tells(&bench, "always_on | machine_offline");
    assert_true(bench.effects.changed && bench.effects.keep);
    assert_false(bench.effects.save || bench.effects.command);
    core_bench_offline(&bench);
    assert_true(nothing_happened());
}

/* ---- damage ---- */

static void I6_a_damaged_state_ends_with_everything_off(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    core_bench_insert(&bench, &EVE);
    bench.state.has_user = false;
    bench.damaged = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle | logout config 1 s");
}

static void I6_a_mode_that_is_none_is_off(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    bench.config.always_enabled = true;
    bench.state.mode = (enum core_mode)77;
    bench.damaged = true;
    core_bench_reload(&bench, NULL);
    core_bench_tells(&bench, "idle");
    bench.damaged = false;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on");
}

static void an_event_that_is_none_does_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_decide(&bench, (struct core_event){.type = CORE_EVENT_COUNT});
    assert_true(nothing_happened());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C4_outside_oops_and_lockout_end_the_session),
        cmocka_unit_test(C4_outside_setting_what_is_set_does_nothing),
        cmocka_unit_test(C4_outside_clearing_what_is_clear_leaves_a_member_alone),
        cmocka_unit_test(C4_outside_setting_what_is_set_ends_an_override),
        cmocka_unit_test(C4_outside_every_change_ends_an_override),
        cmocka_unit_test(C4_outside_lifting_one_of_two_flags_leaves_the_other),
        cmocka_unit_test(C4_outside_an_always_enabled_machine_is_on_when_the_last_flag_is_lifted),
        cmocka_unit_test(C4_outside_works_before_the_machine_was_ever_heard),
        cmocka_unit_test(C6_end_ends_the_session_and_nothing_else),
        cmocka_unit_test(C6_end_of_an_emergency_is_an_end),
        cmocka_unit_test(C4_reload_always_enabled_gone_is_off_at_once),
        cmocka_unit_test(C4_reload_always_enabled_new_is_on_at_the_next_report),
        cmocka_unit_test(C4_reload_always_enabled_new_keeps_the_session_until_its_card_leaves),
        cmocka_unit_test(C4_reload_a_session_goes_on_on_a_copy_of_its_user),
        cmocka_unit_test(C4_reload_a_revoked_user_who_is_back_is_no_fault),
        cmocka_unit_test(C4_reload_an_override_without_its_right_is_a_fault),
        cmocka_unit_test(C4_reload_a_second_relay_that_is_gone_is_off_and_stays_off),
        cmocka_unit_test(C4_reload_a_second_relay_that_is_new_waits_for_the_next_session),
        cmocka_unit_test(C4_reload_the_second_relay_of_an_always_enabled_machine),
        cmocka_unit_test(C4_offline_ends_an_open_session),
        cmocka_unit_test(C4_offline_without_a_session_is_only_told),
        cmocka_unit_test(I6_a_damaged_state_ends_with_everything_off),
        cmocka_unit_test(I6_a_mode_that_is_none_is_off),
        cmocka_unit_test(an_event_that_is_none_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
