/* C11.1 to 5: who is alive, by the clock. tests/lib/live_bench.h looks one millisecond before each
 * limit, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/live_bench.h"

static struct live live;

/* ---- silence ---- */

static void C11_4_a_silent_machine_is_suspect_probed_twice_and_dead(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 3600000);
    live_tells(&live, "+15000 suspect probe; +17000 probe; +18000 error machine_error");
    assert_int_equal(live.bench.effects.wake_at.ms, 0);
}

static void C11_1_a_heartbeat_each_10_s_raises_no_doubt(void **unused)
{
    (void)unused;
    live_start(&live);
    for (int i = 0; i < 360; i++) {
        live_elapse(&live, 10000);
        live_report(&live);
    }
    live_tells(&live, "");
}

static void C11_1_a_report_at_the_last_moment_raises_no_doubt(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 14999);
    live_report(&live);
    live_elapse(&live, 14999);
    live_tells(&live, "");
    live_elapse(&live, 1);
    live_tells(&live, "+29999 suspect probe");
}

static void C11_4_any_sign_of_life_at_the_last_moment_is_life(void **unused)
{
    (void)unused;
    for (int sign = 0; sign < 5; sign++) {
        live_start(&live);
        live_elapse(&live, 17999);
        switch (sign) {
        case 0:
            live_report(&live);
            break;
        case 1:
            live_pong(&live, 0);
            break;
        case 2: /* late, but of this cycle */
            live_pong(&live, 1);
            break;
        case 3:
            live_link_online(&live);
            break;
        default: /* unanswered, a device says the same again */
            core_bench_repeat(&live.bench);
            assert_int_equal(live.bench.effects.rule, CORE_RULE_DUPLICATE);
            assert_int_equal(live.bench.state.health, CORE_HEALTH_ONLINE);
            continue;
        }
        live_tells(&live, "+15000 suspect probe; +17000 probe; +17999 online");
        live_elapse(&live, 15000);
        live_tells(
            &live, "+15000 suspect probe; +17000 probe; +17999 online; +32999 suspect probe");
    }
}

static void C11_4_the_pong_of_an_earlier_cycle_or_of_a_past_boot_is_no_life(void **unused)
{
    struct core_event past = {.type = CORE_EVENT_PONG, .pong = {.boot_id = "boot-1"}};

    (void)unused;
    live_start(&live);
    live_elapse(&live, 15000);
    live_pong(&live, 0);
    live_boot(&live, "boot-2", 3600);
    live_elapse(&live, 15000);
    live_mark(&live);
    live_pong(&live, 1);
    live_pong(&live, (uint32_t)-1);
    past.pong.id = live.bench.state.watch.probe_id;
    live_decide(&live, past);
    live_tells(&live, "");
    live_pong(&live, 0);
    live_tells(&live, "+0 online");
}

static void C11_4_pongs_alone_keep_a_hung_box_alive(void **unused)
{
    (void)unused;
    live_start(&live);
    for (int i = 0; i < 20; i++) {
        live_elapse(&live, 15000);
        live_pong(&live, 0);
    }
    assert_null(strstr(live.history, "error"));
    assert_int_equal(live.bench.state.watch.probe_id, 20);
}

static void C11_4_the_dead_recover_once(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 60000);
    live_mark(&live);
    live_report(&live);
    live_tells(&live, "+0 online machine_recovered");
    live_report(&live);
    live_tells(&live, "+0 online machine_recovered");

    live_elapse(&live, 60000);
    live_mark(&live);
    live_pong(&live, 0); /* late, but it answers */
    live_tells(&live, "+0 online machine_recovered");
}

static void C11_4_an_error_tells_since_when_and_who_was_there_last(void **unused)
{
    const struct core_notice *notice = &live.bench.effects.notices[0];
    struct wall_time heard;

    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_elapse(&live, 5000);
    live_remove(&live);
    heard = live.bench.now.wall;
    live_elapse(&live, 18000);
    assert_int_equal(notice->type, CORE_NOTICE_MACHINE_ERROR);
    assert_int_equal(notice->source, CORE_SOURCE_LIVENESS);
    assert_int_equal(notice->since.ms, heard.ms);
    assert_string_equal(notice->last_user, "Ada");
    assert_false(notice->has_user);
    live_elapse(&live, 5000);
    live_insert(&live, &ADA);
    assert_int_equal(notice->type, CORE_NOTICE_MACHINE_RECOVERED);
    assert_int_equal(notice->since.ms, heard.ms);
    live_elapse(&live, 18000);
    assert_true(notice->has_user);
    assert_string_equal(notice->user.name, "Ada");
}

/* ---- the link ---- */

static void C11_3_a_lost_link_after_a_report_is_busy_and_not_probed(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 4000);
    live_link_lost(&live);
    live_elapse(&live, 60000);
    live_tells(
        &live, "+4500 suspect link_lost; +15000 probe; +17000 probe; +18000 error machine_error");
}

static void C11_1_a_link_that_is_back_within_half_a_second_raises_no_doubt(void **unused)
{
    (void)unused;
    live_start(&live);
    live_link_lost(&live);
    live_elapse(&live, 499);
    live_link_online(&live);
    live_elapse(&live, 10000);
    live_tells(&live, "");
}

static void C11_4_a_link_that_flaps_at_5_Hz_for_a_minute_is_not_probed(void **unused)
{
    (void)unused;
    live_start(&live);
    for (int i = 0; i < 300; i++) {
        live_link_lost(&live);
        live_elapse(&live, 100);
        live_link_online(&live);
        live_elapse(&live, 100);
    }
    live_tells(&live, "");
    assert_int_equal(live.bench.state.watch.probe_id, 0);
}

static void C11_4_a_link_that_only_gets_lost_again_and_again_starts_one_cycle(void **unused)
{
    (void)unused;
    live_start(&live);
    for (int i = 0; i < 300; i++) {
        live_link_lost(&live);
        live_elapse(&live, 200);
    }
    live_tells(
        &live, "+500 suspect link_lost; +15000 probe; +17000 probe; +18000 error machine_error");
}

static void C11_1_a_link_that_comes_and_goes_slowly_is_one_fault(void **unused)
{
    (void)unused;
    live_start(&live);
    for (int i = 0; i < 3; i++) {
        live_link_lost(&live);
        live_elapse(&live, 700);
        live_link_online(&live);
        live_elapse(&live, 300);
    }
    live_tells(
        &live, "+500 suspect link_lost; +700 online; +1500 suspect; +1700 online; +2500 suspect; "
               "+2700 online");
    live_mark(&live);
    live_report(&live);
    live_elapse(&live, 13999);
    live_tells(&live, "");
    live_elapse(&live, 1);
    live_tells(&live, "+14000 fault_cleared link_lost");
}

static void C11_5_roaming_each_20_s_with_a_card_in_ends_nothing(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    for (int i = 0; i < 180; i++) {
        live_elapse(&live, 10000);
        live_report(&live);
        live_elapse(&live, 9700);
        live_link_lost(&live);
        live_elapse(&live, 300);
        live_link_online(&live);
        live_report(&live);
    }
    live_tells(&live, "");
    assert_true(core_mode_relay(live.bench.state.mode));
}

static void C2_a_retained_link_is_no_sign_of_life_and_no_doubt(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 14999);
    live_retained(&live, false, true);
    live_retained(&live, false, false);
    live_elapse(&live, 1);
    live_tells(&live, "+15000 suspect probe");
}

/* ---- goodbye ---- */

static void C11_1_a_clean_offline_ends_the_watch_without_an_error(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 1000);
    live_offline(&live);
    live_link_lost(&live);
    live_elapse(&live, 3600000);
    live_tells(&live, "+1000 offline machine_offline");
    assert_int_equal(live.bench.effects.wake_at.ms, 0);
    live_link_online(&live);
    assert_int_equal(live.bench.state.health, CORE_HEALTH_OFFLINE);
    live_report(&live);
    live_tells(&live, "+1000 offline machine_offline; +3601000 online");
}

static void C11_1_the_dead_who_say_goodbye_have_recovered(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 20000);
    live_mark(&live);
    live_offline(&live);
    live_tells(&live, "+0 offline machine_recovered machine_offline");
}

static void C8_2_a_report_ends_what_is_unknown_of_a_session(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_elapse(&live, 15000);
    live_report(&live);
    live_elapse(&live, 5000);
    live_remove(&live);
    core_bench_tells(&live.bench, "idle | logout Ada card_removed 20 s");
}

static void C11_1_a_clean_offline_in_a_cycle_ends_it(void **unused)
{
    (void)unused;
    live_start(&live);
    live_link_lost(&live);
    live_elapse(&live, 16000);
    live_offline(&live);
    live_elapse(&live, 60000);
    live_tells(
        &live, "+500 suspect link_lost; +15000 probe; +16000 offline machine_offline "
               "fault_cleared link_lost");
}

static void C11_1_an_announced_restart_is_settling_and_probed_when_that_is_over(void **unused)
{
    struct core_event goodbye = {.type = CORE_EVENT_OFFLINE, .link = {.restarting = true}};

    (void)unused;
    live_start(&live);
    live_decide(&live, goodbye);
    live_elapse(&live, 120000);
    live_tells(
        &live, "+0 settling; +60000 suspect probe; +62000 probe; +63000 error machine_error");
}

static void C2_an_offline_that_was_missed_ends_the_watch_but_no_session(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    live_disconnect(&live);
    live_elapse(&live, 5000);
    live_connect(&live);
    live_retained(&live, true, false);
    live_tells(&live, "+5000 offline machine_offline");
    assert_int_equal(live.bench.state.mode, CORE_IN_USE);
    live_elapse(&live, 5000);
    live_report(&live);
    live_retained(&live, true, false); /* older than the report */
    live_tells(&live, "+5000 offline machine_offline; +10000 online");
}

static void C2_an_offline_that_was_kept_may_come_before_the_subscription(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 1000);
    live_report(&live);
    live_disconnect(&live);
    live_elapse(&live, 4000);
    live_retained(&live, true, false);
    live_connect(&live);
    live_elapse(&live, 3600000);
    live_tells(&live, "+5000 offline machine_offline");
}

static void C11_4_a_machine_whose_mains_is_switched_goes_silently(void **unused)
{
    (void)unused;
    live_start(&live);
    live.bench.config.mains_switched = true;
    live_link_lost(&live);
    live_elapse(&live, 60000);
    live_tells(&live, "+500 suspect; +15000 probe; +17000 probe; +18000 offline machine_offline");
    live_report(&live);
    live_elapse(&live, 1);
    assert_null(strstr(live.history, "recovered"));
}

/* ---- the settle window ---- */

static void C11_2_after_a_boot_a_doubt_is_settling_and_not_probed(void **unused)
{
    (void)unused;
    live_start(&live);
    live_boot(&live, "boot-2", 4);
    live_mark(&live);
    live_link_lost(&live);
    live_elapse(&live, 120000);
    live_tells(
        &live, "+500 settling; +56000 suspect probe link_lost; +58000 probe; "
               "+59000 error machine_error");
}

static void C11_2_a_report_ends_the_doubt_and_not_the_window(void **unused)
{
    (void)unused;
    live_start(&live);
    live_boot(&live, "boot-2", 0);
    live_mark(&live);
    live_elapse(&live, 20000);
    live_report(&live);
    live_elapse(&live, 36000);
    live_report(&live);
    live_elapse(&live, 30000);
    live_tells(
        &live, "+15000 settling; +20000 online; +35000 settling; +56000 online; "
               "+71000 suspect probe; +73000 probe; +74000 error machine_error");
}

static void C11_2_a_boot_that_is_heard_of_late_has_no_window(void **unused)
{
    (void)unused;
    live_start(&live);
    live_boot(&live, "boot-2", 60);
    live_mark(&live);
    live_elapse(&live, 15000);
    live_tells(&live, "+15000 suspect probe");
}

/* ---- the controller's own connection ---- */

static void C11_1_nothing_is_judged_before_the_controller_is_connected(void **unused)
{
    (void)unused;
    memset(&live, 0, sizeof live);
    core_bench_start(&live.bench, SECOND_ABSENT);
    live_report(&live);
    live_mark(&live);
    assert_int_equal(live.bench.effects.wake_at.ms, 0);
    live_link_lost(&live);
    live_elapse(&live, 3600000);
    live_decide(&live, (struct core_event){.type = CORE_EVENT_WAKE});
    live_tells(&live, "");
}

static void C11_1_cut_off_nothing_is_judged_then_all_silences_count_anew(void **unused)
{
    (void)unused;
    for (int64_t at_ms = 0; at_ms < 18000; at_ms += 500) {
        live_start(&live);
        live_elapse(&live, at_ms);
        live_link_lost(&live);
        live_disconnect(&live);
        assert_int_equal(live.bench.effects.wake_at.ms, 0);
        live_elapse(&live, 3600000);
        live_mark(&live);
        live_connect(&live);
        live_elapse(&live, 14999);
        live_tells(&live, "");
        live_elapse(&live, 3001);
        assert_non_null(strstr(live.history, "probe; +17000 probe; +18000 error machine_error"));
    }
}

static void C11_1_who_was_live_when_loaded_is_doubted_after_the_settle_window(void **unused)
{
    static const enum core_health loaded[] = {
        CORE_HEALTH_ONLINE, CORE_HEALTH_SUSPECT, CORE_HEALTH_SETTLING};

    (void)unused;
    for (size_t i = 0; i < 3; i++) {
        live_start(&live);
        core_bench_restart_controller(&live.bench);
        live.bench.state.health = loaded[i];
        live_connect(&live);
        live_mark(&live);
        live_elapse(&live, 59999);
        live_tells(&live, "");
        live_elapse(&live, 3001);
        live_tells(
            &live, loaded[i] == CORE_HEALTH_SUSPECT
                       ? "+60000 probe; +62000 probe; +63000 error machine_error"
                       : "+60000 suspect probe; +62000 probe; +63000 error machine_error");
    }
}

static void C11_1_once_heard_a_loaded_machine_is_one_as_any(void **unused)
{
    (void)unused;
    live_start(&live);
    core_bench_restart_controller(&live.bench);
    live_connect(&live);
    live_elapse(&live, 1000);
    live_report(&live);
    live_mark(&live);
    live_elapse(&live, 60000);
    live_tells(&live, "+15000 suspect probe; +17000 probe; +18000 error machine_error");
}

static void C11_1_a_loaded_machine_is_not_probed_early_for_a_lost_link(void **unused)
{
    (void)unused;
    live_start(&live);
    core_bench_restart_controller(&live.bench);
    live_connect(&live);
    live_mark(&live);
    live_link_lost(&live);
    live_elapse(&live, 60000);
    live_tells(&live, "+500 suspect link_lost; +60000 probe");
}

static void C11_1_a_loaded_error_stays_and_makes_no_second_event(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 18000);
    core_bench_restart_controller(&live.bench);
    live_connect(&live);
    live_mark(&live);
    live_link_lost(&live);
    live_retained(&live, true, false);
    live_elapse(&live, 3600000);
    live_tells(&live, "");
    assert_int_equal(live.bench.state.health, CORE_HEALTH_ERROR);
    live_report(&live);
    live_tells(&live, "+3600000 online machine_recovered");
}

static void C11_1_who_was_never_heard_or_signed_off_is_not_watched(void **unused)
{
    (void)unused;
    live_start_unheard(&live);
    live_link_online(&live);
    live_link_lost(&live);
    live_elapse(&live, 3600000);
    live_tells(&live, "");
    live_offline(&live);
    live_tells(&live, "+3600000 offline");
    assert_int_equal(live.bench.effects.wake_at.ms, 0);
}

/* ---- sessions ---- */

static void C11_5_a_session_goes_on_through_busy_and_dead(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    live_elapse(&live, 3600000);
    assert_int_equal(live.bench.state.mode, CORE_IN_USE);
    live_report(&live);
    live_tells(
        &live, "+15000 suspect probe; +17000 probe; +18000 error machine_error; "
               "+3600000 online machine_recovered");
    assert_int_equal(live.bench.state.mode, CORE_IN_USE);
    assert_true(core_mode_relay(live.bench.state.mode));
}

static void logout_after_the_night(bool reboot, const char *line)
{
    live_start(&live);
    live_insert(&live, &ADA);
    live_elapse(&live, 10000);
    live_report(&live);
    live_link_lost(&live);
    live_elapse(&live, 12 * 3600000);
    live_link_online(&live);
    live.bench.next.card = "";
    live.bench.next.holder = NULL;
    if (reboot) {
        live_boot(&live, "boot-2", 5);
    } else {
        live_report(&live);
    }
    core_bench_tells(&live.bench, line);
}

static void C4_1_a_session_that_ended_unheard_ends_with_the_last_report(void **unused)
{
    (void)unused;
    logout_after_the_night(true, "idle | reboot Ada, logout Ada reboot 10 s");
    logout_after_the_night(false, "idle | logout Ada card_removed about 10 s");
}

static void C8_2_a_session_of_a_machine_that_is_heard_ends_now(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_elapse(&live, 14999);
    live_remove(&live);
    core_bench_tells(&live.bench, "idle | logout Ada card_removed 14 s");
}

/* ---- settings ---- */

static void C10_1_the_settings_move_every_limit(void **unused)
{
    static const struct core_liveness settings = {1000, 5000, 30, 70};
    struct core_event wake = {.type = CORE_EVENT_WAKE, .liveness = &settings};

    (void)unused;
    memset(&live, 0, sizeof live);
    core_bench_start(&live.bench, SECOND_ABSENT);
    live_decide(&live, (struct core_event){.type = CORE_EVENT_CONNECTED, .liveness = &settings});
    live_decide(
        &live, (struct core_event){
                   .type = CORE_EVENT_REPORT,
                   .report = live.bench.next,
                   .liveness = &settings,
               });
    live_mark(&live);
    for (int i = 0; i < 1200; i++) {
        core_bench_elapse(&live.bench, 1);
        live_decide(&live, wake);
    }
    /* The second waits until the first has had its time. */
    live_tells(&live, "+1000 suspect probe; +1070 probe; +1140 error machine_error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C11_4_a_silent_machine_is_suspect_probed_twice_and_dead),
        cmocka_unit_test(C11_1_a_heartbeat_each_10_s_raises_no_doubt),
        cmocka_unit_test(C11_1_a_report_at_the_last_moment_raises_no_doubt),
        cmocka_unit_test(C11_4_any_sign_of_life_at_the_last_moment_is_life),
        cmocka_unit_test(C11_4_the_pong_of_an_earlier_cycle_or_of_a_past_boot_is_no_life),
        cmocka_unit_test(C11_4_pongs_alone_keep_a_hung_box_alive),
        cmocka_unit_test(C11_4_the_dead_recover_once),
        cmocka_unit_test(C11_4_an_error_tells_since_when_and_who_was_there_last),
        cmocka_unit_test(C11_3_a_lost_link_after_a_report_is_busy_and_not_probed),
        cmocka_unit_test(C11_1_a_link_that_is_back_within_half_a_second_raises_no_doubt),
        cmocka_unit_test(C11_4_a_link_that_flaps_at_5_Hz_for_a_minute_is_not_probed),
        cmocka_unit_test(C11_4_a_link_that_only_gets_lost_again_and_again_starts_one_cycle),
        cmocka_unit_test(C11_1_a_link_that_comes_and_goes_slowly_is_one_fault),
        cmocka_unit_test(C11_5_roaming_each_20_s_with_a_card_in_ends_nothing),
        cmocka_unit_test(C2_a_retained_link_is_no_sign_of_life_and_no_doubt),
        cmocka_unit_test(C11_1_a_clean_offline_ends_the_watch_without_an_error),
        cmocka_unit_test(C11_1_the_dead_who_say_goodbye_have_recovered),
        cmocka_unit_test(C8_2_a_report_ends_what_is_unknown_of_a_session),
        cmocka_unit_test(C11_1_a_clean_offline_in_a_cycle_ends_it),
        cmocka_unit_test(C11_1_an_announced_restart_is_settling_and_probed_when_that_is_over),
        cmocka_unit_test(C2_an_offline_that_was_missed_ends_the_watch_but_no_session),
        cmocka_unit_test(C2_an_offline_that_was_kept_may_come_before_the_subscription),
        cmocka_unit_test(C11_4_a_machine_whose_mains_is_switched_goes_silently),
        cmocka_unit_test(C11_2_after_a_boot_a_doubt_is_settling_and_not_probed),
        cmocka_unit_test(C11_2_a_report_ends_the_doubt_and_not_the_window),
        cmocka_unit_test(C11_2_a_boot_that_is_heard_of_late_has_no_window),
        cmocka_unit_test(C11_1_nothing_is_judged_before_the_controller_is_connected),
        cmocka_unit_test(C11_1_cut_off_nothing_is_judged_then_all_silences_count_anew),
        cmocka_unit_test(C11_1_who_was_live_when_loaded_is_doubted_after_the_settle_window),
        cmocka_unit_test(C11_1_once_heard_a_loaded_machine_is_one_as_any),
        cmocka_unit_test(C11_1_a_loaded_machine_is_not_probed_early_for_a_lost_link),
        cmocka_unit_test(C11_1_a_loaded_error_stays_and_makes_no_second_event),
        cmocka_unit_test(C11_1_who_was_never_heard_or_signed_off_is_not_watched),
        cmocka_unit_test(C11_5_a_session_goes_on_through_busy_and_dead),
        cmocka_unit_test(C4_1_a_session_that_ended_unheard_ends_with_the_last_report),
        cmocka_unit_test(C8_2_a_session_of_a_machine_that_is_heard_ends_now),
        cmocka_unit_test(C10_1_the_settings_move_every_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
