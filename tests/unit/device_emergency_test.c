/* C7.8 and C7.9: emergency cards, and the words and lights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/device_bench.h"

static void link_gone(struct bench *bench)
{
    bench_idle(bench);
    bench_take(bench, bench_off(bench));
    bench_event(bench, DEVICE_EVENT_LINK_DOWN);
    bench_wait(bench, 30000);
}

static void C7_8_an_emergency_card_works_while_the_link_is_gone(void **state)
{
    struct bench bench;

    (void)state;
    link_gone(&bench);
    bench_emergency_card_in(&bench, BENCH_ADA);
    assert_true(bench.out.relay[0]);
    assert_false(bench.out.relay[1]);
    assert_true(bench_shows(&bench, "EMERGENCY\nCARD IN USE"));
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_false(bench.out.relay[0]);
}

static void C7_8_other_cards_do_not(void **state)
{
    struct bench bench;

    (void)state;
    link_gone(&bench);
    bench_card_in(&bench, BENCH_ADA);
    assert_false(bench.out.relay[0]);
    assert_true(bench_shows(&bench, "No server\nAsk a manager"));
}

static void C7_8_with_a_link_an_emergency_card_is_a_card_like_others(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_emergency_card_in(&bench, BENCH_ADA);
    assert_false(bench.out.relay[0]);
    assert_false(bench.report.emergency);
}

static void
C7_8_an_emergency_card_that_waited_for_the_link_to_go_is_to_be_put_in_again(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 24999);
    bench_emergency_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 5001);
    assert_false(bench.out.relay[0]);
    assert_true(bench_shows(&bench, "Card out, then\nin again"));

    bench_idle(&bench);
    bench_take(&bench, bench_off(&bench));
    bench_wait(&bench, 25000);
    bench_emergency_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 5000);
    assert_true(bench.out.relay[0]);
}

static void C7_8_an_emergency_card_that_was_in_at_the_boot_opens_nothing(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    bench_wait(&bench, 30000);
    bench_emergency_card_in(&bench, BENCH_ADA);
    assert_false(bench.out.relay[0]);
    assert_true(bench_shows(&bench, "Card out, then\nin again"));
}

static void no_emergency(struct bench *bench)
{
    bench_wait(bench, 30000);
    bench_emergency_card_in(bench, BENCH_ADA);
    assert_false(bench->out.relay[0]);
}

static void C7_8_never_while_the_last_command_showed_oops_or_lockout(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_oops(&bench));
    no_emergency(&bench);
    bench_idle(&bench);
    bench_take(&bench, bench_lockout(&bench));
    no_emergency(&bench);

    link_gone(&bench);
    bench_emergency_card_in(&bench, BENCH_ADA);
    bench_take(&bench, bench_lockout(&bench));
    assert_false(bench.out.relay[0]);
    bench_card_in(&bench, BENCH_BOB);
    no_emergency(&bench);
}

static void C7_8_not_after_a_reboot_either(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    bench_take(&bench, bench_lockout(&bench));
    assert_true(bench.out.save);
    bench_power_cut(&bench, "boot-2");
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    no_emergency(&bench);

    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    bench_take(&bench, bench_off(&bench));
    assert_false(bench.flash.last_lockout);
}

static void C7_8_nor_when_a_retained_command_of_a_former_boot_showed_it(void **state)
{
    struct bench bench;
    struct device_command retained;

    (void)state;
    bench_idle(&bench);
    retained = bench_lockout(&bench);
    retained.boot_id = "boot-0";
    bench_take(&bench, retained);
    no_emergency(&bench);

    bench_idle(&bench);
    retained = bench_oops(&bench);
    retained.boot_id = "boot-0";
    bench_take(&bench, retained);
    no_emergency(&bench);
}

static void C7_8_nor_while_a_press_is_latched(void **state)
{
    struct bench bench;

    (void)state;
    link_gone(&bench);
    bench_emergency_card_in(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_BUTTON_DOWN);
    assert_false(bench.out.relay[0]);
    bench_event(&bench, DEVICE_EVENT_BUTTON_UP);
    assert_false(bench.out.relay[0]);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_false(bench.report.emergency);
    bench_card_in(&bench, BENCH_BOB);
    bench_emergency_card_in(&bench, BENCH_ADA);
    assert_false(bench.out.relay[0]);
}

static void C7_8_an_emergency_session_is_reported_when_the_link_is_back_and_goes_on(void **state)
{
    struct bench bench;
    struct device_command stale;

    (void)state;
    link_gone(&bench);
    stale = bench_off(&bench);
    bench_emergency_card_in(&bench, BENCH_ADA);
    bench_wait(&bench, 60000);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    assert_true(bench.report.emergency);
    bench_take(&bench, stale);
    assert_true(bench.out.relay[0]);
    bench_take(&bench, bench_on(&bench));
    bench_wait(&bench, 10000);
    assert_true(bench.out.relay[0]);
    assert_true(bench.report.emergency);
    bench_event(&bench, DEVICE_EVENT_CARD_OUT);
    bench_wait(&bench, 1500);
    assert_false(bench.out.relay[0]);
    assert_false(bench.report.emergency);
}

static void C7_8_an_emergency_session_that_is_ended_from_outside_does_not_come_back(void **state)
{
    struct bench bench;

    (void)state;
    link_gone(&bench);
    bench_emergency_card_in(&bench, BENCH_ADA);
    bench_event(&bench, DEVICE_EVENT_LINK_UP);
    bench_take(&bench, bench_off(&bench));
    assert_false(bench.out.relay[0]);
    assert_false(bench.report.emergency);
    bench_wait(&bench, 40000);
    assert_false(bench.out.relay[0]);
}

/* Words. */

static void C7_9_a_cards_number_is_never_displayed(void **state)
{
    struct bench bench;

    (void)state;
    bench_idle(&bench);
    for (int s = 0; s < 100; s++) {
        bench_card_in(&bench, s % 7 ? BENCH_ADA : BENCH_BOB);
        bench_wait(&bench, 500);
        for (int i = 0; i < DEVICE_LCD_LINES; i++) {
            assert_null(strstr(bench.out.lcd[i], "00000"));
        }
    }
}

static void a_card_is_checked_and_then_sent_out_and_in_again(void **state)
{
    struct bench bench;

    (void)state;
    bench_boot(&bench);
    assert_true(bench_shows(&bench, "Connecting..."));
    bench_card(&bench, BENCH_ADA);
    assert_true(bench_shows(&bench, "Checking card..."));
    bench_wait(&bench, 5000);
    assert_true(bench_shows(&bench, "Checking card..."));
    bench_wait(&bench, 1);
    assert_true(bench_shows(&bench, "No answer: card\nout and in again"));
}

static void the_light_shows_what_the_controller_wants(void **state)
{
    struct bench bench;
    struct device_command command;

    (void)state;
    bench_idle(&bench);
    command = bench_lockout(&bench);
    command.rgb[0] = 1.0f;
    command.rgb[1] = 0.5f;
    command.brightness = 0.5f;
    bench_take(&bench, command);
    assert_true(bench.out.status_led.rgb[0] > 0.9f);
    assert_true(bench.out.status_led.brightness > 0.4f);
    assert_false(bench.out.status_led.blink);
    assert_false(bench.out.oops_led);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C7_8_an_emergency_card_works_while_the_link_is_gone),
        cmocka_unit_test(C7_8_other_cards_do_not),
        cmocka_unit_test(C7_8_with_a_link_an_emergency_card_is_a_card_like_others),
        cmocka_unit_test(
            C7_8_an_emergency_card_that_waited_for_the_link_to_go_is_to_be_put_in_again),
        cmocka_unit_test(C7_8_an_emergency_card_that_was_in_at_the_boot_opens_nothing),
        cmocka_unit_test(C7_8_never_while_the_last_command_showed_oops_or_lockout),
        cmocka_unit_test(C7_8_not_after_a_reboot_either),
        cmocka_unit_test(C7_8_nor_when_a_retained_command_of_a_former_boot_showed_it),
        cmocka_unit_test(C7_8_nor_while_a_press_is_latched),
        cmocka_unit_test(C7_8_an_emergency_session_is_reported_when_the_link_is_back_and_goes_on),
        cmocka_unit_test(C7_8_an_emergency_session_that_is_ended_from_outside_does_not_come_back),
        cmocka_unit_test(C7_9_a_cards_number_is_never_displayed),
        cmocka_unit_test(a_card_is_checked_and_then_sent_out_and_in_again),
        cmocka_unit_test(the_light_shows_what_the_controller_wants),
    };

    return cmocka_run_group_tests_name("device, emergency", tests, NULL, NULL);
}
