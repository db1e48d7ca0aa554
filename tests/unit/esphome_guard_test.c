/* The firmware's quick half: what cuts a relay while the main loop is busy (C7.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/esphome/guard.h"

static const bool both_on[DEVICE_RELAYS] = {true, true};
static const bool both_need_a_card[DEVICE_RELAYS] = {true, true};
static const bool none_needs_a_card[DEVICE_RELAYS] = {false, false};

struct bench {
    struct guard guard;
    bool button;
    bool card;
    uint32_t now_ms;
};

static void wait_ms(struct bench *bench, uint32_t ms)
{
    for (; ms > 0; ms--) {
        bench->now_ms++;
        guard_sample(&bench->guard, bench->button, bench->card, bench->now_ms);
    }
}

static struct guard_news take(struct guard *guard)
{
    struct guard_news news = guard_look(guard);

    guard_told(guard, &news);
    return news;
}

/* A card is in, both relays are on. The clock is about to wrap. */
static void start(struct bench *bench)
{
    *bench = (struct bench){.card = true, .now_ms = UINT32_MAX - 10};
    guard_init(&bench->guard, true, false, true, bench->now_ms);
    guard_put(&bench->guard, both_on, both_need_a_card);
}

static void a_boot_leaves_both_relays_off(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    guard_init(&bench.guard, true, false, true, 0);
    assert_false(bench.guard.relay[0]);
    assert_false(bench.guard.relay[1]);
}

static void C7_3_a_press_cuts_both_after_five_milliseconds(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    bench.button = true;
    wait_ms(&bench, GUARD_BUTTON_MS);
    assert_true(bench.guard.relay[0]);
    assert_true(bench.guard.relay[1]);
    wait_ms(&bench, 1);
    assert_false(bench.guard.relay[0]);
    assert_false(bench.guard.relay[1]);
}

static void a_spike_on_the_button_line_is_no_press(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    for (int i = 0; i < 100; i++) {
        bench.button = true;
        wait_ms(&bench, GUARD_BUTTON_MS - 1);
        bench.button = false;
        wait_ms(&bench, 1);
    }
    assert_true(bench.guard.relay[0]);
    assert_false(take(&bench.guard).pressed);
}

static void C7_3_a_short_press_is_kept_until_the_device_was_told(void **state)
{
    struct bench bench;
    struct guard_news news;

    (void)state;
    start(&bench);
    bench.button = true;
    wait_ms(&bench, 10);
    bench.button = false;
    wait_ms(&bench, 3000);
    news = take(&bench.guard);
    assert_true(news.pressed);
    assert_false(news.button_down);
    assert_false(take(&bench.guard).pressed);
}

static void what_was_cut_does_not_come_back_when_the_press_is_told(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    bench.button = true;
    wait_ms(&bench, 10);
    bench.button = false;
    wait_ms(&bench, 10);
    (void)take(&bench.guard);
    wait_ms(&bench, 10);
    assert_false(bench.guard.relay[0]);
}

/* The loop worked out an "on" when it had not heard of the press. */
static void an_on_that_does_not_know_of_the_press_is_not_given(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    bench.button = true;
    wait_ms(&bench, 10);
    bench.button = false;
    wait_ms(&bench, 10);
    guard_put(&bench.guard, both_on, none_needs_a_card);
    assert_false(bench.guard.relay[0]);
    (void)take(&bench.guard);
    guard_put(&bench.guard, both_on, none_needs_a_card);
    assert_true(bench.guard.relay[0]);
}

static void a_press_while_another_is_being_told_is_kept(void **state)
{
    struct bench bench;
    struct guard_news news;

    (void)state;
    start(&bench);
    bench.button = true;
    wait_ms(&bench, 10);
    news = guard_look(&bench.guard);
    bench.button = false;
    wait_ms(&bench, 10);
    bench.button = true;
    wait_ms(&bench, 10);
    bench.button = false;
    wait_ms(&bench, 10);
    guard_told(&bench.guard, &news);
    guard_put(&bench.guard, both_on, none_needs_a_card);
    assert_false(bench.guard.relay[0]);
    assert_true(take(&bench.guard).pressed);
}

static void nothing_goes_on_while_the_button_is_down(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    bench.button = true;
    wait_ms(&bench, 10);
    (void)take(&bench.guard);
    guard_put(&bench.guard, both_on, none_needs_a_card);
    assert_false(bench.guard.relay[0]);
}

static void a_button_that_is_down_at_the_boot_is_a_press(void **state)
{
    struct bench bench = {0};

    (void)state;
    guard_init(&bench.guard, false, true, false, 0);
    assert_true(take(&bench.guard).pressed);
}

static void C7_3_a_card_that_leaves_cuts_what_needs_it_after_twenty_milliseconds(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    bench.card = false;
    wait_ms(&bench, GUARD_CARD_MS);
    assert_true(bench.guard.relay[0]);
    wait_ms(&bench, 1);
    assert_false(bench.guard.relay[0]);
    assert_false(bench.guard.relay[1]);
    assert_true(take(&bench.guard).card_left);
}

static void C7_3_a_card_that_leaves_cuts_nothing_that_needs_none(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    guard_put(&bench.guard, both_on, none_needs_a_card);
    bench.card = false;
    wait_ms(&bench, 1000);
    assert_true(bench.guard.relay[0]);
    assert_true(bench.guard.relay[1]);
    guard_put(&bench.guard, both_on, (const bool[DEVICE_RELAYS]){false, true});
    assert_true(bench.guard.relay[0]);
    assert_false(bench.guard.relay[1]);
}

static void C7_3_the_second_relay_goes_off_with_the_first(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    guard_put(&bench.guard, both_on, (const bool[DEVICE_RELAYS]){true, false});
    bench.card = false;
    wait_ms(&bench, 100);
    assert_false(bench.guard.relay[1]);
    start(&bench);
    guard_put(&bench.guard, (const bool[DEVICE_RELAYS]){false, true}, none_needs_a_card);
    assert_false(bench.guard.relay[1]);
}

static void an_on_for_a_card_that_left_meanwhile_is_not_given(void **state)
{
    struct bench bench;

    (void)state;
    start(&bench);
    bench.card = false;
    wait_ms(&bench, 30);
    bench.card = true;
    wait_ms(&bench, 30);
    guard_put(&bench.guard, both_on, both_need_a_card);
    assert_false(bench.guard.relay[0]);
    assert_true(take(&bench.guard).card_left);
    assert_true(take(&bench.guard).card_in);
}

static void without_a_card_line_only_the_button_cuts(void **state)
{
    struct bench bench = {0};

    (void)state;
    guard_init(&bench.guard, false, false, false, 0);
    guard_put(&bench.guard, both_on, both_need_a_card);
    wait_ms(&bench, 1000);
    assert_true(bench.guard.relay[0]);
    assert_false(take(&bench.guard).card_left);
    bench.button = true;
    wait_ms(&bench, 10);
    assert_false(bench.guard.relay[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_boot_leaves_both_relays_off),
        cmocka_unit_test(C7_3_a_press_cuts_both_after_five_milliseconds),
        cmocka_unit_test(a_spike_on_the_button_line_is_no_press),
        cmocka_unit_test(C7_3_a_short_press_is_kept_until_the_device_was_told),
        cmocka_unit_test(what_was_cut_does_not_come_back_when_the_press_is_told),
        cmocka_unit_test(an_on_that_does_not_know_of_the_press_is_not_given),
        cmocka_unit_test(a_press_while_another_is_being_told_is_kept),
        cmocka_unit_test(nothing_goes_on_while_the_button_is_down),
        cmocka_unit_test(a_button_that_is_down_at_the_boot_is_a_press),
        cmocka_unit_test(C7_3_a_card_that_leaves_cuts_what_needs_it_after_twenty_milliseconds),
        cmocka_unit_test(C7_3_a_card_that_leaves_cuts_nothing_that_needs_none),
        cmocka_unit_test(C7_3_the_second_relay_goes_off_with_the_first),
        cmocka_unit_test(an_on_for_a_card_that_left_meanwhile_is_not_given),
        cmocka_unit_test(without_a_card_line_only_the_button_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
