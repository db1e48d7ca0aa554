/* C6 `restart` and C11.5: when it goes out, what it waits for, why it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/live_bench.h"

static struct live live;

static void C6_an_idle_machine_that_is_there_restarts_at_once(void **unused)
{
    (void)unused;
    live_start(&live);
    live_restart_asked(&live, false, false);
    live_tells(&live, "+0 [go]");
    assert_false(live.bench.effects.restart_force);
    live_elapse(&live, 1000);
    live_offline(&live);
    live_elapse(&live, 5000);
    live_boot(&live, "boot-2", 1);
    live_elapse(&live, 15000);
    live_tells(&live, "+0 [go]; +1000 settling; +6000 online reboot; +21000 settling");
}

static void C11_2_a_box_that_never_comes_back_is_an_error_after_the_window(void **unused)
{
    (void)unused;
    live_start(&live);
    live_restart_asked(&live, false, false);
    live_elapse(&live, 1000);
    live_offline(&live);
    live_elapse(&live, 120000);
    live_tells(
        &live, "+0 [go]; +1000 settling; +60000 suspect probe; +62000 probe; "
               "+63000 error machine_error");
}

static void C11_2_a_box_that_dies_of_it_is_an_error_after_the_window(void **unused)
{
    (void)unused;
    live_start(&live);
    live_restart_asked(&live, true, false);
    assert_true(live.bench.effects.restart_force);
    live_link_lost(&live);
    live_elapse(&live, 120000);
    live_tells(
        &live, "+0 [go]; +500 settling; +60000 suspect probe link_lost; +62000 probe; "
               "+63000 error machine_error");
}

static void C11_2_an_offline_after_the_window_or_after_the_boot_is_a_goodbye(void **unused)
{
    (void)unused;
    live_start(&live);
    live_restart_asked(&live, false, false);
    for (int i = 0; i < 6; i++) { /* it did not hear of it */
        live_elapse(&live, 10000);
        live_report(&live);
    }
    live_offline(&live);
    live_tells(&live, "+0 [go]; +60000 offline machine_offline");

    live_start(&live);
    live_restart_asked(&live, false, false);
    live_elapse(&live, 5000);
    live_boot(&live, "boot-2", 1);
    live_offline(&live);
    live_tells(&live, "+0 [go]; +5000 reboot; +5000 offline machine_offline");
}

static void C6_a_machine_in_use_is_refused_unless_forced(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    live_restart_asked(&live, false, false);
    live_tells(&live, "+0 [in use]");
    live_restart_asked(&live, true, false);
    live_tells(&live, "+0 [in use]; +0 [go]");
    live_start(&live);
    live.bench.config.always_enabled = true;
    live_report(&live);
    live_restart_asked(&live, false, true);
    live_restart_asked(&live, true, false);
    live_tells(&live, "+0 [always on]; +0 [go]");
}

static void C6_when_idle_waits_for_the_session_to_end(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    live_restart_asked(&live, false, true);
    live_restart_asked(&live, false, true);
    for (int i = 0; i < 60; i++) {
        live_elapse(&live, 10000);
        live_report(&live);
    }
    live_remove(&live);
    live_tells(&live, "+0 [queued]; +0 [another one is waiting]; +600000 logout [go]");
}

static void C6_when_idle_is_refused_when_it_signs_off_or_dies(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    live_restart_asked(&live, false, true);
    live_offline(&live);
    live_tells(&live, "+0 [queued]; +0 offline logout machine_offline [signed off]");

    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    live_restart_asked(&live, false, true);
    live_elapse(&live, 60000);
    live_tells(
        &live, "+0 [queued]; +15000 suspect probe; +17000 probe; "
               "+18000 error machine_error [does not answer]");
}

static void C6_idle_while_busy_waits_for_life_as_well(void **unused)
{
    (void)unused;
    live_start(&live);
    live_insert(&live, &ADA);
    live_mark(&live);
    live_restart_asked(&live, false, true);
    live_link_lost(&live);
    live_elapse(&live, 1000);
    core_bench_end(&live.bench);
    assert_int_equal(live.bench.effects.restart, CORE_RESTART_NONE);
    live_link_online(&live);
    live_tells(&live, "+0 [queued]; +500 suspect link_lost; +1000 online [go]");
}

static void C11_5_while_busy_it_goes_out_at_the_next_sign_of_life(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 15000);
    live_restart_asked(&live, false, false);
    live_elapse(&live, 100);
    live_pong(&live, 0);
    live_tells(&live, "+15000 suspect probe; +15000 [queued]; +15100 online [go]");
}

static void C11_5_while_busy_it_is_refused_if_somebody_has_come_meanwhile(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 15000);
    live_restart_asked(&live, false, false);
    live_insert(&live, &ADA);
    live_tells(&live, "+15000 suspect probe; +15000 [queued]; +15000 online login [in use]");
}

static void C11_5_without_life_for_60_s_it_is_too_late(void **unused)
{
    (void)unused;
    live_start(&live);
    live_boot(&live, "boot-2", 0);
    live_mark(&live);
    live_link_lost(&live);
    live_elapse(&live, 500);
    live_boot(&live, "boot-3", 0);
    live_elapse(&live, 15000);
    live_mark(&live);
    live_restart_asked(&live, false, false);
    live_decide(
        &live, (struct core_event){.type = CORE_EVENT_OFFLINE, .link = {false, false, true}});
    live_elapse(&live, 60000);
    live_tells(&live, "+0 [queued]; +60000 suspect probe [no sign of life within 60 s]");
}

static void C11_5_cut_off_it_is_too_late_after_60_s_as_well(void **unused)
{
    (void)unused;
    live_start(&live);
    live_elapse(&live, 15000);
    live_restart_asked(&live, false, false);
    live_disconnect(&live);
    live_mark(&live);
    live_elapse(&live, 59999);
    live_tells(&live, "");
    live_elapse(&live, 1);
    live_tells(&live, "+60000 [no sign of life within 60 s]");
}

static void C11_5_the_dead_the_gone_and_the_unheard_are_refused(void **unused)
{
    (void)unused;
    live_start_unheard(&live);
    live_restart_asked(&live, true, true);
    live_tells(&live, "+0 [not heard yet]");
    live_report(&live);
    live_elapse(&live, 60000);
    live_mark(&live);
    live_restart_asked(&live, true, true);
    live_tells(&live, "+0 [does not answer]");
    live_report(&live);
    live_offline(&live);
    live_mark(&live);
    live_restart_asked(&live, true, true);
    live_tells(&live, "+0 [signed off]");
}

static void C11_5_a_machine_that_was_only_loaded_is_waited_for(void **unused)
{
    (void)unused;
    live_start(&live);
    core_bench_restart_controller(&live.bench);
    live_connect(&live);
    live_mark(&live);
    live_restart_asked(&live, false, false);
    live_elapse(&live, 9000);
    live_report(&live);
    live_tells(&live, "+0 [queued]; +9000 [go]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C6_an_idle_machine_that_is_there_restarts_at_once),
        cmocka_unit_test(C11_2_a_box_that_never_comes_back_is_an_error_after_the_window),
        cmocka_unit_test(C11_2_a_box_that_dies_of_it_is_an_error_after_the_window),
        cmocka_unit_test(C11_2_an_offline_after_the_window_or_after_the_boot_is_a_goodbye),
        cmocka_unit_test(C6_a_machine_in_use_is_refused_unless_forced),
        cmocka_unit_test(C6_when_idle_waits_for_the_session_to_end),
        cmocka_unit_test(C6_when_idle_is_refused_when_it_signs_off_or_dies),
        cmocka_unit_test(C6_idle_while_busy_waits_for_life_as_well),
        cmocka_unit_test(C11_5_while_busy_it_goes_out_at_the_next_sign_of_life),
        cmocka_unit_test(C11_5_while_busy_it_is_refused_if_somebody_has_come_meanwhile),
        cmocka_unit_test(C11_5_without_life_for_60_s_it_is_too_late),
        cmocka_unit_test(C11_5_cut_off_it_is_too_late_after_60_s_as_well),
        cmocka_unit_test(C11_5_the_dead_the_gone_and_the_unheard_are_refused),
        cmocka_unit_test(C11_5_a_machine_that_was_only_loaded_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
