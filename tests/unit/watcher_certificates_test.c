/* When people hear that a certificate ends: 60 and 14 days before, once each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/watcher/certificates.h"

#define DAY_MS INT64_C(86400000)
#define END_MS INT64_C(2000000000000) /* 2033-05-18 */
#define FILE_NAME "/etc/tagout/ca/server.crt"

static struct certificates one(void)
{
    struct certificates certificates = {.count = 0};

    certificates_add(&certificates, FILE_NAME);
    assert_int_equal(certificates.count, 1);
    return certificates;
}

static bool tells(struct certificates *certificates, int64_t before_ms)
{
    struct alert alert;
    struct wall_time now = {END_MS - before_ms};

    if (!certificates_tell(&certificates->items[0], now, &alert)) {
        return false;
    }
    assert_int_equal(alert.kind, ALERT_CERTIFICATE);
    assert_string_equal(alert.reason, FILE_NAME);
    assert_int_equal(alert.ends.ms, END_MS);
    assert_int_equal(alert.at.ms, now.ms);
    return true;
}

static void sixty_days_before_and_fourteen_once_each(void **state)
{
    struct certificates certificates = one();

    (void)state;
    certificates_found(&certificates.items[0], (struct wall_time){END_MS});
    assert_false(tells(&certificates, 7305 * DAY_MS));
    assert_false(tells(&certificates, 60 * DAY_MS + 1));
    assert_true(tells(&certificates, 60 * DAY_MS));
    assert_false(tells(&certificates, 60 * DAY_MS));
    assert_false(tells(&certificates, 14 * DAY_MS + 1));
    assert_true(tells(&certificates, 14 * DAY_MS));
    assert_false(tells(&certificates, 14 * DAY_MS));
    assert_false(tells(&certificates, 0));
    assert_false(tells(&certificates, -30 * DAY_MS));
}

static void one_that_is_found_late_is_told_once(void **state)
{
    struct certificates certificates = one();

    (void)state;
    certificates_found(&certificates.items[0], (struct wall_time){END_MS});
    assert_true(tells(&certificates, 3 * DAY_MS));
    assert_false(tells(&certificates, 2 * DAY_MS));
}

static void what_a_clock_that_was_ahead_has_told_is_told_again_in_time(void **state)
{
    struct certificates certificates = one();

    (void)state;
    certificates_found(&certificates.items[0], (struct wall_time){END_MS});
    assert_true(tells(&certificates, 3 * DAY_MS));
    assert_false(tells(&certificates, 15 * DAY_MS)); /* a day or less: the same notice */
    assert_false(tells(&certificates, 14 * DAY_MS));
    assert_false(tells(&certificates, 50 * DAY_MS));
    assert_true(tells(&certificates, 14 * DAY_MS));
    assert_false(tells(&certificates, 100 * DAY_MS));
    assert_true(tells(&certificates, 60 * DAY_MS));
    assert_true(tells(&certificates, 14 * DAY_MS));
}

static void of_one_that_was_not_read_nothing_is_told(void **state)
{
    struct certificates certificates = one();

    (void)state;
    assert_false(tells(&certificates, -DAY_MS));
}

static void a_new_one_begins_anew_and_the_same_again_does_not(void **state)
{
    struct certificates certificates = one();

    (void)state;
    certificates_found(&certificates.items[0], (struct wall_time){END_MS - 100 * DAY_MS});
    {
        struct alert alert;
        assert_true(certificates_tell(
            &certificates.items[0], (struct wall_time){END_MS - 101 * DAY_MS}, &alert));
    }
    certificates_found(&certificates.items[0], (struct wall_time){END_MS});
    assert_false(tells(&certificates, 61 * DAY_MS));
    assert_true(tells(&certificates, 50 * DAY_MS));
    certificates_found(&certificates.items[0], (struct wall_time){END_MS});
    assert_false(tells(&certificates, 49 * DAY_MS));
}

/* The next process's, after what this one wrote. */
static struct certificates after_restart(const struct certificates *before)
{
    struct certificates certificates = one();
    struct json_out out;
    struct json *document = NULL;
    TEXT_LOCAL(text, 1024);
    TEXT_LOCAL(why, 256);

    out = json_out(&text);
    json_out_open(&out, NULL, '{');
    certificates_print(before, &out);
    json_out_close(&out, '}');
    assert_int_equal(json_parse(text.data, text.length, &document, &why), STATUS_OK);
    certificates_read(&certificates, document);
    json_free(document);
    return certificates;
}

static void a_restart_tells_nothing_again(void **state)
{
    struct certificates certificates = one();

    (void)state;
    certificates_found(&certificates.items[0], (struct wall_time){END_MS});
    assert_true(tells(&certificates, 50 * DAY_MS));
    certificates = after_restart(&certificates);
    certificates_found(&certificates.items[0], (struct wall_time){END_MS});
    assert_false(tells(&certificates, 49 * DAY_MS));
    certificates = after_restart(&certificates);
    assert_true(tells(&certificates, 10 * DAY_MS));
    certificates = after_restart(&certificates);
    assert_false(tells(&certificates, 9 * DAY_MS));
}

static void a_memory_of_an_older_certificate_does_not_count(void **state)
{
    struct certificates before = one();
    struct certificates after;

    (void)state;
    certificates_found(&before.items[0], (struct wall_time){END_MS - 40 * DAY_MS});
    before.items[0].told_days = 14;
    after = after_restart(&before);
    certificates_found(&after.items[0], (struct wall_time){END_MS});
    assert_true(tells(&after, 50 * DAY_MS));
}

static void what_cannot_be_a_memory_is_none(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"certificates\": 1}",
        "{\"certificates\": {\"" FILE_NAME "\": 1}}",
        "{\"certificates\": {\"" FILE_NAME "\": {\"told_days\": 60}}}",
        "{\"certificates\": {\"" FILE_NAME "\": {\"ends\": \"x\", \"told_days\": 60}}}",
        "{\"certificates\": {\"" FILE_NAME "\": {\"ends\": -1, \"told_days\": 60}}}",
        "{\"certificates\": {\"" FILE_NAME "\": {\"ends\": 1e300, \"told_days\": 60}}}",
        "{\"certificates\": {\"" FILE_NAME "\": {\"ends\": 2e9, \"told_days\": 1.5}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct certificates certificates = one();
        struct json *document = NULL;
        TEXT_LOCAL(why, 256);

        assert_int_equal(json_parse(bad[i], strlen(bad[i]), &document, &why), STATUS_OK);
        certificates_read(&certificates, document);
        json_free(document);
        assert_int_equal(certificates.items[0].ends.ms, 0);
        assert_int_equal(certificates.items[0].told_days, 0);
    }
}

static void no_file_and_the_same_file_twice_are_not_watched(void **state)
{
    struct certificates certificates = one();
    char name[CERTIFICATE_FILE_SIZE + 1];

    (void)state;
    certificates_add(&certificates, "");
    certificates_add(&certificates, FILE_NAME);
    memset(name, 'a', sizeof name);
    name[CERTIFICATE_FILE_SIZE] = '\0';
    certificates_add(&certificates, name);
    assert_int_equal(certificates.count, 1);
    certificates_add(&certificates, "b");
    certificates_add(&certificates, "c");
    certificates_add(&certificates, "d");
    assert_int_equal(certificates.count, CERTIFICATES_MAX);
}

static void the_sentence_says_when_and_what_to_do(void **state)
{
    const struct {
        int64_t before_ms;
        const char *begins;
    } cases[] = {
        {60 * DAY_MS, "Certificate /f ends in 60 days, on 2033-05-18: from then on"},
        {DAY_MS + 1, "Certificate /f ends in 1 day, on 2033-05-18: from then on"},
        {0, "Certificate /f has ended, on 2033-05-18: from then on"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct alert alert = {
            .kind = ALERT_CERTIFICATE,
            .reason = "/f",
            .ends = {END_MS},
            .at = {END_MS - cases[i].before_ms}};
        struct alert again;
        struct json *document = NULL;
        TEXT_LOCAL(text, 1024);
        TEXT_LOCAL(payload, ALERT_BYTES_MAX);
        TEXT_LOCAL(why, 256);

        alert_text(&alert, &text);
        assert_memory_equal(text.data, cases[i].begins, strlen(cases[i].begins));
        assert_non_null(strstr(text.data, "tagoutctl ca --force"));
        assert_int_equal(alert_print(&alert, &payload), STATUS_OK);
        assert_int_equal(json_parse(payload.data, payload.length, &document, &why), STATUS_OK);
        assert_int_equal(alert_read(document, &again), STATUS_OK);
        assert_int_equal(again.ends.ms, END_MS);
        json_free(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_days_before_and_fourteen_once_each),
        cmocka_unit_test(one_that_is_found_late_is_told_once),
        cmocka_unit_test(what_a_clock_that_was_ahead_has_told_is_told_again_in_time),
        cmocka_unit_test(of_one_that_was_not_read_nothing_is_told),
        cmocka_unit_test(a_new_one_begins_anew_and_the_same_again_does_not),
        cmocka_unit_test(a_restart_tells_nothing_again),
        cmocka_unit_test(a_memory_of_an_older_certificate_does_not_count),
        cmocka_unit_test(what_cannot_be_a_memory_is_none),
        cmocka_unit_test(no_file_and_the_same_file_twice_are_not_watched),
        cmocka_unit_test(the_sentence_says_when_and_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
