#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/watcher/slack_health.h"

static struct slack_health health;

static int begin(void **state)
{
    (void)state;
    health = (struct slack_health){0};
    return 0;
}

static enum slack_health_change note(enum slack_outcome_kind kind, bool works, int64_t wait_ms)
{
    const struct slack_verdict verdict = {
        .outcome = {.kind = kind, .wait_ms = wait_ms}, .works = works};
    return slack_health_note(&health, &verdict);
}

static void one_failure_may_be_a_flake_and_two_in_a_row_are_none(void **state)
{
    (void)state;
    assert_int_equal(note(SLACK_FAILED, false, 0), SLACK_HEALTH_AS_BEFORE);
    assert_int_equal(note(SLACK_DELIVERED, true, 0), SLACK_HEALTH_WORKS);
    assert_int_equal(note(SLACK_FAILED, false, 0), SLACK_HEALTH_AS_BEFORE);
    assert_int_equal(note(SLACK_FAILED, false, 0), SLACK_HEALTH_BROKEN);
}

static void a_refusal_is_told_at_once(void **state)
{
    (void)state;
    assert_int_equal(note(SLACK_REFUSED, false, 0), SLACK_HEALTH_BROKEN);
    assert_int_equal(note(SLACK_DECLINED, false, 0), SLACK_HEALTH_BROKEN);
    assert_int_equal(note(SLACK_HOPELESS, false, 0), SLACK_HEALTH_BROKEN);
    assert_int_equal(note(SLACK_DELIVERED, false, 0), SLACK_HEALTH_BROKEN);
}

static void a_rate_limit_that_goes_on_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(note(SLACK_RATE_LIMITED, false, 1000), SLACK_HEALTH_AS_BEFORE);
    assert_int_equal(note(SLACK_RATE_LIMITED, false, 1000), SLACK_HEALTH_AS_BEFORE);
    assert_int_equal(note(SLACK_RATE_LIMITED, false, 1000), SLACK_HEALTH_BROKEN);
    assert_int_equal(note(SLACK_DELIVERED, true, 0), SLACK_HEALTH_WORKS);
    assert_int_equal(note(SLACK_RATE_LIMITED, false, 59999), SLACK_HEALTH_AS_BEFORE);
    assert_int_equal(note(SLACK_RATE_LIMITED, false, 60000), SLACK_HEALTH_BROKEN);
}

/* A server that says "Cannot POST /services/T0/B0/abcdef" repeats no whole URL. */
static void the_last_part_of_a_webhook_is_its_secret(void **state)
{
    (void)state;
    assert_string_equal(slack_secret_of("https://hooks.example/services/T0/B0/abcdef"), "abcdef");
    assert_string_equal(slack_secret_of("https://h/abcde"), "https://h/abcde");
    assert_string_equal(slack_secret_of("https://h/abcdef/"), "https://h/abcdef/");
    assert_string_equal(slack_secret_of(""), "");
}

static void a_text_that_is_cut_ends_in_a_whole_character(void **state)
{
    (void)state;
    for (size_t size = 2; size < 16; size++) {
        char buffer[16];
        struct text text = text_over(buffer, size);
        slack_add_escaped(&text, "\xf0\x9f\x94\xa5<\xc3\xa9\xe2\x82\xac");
        assert_true(utf8_is_valid(text.data, text.length));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_failure_may_be_a_flake_and_two_in_a_row_are_none, begin),
        cmocka_unit_test_setup(a_refusal_is_told_at_once, begin),
        cmocka_unit_test_setup(a_rate_limit_that_goes_on_is_an_error, begin),
        cmocka_unit_test(the_last_part_of_a_webhook_is_its_secret),
        cmocka_unit_test(a_text_that_is_cut_ends_in_a_whole_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
