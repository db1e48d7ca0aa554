#include "controller/support/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct mono_time never = {0};
static const struct mono_time early = {1000};
static const struct mono_time late = {2000};

static void the_earlier_of_two_moments_is_never_never(void **state)
{
    (void)state;
    assert_int_equal(mono_earlier(early, late).ms, early.ms);
    assert_int_equal(mono_earlier(late, early).ms, early.ms);
    assert_int_equal(mono_earlier(never, late).ms, late.ms);
    assert_int_equal(mono_earlier(late, never).ms, late.ms);
    assert_int_equal(mono_earlier(never, never).ms, 0);
}

static void a_moment_is_past_from_itself_on_and_never_is_not(void **state)
{
    (void)state;
    assert_false(mono_is_past(early, (struct mono_time){early.ms - 1}));
    assert_true(mono_is_past(early, early));
    assert_true(mono_is_past(early, late));
    assert_false(mono_is_past(never, late));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earlier_of_two_moments_is_never_never),
        cmocka_unit_test(a_moment_is_past_from_itself_on_and_never_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
