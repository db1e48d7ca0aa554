#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "topics/notice.h"

static void C8_2_an_event_says_what_happened(void **state)
{
    struct notice_payload notice = {
        .event_type = "logout",
        .n = 9,
        .machine = "saw",
        .display_name = "Table Saw",
        .user = "Ada",
        .account_id = "7",
        .source = "card",
        .reason = "card_removed",
        .text = "Ada logged out",
        .by = "bob",
        .fault = "twin",
        .reset_reason = "brownout",
        .warn_only = true,
        .has_session = true,
        .session_ms = 90500,
        .approximate = true,
        .since = {1600000000500},
        .last_user = "Bob",
        .clock_is_free = true,
        .version = {.epoch = 3, .rev = 4},
        .at = {1700000000123},
    };
    TEXT_LOCAL(printed, NOTICE_BYTES_MAX);

    (void)state;
    assert_int_equal(notice_print(&notice, &printed), STATUS_OK);
    assert_string_equal(
        printed.data,
        "{\"event_type\":\"logout\",\"n\":9,\"machine\":\"saw\",\"display_name\":\"Table Saw\","
        "\"user\":\"Ada\",\"account_id\":\"7\",\"source\":\"card\",\"reason\":\"card_removed\","
        "\"text\":\"Ada logged "
        "out\",\"by\":\"bob\",\"fault\":\"twin\",\"reset_reason\":\"brownout\","
        "\"warn_only\":true,\"session_s\":90.5,\"approx\":true,\"since\":1600000000.5,\"last_"
        "user\":\"Bob\","
        "\"clock\":\"unsynchronised\",\"epoch\":3,\"rev\":4,\"at\":1700000000.123}");
}

static void C8_2_what_does_not_apply_is_null_or_left_out(void **state)
{
    struct notice_payload notice = {.event_type = "oops", .machine = "saw", .session_ms = 5};
    struct notice_payload session = {.has_session = true};
    TEXT_LOCAL(printed, NOTICE_BYTES_MAX);

    (void)state;
    assert_int_equal(notice_print(&notice, &printed), STATUS_OK);
    assert_string_equal(
        printed.data,
        "{\"event_type\":\"oops\",\"n\":0,\"machine\":\"saw\",\"display_name\":null,"
        "\"user\":null,\"account_id\":null,\"source\":null,\"reason\":null,\"text\":null,"
        "\"epoch\":0,\"rev\":0,\"at\":null}");
    text_clear(&printed);
    assert_int_equal(notice_print(&session, &printed), STATUS_OK);
    assert_string_equal(
        printed.data,
        "{\"event_type\":null,\"n\":0,\"machine\":null,\"display_name\":null,\"user\":null,"
        "\"account_id\":null,\"source\":null,\"reason\":null,\"text\":null,\"session_s\":0,"
        "\"epoch\":0,\"rev\":0,\"at\":null}");
}

static void an_event_that_does_not_fit_is_an_error(void **state)
{
    struct notice_payload notice = {.event_type = "oops"};
    TEXT_LOCAL(printed, 40);

    (void)state;
    assert_int_equal(notice_print(&notice, &printed), STATUS_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C8_2_an_event_says_what_happened),
        cmocka_unit_test(C8_2_what_does_not_apply_is_null_or_left_out),
        cmocka_unit_test(an_event_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
