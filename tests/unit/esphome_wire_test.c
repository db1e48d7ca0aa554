/* The firmware's payloads against the controller's: each reads what the other writes (C3, C5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices/esphome/wire.h"
#include "topics/command.h"
#include "topics/report.h"

#define NAN_F __builtin_nanf("")

#define WHOLE                                                                                      \
    "{\"relay\":true,\"second_relay\":false,\"display\":\"Welcome,\\nZo\\u00eb\","                 \
    "\"oops_led\":false,\"lockout\":true,\"status_led_rgb\":[0,1,0.5],"                            \
    "\"status_led_brightness\":0.25,\"needs_card\":true,\"second_needs_card\":false,"              \
    "\"boot_id\":\"b1\",\"seq\":7,\"epoch\":1099511627776,\"rev\":4294967295}"

static struct device_report whole_report(void)
{
    return (struct device_report){
        .seq = UINT32_MAX,
        .uptime_ms = 8640000000123,
        .boot_id = "1f2e3d4c",
        .oops = true,
        .card = "a\"b\\c 123456",
        .has_ack = true,
        .ack = {.epoch = (uint64_t)1 << 40, .rev = UINT32_MAX},
        .ack_oops = true,
        .relay_state = true,
        .has_second_relay = true,
        .feedback_is_contact = true,
        .emergency = true,
    };
}

static const struct wire_extra nothing = {
    .wifi_signal_db = NAN_F,
    .wifi_signal_percent = NAN_F,
    .internal_temperature_c = NAN_F,
    .amps = NAN_F,
};

static void C3_the_controller_reads_a_report_as_it_was_meant(void **state)
{
    const struct device_report from = whole_report();
    const struct wire_extra extra = {
        .fw = "tagout-esp 0.1.0",
        .reset_reason = "power on",
        .wifi_signal_db = -61.5F,
        .wifi_signal_percent = 77,
        .internal_temperature_c = 41.25F,
        .amps = 0,
    };
    char payload[WIRE_REPORT_SIZE];
    size_t length = wire_report(&from, &extra, payload);
    struct report report;
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(length, strlen(payload));
    assert_int_equal(report_parse(payload, length, &report, &why), STATUS_OK);
    assert_true(report.oops);
    assert_string_equal(report.card, from.card);
    assert_true(report.uptime_s > 8640000000.1229 && report.uptime_s < 8640000000.1231);
    assert_string_equal(report.boot_id, from.boot_id);
    assert_int_equal(report.seq, from.seq);
    assert_true(report.has_ack && report.ack_oops && !report.ack_lockout);
    assert_true(report.ack.epoch == from.ack.epoch && report.ack.rev == from.ack.rev);
    assert_int_equal(report.relay_state, REPORT_RELAY_ON);
    assert_int_equal(report.second_relay_state, REPORT_RELAY_OFF);
    assert_true(report.has_feedback && report.feedback_is_contact);
    assert_true(report.emergency);
    assert_true(report.has_reader_ok && !report.reader_ok);
    assert_string_equal(report.fw, extra.fw);
    assert_string_equal(report.reset_reason, extra.reset_reason);
    assert_true(report.number[REPORT_WIFI_SIGNAL_DB] == -61.5);
    assert_true(report.number[REPORT_WIFI_SIGNAL_PERCENT] == 77);
    assert_true(report.number[REPORT_INTERNAL_TEMPERATURE_C] == 41.25);
    assert_true(report.has_number[REPORT_AMPS] && report.number[REPORT_AMPS] == 0);
}

static void C3_what_is_not_known_is_left_out(void **state)
{
    struct device_report from = {.seq = 1, .boot_id = "b", .reader_ok = true};
    char payload[WIRE_REPORT_SIZE];

    (void)state;
    assert_true(wire_report(&from, &nothing, payload) > 0);
    assert_string_equal(
        payload, "{\"oops\":false,\"rfid_value\":\"\",\"uptime\":0.000,\"boot_id\":\"b\",\"seq\":1,"
                 "\"relay_state\":false,\"relay_feedback\":\"output\",\"reader_ok\":true}");
}

static void C3_the_longest_report_fits(void **state)
{
    struct device_report from = whole_report();
    struct wire_extra extra = {
        .fw = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
        .wifi_signal_db = -999999999.F,
        .wifi_signal_percent = -999999999.F,
        .internal_temperature_c = -999999999.F,
        .amps = -999999999.F,
    };
    char payload[WIRE_REPORT_SIZE];

    (void)state;
    extra.reset_reason = extra.fw;
    memset(from.card, '"', sizeof from.card - 1);
    memset(from.boot_id, 'b', sizeof from.boot_id - 1);
    from.uptime_ms = UINT64_MAX;
    from.ack.epoch = UINT64_MAX;
    assert_true(wire_report(&from, &extra, payload) > 0);
}

static void C7_6_a_pong_names_the_probe_and_the_boot(void **state)
{
    char payload[WIRE_PONG_SIZE];

    (void)state;
    assert_int_equal(wire_pong(7, "b1", payload), 23);
    assert_string_equal(payload, "{\"id\":7,\"boot_id\":\"b1\"}");
    assert_true(wire_pong(UINT32_MAX, "12345678901234567890123456789012", payload) > 0);
}

static void C5_a_command_is_read_as_it_was_meant(void **state)
{
    struct wire_command read;
    const struct device_command *command = &read.command;

    (void)state;
    assert_true(wire_read_command(WHOLE, strlen(WHOLE), &read));
    assert_true(command->relay && !command->second_relay);
    assert_string_equal(command->display, "Welcome,\nZo\xc3\xab");
    assert_true(!command->oops_led && command->lockout);
    assert_true(command->rgb[0] == 0 && command->rgb[1] == 1 && command->rgb[2] == 0.5F);
    assert_true(command->brightness == 0.25F);
    assert_true(command->needs_card && !command->second_needs_card);
    assert_string_equal(command->boot_id, "b1");
    assert_int_equal(command->seq, 7);
    assert_true(command->version.epoch == (uint64_t)1 << 40);
    assert_int_equal(command->version.rev, UINT32_MAX);
}

static void C5_whatever_the_controller_writes_is_read(void **state)
{
    static const char *const displays[] = {"", "Oops!! Please\ncheck/post Slack", "\x01\"\\\t/"};
    struct wire_command read;

    (void)state;
    for (unsigned i = 0; i < 64 * 3; i++) {
        struct command command = {
            .relay = i & 1U,
            .second_relay = i & 2U,
            .oops_led = i & 4U,
            .lockout = i & 8U,
            .needs_card = i & 16U,
            .second_needs_card = i & 32U,
            .rgb = {i / 192.0, 1, 0.001},
            .brightness = i / 192.0,
            .seq = i,
            .version = {.epoch = i * 1000003UL, .rev = i},
        };
        TEXT_LOCAL(payload, COMMAND_BYTES_MAX);

        text_copy(command.display, sizeof command.display, displays[i % 3]);
        text_copy(command.boot_id, sizeof command.boot_id, i % 5 == 0 ? "" : "1f2e3d4c");
        assert_int_equal(command_print(&command, &payload), STATUS_OK);
        assert_true(wire_read_command(payload.data, payload.length, &read));
        assert_int_equal(read.command.relay, command.relay);
        assert_int_equal(read.command.second_relay, command.second_relay);
        assert_int_equal(read.command.oops_led, command.oops_led);
        assert_int_equal(read.command.lockout, command.lockout);
        assert_int_equal(read.command.needs_card, command.needs_card);
        assert_int_equal(read.command.second_needs_card, command.second_needs_card);
        assert_string_equal(read.command.display, command.display);
        assert_int_equal(read.command.boot_id != NULL, i % 5 != 0);
        assert_int_equal(read.command.seq, command.seq);
        assert_true(read.command.version.epoch == command.version.epoch);
        assert_int_equal(read.command.version.rev, command.version.rev);
    }
}

static void C5_keys_that_nobody_knows_are_passed_over(void **state)
{
    static const char more[] =
        ",\"a\":{\"relay\":false,\"b\":[1,{},[],{\"c\":[[[1e3]]]},null,\"]}\"]},\"d\":-1.5E-3,"
        "\"a very long name that is longer than any that is known\":true}";
    struct wire_command read;
    char payload[1024];

    (void)state;
    memcpy(payload, WHOLE, strlen(WHOLE));
    memcpy(payload + strlen(WHOLE) - 1, more, sizeof more);
    assert_true(wire_read_command(payload, strlen(payload), &read));
    assert_true(read.command.relay);
}

static void refuse(const char *instead_of, const char *text)
{
    char payload[1024];
    const char *at = strstr(WHOLE, instead_of);
    size_t before = (size_t)(at - WHOLE);
    struct wire_command read;

    assert_non_null(at);
    memcpy(payload, WHOLE, before);
    memcpy(payload + before, text, strlen(text));
    memcpy(
        payload + before + strlen(text), at + strlen(instead_of),
        strlen(at) - strlen(instead_of) + 1);
    if (wire_read_command(payload, strlen(payload), &read)) {
        fail_msg("it believed %s", payload);
    }
}

static void C5_a_command_that_is_not_wholly_right_is_not_believed(void **state)
{
    (void)state;
    refuse("\"relay\":true,", "");
    refuse("\"relay\":true", "\"relay\":1");
    refuse("\"relay\":true", "\"relay\":\"true\"");
    refuse("\"relay\":true", "\"relay\":tru");
    refuse("\"relay\":true", "\"relay\":null");
    refuse("\"relay\":true", "\"relay\":false,\"relay\":true");
    refuse("\"relay\":true", "\"relay\" true");
    refuse("\"needs_card\":true,", "");
    refuse("\"lockout\":true,", "");
    refuse("\"epoch\":1099511627776,", "");
    refuse("1099511627776", "1099511627777");
    refuse("4294967295", "4294967296");
    refuse("4294967295", "99999999999999999999");
    refuse("4294967295", "-1");
    refuse("4294967295", "1.0");
    refuse("4294967295", "01");
    refuse("\"seq\":7", "\"seq\":0");
    refuse("[0,1,0.5]", "[0,1]");
    refuse("[0,1,0.5]", "[0,1,0.5,1]");
    refuse("[0,1,0.5]", "[0,1,1.5]");
    refuse("[0,1,0.5]", "[0,1,-0.5]");
    refuse("0.25", "1e999");
    refuse("0.25", ".5");
    refuse("0.25", "0.");
    refuse("\"b1\"", "\"\"");
    refuse("\"b1\"", "\"123456789012345678901234567890123\"");
    refuse("Zo", "\\u0000");
    refuse("Zo", "\\ud800");
    refuse("Zo", "\\x");
    refuse("Zo", "\x01");
    refuse("4294967295}", "4294967295");
    refuse("4294967295}", "4294967295}}");
    refuse("4294967295}", "4294967295,}");
    refuse("4294967295}", "4294967295,\"a\":[[[[[[[[0]]]]]]]]}");
    refuse("4294967295}", "4294967295,\"a\":[1,]}");
    refuse("4294967295}", "4294967295,\"a\":{\"b\"}}");
    refuse("4294967295}", "4294967295,\"a\":[}}");
    refuse("{\"relay\"", "[\"relay\"");
}

static void C5_a_payload_that_ends_early_is_no_command(void **state)
{
    struct wire_command read;

    (void)state;
    for (size_t length = 0; length < strlen(WHOLE); length++) {
        /* Of exactly this size, so that reading on is seen. */
        char *payload = malloc(length + (length == 0));

        assert_non_null(payload);
        memcpy(payload, WHOLE, length);
        assert_false(wire_read_command(payload, length, &read));
        free(payload);
    }
}

/* Each byte of a command made into each other one: what is then still believed, the controller's
 * own reader believes too, and in the same way. */
static void C5_no_wrong_byte_is_believed_that_the_controller_would_not_believe(void **state)
{
    char payload[] = WHOLE;
    struct wire_command read;
    struct command command;
    char display[COMMAND_DISPLAY_SIZE];
    unsigned believed = 0;

    (void)state;
    for (size_t at = 0; at < strlen(WHOLE); at++) {
        for (unsigned byte = 0; byte < 0x80; byte++) {
            TEXT_LOCAL(why, 256);

            payload[at] = (char)byte;
            if (!wire_read_command(payload, strlen(WHOLE), &read)) {
                continue;
            }
            believed++;
            assert_int_equal(command_parse(payload, strlen(WHOLE), &command, &why), STATUS_OK);
            assert_int_equal(read.command.relay, command.relay);
            assert_int_equal(read.command.seq, command.seq);
            assert_true(read.command.version.epoch == command.version.epoch);
            command_cut_display(display, read.command.display);
            assert_string_equal(display, command.display);
        }
        payload[at] = WHOLE[at];
    }
    assert_true(believed > strlen(WHOLE));
}

static void C7_6_a_probe_and_a_restart_are_read(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "{\"force\":true}",
        "{\"id\":-1}",
        "{\"id\":1}x",
        "{\"id\":\"1\"}",
        "{\"id\":1,\"force\":1}",
        "{\"id\":4294967296}",
    };
    static const char spaced[] = " {\"x\":[], \"id\": 0 , \"force\":true } ";
    uint32_t id = 0;
    bool force = false;

    (void)state;
    assert_true(wire_read_id("{\"id\":5}", 8, &id, &force));
    assert_int_equal(id, 5);
    assert_false(force);
    assert_true(wire_read_id(spaced, strlen(spaced), &id, &force));
    assert_int_equal(id, 0);
    assert_true(force);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(wire_read_id(bad[i], strlen(bad[i]), &id, &force));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C3_the_controller_reads_a_report_as_it_was_meant),
        cmocka_unit_test(C3_what_is_not_known_is_left_out),
        cmocka_unit_test(C3_the_longest_report_fits),
        cmocka_unit_test(C7_6_a_pong_names_the_probe_and_the_boot),
        cmocka_unit_test(C5_a_command_is_read_as_it_was_meant),
        cmocka_unit_test(C5_whatever_the_controller_writes_is_read),
        cmocka_unit_test(C5_keys_that_nobody_knows_are_passed_over),
        cmocka_unit_test(C5_a_command_that_is_not_wholly_right_is_not_believed),
        cmocka_unit_test(C5_a_payload_that_ends_early_is_no_command),
        cmocka_unit_test(C5_no_wrong_byte_is_believed_that_the_controller_would_not_believe),
        cmocka_unit_test(C7_6_a_probe_and_a_restart_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
