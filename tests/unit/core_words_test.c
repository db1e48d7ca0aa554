/* Every enum's words, there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/core/effect.h"

static void every_word_is_read_back(void **unused)
{
    enum core_mode mode = CORE_MODE_COUNT;
    enum core_second second = CORE_SECOND_COUNT;
    enum core_health health = CORE_HEALTH_COUNT;
    enum core_fault_index fault = CORE_FAULT_COUNT;

    (void)unused;
    for (int i = 0; i < CORE_MODE_COUNT; i++) {
        assert_true(core_mode_parse(core_mode_text((enum core_mode)i), &mode));
        assert_int_equal(mode, i);
    }
    for (int i = 0; i < CORE_SECOND_COUNT; i++) {
        assert_true(core_second_parse(core_second_text((enum core_second)i), &second));
        assert_int_equal(second, i);
    }
    for (int i = 0; i < CORE_HEALTH_COUNT; i++) {
        assert_true(core_health_parse(core_health_text((enum core_health)i), &health));
        assert_int_equal(health, i);
    }
    for (int i = 0; i < CORE_FAULT_COUNT; i++) {
        assert_true(core_fault_parse(core_fault_text((enum core_fault_index)i), &fault));
        assert_int_equal(fault, i);
    }
    for (int i = 0; i < CORE_NOTICE_COUNT; i++) {
        assert_non_null(core_notice_text((enum core_notice_type)i));
    }
    for (int i = 0; i < CORE_SOURCE_COUNT; i++) {
        assert_non_null(core_source_text((enum core_source)i));
    }
    for (int i = 0; i < CORE_RULE_COUNT; i++) {
        assert_non_null(core_rule_text((enum core_rule)i));
    }
    for (int i = CORE_REASON_NONE + 1; i < CORE_REASON_COUNT; i++) {
        assert_non_null(core_reason_text((enum core_reason)i));
    }
    assert_string_equal(core_observed_text(CORE_OFF), "off");
}

static void other_words_are_refused_and_leave_the_output_alone(void **unused)
{
    enum core_mode mode = CORE_DENIED;
    enum core_second second = CORE_SECOND_WARN;
    enum core_health health = CORE_HEALTH_ONLINE;
    enum core_fault_index fault = CORE_FAULT_USER_REVOKED;

    (void)unused;
    assert_false(core_mode_parse("In_use", &mode));
    assert_false(core_mode_parse("", &mode));
    assert_false(core_mode_parse(NULL, &mode));
    assert_false(core_second_parse("", &second));
    assert_false(core_health_parse("error!", &health));
    assert_false(core_health_parse(NULL, &health));
    assert_false(core_fault_parse("twin!", &fault));
    assert_int_equal(mode, CORE_DENIED);
    assert_int_equal(second, CORE_SECOND_WARN);
    assert_int_equal(health, CORE_HEALTH_ONLINE);
    assert_null(core_second_text(CORE_SECOND_NONE));
    assert_null(core_reason_text(CORE_REASON_NONE));
    assert_null(core_mode_text((enum core_mode)77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_read_back),
        cmocka_unit_test(other_words_are_refused_and_leave_the_output_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
