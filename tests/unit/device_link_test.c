/* C7.6 and C7.7: probes, restarts, and a link that is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/device_bench.h"

static void C7_6_a_probe_is_answered_at_once(void **state)
{
    struct bench bench;
    struct device_event probe = {.type = DEVICE_EVENT_PROBE, .probe_id = 42};

    (void)state;
    bench_idle(&bench);
    probe.now_ms = bench.now_ms;
    device_step(&bench.config, &bench.device, &probe, &bench.out);
    assert_true(bench.out.send_pong);
    assert_int_equal(bench.out.pong_id, 42);
    bench_event(&bench, DEVICE_EVENT_TICK);
    assert_false(bench.out.send_pong);
}

static void restart(struct bench *bench, bool force)
{
    struct device_event event = {
        .type = DEVICE_EVENT_RESTART, .now_ms = bench->now_ms, .restart = {1, force}};

    device_step(&bench->config, &bench->device, &event, &bench->out);
}

static void C7_6_a_restart_is_refused_while_a_relay_is_on(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    restart(&bench, false);
    assert_false(bench.out.reboot);
    assert_true(bench.out.relay[0]);
    assert_int_equal(bench.out.refused_restart, DEVICE_REFUSED_RELAY_ON);
}

static void C7_6_a_restart_says_offline_and_reboots(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    restart(&bench, false);
    assert_true(bench.out.reboot);
    assert_int_equal(bench.out.link, DEVICE_LINK_OFFLINE);
    bench_take(&bench, bench_on(&bench));
    assert_false(bench.out.relay[0]);
    assert_false(bench.out.reboot);
}

static void C7_6_a_forced_restart_cuts_and_reboots(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    restart(&bench, true);
    assert_true(bench.out.reboot);
    assert_false(bench.out.relay[0]);
    assert_false(bench.out.keep.self_rebooted);
}

static void C7_6_it_connects_after_a_random_delay_and_for_ever(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    bench_wait(&bench, 3000);
    assert_int_equal(bench.connects, 1);
    for (unsigned i = 2; i < 1000; i++) {
        bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
        if (bench.device.running) {
            bench_wait(&bench, 3000);
            assert_in_range(bench.connects, i, i + 1);
            bench.connects = i;
        } else {
            bench_power_cut(&bench, "boot-2");
            bench_wait(&bench, 3000);
        }
    }
}

static void C7_6_an_attempt_that_nobody_answers_is_followed_by_another(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    bench_wait(&bench, 60000);
    assert_in_range(bench.connects, 5, 6);
}

static void C7_6_it_counts_how_often_it_connected(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    for (int i = 0; i < 3; i++) {
        bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
        bench_event(&bench, DEVICE_EVENT_LINK_UP);
    }
    assert_int_equal(bench.device.connects, 4);
}

/* C7.7 */

static void C7_7_the_link_is_gone_after_thirty_seconds_without_a_command(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 29999);
    assert_true(bench_shows(&bench, "Please Insert\nRFID Card"));
    bench_wait(&bench, 1);
    assert_true(bench_shows(&bench, "No server\nAsk a manager"));
    bench_take(&bench, bench_off(&bench));
    assert_true(bench_shows(&bench, "Please Insert\nRFID Card"));
}

static void C7_7_a_retained_command_that_comes_again_is_no_sign_of_a_controller(void **state)
{
    struct bench bench;
    struct device_command retained, foreign;

    (void)state;
    bench_idle(&bench);
    retained = bench_off(&bench);
    foreign = bench_off(&bench);
    foreign.boot_id = "boot-0";
    bench_take(&bench, retained);
    for (int i = 0; i < 6; i++) {
        bench_wait(&bench, 5000);
        bench_take(&bench, retained);
        bench_take(&bench, foreign);
    }
    assert_true(bench_shows(&bench, "No server\nAsk a manager"));
}

static void C7_7_without_a_link_a_relay_stays_on_while_the_card_is_in(void **state)
{
    struct bench bench;

    (void)state;
    bench_session(&bench);
    bench_event(&bench, DEVICE_EVENT_LINK_DOWN);
    bench_wait(&bench, 3600000);
    assert_true(bench.out.relay[0]);
    assert_int_equal(bench.reboots, 0);
    assert_true(bench_shows(&bench, "No server\nAsk a manager"));
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_false(bench.out.relay[0]);
}

static void C7_7_an_idle_device_reboots_after_ninety_seconds(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 89999);
    assert_int_equal(bench.reboots, 0);
    bench_wait(&bench, 1);
    assert_int_equal(bench.reboots, 1);
    assert_true(bench.flash.self_rebooted);
    assert_int_equal(bench.out.link, DEVICE_LINK_OFFLINE);
}

static void C7_7_after_a_card_or_a_press_it_waits_sixty_seconds(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 80000);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    bench_wait(&bench, 5000);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    bench_wait(&bench, 59999);
    assert_int_equal(bench.reboots, 0);
    bench_wait(&bench, 1);
    assert_int_equal(bench.reboots, 1);
    assert_true(bench.flash.press);

    bench_session(&bench);
    bench_wait(&bench, 100000);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500 + 59999);
    assert_int_equal(bench.reboots, 0);
    bench_wait(&bench, 1);
    assert_int_equal(bench.reboots, 1);
}

static void C7_7_a_device_with_a_relay_on_does_not_reboot(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_always_on(&bench));
    bench_wait(&bench, 10000000);
    assert_true(bench.out.relay[0]);
    assert_int_equal(bench.reboots, 0);
}

static void C7_7_a_device_with_a_card_in_does_not_reboot(void **state)
{
    struct bench bench;

    (void)state;
    bench_card(&bench, BENCH_ADA);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 10000000);
    assert_int_equal(bench.reboots, 0);
}

static void C7_7_after_that_it_reboots_at_most_every_fifteen_minutes(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_wait(&bench, 90000);
    for (int i = 0; i < 3; i++) {
        bench_clear(&bench);
        bench_power_cut(&bench, "boot-2");
        assert_true(bench.out.save);
        assert_false(bench.flash.self_rebooted);
        bench_wait(&bench, 899999);
        assert_int_equal(bench.reboots, 0);
        bench_wait(&bench, 1);
        assert_int_equal(bench.reboots, 1);
    }
    bench.flash.self_rebooted = false; /* a power cut instead */
    bench_clear(&bench);
    bench_power_cut(&bench, "boot-3");
    bench_wait(&bench, 90000);
    assert_int_equal(bench.reboots, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C7_6_a_probe_is_answered_at_once),
        cmocka_unit_test(C7_6_a_restart_is_refused_while_a_relay_is_on),
        cmocka_unit_test(C7_6_a_restart_says_offline_and_reboots),
        cmocka_unit_test(C7_6_a_forced_restart_cuts_and_reboots),
        cmocka_unit_test(C7_6_it_connects_after_a_random_delay_and_for_ever),
        cmocka_unit_test(C7_6_an_attempt_that_nobody_answers_is_followed_by_another),
        cmocka_unit_test(C7_6_it_counts_how_often_it_connected),
        cmocka_unit_test(C7_7_the_link_is_gone_after_thirty_seconds_without_a_command),
        cmocka_unit_test(C7_7_a_retained_command_that_comes_again_is_no_sign_of_a_controller),
        cmocka_unit_test(C7_7_without_a_link_a_relay_stays_on_while_the_card_is_in),
        cmocka_unit_test(C7_7_an_idle_device_reboots_after_ninety_seconds),
        cmocka_unit_test(C7_7_after_a_card_or_a_press_it_waits_sixty_seconds),
        cmocka_unit_test(C7_7_a_device_with_a_relay_on_does_not_reboot),
        cmocka_unit_test(C7_7_a_device_with_a_card_in_does_not_reboot),
        cmocka_unit_test(C7_7_after_that_it_reboots_at_most_every_fifteen_minutes),
    };

    return cmocka_run_group_tests_name("device, link", tests, NULL, NULL);
}
