/* When the simulator takes losses of its connections for its own doing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/sim/rivals.h"

static struct rivals rivals;
static int64_t now_ms;
static const char observer = 'o';
static const char saw = 's';

static int set_up(void **state)
{
    (void)state;
    rivals = (struct rivals){0};
    now_ms = 1000;
    return 0;
}

/* `in` takes the place of `out`, `apart_ms` later or, where that is below 0, earlier. */
static bool takes_over(const char *in, const char *out, int64_t apart_ms)
{
    bool told = false;

    if (apart_ms < 0) {
        told = rivals_went(&rivals, out, now_ms);
        now_ms -= apart_ms;
        return rivals_came(&rivals, in, now_ms) || told;
    }
    told = rivals_came(&rivals, in, now_ms);
    now_ms += apart_ms;
    return rivals_went(&rivals, out, now_ms) || told;
}

/* How often each throws the other out before it is said; 0: not in ten rounds. */
static unsigned rounds_until_told(int64_t apart_ms, int64_t held_ms)
{
    rivals_came(&rivals, &observer, now_ms);
    for (unsigned i = 1; i <= 10; i++) {
        now_ms += held_ms;
        if (takes_over(&saw, &observer, apart_ms)) {
            return i;
        }
        now_ms += held_ms;
        if (takes_over(&observer, &saw, apart_ms)) {
            return i;
        }
    }
    return 0;
}

static void two_that_take_turns_are_told_of_at_the_third_time(void **state)
{
    (void)state;
    assert_int_equal(rounds_until_told(0, 2000), RIVALS_TIMES);
}

static void it_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(rounds_until_told(0, 2000), RIVALS_TIMES);
    for (int i = 0; i < 10; i++) {
        now_ms += 2000;
        assert_false(takes_over(&saw, &observer, 1));
        now_ms += 2000;
        assert_false(takes_over(&observer, &saw, 1));
    }
}

static void the_loss_may_be_heard_before_the_other_is_in(void **state)
{
    (void)state;
    assert_int_equal(rounds_until_told(-1, 2000), RIVALS_TIMES);
    set_up(NULL);
    assert_int_equal(rounds_until_told(-RIVALS_PAIR_MS, 2000), RIVALS_TIMES);
    set_up(NULL);
    assert_int_equal(rounds_until_told(-RIVALS_PAIR_MS - 1, 2000), 0);
}

static void what_goes_long_after_the_other_came_goes_for_another_reason(void **state)
{
    (void)state;
    assert_int_equal(rounds_until_told(RIVALS_PAIR_MS, 2000), RIVALS_TIMES);
    set_up(NULL);
    assert_int_equal(rounds_until_told(RIVALS_PAIR_MS + 1, 2000), 0);
}

static void a_connection_that_held_begins_anew(void **state)
{
    (void)state;
    assert_int_equal(rounds_until_told(0, RIVALS_HOLDS_MS), 0);
}

static void one_alone_has_no_rival(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_false(rivals_came(&rivals, &saw, now_ms));
        now_ms++;
        assert_false(rivals_went(&rivals, &saw, now_ms));
    }
}

static void a_broker_that_restarts_throws_all_out_once(void **state)
{
    static const char fleet[8];

    (void)state;
    for (int round = 0; round < RIVALS_TIMES - 1; round++) {
        for (size_t i = 0; i < sizeof fleet; i++) {
            assert_false(rivals_came(&rivals, &fleet[i], now_ms));
        }
        for (size_t i = 0; i < sizeof fleet; i++) {
            assert_false(rivals_went(&rivals, &fleet[i], now_ms));
        }
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_that_take_turns_are_told_of_at_the_third_time),
        TEST(it_is_told_once),
        TEST(the_loss_may_be_heard_before_the_other_is_in),
        TEST(what_goes_long_after_the_other_came_goes_for_another_reason),
        TEST(a_connection_that_held_begins_anew),
        TEST(one_alone_has_no_rival),
        TEST(a_broker_that_restarts_throws_all_out_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
