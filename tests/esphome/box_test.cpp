// The firmware's ESPHome half on a host: what comes in, and what it does to the pins.
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include <esphome/core/application.h>

#include "tests/esphome/box_bench.h"

// Last, for its macros take words that the C++ library uses.
extern "C" {
#include <cmocka.h>
}

using bench::Bench;

static void C7_4_a_boot_has_both_relays_off_without_a_pulse(void **)
{
    Bench bench({.second_relay = true});

    bench.run(60000);
    assert_true(bench.relay.low_before_set_up && bench.second_relay.low_before_set_up);
    assert_false(bench.relay.went_high || bench.second_relay.went_high);
}

static void C7_6_the_first_attempt_to_connect_waits_for_the_device(void **)
{
    Bench bench;

    assert_false(bench.mqtt.enabled);
    bench.run(3100);
    assert_true(bench.mqtt.enabled);
}

static void C7_4_it_reports_when_it_is_connected(void **)
{
    Bench bench;

    bench.connect();
    assert_true(bench.count("report") >= 1);
    assert_false(bench.retained("report"));
    assert_true(bench.reports("\"reader_ok\":true"));
    assert_true(bench.reports("\"amps\":0.250"));
    assert_true(bench.reports("\"fw\":\"tagout-esp test\",\"reset_reason\":\"power on\""));
    assert_false(bench.reports("internal_temperature_c"));
}

static void a_card_and_an_on_switch_the_pin(void **)
{
    Bench bench;

    bench.session();
    assert_true(bench.relay.level);
    assert_string_equal(bench.box->lcd(0), "Welcome,");
    assert_string_equal(bench.box->lcd(1), "Ada");
    assert_true(bench.light.on);
    assert_true(bench.light.rgb[1] == 1 && bench.light.brightness == 0.5F);
    assert_true(bench.reports("\"relay_state\":true"));
}

static void C7_3_a_card_that_leaves_cuts_though_the_loop_hangs(void **)
{
    Bench bench;

    bench.session();
    bench.line.level = false;
    bench.run_without_loop(GUARD_CARD_MS + 1);
    assert_false(bench.relay.level);
    bench.run(20);
    assert_false(bench.relay.level);
    assert_true(bench.reports("\"rfid_value\":\"\""));
}

static void C7_3_oops_cuts_though_the_loop_hangs(void **)
{
    Bench bench({.second_relay = true});

    bench.session();
    bench.command(bench.answer(true, "\"second_relay\":true,"));
    bench.run(20);
    assert_true(bench.relay.level && bench.second_relay.level);
    bench.button.level = true;
    bench.run_without_loop(GUARD_BUTTON_MS + 1);
    assert_false(bench.relay.level || bench.second_relay.level);
}

static void C7_3_a_short_press_while_the_loop_hangs_is_reported(void **)
{
    Bench bench;

    bench.session();
    bench.button.level = true;
    bench.run_without_loop(10);
    bench.button.level = false;
    bench.run_without_loop(3000);
    assert_false(bench.relay.level);
    bench.run(20);
    assert_false(bench.relay.level);
    assert_true(bench.reports("\"oops\":true"));
    bench.run(1000);
    assert_true(bench.button_led.went_high);
}

static void an_on_that_comes_before_the_press_is_told_switches_nothing(void **)
{
    Bench bench;

    bench.connect();
    bench.card_in("1234567");
    const std::string on = bench.answer(true);
    bench.forget();
    bench.button.level = true;
    bench.run_without_loop(10);
    bench.button.level = false;
    bench.run_without_loop(10);
    bench.command(on);
    bench.run(50);
    assert_false(bench.relay.went_high);
    assert_true(bench.count("report") > 0);
    for (const auto &sent : bench.mqtt.sent) {
        assert_true(sent.payload.find("\"relay_state\":true") == std::string::npos);
    }
}

static void a_card_out_and_in_while_the_loop_hangs_ends_the_session(void **)
{
    Bench bench;

    bench.session();
    bench.line.level = false;
    bench.run_without_loop(30);
    bench.line.level = true;
    bench.relay.went_high = false;
    bench.run_without_loop(30);
    bench.run(1000);
    assert_false(bench.relay.went_high);
    assert_true(bench.reports("\"rfid_value\":\"\""));
}

static void C7_3_a_press_is_in_flash_before_it_is_reported_and_outlives_a_power_cut(void **)
{
    Bench bench;

    bench.session();
    int syncs = esphome::flash.syncs;
    bench.button.level = true;
    bench.run_without_loop(10);
    bench.button.level = false;
    bench.run(10);
    assert_true(bench.reports("\"oops\":true"));
    assert_int_equal(bench.mqtt.sent.back().mark, syncs + 1);
    assert_true(esphome::flash.pending.empty());
    bench.power_cut();
    bench.connect();
    assert_true(bench.reports("\"oops\":true"));
    assert_false(bench.relay.went_high);
}

static void C7_1_a_command_of_before_the_power_cut_switches_nothing(void **)
{
    Bench bench;

    bench.session();
    const std::string on = bench.answer(true);
    bench.power_cut();
    bench.command(on);
    bench.run(4000);
    bench.mqtt.connected = true;
    bench.command(on);
    bench.run(1000);
    bench.box->card("1234567");
    bench.command(on);
    bench.run(1000);
    assert_false(bench.relay.went_high);
}

static void C7_2_what_is_no_command_changes_nothing(void **)
{
    Bench bench;
    std::string cut;

    bench.session();
    bench.command("");
    bench.command("off");
    bench.command("{\"relay\":false}");
    cut = bench.answer(false);
    bench.command(cut.substr(0, cut.size() - 1));
    bench.run(20);
    assert_true(bench.relay.level);
    bench.command(bench.answer(false));
    assert_false(bench.relay.level);
}

static void C7_6_a_probe_is_answered_at_once(void **)
{
    Bench bench;

    bench.connect();
    bench.receive("probe", "{\"id\":42}");
    assert_true(bench.last("pong").find("{\"id\":42,\"boot_id\":\"") == 0);
}

static void C7_6_a_restart_is_refused_while_a_relay_is_on(void **)
{
    Bench bench;

    bench.session();
    bench.receive("restart", "{\"id\":1,\"force\":false}");
    bench.run(2000);
    assert_int_equal(esphome::App.reboots, 0);
    assert_true(bench.relay.level);
    bench.receive("restart", "{\"id\":2,\"force\":true}");
    assert_false(bench.relay.level);
}

static void C7_6_a_restart_says_offline_and_gives_it_time_to_leave(void **)
{
    Bench bench;

    bench.connect();
    bench.run(10000);
    bench.receive("restart", "{\"id\":1}");
    assert_string_equal(bench.last("link").c_str(), "offline");
    assert_true(bench.retained("link"));
    bench.run(500);
    assert_int_equal(esphome::App.reboots, 0);
    bench.run(200);
    assert_int_equal(esphome::App.reboots, 1);
}

static void a_restart_that_somebody_left_retained_is_obeyed_once(void **)
{
    Bench bench;

    bench.connect();
    bench.receive("restart", "{\"id\":1}");
    bench.run(1000);
    assert_int_equal(esphome::App.reboots, 1);
    bench.power_cut();
    bench.connect();
    bench.receive("restart", "{\"id\":1}");
    bench.run(1000);
    assert_int_equal(esphome::App.reboots, 1);
    bench.run(5000);
    bench.receive("restart", "{\"id\":1}");
    bench.run(1000);
    assert_int_equal(esphome::App.reboots, 2);
}

static void an_update_needs_an_idle_machine(void **)
{
    Bench bench;

    bench.connect();
    assert_string_equal(bench.ota.password.c_str(), "right");
    bench.card_in("1234567");
    assert_int_equal(bench.ota.password.size(), 32);
    const std::string first = bench.ota.password;
    bench.card_out();
    assert_string_equal(bench.ota.password.c_str(), "right");
    bench.card_in("1234567");
    assert_string_not_equal(bench.ota.password.c_str(), first.c_str());
}

static void an_update_goes_offline_and_a_failed_one_comes_back(void **)
{
    Bench bench;

    bench.connect();
    bench.box->update_begins();
    assert_string_equal(bench.last("link").c_str(), "offline");
    assert_string_equal(bench.box->lcd(0), "Updating...");
    bench.forget();
    bench.box->update_failed();
    bench.run(20);
    assert_string_equal(bench.last("link").c_str(), "online");
    assert_int_equal(bench.count("report"), 1);
}

static void C7_3_a_repeating_reader_cuts_a_second_and_a_half_after_the_last_frame(void **)
{
    Bench bench({.kind = SLOT_REPEATING});

    bench.connect();
    for (int i = 0; i < 20; i++) {
        bench.box->card("1234567");
        bench.run(60);
        if (i == 10) {
            bench.command(bench.answer(true));
        }
    }
    assert_true(bench.relay.level);
    bench.run(1380);
    assert_true(bench.relay.level);
    bench.run(100);
    assert_false(bench.relay.level);
}

static void a_reader_that_fails_is_reported_and_ends_the_session(void **)
{
    Bench bench({.kind = SLOT_HELD});

    bench.connect();
    bench.box->card("74-10-37-94");
    bench.run(20);
    bench.command(bench.answer(true));
    bench.run(20);
    assert_true(bench.relay.level);
    bench.reader.warning = true;
    bench.run(20);
    assert_true(bench.reports("\"reader_ok\":false"));
    assert_true(bench.relay.level);
    bench.run(1500);
    assert_false(bench.relay.level);
    bench.reader.warning = false;
    bench.run(20);
    assert_true(bench.reports("\"reader_ok\":true"));
}

static void a_reader_that_fails_for_a_moment_cuts_nothing(void **)
{
    Bench bench({.kind = SLOT_HELD});

    bench.connect();
    bench.box->card("74-10-37-94");
    bench.run(20);
    bench.command(bench.answer(true));
    for (int i = 0; i < 10; i++) {
        bench.reader.warning = true;
        bench.run(900);
        bench.reader.warning = false;
        bench.run(20);
    }
    assert_true(bench.relay.level);
}

static void contact_feedback_tells_what_the_contactor_does(void **)
{
    Bench bench({.contact = true});

    bench.session();
    assert_true(bench.reports("\"relay_feedback\":\"contact\""));
    assert_true(bench.reports("\"relay_state\":false"));
    bench.contact.level = true;
    bench.run(100);
    assert_true(bench.reports("\"relay_state\":true"));
}

static void C7_8_an_emergency_card_works_when_the_link_is_gone(void **)
{
    Bench bench;

    bench.connect();
    bench.mqtt.connected = false;
    bench.run(31000);
    bench.card_in("1234567");
    assert_false(bench.relay.level);
    bench.card_out();
    bench.card_in("911");
    assert_true(bench.relay.level);
    bench.card_out();
    assert_false(bench.relay.level);
}

static void C7_7_it_restarts_by_itself_when_nobody_answers(void **)
{
    Bench bench;

    bench.connect();
    bench.run(85000);
    assert_int_equal(esphome::App.reboots, 0);
    bench.run(10000);
    assert_int_equal(esphome::App.reboots, 1);
}

static void C7_9_a_card_is_never_logged(void **)
{
    Bench bench;

    bench.session();
    bench.command(bench.answer(true, "\"second_relay\":true,"));
    bench.card_out();
    bench.command(bench.answer(true));
    bench.receive("restart", "{\"id\":1}");
    assert_true(bench::logged.find("Refused") != std::string::npos);
    assert_true(bench::logged.find("1234567") == std::string::npos);
}

static void a_garbled_display_is_written_again(void **)
{
    Bench bench;

    bench.connect();
    bench.run(1000);
    int updates = bench.display.updates;
    bench.command(bench.answer(false));
    bench.run(9000);
    int later = bench.display.updates;
    bench.run(2000);
    assert_true(later - updates <= 1);
    assert_true(bench.display.updates > updates);
}

static void lights_blink_and_are_not_written_without_need(void **)
{
    Bench bench;

    bench.session();
    int calls = bench.light.calls;
    bench.run(5000);
    assert_int_equal(bench.light.calls, calls);
    bench.button.level = true;
    bench.run(2000);
    assert_true(bench.light.calls >= calls + 4);
    assert_true(bench.light.calls <= calls + 6);
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(C7_4_a_boot_has_both_relays_off_without_a_pulse),
        cmocka_unit_test(C7_6_the_first_attempt_to_connect_waits_for_the_device),
        cmocka_unit_test(C7_4_it_reports_when_it_is_connected),
        cmocka_unit_test(a_card_and_an_on_switch_the_pin),
        cmocka_unit_test(C7_3_a_card_that_leaves_cuts_though_the_loop_hangs),
        cmocka_unit_test(C7_3_oops_cuts_though_the_loop_hangs),
        cmocka_unit_test(C7_3_a_short_press_while_the_loop_hangs_is_reported),
        cmocka_unit_test(an_on_that_comes_before_the_press_is_told_switches_nothing),
        cmocka_unit_test(a_card_out_and_in_while_the_loop_hangs_ends_the_session),
        cmocka_unit_test(C7_3_a_press_is_in_flash_before_it_is_reported_and_outlives_a_power_cut),
        cmocka_unit_test(C7_1_a_command_of_before_the_power_cut_switches_nothing),
        cmocka_unit_test(C7_2_what_is_no_command_changes_nothing),
        cmocka_unit_test(C7_6_a_probe_is_answered_at_once),
        cmocka_unit_test(C7_6_a_restart_is_refused_while_a_relay_is_on),
        cmocka_unit_test(C7_6_a_restart_says_offline_and_gives_it_time_to_leave),
        cmocka_unit_test(a_restart_that_somebody_left_retained_is_obeyed_once),
        cmocka_unit_test(an_update_needs_an_idle_machine),
        cmocka_unit_test(an_update_goes_offline_and_a_failed_one_comes_back),
        cmocka_unit_test(C7_3_a_repeating_reader_cuts_a_second_and_a_half_after_the_last_frame),
        cmocka_unit_test(a_reader_that_fails_is_reported_and_ends_the_session),
        cmocka_unit_test(a_reader_that_fails_for_a_moment_cuts_nothing),
        cmocka_unit_test(contact_feedback_tells_what_the_contactor_does),
        cmocka_unit_test(C7_8_an_emergency_card_works_when_the_link_is_gone),
        cmocka_unit_test(C7_7_it_restarts_by_itself_when_nobody_answers),
        cmocka_unit_test(C7_9_a_card_is_never_logged),
        cmocka_unit_test(a_garbled_display_is_written_again),
        cmocka_unit_test(lights_blink_and_are_not_written_without_need),
    };

    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
