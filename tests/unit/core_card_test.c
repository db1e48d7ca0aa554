/* C4.3 to C4.7: what a card does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/core_bench.h"

static struct bench bench;

static void C4_5_1_an_unknown_card_gets_no_relay(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "unknown_fob | unknown_fob");
    assert_int_equal(bench.effects.rule, CORE_RULE_UNKNOWN);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "unknown_fob");
    assert_int_equal(bench.effects.rule, CORE_RULE_NOTHING);
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle");
    assert_int_equal(bench.effects.rule, CORE_RULE_CARD_OUT);
}

static void C4_5_1_an_unknown_card_is_refused_while_oopsed_or_locked_out(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_lockout(&bench, true);
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "lockout | refused");
    core_bench_remove(&bench);
    core_bench_set_oops(&bench, true);
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "oops | refused");
}

static void C4_5_2_a_maintainer_overrides_oops_and_lockout(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_lockout(&bench, true);
    core_bench_insert(&bench, &MIA);
    core_bench_tells(&bench, "override Mia | override_login Mia");
    assert_int_equal(bench.effects.rule, CORE_RULE_OVERRIDE);
    core_bench_remove(&bench);
    core_bench_tells(&bench, "lockout | logout Mia card_removed 1 s");
    core_bench_set_oops(&bench, true);
    core_bench_insert(&bench, &MIA);
    core_bench_tells(&bench, "override Mia | override_login Mia");
}

static void C4_5_2_a_maintainer_without_need_is_like_anybody(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &MIA);
    core_bench_tells(&bench, "denied | denied Mia");
}

static void C4_5_3_a_member_is_refused_while_oopsed_or_locked_out(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_set_lockout(&bench, true);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "lockout | refused Ada");
    assert_int_equal(bench.effects.rule, CORE_RULE_REFUSED);
    bench.config.unauthorized_warn_only = true;
    core_bench_insert(&bench, &BOB);
    core_bench_tells(&bench, "lockout | refused Bob");
}

static void C4_5_4_any_of_the_authorizations_opens(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | login Ada");
    assert_int_equal(bench.effects.rule, CORE_RULE_WELCOME);
    assert_int_equal(bench.effects.notices[0].source, CORE_SOURCE_CARD);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "in_use Ada");
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "in_use Eve | logout Ada card_swapped 2 s, login Eve");
}

static void C4_5_4_warn_only_lets_everybody_known_in(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.config.unauthorized_warn_only = true;
    core_bench_insert(&bench, &BOB);
    core_bench_tells(&bench, "in_use Bob | login Bob warn_only");
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada | logout Bob card_swapped 1 s, login Ada");
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "unknown_fob | logout Ada card_swapped 1 s, unknown_fob");
}

static void C4_5_5_others_are_denied(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &BOB);
    core_bench_tells(&bench, "denied | denied Bob");
    assert_int_equal(bench.effects.rule, CORE_RULE_DENIED);
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle");
}

static void C4_5_a_card_that_leaves_ends_the_session_and_its_length_is_monotonic(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    assert_int_equal(bench.state.session_since.ms, bench.now.wall.ms);
    core_bench_elapse(&bench, 4000);
    bench.now.wall.ms -= 3600000; /* somebody set the clock */
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle | logout Ada card_removed 5 s");
    assert_int_equal(bench.effects.notices[0].session, CORE_IN_USE);
    assert_false(bench.effects.notices[0].approximate);
    assert_int_equal(bench.state.session_since.ms, 0);
}

static void C4_3_an_always_enabled_machine_is_on_whatever_the_card_does(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on");
    assert_int_equal(bench.effects.rule, CORE_RULE_ALWAYS_ON);
    core_bench_insert(&bench, &BOB);
    core_bench_tells(&bench, "always_on Bob");
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "always_on");
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "always_on Ada");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on Ada");
    core_bench_remove(&bench);
    core_bench_tells(&bench, "always_on");
}

static void C4_3_a_card_that_was_in_when_lockout_was_lifted_is_nobodys(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    bench.config.always_enabled = true;
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "always_on Eve +granted");
    core_bench_set_lockout(&bench, true);
    core_bench_tells(&bench, "lockout | lockout Eve");
    core_bench_set_lockout(&bench, false);
    core_bench_tells(&bench, "always_on | unlock");
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on");
    core_bench_remove(&bench);
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "always_on Eve +granted");
}

static void C4_3_an_always_enabled_machine_that_is_locked_out_asks_for_an_override(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.config.always_enabled = true;
    core_bench_set_lockout(&bench, true);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "lockout | refused Ada");
    core_bench_insert(&bench, &MIA);
    core_bench_tells(&bench, "override Mia | override_login Mia");
    assert_true(core_needs_card(&bench.state));
    core_bench_remove(&bench);
    core_bench_tells(&bench, "lockout | logout Mia card_removed 1 s");
}

static void C4_4_an_emergency_card_opens_a_session_of_its_own_once(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.emergency = true;
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "emergency | emergency_login");
    assert_int_equal(bench.effects.rule, CORE_RULE_EMERGENCY);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "emergency");
    bench.next.emergency = false;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "emergency");
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle | logout card_removed 3 s");
    assert_int_equal(bench.effects.notices[0].session, CORE_EMERGENCY);
}

static void C4_4_an_emergency_told_later_follows_a_card_that_opened_nothing(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "unknown_fob | unknown_fob");
    bench.next.emergency = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "emergency | emergency_login");
}

static void C4_4_an_emergency_ends_a_members_session(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    core_bench_insert(&bench, &ADA);
    bench.next.emergency = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "emergency | logout Ada ended 1 s, emergency_login Ada");
    core_bench_insert(&bench, &BOB);
    core_bench_tells(&bench, "emergency | logout card_swapped 1 s, emergency_login Bob");
}

static void C4_4_no_emergency_while_oopsed_or_locked_out_or_without_a_card(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.emergency = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    core_bench_set_lockout(&bench, true);
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "lockout | refused");
    core_bench_set_lockout(&bench, false);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
}

static void C4_4_oops_and_lockout_end_an_emergency(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.next.emergency = true;
    core_bench_insert_stranger(&bench);
    core_bench_set_lockout(&bench, true);
    core_bench_tells(&bench, "lockout | lockout, logout lockout 0 s");
    core_bench_set_lockout(&bench, false);
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    core_bench_remove(&bench);
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "emergency | emergency_login");
    core_bench_press(&bench);
    core_bench_tells(&bench, "oops | oops, logout oops 1 s");
}

static void C4_6_a_machine_no_longer_always_enabled_goes_off_at_the_next_report(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ABSENT);
    bench.config.always_enabled = true;
    core_bench_insert(&bench, &ADA);
    bench.config.always_enabled = false; /* and nobody told the core */
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "idle");
    assert_int_equal(bench.effects.rule, CORE_RULE_ORPHAN);
}

static void C4_7_the_second_relay_follows_the_holder(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada -denied | login Ada");
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "in_use Eve +granted | logout Ada card_swapped 1 s, login Eve");
    core_bench_remove(&bench);
    core_bench_tells(&bench, "idle | logout Eve card_removed 1 s");
}

static void C4_7_a_second_relay_that_only_warns_or_is_always_enabled(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_WARNS);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada +warn | login Ada");
    core_bench_start(&bench, SECOND_ALWAYS);
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "in_use Ada +always_enabled | login Ada");
    core_bench_insert(&bench, &BOB);
    core_bench_tells(&bench, "denied | logout Ada card_swapped 1 s, denied Bob");
}

static void C4_7_override_and_emergency_have_the_second_relay_by_the_same_rule(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    core_bench_set_oops(&bench, true);
    core_bench_insert(&bench, &MIA);
    core_bench_tells(&bench, "override Mia -denied | override_login Mia");
    core_bench_start(&bench, SECOND_WARNS);
    bench.next.emergency = true;
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "emergency | emergency_login Eve");
    core_bench_start(&bench, SECOND_ALWAYS);
    bench.next.emergency = true;
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "emergency +always_enabled | emergency_login Eve");
}

static void C4_7_on_an_always_enabled_machine_it_follows_the_card(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_PLAIN);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on");
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "always_on Eve +granted");
    core_bench_insert(&bench, &ADA);
    core_bench_tells(&bench, "always_on Ada -denied");
    core_bench_insert_stranger(&bench);
    core_bench_tells(&bench, "always_on");
    core_bench_start(&bench, SECOND_ALWAYS);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    core_bench_tells(&bench, "always_on +always_enabled");
}

static void C4_7_a_failure_inside_the_rule_means_off_and_denied(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_WARNS);
    bench.config.second_relay.authorizations_or.items = NULL;
    core_bench_insert(&bench, &EVE);
    core_bench_tells(&bench, "in_use Eve -denied | login Eve");
}

static void C5_needs_card_unless_a_relay_is_on_because_of_always_enabled_alone(void **unused)
{
    (void)unused;
    core_bench_start(&bench, SECOND_ALWAYS);
    core_bench_heartbeat(&bench);
    assert_true(core_needs_card(&bench.state));
    assert_true(core_second_needs_card(&bench.state));
    core_bench_insert(&bench, &ADA);
    assert_true(core_needs_card(&bench.state));
    assert_true(core_second_needs_card(&bench.state));
    core_bench_start(&bench, SECOND_ALWAYS);
    bench.config.always_enabled = true;
    core_bench_heartbeat(&bench);
    assert_false(core_needs_card(&bench.state));
    assert_false(core_second_needs_card(&bench.state));
    core_bench_start(&bench, SECOND_PLAIN);
    bench.config.always_enabled = true;
    core_bench_insert(&bench, &EVE);
    assert_false(core_needs_card(&bench.state));
    assert_true(core_second_needs_card(&bench.state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C4_5_1_an_unknown_card_gets_no_relay),
        cmocka_unit_test(C4_5_1_an_unknown_card_is_refused_while_oopsed_or_locked_out),
        cmocka_unit_test(C4_5_2_a_maintainer_overrides_oops_and_lockout),
        cmocka_unit_test(C4_5_2_a_maintainer_without_need_is_like_anybody),
        cmocka_unit_test(C4_5_3_a_member_is_refused_while_oopsed_or_locked_out),
        cmocka_unit_test(C4_5_4_any_of_the_authorizations_opens),
        cmocka_unit_test(C4_5_4_warn_only_lets_everybody_known_in),
        cmocka_unit_test(C4_5_5_others_are_denied),
        cmocka_unit_test(C4_5_a_card_that_leaves_ends_the_session_and_its_length_is_monotonic),
        cmocka_unit_test(C4_3_an_always_enabled_machine_is_on_whatever_the_card_does),
        cmocka_unit_test(C4_3_a_card_that_was_in_when_lockout_was_lifted_is_nobodys),
        cmocka_unit_test(C4_3_an_always_enabled_machine_that_is_locked_out_asks_for_an_override),
        cmocka_unit_test(C4_4_an_emergency_card_opens_a_session_of_its_own_once),
        cmocka_unit_test(C4_4_an_emergency_told_later_follows_a_card_that_opened_nothing),
        cmocka_unit_test(C4_4_an_emergency_ends_a_members_session),
        cmocka_unit_test(C4_4_no_emergency_while_oopsed_or_locked_out_or_without_a_card),
        cmocka_unit_test(C4_4_oops_and_lockout_end_an_emergency),
        cmocka_unit_test(C4_6_a_machine_no_longer_always_enabled_goes_off_at_the_next_report),
        cmocka_unit_test(C4_7_the_second_relay_follows_the_holder),
        cmocka_unit_test(C4_7_a_second_relay_that_only_warns_or_is_always_enabled),
        cmocka_unit_test(C4_7_override_and_emergency_have_the_second_relay_by_the_same_rule),
        cmocka_unit_test(C4_7_on_an_always_enabled_machine_it_follows_the_card),
        cmocka_unit_test(C4_7_a_failure_inside_the_rule_means_off_and_denied),
        cmocka_unit_test(C5_needs_card_unless_a_relay_is_on_because_of_always_enabled_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
