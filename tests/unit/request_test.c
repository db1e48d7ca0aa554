#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "topics/request.h"

#define X60 "123456789 123456789 123456789 123456789 123456789 123456789 "

static struct request parsed(const char *verb, const char *payload)
{
    struct request request;
    TEXT_LOCAL(why, 256);

    if (request_parse(verb, payload, strlen(payload), &request, &why) != STATUS_OK) {
        fail_msg("%s %s: %s", verb, payload, why.data);
    }
    return request;
}

static struct request assert_bad(const char *verb, const char *payload, const char *reason)
{
    struct request request;
    TEXT_LOCAL(why, 256);

    memset(&request, 0x5a, sizeof request);
    if (request_parse(verb, payload, strlen(payload), &request, &why) == STATUS_OK) {
        fail_msg("was taken: %s %s", verb, payload);
    }
    assert_string_equal(why.data, reason);
    return request;
}

static void C6_oops_and_lockout_take_a_machine_and_a_value(void **state)
{
    static const char *const words[] = {"oops", "lockout"};
    static const enum request_verb verbs[] = {REQUEST_OOPS, REQUEST_LOCKOUT};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct request request = parsed(
            words[i], "{\"machine\":\"Table Saw\",\"value\":true,\"reason\":\"dull blade\","
                      "\"by\":\"Ada\",\"transaction\":\"t1\",\"unknown\":[]}");
        assert_int_equal(request.verb, verbs[i]);
        assert_string_equal(request.machine, "Table Saw");
        assert_true(request.value);
        assert_string_equal(request.reason, "dull blade");
        assert_string_equal(request.by, "Ada");
        assert_string_equal(request.transaction, "\"t1\"");
        assert_false(parsed(words[i], "{\"machine\":\"m\",\"value\":false}").value);

        assert_bad(words[i], "{\"value\":true}", "/machine: missing");
        assert_bad(words[i], "{\"machine\":\"saw\"}", "/value: missing");
        assert_bad(
            words[i], "{\"machine\":\"saw\",\"value\":\"ON\"}",
            "/value: must be a boolean, is a string");
        assert_bad(
            words[i], "{\"machine\":\"saw\",\"value\":null}", "/value: must be a boolean, is null");
        assert_bad(words[i], "", "/machine: missing");
    }
}

static void C6_clear_and_end_take_a_machine(void **state)
{
    (void)state;
    assert_int_equal(parsed("clear", "{\"machine\":\"saw\"}").verb, REQUEST_CLEAR);
    assert_int_equal(parsed("end", "{\"machine\":\"saw\"}").verb, REQUEST_END);
    assert_bad("clear", "{}", "/machine: missing");
    assert_bad("end", "{}", "/machine: missing");
    assert_bad("clear", "{\"machine\":null}", "/machine: must be a string, is null");
    assert_bad("end", "{\"machine\":\"\"}", "/machine: empty");
}

static void C6_reload_and_status_need_nothing(void **state)
{
    (void)state;
    assert_int_equal(parsed("reload", "").verb, REQUEST_RELOAD);
    assert_false(parsed("reload", "{}").force);
    assert_true(parsed("reload", "{\"force\":true}").force);
    assert_false(parsed("reload", "{\"force\":null}").force);
    assert_bad("reload", "{\"force\":1}", "/force: must be a boolean, is a number");
    assert_int_equal(parsed("status", "").verb, REQUEST_STATUS);
    assert_string_equal(parsed("status", "{}").machine, "");
    assert_string_equal(parsed("status", "{\"machine\":\"saw\"}").machine, "saw");
    assert_string_equal(parsed("status", "{\"after\":\"saw\"}").after, "saw");
    assert_string_equal(parsed("reload", "{\"after\":\"saw\"}").after, "");
    assert_bad("status", "{\"after\":1}", "/after: must be a string, is a number");
    assert_int_equal(parsed("why", "{\"machine\":\"saw\"}").verb, REQUEST_WHY);
    assert_bad("why", "{}", "/machine: missing");
}

static void C6_block_and_unblock_take_a_card_or_an_account(void **state)
{
    static const char *const words[] = {"block", "unblock"};
    static const enum request_verb verbs[] = {REQUEST_BLOCK, REQUEST_UNBLOCK};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct request request = parsed(words[i], "{\"fob\":\"123\",\"by\":\"Ada\"}");
        assert_int_equal(request.verb, verbs[i]);
        assert_string_equal(request.fob, "123");
        assert_string_equal(request.account_id, "");
        assert_string_equal(request.by, "Ada");
        request = parsed(words[i], "{\"account_id\":\"a-1\",\"fob\":null}");
        assert_string_equal(request.fob, "");
        assert_string_equal(request.account_id, "a-1");
        assert_bad(words[i], "", "/fob: give either this or account_id");
        assert_bad(words[i], "{\"fob\":\"\"}", "/fob: give either this or account_id");
        assert_bad(
            words[i], "{\"fob\":\"1\",\"account_id\":\"a\"}",
            "/fob: give either this or account_id");
        assert_bad(words[i], "{\"fob\":123}", "/fob: must be a string, is a number");
        assert_bad(words[i], "{\"account_id\":7}", "/account_id: must be a string, is a number");
        assert_bad(words[i], "{\"fob\":\"1\\n\"}", "/fob: has a control character");
        assert_bad(words[i], "{\"fob\":\"" X60 "12345\"}", "/fob: over 64 characters");
    }
}

static void C6_card_restart_and_forget_take_a_machine(void **state)
{
    struct request request;

    (void)state;
    assert_int_equal(parsed("card", "{\"machine\":\"saw\"}").verb, REQUEST_CARD);
    assert_int_equal(parsed("forget", "{\"machine\":\"saw\"}").verb, REQUEST_FORGET);
    assert_bad("card", "{}", "/machine: missing");
    assert_bad("forget", "{}", "/machine: missing");
    request = parsed("restart", "{\"machine\":\"saw\"}");
    assert_int_equal(request.verb, REQUEST_RESTART);
    assert_false(request.force);
    assert_false(request.when_idle);
    request = parsed("restart", "{\"machine\":\"saw\",\"force\":true,\"when_idle\":true}");
    assert_true(request.force);
    assert_true(request.when_idle);
    assert_bad("restart", "{\"force\":true}", "/machine: missing");
    assert_bad(
        "restart", "{\"machine\":\"saw\",\"when_idle\":\"yes\"}",
        "/when_idle: must be a boolean, is a string");
}

static void C6_a_key_that_belongs_to_another_verb_is_unknown_and_ignored(void **state)
{
    (void)state;
    assert_false(parsed("clear", "{\"machine\":\"saw\",\"value\":1,\"force\":true}").force);
    assert_string_equal(parsed("reload", "{\"machine\":7}").machine, "");
}

static void C6_an_unknown_verb_is_named(void **state)
{
    struct request request = assert_bad("frob", "{\"transaction\":7}", "unknown verb \"frob\"");

    (void)state;
    assert_int_equal(request.verb, REQUEST_VERB_COUNT);
    assert_string_equal(request.transaction, "7");
    assert_bad("", "{}", "unknown verb \"\"");
    assert_bad("Oops", "{}", "unknown verb \"Oops\"");
    assert_bad("frob", "?", "unknown verb \"frob\"");
    assert_string_equal(request_verb_text(REQUEST_VERB_COUNT), "unknown");
    assert_string_equal(request_verb_text(REQUEST_LOCKOUT), "lockout");
}

static void C6_texts_are_limited_and_hold_no_control_characters(void **state)
{
    struct request request = parsed(
        "lockout", "{\"machine\":\"" X60 "1234\",\"value\":true,\"reason\":\"" X60 X60
                   "\",\"by\":\"" X60 "1234\"}");

    (void)state;
    assert_int_equal(strlen(request.reason), REQUEST_REASON_MAX);
    assert_bad(
        "lockout", "{\"machine\":\"m\",\"value\":true,\"reason\":\"" X60 X60 "x\"}",
        "/reason: over 120 characters");
    assert_bad("clear", "{\"machine\":\"" X60 "12345\"}", "/machine: over 64 characters");
    assert_bad("clear", "{\"machine\":\"m\",\"by\":\"" X60 "12345\"}", "/by: over 64 characters");
    assert_bad("clear", "{\"machine\":\"m\\n\"}", "/machine: has a control character");
    assert_bad(
        "clear", "{\"machine\":\"m\",\"by\":\"\\u001b[31m\"}", "/by: has a control character");
    assert_bad(
        "oops", "{\"machine\":\"m\",\"value\":true,\"reason\":\"a\\u0085b\"}",
        "/reason: has a control character");
    assert_bad("status", "{\"machine\":1}", "/machine: must be a string, is a number");
}

static void C6_a_transaction_is_echoed_as_it_came(void **state)
{
    static const char *const cases[][2] = {
        {"\"t1\"", "\"t1\""},
        {"\"\"", "\"\""},
        {"\"a\\\"\\\\\\n\\u00e9\"", "\"a\\\"\\\\\\n\xc3\xa9\""},
        {"7", "7"},
        {"-1", "-1"},
        {"0.1", "0.1"},
        {"1700000000.123", "1700000000.123"},
        {"9007199254740993", "9007199254740992"},
        {"1e300", "1e+300"},
        {"null", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(payload, 128);
        text_addf(&payload, "{\"transaction\":%s}", cases[i][0]);
        assert_string_equal(parsed("status", payload.data).transaction, cases[i][1]);
    }
    assert_string_equal(parsed("status", "{}").transaction, "");
}

static void C6_a_transaction_is_a_string_or_a_number_of_limited_length(void **state)
{
    TEXT_LOCAL(payload, 512);
    struct request request;

    (void)state;
    request = assert_bad(
        "status", "{\"transaction\":true}",
        "/transaction: must be a string or a number, is a boolean");
    assert_string_equal(request.transaction, "");
    assert_bad(
        "status", "{\"transaction\":[1]}",
        "/transaction: must be a string or a number, is an array");
    text_addf(&payload, "{\"transaction\":\"%0*d\"}", REQUEST_TRANSACTION_SIZE - 3, 0);
    parsed("status", payload.data);
    text_clear(&payload);
    text_addf(&payload, "{\"transaction\":\"%0*d\"}", REQUEST_TRANSACTION_SIZE - 2, 0);
    request = assert_bad("status", payload.data, "/transaction: over 256 bytes");
    assert_string_equal(request.transaction, "");
}

static void an_error_keeps_the_transaction_for_its_answer(void **state)
{
    (void)state;
    assert_string_equal(
        assert_bad("clear", "{\"transaction\":\"t\"}", "/machine: missing").transaction, "\"t\"");
    assert_string_equal(
        assert_bad("clear", "{\"transaction\":\"t\"", "not JSON: it ends too early at byte 18")
            .transaction,
        "");
    assert_bad("clear", "[]", "/: must be an object, is an array");
}

static void a_request_over_4096_bytes_is_refused(void **state)
{
    static char payload[REQUEST_BYTES_MAX + 1];
    struct request request;
    TEXT_LOCAL(why, 256);

    (void)state;
    memset(payload, ' ', sizeof payload);
    payload[0] = '{';
    payload[1] = '}';
    assert_int_equal(
        request_parse("reload", payload, REQUEST_BYTES_MAX, &request, &why), STATUS_OK);
    assert_int_equal(
        request_parse("reload", payload, REQUEST_BYTES_MAX + 1, &request, &why), STATUS_INVALID);
    assert_string_equal(why.data, "over 4096 bytes");
}

static void C6_an_answer_has_what_applies(void **state)
{
    TEXT_LOCAL(printed, 256);
    TEXT_LOCAL(small, 16);

    (void)state;
    assert_int_equal(
        response_print(RESPONSE_OK, "{\"changed\":true}", NULL, "\"t1\"", &printed), STATUS_OK);
    assert_string_equal(
        printed.data, "{\"status\":\"ok\",\"data\":{\"changed\":true},\"transaction\":\"t1\"}");
    text_clear(&printed);
    assert_int_equal(response_print(RESPONSE_QUEUED, NULL, NULL, "", &printed), STATUS_OK);
    assert_string_equal(printed.data, "{\"status\":\"queued\"}");
    text_clear(&printed);
    assert_int_equal(
        response_print(RESPONSE_ERROR, NULL, "unknown verb \"x\"", "7", &printed), STATUS_OK);
    assert_string_equal(
        printed.data,
        "{\"status\":\"error\",\"error\":\"unknown verb \\\"x\\\"\",\"transaction\":7}");
    assert_int_equal(response_print(RESPONSE_OK, NULL, NULL, "7", &small), STATUS_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C6_oops_and_lockout_take_a_machine_and_a_value),
        cmocka_unit_test(C6_clear_and_end_take_a_machine),
        cmocka_unit_test(C6_reload_and_status_need_nothing),
        cmocka_unit_test(C6_block_and_unblock_take_a_card_or_an_account),
        cmocka_unit_test(C6_card_restart_and_forget_take_a_machine),
        cmocka_unit_test(C6_a_key_that_belongs_to_another_verb_is_unknown_and_ignored),
        cmocka_unit_test(C6_an_unknown_verb_is_named),
        cmocka_unit_test(C6_texts_are_limited_and_hold_no_control_characters),
        cmocka_unit_test(C6_a_transaction_is_echoed_as_it_came),
        cmocka_unit_test(C6_a_transaction_is_a_string_or_a_number_of_limited_length),
        cmocka_unit_test(an_error_keeps_the_transaction_for_its_answer),
        cmocka_unit_test(a_request_over_4096_bytes_is_refused),
        cmocka_unit_test(C6_an_answer_has_what_applies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
