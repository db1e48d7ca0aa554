#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/watcher/role.h"

/* Watcher "b", on a clock that stands until the test moves it. */
static struct role role;
static struct now now;

static int begin(void **state)
{
    (void)state;
    role = (struct role){.id = "b"};
    now.mono.ms = 5000;
    return 0;
}

static enum role_change pass(int64_t ms)
{
    now.mono.ms += ms;
    return role_tick(&role, now);
}

static enum role_change hears(enum service_status status, const char *id)
{
    return role_on_watcher(&role, status, id, now);
}

static void speaks_after_listening(void)
{
    role_on_listening(&role, now);
    assert_false(role_may_speak(&role));
    assert_int_equal(pass(ROLE_LISTEN_MS - 1), ROLE_SAME);
    assert_int_equal(pass(1), ROLE_SPEAKS);
    assert_true(role_may_speak(&role));
}

static void is_silent_for(const char *id)
{
    role_on_listening(&role, now);
    assert_int_equal(hears(SERVICE_RUNNING, id), ROLE_IS_SILENT);
    assert_false(role_may_speak(&role));
}

static void one_watcher_alone_speaks(void **state)
{
    (void)state;
    assert_true(role_may_speak(&role)); /* also without any broker */
    speaks_after_listening();
}

static void what_it_left_behind_itself_does_not_count(void **state)
{
    (void)state;
    role_on_listening(&role, now);
    assert_int_equal(hears(SERVICE_RUNNING, "b"), ROLE_SAME);
    assert_int_equal(hears(SERVICE_ERROR, "b"), ROLE_SAME);
    assert_int_equal(hears(SERVICE_STOPPED, "b"), ROLE_SAME);
    assert_int_equal(pass(ROLE_LISTEN_MS), ROLE_SPEAKS);
}

static void C11_6_the_second_is_silent_while_the_first_says_running(void **state)
{
    (void)state;
    is_silent_for("a");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pass(ROLE_REPEAT_MS), ROLE_SAME);
        assert_int_equal(hears(SERVICE_RUNNING, "a"), ROLE_SAME);
    }
    assert_false(role_may_speak(&role));
}

static void C11_6_it_takes_over_when_the_first_is_lost(void **state)
{
    (void)state;
    is_silent_for("a");
    assert_int_equal(hears(SERVICE_ERROR, "a"), ROLE_SAME);
    assert_int_equal(pass(ROLE_DOUBT_MS - 1), ROLE_SAME);
    assert_int_equal(pass(1), ROLE_TAKES_OVER);
    assert_true(role_may_speak(&role));
}

static void from_one_that_stopped_it_takes_over_without_an_alert(void **state)
{
    (void)state;
    is_silent_for("a");
    hears(SERVICE_STOPPED, "a");
    assert_int_equal(pass(ROLE_DOUBT_MS), ROLE_SPEAKS);
    assert_true(role_may_speak(&role));
}

static void one_that_is_back_within_the_doubt_goes_on(void **state)
{
    (void)state;
    is_silent_for("a");
    hears(SERVICE_ERROR, "a");
    pass(ROLE_DOUBT_MS - 1);
    hears(SERVICE_RUNNING, "a");
    assert_int_equal(pass(ROLE_MISSED_MS - 1), ROLE_SAME);
}

static void one_that_is_heard_no_more_has_gone(void **state)
{
    (void)state;
    is_silent_for("a");
    assert_int_equal(pass(ROLE_MISSED_MS - 1), ROLE_SAME);
    assert_int_equal(pass(1), ROLE_SPEAKS);
}

static void the_one_that_speaks_repeats_it(void **state)
{
    (void)state;
    speaks_after_listening();
    assert_int_equal(pass(ROLE_REPEAT_MS - 1), ROLE_SAME);
    assert_int_equal(pass(1), ROLE_SPEAKS);
    assert_int_equal(pass(1), ROLE_SAME);
}

static void the_last_will_of_the_silent_one_is_corrected(void **state)
{
    (void)state;
    speaks_after_listening();
    assert_int_equal(hears(SERVICE_ERROR, "c"), ROLE_SPEAKS);
    assert_int_equal(hears(SERVICE_ERROR, "b"), ROLE_SPEAKS);
    assert_true(role_may_speak(&role));
}

static void where_both_speak_the_greater_id_gives_way(void **state)
{
    (void)state;
    speaks_after_listening();
    assert_int_equal(hears(SERVICE_RUNNING, "c"), ROLE_SPEAKS);
    assert_true(role_may_speak(&role));
    assert_int_equal(hears(SERVICE_RUNNING, "a"), ROLE_IS_SILENT);
    assert_false(role_may_speak(&role));
}

static void after_a_connect_the_silent_one_waits_5_s_for_the_other(void **state)
{
    (void)state;
    is_silent_for("a");
    role_on_disconnected(&role, now);
    pass(2000);
    role_on_listening(&role, now);
    assert_int_equal(pass(ROLE_RETURN_MS - 1), ROLE_SAME);
    hears(SERVICE_RUNNING, "a");
    assert_int_equal(pass(1), ROLE_SAME);
    assert_false(role_may_speak(&role));
}

static void last_wills_of_a_broker_that_stops_hand_nothing_over(void **state)
{
    (void)state;
    is_silent_for("a");
    hears(SERVICE_ERROR, "a");
    pass(ROLE_DOUBT_MS - 1);
    role_on_disconnected(&role, now);
    assert_int_equal(pass(ROLE_ALONE_MS - 1), ROLE_SAME);
    assert_false(role_may_speak(&role));
}

static void without_a_broker_the_silent_one_speaks_after_a_minute(void **state)
{
    (void)state;
    is_silent_for("a");
    role_on_disconnected(&role, now);
    pass(ROLE_ALONE_MS - 1);
    role_on_disconnected(&role, now); /* an attempt that failed */
    assert_false(role_may_speak(&role));
    assert_int_equal(pass(1), ROLE_SPEAKS);
    assert_true(role_may_speak(&role));
    assert_int_equal(pass(1000000), ROLE_SAME);
    is_silent_for("a"); /* the other was there all the time */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(one_watcher_alone_speaks),
        TEST(what_it_left_behind_itself_does_not_count),
        TEST(C11_6_the_second_is_silent_while_the_first_says_running),
        TEST(C11_6_it_takes_over_when_the_first_is_lost),
        TEST(from_one_that_stopped_it_takes_over_without_an_alert),
        TEST(one_that_is_back_within_the_doubt_goes_on),
        TEST(one_that_is_heard_no_more_has_gone),
        TEST(the_one_that_speaks_repeats_it),
        TEST(the_last_will_of_the_silent_one_is_corrected),
        TEST(where_both_speak_the_greater_id_gives_way),
        TEST(after_a_connect_the_silent_one_waits_5_s_for_the_other),
        TEST(last_wills_of_a_broker_that_stops_hand_nothing_over),
        TEST(without_a_broker_the_silent_one_speaks_after_a_minute),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
