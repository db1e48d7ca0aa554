#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "topics/report.h"

#define X32 "0123456789abcdef0123456789ABCDEF"

/* Parses a copy that ends exactly at `length`, so that ASan sees a read behind it. */
static enum status parse(const char *bytes, size_t length, struct report *ret, struct text *why)
{
    char *copy = malloc(length + (length == 0));
    enum status status;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    status = report_parse(copy, length, ret, why);
    free(copy);
    return status;
}

static struct report parsed(const char *payload)
{
    struct report report;
    TEXT_LOCAL(why, 256);

    if (parse(payload, strlen(payload), &report, &why) != STATUS_OK) {
        fail_msg("%s: %s", payload, why.data);
    }
    return report;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* Of what kind a flaw is, by its reason: metrics count them apart. */
static enum member_flaw flaw_of(const char *reason)
{
    if (reason[0] == '/' && strstr(reason, ": a number too big") == NULL) {
        return strstr(reason, ": missing") != NULL ? MEMBER_FLAW_MISSING : MEMBER_FLAW_VALUE;
    }
    return strncmp(reason, "over", strlen("over")) == 0 ? MEMBER_FLAW_SIZE : MEMBER_FLAW_JSON;
}

static void assert_bad(const char *bytes, size_t length, const char *reason)
{
    struct report report;
    struct report untouched;
    enum member_flaw flaw = MEMBER_FLAW_NONE;
    TEXT_LOCAL(why, 256);
    enum status status;

    memset(&report, 0x5a, sizeof report);
    untouched = report;
    status = parse(bytes, length, &report, &why);
    if (status == STATUS_OK) {
        fail_msg("was taken: %s", bytes);
    }
    assert_int_equal(status, STATUS_INVALID);
    assert_string_equal(why.data, reason);
    assert_memory_equal(&report, &untouched, sizeof report);
    text_clear(&why);
    assert_int_equal(report_parse_flaw(bytes, length, &report, &why, &flaw), STATUS_INVALID);
    assert_int_equal(flaw, flaw_of(reason));
}

struct bad {
    const char *bytes;
    size_t length;
    const char *reason;
};

#define BAD(bytes, reason)                                                                         \
    {                                                                                              \
        bytes, sizeof bytes - 1, reason                                                            \
    }
/* With the required keys in front. */
#define GOOD "{\"oops\":false,\"rfid_value\":\"\",\"uptime\":1,"
#define BAD_EXTRA(members, reason) BAD(GOOD members "}", reason)

static void assert_all_bad(const struct bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_bad(cases[i].bytes, cases[i].length, cases[i].reason);
    }
}

#define ASSERT_ALL_BAD(cases) assert_all_bad(cases, sizeof cases / sizeof cases[0])

static void C3_a_payload_that_is_not_strict_JSON_is_bad(void **state)
{
    static const struct bad cases[] = {
        BAD("", "not JSON: it ends too early at byte 0"),
        BAD("OFF", "not JSON: no value at byte 0"),
        BAD("{\"oops\":false,\"rfid_value\":\"\",\"uptime\":1",
            "not JSON: it ends too early at byte 40"),
        BAD_EXTRA("", "not JSON: no key at byte 41"),
        BAD(GOOD "\"seq\":1}x", "not JSON: more bytes after the value at byte 49"),
        BAD(GOOD "\"seq\":1}\0", "not JSON: more bytes after the value at byte 49"),
        BAD(GOOD "\"seq\":1}{}", "not JSON: more bytes after the value at byte 49"),
        BAD_EXTRA("\"seq\":01", "not JSON: a number has a leading zero at byte 47"),
        BAD_EXTRA("\"fw\":\"\xff\"", "not JSON: invalid UTF-8 at byte 47"),
        BAD_EXTRA("\"fw\":\"a\nb\"", "not JSON: a control character in a string at byte 48"),
        BAD_EXTRA("\"amps\":NaN", "not JSON: no value at byte 48"),
        BAD_EXTRA("\"amps\":1e999", "/amps: a number too big"),
        BAD_EXTRA("\"oops\":true", "the key \"oops\" stands twice in /"),
        BAD_EXTRA("\"\\u006fops\":true", "the key \"oops\" stands twice in /"),
        BAD_EXTRA("\"x\":{\"y\":1,\"y\":2}", "the key \"y\" stands twice in /x"),
        BAD_EXTRA(
            "\"ack\":{\"epoch\":1,\"rev\":1,\"rev\":2,\"oops\":false,\"lockout\":false}",
            "the key \"rev\" stands twice in /ack"),
        BAD_EXTRA("\"x\":\"\\u0000\"", "\\u0000 in a string at byte 46"),
        BAD_EXTRA("\"x\":\"\\ud800\"", "half of a surrogate pair in a string at byte 46"),
        BAD("[]", "/: must be an object, is an array"),
        BAD("\"oops\"", "/: must be an object, is a string"),
        BAD("null", "/: must be an object, is null"),
        BAD("1", "/: must be an object, is a number"),
        BAD("true", "/: must be an object, is a boolean"),
    };

    (void)state;
    ASSERT_ALL_BAD(cases);
}

static void C3_a_card_that_hides_a_NUL_is_not_the_card_in_front_of_it(void **state)
{
    static const char payload[] = "{\"oops\":false,\"rfid_value\":\"4\\u00002\",\"uptime\":1}";

    (void)state;
    assert_bad(payload, sizeof payload - 1, "\\u0000 in a string at byte 29");
}

static void C3_a_required_key_that_lacks_is_bad(void **state)
{
    static const struct bad cases[] = {
        BAD("{}", "/oops: missing"),
        BAD("{\"rfid_value\":\"\",\"uptime\":1}", "/oops: missing"),
        BAD("{\"oops\":false,\"uptime\":1}", "/rfid_value: missing"),
        BAD("{\"oops\":false,\"rfid_value\":\"\"}", "/uptime: missing"),
        /* Keys match exactly. */
        BAD("{\"Oops\":false,\"rfid_value\":\"\",\"uptime\":1}", "/oops: missing"),
        BAD("{\"oops\":false,\"rfid_value \":\"\",\"uptime\":1}", "/rfid_value: missing"),
        /* null counts as absent in an optional key only. */
        BAD("{\"oops\":null,\"rfid_value\":\"\",\"uptime\":1}",
            "/oops: must be a boolean, is null"),
        BAD("{\"oops\":false,\"rfid_value\":null,\"uptime\":1}",
            "/rfid_value: must be a string, is null"),
        BAD("{\"oops\":false,\"rfid_value\":\"\",\"uptime\":null}",
            "/uptime: must be a number, is null"),
    };

    (void)state;
    ASSERT_ALL_BAD(cases);
}

static void C3_a_wrong_type_is_bad(void **state)
{
    static const struct bad cases[] = {
        BAD("{\"oops\":0,\"rfid_value\":\"\",\"uptime\":1}",
            "/oops: must be a boolean, is a number"),
        BAD("{\"oops\":\"false\",\"rfid_value\":\"\",\"uptime\":1}",
            "/oops: must be a boolean, is a string"),
        BAD("{\"oops\":false,\"rfid_value\":405113796,\"uptime\":1}",
            "/rfid_value: must be a string, is a number"),
        BAD("{\"oops\":false,\"rfid_value\":[\"4\"],\"uptime\":1}",
            "/rfid_value: must be a string, is an array"),
        BAD("{\"oops\":false,\"rfid_value\":\"\",\"uptime\":\"1\"}",
            "/uptime: must be a number, is a string"),
        BAD_EXTRA("\"boot_id\":1", "/boot_id: must be a string, is a number"),
        BAD_EXTRA("\"seq\":\"1\"", "/seq: must be a number, is a string"),
        BAD_EXTRA("\"ack\":1", "/ack: must be an object, is a number"),
        BAD_EXTRA("\"ack\":[]", "/ack: must be an object, is an array"),
        BAD_EXTRA("\"relay_state\":\"ON\"", "/relay_state: must be a boolean, is a string"),
        BAD_EXTRA(
            "\"second_relay_state\":1", "/second_relay_state: must be a boolean, is a number"),
        BAD_EXTRA("\"relay_feedback\":true", "/relay_feedback: must be a string, is a boolean"),
        BAD_EXTRA("\"emergency\":1", "/emergency: must be a boolean, is a number"),
        BAD_EXTRA("\"reader_ok\":{}", "/reader_ok: must be a boolean, is an object"),
        BAD_EXTRA("\"fw\":1", "/fw: must be a string, is a number"),
        BAD_EXTRA("\"reset_reason\":[]", "/reset_reason: must be a string, is an array"),
        BAD_EXTRA("\"wifi_signal_db\":\"-61\"", "/wifi_signal_db: must be a number, is a string"),
        BAD_EXTRA(
            "\"wifi_signal_percent\":true", "/wifi_signal_percent: must be a number, is a boolean"),
        BAD_EXTRA(
            "\"internal_temperature_c\":{}",
            "/internal_temperature_c: must be a number, is an object"),
        BAD_EXTRA("\"amps\":\"0\"", "/amps: must be a number, is a string"),
    };

    (void)state;
    ASSERT_ALL_BAD(cases);
}

static void C3_a_value_out_of_its_limits_is_bad(void **state)
{
    static const struct bad cases[] = {
        BAD("{\"oops\":false,\"rfid_value\":\"" X32 X32 "0\",\"uptime\":1}",
            "/rfid_value: over 64 characters"),
        BAD("{\"oops\":false,\"rfid_value\":\"4\\n\",\"uptime\":1}",
            "/rfid_value: not printable ASCII"),
        BAD("{\"oops\":false,\"rfid_value\":\"4\x7f\",\"uptime\":1}",
            "/rfid_value: not printable ASCII"),
        BAD("{\"oops\":false,\"rfid_value\":\"\xc3\xa9\",\"uptime\":1}",
            "/rfid_value: not printable ASCII"),
        BAD("{\"oops\":false,\"rfid_value\":\"\",\"uptime\":-1}", "/uptime: -1 is below 0"),
        BAD("{\"oops\":false,\"rfid_value\":\"\",\"uptime\":-0.5}", "/uptime: -0.5 is below 0"),
        BAD_EXTRA("\"boot_id\":\"\"", "/boot_id: empty"),
        BAD_EXTRA("\"boot_id\":\"" X32 "0\"", "/boot_id: over 32 characters"),
        BAD_EXTRA("\"boot_id\":\"a\\\"b\"", "/boot_id: not printable ASCII without \" and \\"),
        BAD_EXTRA("\"boot_id\":\"a\\\\b\"", "/boot_id: not printable ASCII without \" and \\"),
        BAD_EXTRA("\"boot_id\":\"a\\tb\"", "/boot_id: not printable ASCII without \" and \\"),
        BAD_EXTRA("\"boot_id\":\"\xc3\xa9\"", "/boot_id: not printable ASCII without \" and \\"),
        BAD_EXTRA("\"seq\":0", "/seq: 0 is not an integer from 1 to 4294967295"),
        BAD_EXTRA("\"seq\":-1", "/seq: -1 is not an integer from 1 to 4294967295"),
        BAD_EXTRA("\"seq\":1.5", "/seq: 1.5 is not an integer from 1 to 4294967295"),
        BAD_EXTRA("\"seq\":4294967296", "/seq: 4294967296 is not an integer from 1 to 4294967295"),
        BAD_EXTRA(
            "\"relay_feedback\":\"pin\"", "/relay_feedback: neither \"contact\" nor \"output\""),
        BAD_EXTRA("\"relay_feedback\":\"\"", "/relay_feedback: neither \"contact\" nor \"output\""),
        BAD_EXTRA("\"fw\":\"" X32 "0\"", "/fw: over 32 characters"),
        BAD_EXTRA("\"reset_reason\":\"" X32 "0\"", "/reset_reason: over 32 characters"),
    };

    (void)state;
    ASSERT_ALL_BAD(cases);
}

#define ACK(members) GOOD "\"ack\":{" members "}}"

static void C3_an_ack_has_all_its_members_or_is_bad(void **state)
{
    static const struct bad cases[] = {
        BAD(ACK(""), "/ack/epoch: missing"),
        BAD(ACK("\"rev\":1,\"oops\":false,\"lockout\":false"), "/ack/epoch: missing"),
        BAD(ACK("\"epoch\":1,\"oops\":false,\"lockout\":false"), "/ack/rev: missing"),
        BAD(ACK("\"epoch\":1,\"rev\":1,\"lockout\":false"), "/ack/oops: missing"),
        BAD(ACK("\"epoch\":1,\"rev\":1,\"oops\":false"), "/ack/lockout: missing"),
        BAD(ACK("\"epoch\":null,\"rev\":1,\"oops\":false,\"lockout\":false"),
            "/ack/epoch: must be a number, is null"),
        BAD(ACK("\"epoch\":1,\"rev\":1,\"oops\":1,\"lockout\":false"),
            "/ack/oops: must be a boolean, is a number"),
        BAD(ACK("\"epoch\":1,\"rev\":1,\"oops\":false,\"lockout\":\"\""),
            "/ack/lockout: must be a boolean, is a string"),
        BAD(ACK("\"epoch\":1099511627777,\"rev\":1,\"oops\":false,\"lockout\":false"),
            "/ack/epoch: 1099511627777 is not an integer from 0 to 1099511627776"),
        BAD(ACK("\"epoch\":-1,\"rev\":1,\"oops\":false,\"lockout\":false"),
            "/ack/epoch: -1 is not an integer from 0 to 1099511627776"),
        BAD(ACK("\"epoch\":1,\"rev\":4294967296,\"oops\":false,\"lockout\":false"),
            "/ack/rev: 4294967296 is not an integer from 0 to 4294967295"),
        BAD(ACK("\"epoch\":1,\"rev\":0.5,\"oops\":false,\"lockout\":false"),
            "/ack/rev: 0.5 is not an integer from 0 to 4294967295"),
    };

    (void)state;
    ASSERT_ALL_BAD(cases);
}

static void C3_4096_bytes_are_taken_and_4097_are_not(void **state)
{
    static const char report[] = GOOD "\"seq\":7}";
    char payload[REPORT_BYTES_MAX + 1];
    struct report parsed_report;
    TEXT_LOCAL(why, 256);

    (void)state;
    memset(payload, ' ', sizeof payload);
    memcpy(payload, report, sizeof report - 1);
    assert_int_equal(parse(payload, REPORT_BYTES_MAX, &parsed_report, &why), STATUS_OK);
    assert_int_equal(parsed_report.seq, 7);
    assert_bad(payload, REPORT_BYTES_MAX + 1, "over 4096 bytes");
}

static void C3_depth_8_is_taken_and_9_is_not(void **state)
{
    static const char deep[] = GOOD "\"x\":[[[[[[[[1]]]]]]]]}";

    (void)state;
    parsed(GOOD "\"x\":[[[[[[[1]]]]]]]}");
    assert_bad(deep, sizeof deep - 1, "nested over 8 deep at byte 52");
}

static void C3_null_in_an_optional_key_counts_as_absent(void **state)
{
    struct report with_null =
        parsed(GOOD "\"boot_id\":null,\"seq\":null,\"ack\":null,\"relay_state\":null,"
                    "\"second_relay_state\":null,\"relay_feedback\":null,\"emergency\":null,"
                    "\"reader_ok\":null,\"fw\":null,\"reset_reason\":null,\"wifi_signal_db\":null,"
                    "\"wifi_signal_percent\":null,\"internal_temperature_c\":null,\"amps\":null}");
    struct report without = parsed("{\"oops\":false,\"rfid_value\":\"\",\"uptime\":1}");
    TEXT_LOCAL(printed, 512);

    (void)state;
    assert_string_equal(without.boot_id, "");
    assert_int_equal(without.seq, 0);
    assert_false(without.has_ack);
    assert_int_equal(without.relay_state, REPORT_RELAY_ABSENT);
    assert_int_equal(without.second_relay_state, REPORT_RELAY_ABSENT);
    assert_false(without.has_feedback);
    assert_false(without.emergency);
    assert_false(without.has_reader_ok);
    assert_string_equal(without.fw, "");
    assert_string_equal(without.reset_reason, "");
    for (size_t i = 0; i < REPORT_NUMBER_COUNT; i++) {
        assert_false(without.has_number[i]);
    }
    assert_int_equal(report_print(&with_null, &printed), STATUS_OK);
    assert_string_equal(printed.data, "{\"oops\":false,\"rfid_value\":\"\",\"uptime\":1}");
}

static void C3_a_whole_report_is_read(void **state)
{
    struct report report = parsed(
        "{\"oops\":true,\"rfid_value\":\"0000000042\",\"uptime\":12.5,\"boot_id\":\"b' ~\","
        "\"seq\":4294967295,\"ack\":{\"epoch\":1099511627776,\"rev\":4294967295,\"oops\":true,"
        "\"lockout\":false,\"x\":1},\"relay_state\":true,\"second_relay_state\":false,"
        "\"relay_feedback\":\"contact\",\"emergency\":true,\"reader_ok\":false,\"fw\":\"1.2\","
        "\"reset_reason\":\"power on\",\"wifi_signal_db\":-61,\"wifi_signal_percent\":78.5,"
        "\"internal_temperature_c\":0,\"amps\":3.25,\"unknown\":{\"oops\":null}}");

    (void)state;
    assert_true(report.oops);
    assert_string_equal(report.card, "0000000042");
    assert_true(near(report.uptime_s, 12.5));
    assert_string_equal(report.boot_id, "b' ~");
    assert_int_equal(report.seq, UINT32_MAX);
    assert_true(report.has_ack);
    assert_true(report.ack.epoch == VERSION_EPOCH_MAX);
    assert_int_equal(report.ack.rev, UINT32_MAX);
    assert_true(report.ack_oops);
    assert_false(report.ack_lockout);
    assert_int_equal(report.relay_state, REPORT_RELAY_ON);
    assert_int_equal(report.second_relay_state, REPORT_RELAY_OFF);
    assert_true(report.has_feedback);
    assert_true(report.feedback_is_contact);
    assert_true(report.emergency);
    assert_true(report.has_reader_ok);
    assert_false(report.reader_ok);
    assert_string_equal(report.fw, "1.2");
    assert_string_equal(report.reset_reason, "power on");
    assert_true(near(report.number[REPORT_WIFI_SIGNAL_DB], -61));
    assert_true(near(report.number[REPORT_WIFI_SIGNAL_PERCENT], 78.5));
    assert_true(report.has_number[REPORT_INTERNAL_TEMPERATURE_C]);
    assert_true(near(report.number[REPORT_AMPS], 3.25));
}

static void C3_the_limits_themselves_are_taken(void **state)
{
    struct report report =
        parsed("{\"oops\":false,\"rfid_value\":\"" X32 X32 "\",\"uptime\":0,\"boot_id\":\"" X32
               "\",\"seq\":1,\"fw\":\"" X32 "\",\"relay_feedback\":\"output\"}");
    struct report wide =
        parsed(GOOD "\"fw\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"}");

    (void)state;
    assert_string_equal(report.card, X32 X32);
    assert_string_equal(report.boot_id, X32);
    assert_string_equal(report.fw, X32);
    assert_int_equal(report.seq, 1);
    assert_true(report.has_feedback);
    assert_false(report.feedback_is_contact);
    assert_int_equal(strlen(wide.fw), 128);
}

static void C3_boot_id_and_seq_are_optional_each_by_itself(void **state)
{
    struct report boot = parsed(GOOD "\"boot_id\":\"b\"}");
    struct report seq = parsed(GOOD "\"seq\":3}");

    (void)state;
    assert_string_equal(boot.boot_id, "b");
    assert_int_equal(boot.seq, 0);
    assert_string_equal(seq.boot_id, "");
    assert_int_equal(seq.seq, 3);
}

static void C3_a_card_is_padded_with_zeros_to_ten_characters(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"4", "0000000004"},
        {"405113796", "0405113796"},
        {"0405113796", "0405113796"},
        {"012345678901", "012345678901"},
        {" a", "00000000 a"},
    };
    struct report report = parsed("{\"oops\":false,\"rfid_value\":\"405113796\",\"uptime\":1}");

    (void)state;
    assert_string_equal(report.card, "0405113796");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char padded[REPORT_CARD_SIZE];
        card_pad(padded, cases[i][0]);
        assert_string_equal(padded, cases[i][1]);
    }
}

static void a_report_that_is_printed_reads_back_the_same(void **state)
{
    static const char *const payloads[] = {
        "{\"oops\":false,\"rfid_value\":\"\",\"uptime\":0}",
        "{\"oops\":true,\"rfid_value\":\"0000000042\",\"uptime\":12.5,\"boot_id\":\"b1\","
        "\"seq\":7,\"ack\":{\"epoch\":3,\"rev\":4,\"oops\":true,\"lockout\":false},"
        "\"relay_state\":true,\"second_relay_state\":false,\"relay_feedback\":\"output\","
        "\"emergency\":true,\"reader_ok\":false,\"fw\":\"\\\"1.2\\\"\","
        "\"reset_reason\":\"power on\",\"wifi_signal_db\":-61,\"wifi_signal_percent\":78.5,"
        "\"internal_temperature_c\":0,\"amps\":3.25}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        struct report report = parsed(payloads[i]);
        TEXT_LOCAL(printed, REPORT_BYTES_MAX + 1);
        assert_int_equal(report_print(&report, &printed), STATUS_OK);
        assert_string_equal(printed.data, payloads[i]);
    }
}

static void a_report_that_does_not_fit_is_an_error(void **state)
{
    struct report report = parsed(GOOD "\"seq\":1}");
    TEXT_LOCAL(printed, 20);

    (void)state;
    assert_int_equal(report_print(&report, &printed), STATUS_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C3_a_payload_that_is_not_strict_JSON_is_bad),
        cmocka_unit_test(C3_a_card_that_hides_a_NUL_is_not_the_card_in_front_of_it),
        cmocka_unit_test(C3_a_required_key_that_lacks_is_bad),
        cmocka_unit_test(C3_a_wrong_type_is_bad),
        cmocka_unit_test(C3_a_value_out_of_its_limits_is_bad),
        cmocka_unit_test(C3_an_ack_has_all_its_members_or_is_bad),
        cmocka_unit_test(C3_4096_bytes_are_taken_and_4097_are_not),
        cmocka_unit_test(C3_depth_8_is_taken_and_9_is_not),
        cmocka_unit_test(C3_null_in_an_optional_key_counts_as_absent),
        cmocka_unit_test(C3_a_whole_report_is_read),
        cmocka_unit_test(C3_the_limits_themselves_are_taken),
        cmocka_unit_test(C3_boot_id_and_seq_are_optional_each_by_itself),
        cmocka_unit_test(C3_a_card_is_padded_with_zeros_to_ten_characters),
        cmocka_unit_test(a_report_that_is_printed_reads_back_the_same),
        cmocka_unit_test(a_report_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
