#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/watcher/save_timeouts.h"

#define WINDOW_MS 60000
#define COOLDOWN_MS 300000
#define WALL_MS 1700000000000

/* A shop whose clock stands until the test moves it; each machine's lifetime count is kept here. */
struct shop {
    struct save_timeouts counting;
    int64_t ms;
    uint32_t counts[500];
    struct alert alerts[SAVE_TIMEOUTS_ALERTS_MAX];
    bool is_new;
};

static struct shop shop;

static struct now now(void)
{
    return (struct now){.mono = {shop.ms}, .wall = {WALL_MS + shop.ms}};
}

static int open_shop(void **state)
{
    (void)state;
    memset(&shop, 0, sizeof shop);
    shop.ms = 1000;
    shop.counting.limits = (struct save_timeouts_limits){
        .window_ms = WINDOW_MS, .threshold = 2, .cooldown_ms = COOLDOWN_MS};
    shop.counting.machines = watched_new();
    return shop.counting.machines == NULL;
}

static int close_shop(void **state)
{
    (void)state;
    watched_free(shop.counting.machines);
    return 0;
}

static void set_threshold(uint32_t threshold)
{
    shop.counting.limits.threshold = threshold;
}

/* Told with this lifetime count. */
static size_t told(unsigned machine, uint32_t count, int64_t at_ms)
{
    char name[16];
    struct save_timeout timeout = {
        .machine = name, .count = count, .budget_ms = 2000, .at = {WALL_MS + at_ms}};

    snprintf(name, sizeof name, "m%u", machine);
    return save_timeouts_count(&shop.counting, &timeout, now(), shop.alerts, &shop.is_new);
}

/* The machine's next one, now. */
static size_t times_out(unsigned machine)
{
    return told(machine, ++shop.counts[machine], shop.ms);
}

/* As if long ago: a machine whose second one is no news. */
static void is_old(unsigned machine)
{
    char name[16];

    snprintf(name, sizeof name, "m%u", machine);
    shop.counts[machine] = 10;
    watched_touch(shop.counting.machines, name)->timeouts = 10;
}

static void marks(unsigned machine, bool over)
{
    char name[16];

    snprintf(name, sizeof name, "m%u", machine);
    save_timeouts_mark(&shop.counting, watched_touch(shop.counting.machines, name), over, now());
}

static bool ticks(struct alert *alert)
{
    return save_timeouts_tick(&shop.counting, now(), alert);
}

/* ---- a machine's second ---- */

static void C9_5_a_machines_second_timeout_is_one_alert(void **state)
{
    (void)state;
    assert_int_equal(times_out(1), 0);
    shop.ms += 86400000;
    assert_int_equal(times_out(1), 1);
    assert_int_equal(shop.alerts[0].kind, ALERT_MACHINE);
    assert_string_equal(shop.alerts[0].machine, "m1");
    assert_int_equal(shop.alerts[0].count, 2);
    assert_int_equal(shop.alerts[0].budget_ms, 2000);
    for (int i = 0; i < 20; i++) {
        shop.ms += 86400000;
        assert_int_equal(times_out(1), 0);
    }
}

static void C9_5_each_machine_has_its_own_second(void **state)
{
    (void)state;
    set_threshold(1000);
    for (unsigned m = 0; m < 5; m++) {
        assert_int_equal(times_out(m), 0);
    }
    for (unsigned m = 0; m < 5; m++) {
        assert_int_equal(times_out(m), 1);
        assert_int_equal(shop.alerts[0].kind, ALERT_MACHINE);
    }
}

static void C9_5_a_second_that_was_missed_is_told_with_the_third(void **state)
{
    (void)state;
    assert_int_equal(told(1, 1, 1), 0);
    assert_int_equal(told(1, 3, 2), 1);
    assert_int_equal(shop.alerts[0].kind, ALERT_MACHINE);
    assert_int_equal(told(1, 4, 3), 0);
}

static void C9_5_a_machine_with_a_past_is_no_news(void **state)
{
    (void)state;
    assert_int_equal(told(1, 3, 1), 0);
    assert_int_equal(told(1, 4, 2), 0);
    assert_int_equal(told(2, 2, 2 + 86400000), 2); /* its second, and two machines */
}

static void C9_5_a_controller_that_took_over_with_an_older_count_makes_no_second_alert(void **state)
{
    (void)state;
    assert_int_equal(told(1, 1, 1), 0);
    assert_int_equal(told(1, 2, 2), 1);
    assert_int_equal(told(1, 1, 3), 0);
    assert_true(shop.is_new);
    assert_int_equal(told(1, 2, 4), 0);
    assert_true(shop.is_new);
}

static void a_message_that_comes_twice_counts_once(void **state)
{
    (void)state;
    assert_int_equal(told(1, 1, 1), 0);
    assert_true(shop.is_new);
    assert_int_equal(told(1, 2, 2), 1);
    assert_int_equal(told(1, 1, 1), 0);
    assert_false(shop.is_new);
    assert_int_equal(told(1, 2, 2), 0);
    assert_false(shop.is_new);
}

/* ---- the fleet ---- */

static void C9_5_two_machines_within_the_window_are_one_alert_for_the_fleet(void **state)
{
    (void)state;
    assert_int_equal(times_out(1), 0);
    shop.ms += WINDOW_MS;
    assert_int_equal(times_out(2), 1);
    assert_int_equal(shop.alerts[0].kind, ALERT_FLEET);
    assert_int_equal(shop.alerts[0].count, 2);
    assert_int_equal(shop.alerts[0].window_ms, WINDOW_MS);
    assert_int_equal(shop.alerts[0].machine[0], '\0');
}

static void C9_5_a_millisecond_more_than_the_window_is_no_alert(void **state)
{
    (void)state;
    assert_int_equal(times_out(1), 0);
    shop.ms += WINDOW_MS + 1;
    assert_int_equal(times_out(2), 0);
    shop.ms += 1;
    assert_int_equal(times_out(3), 1);
    assert_int_equal(shop.alerts[0].count, 2);
}

static void C9_5_one_machine_alone_is_no_fleet(void **state)
{
    (void)state;
    is_old(1);
    for (int i = 0; i < 4; i++) {
        shop.ms += 10;
        assert_int_equal(times_out(1), 0);
    }
}

static void C9_5_the_threshold_counts_distinct_machines(void **state)
{
    (void)state;
    set_threshold(3);
    is_old(1);
    is_old(2);
    is_old(3);
    assert_int_equal(times_out(1), 0);
    assert_int_equal(times_out(2), 0);
    assert_int_equal(times_out(1), 0);
    assert_int_equal(times_out(2), 0);
    assert_int_equal(times_out(3), 1);
    assert_int_equal(shop.alerts[0].count, 3);
}

static void C9_5_after_an_alert_there_is_none_until_it_has_cooled(void **state)
{
    int64_t first;

    (void)state;
    is_old(1);
    is_old(2);
    times_out(1);
    assert_int_equal(times_out(2), 1);
    first = shop.ms;
    for (shop.ms += 10000; shop.ms < first + COOLDOWN_MS; shop.ms += 10000) {
        assert_int_equal(times_out(1), 0);
        assert_int_equal(times_out(2), 0);
    }
    shop.ms = first + COOLDOWN_MS - 1;
    assert_int_equal(times_out(1), 0);
    shop.ms++;
    assert_int_equal(times_out(1), 1);
    assert_int_equal(shop.alerts[0].kind, ALERT_FLEET);
    shop.ms += COOLDOWN_MS - 1;
    times_out(1);
    assert_int_equal(times_out(2), 0);
    shop.ms++;
    assert_int_equal(times_out(2), 1);
}

static void C9_5_a_machines_second_comes_with_the_fleets_alert(void **state)
{
    (void)state;
    times_out(1);
    shop.ms += WINDOW_MS + 1;
    times_out(2);
    assert_int_equal(times_out(1), 2);
    assert_int_equal(shop.alerts[0].kind, ALERT_MACHINE);
    assert_int_equal(shop.alerts[1].kind, ALERT_FLEET);
    assert_true(shop.alerts[0].since.ms == shop.alerts[1].since.ms);
}

static void four_hundred_machines_are_one_alert_and_one_each(void **state)
{
    size_t fleet = 0;
    size_t single = 0;

    (void)state;
    for (int round = 0; round < 20; round++) {
        for (unsigned m = 0; m < 400; m++) {
            size_t count = times_out(m);
            for (size_t i = 0; i < count; i++) {
                fleet += shop.alerts[i].kind == ALERT_FLEET;
                single += shop.alerts[i].kind == ALERT_MACHINE;
                assert_int_not_equal(shop.alerts[i].kind, ALERT_REPEATED);
            }
        }
        shop.ms += 10000;
    }
    assert_int_equal(fleet, 1);
    assert_int_equal(single, 400);
    assert_int_equal(save_timeouts_machines(&shop.counting, now().mono), 400);
}

/* ---- one machine, again and again ---- */

static void five_timeouts_of_one_machine_within_ten_minutes_are_one_alert(void **state)
{
    (void)state;
    is_old(1);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(times_out(1), 0);
        shop.ms += 150000;
    }
    assert_int_equal(times_out(1), 1);
    assert_int_equal(shop.alerts[0].kind, ALERT_REPEATED);
    assert_int_equal(shop.alerts[0].count, 5);
    assert_string_equal(shop.alerts[0].machine, "m1");
}

static void five_within_a_millisecond_more_are_none(void **state)
{
    (void)state;
    is_old(1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(times_out(1), 0);
        shop.ms += 150000;
    }
    assert_int_equal(times_out(1), 0);
    shop.ms += 150001;
    assert_int_equal(times_out(1), 0);
    assert_int_equal(times_out(1), 1);
}

static void repeated_alerts_cool_down_too(void **state)
{
    int64_t first;

    (void)state;
    is_old(1);
    for (int i = 0; i < 4; i++) {
        times_out(1);
    }
    assert_int_equal(times_out(1), 1);
    first = shop.ms;
    while (shop.ms < first + COOLDOWN_MS - 10000) {
        shop.ms += 10000;
        assert_int_equal(times_out(1), 0);
    }
    shop.ms = first + COOLDOWN_MS - 1;
    assert_int_equal(times_out(1), 0);
    shop.ms++;
    assert_int_equal(times_out(1), 1);
}

static void each_alert_takes_five_of_its_own(void **state)
{
    (void)state;
    is_old(1);
    for (int i = 0; i < 4; i++) {
        times_out(1);
    }
    assert_int_equal(times_out(1), 1);
    shop.ms += COOLDOWN_MS;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(times_out(1), 0);
    }
    assert_int_equal(times_out(1), 1);
}

static void what_the_fleets_alert_has_told_is_not_told_again_for_one_machine(void **state)
{
    (void)state;
    is_old(1);
    is_old(2);
    times_out(1);
    assert_int_equal(times_out(2), 1);
    for (int i = 0; i < 20; i++) {
        shop.ms += 10000;
        assert_int_equal(times_out(1), 0);
    }
}

static void while_the_fleets_alert_cools_down_no_machine_takes_its_place(void **state)
{
    struct alert alert;

    (void)state;
    is_old(1);
    is_old(2);
    times_out(1);
    assert_int_equal(times_out(2), 1);
    shop.ms += 60000;
    (void)ticks(&alert);
    assert_false(shop.counting.open);
    for (int i = 0; i < 20; i++) {
        shop.ms += 10000;
        assert_int_equal(times_out(1) + times_out(2), 0);
    }
}

/* ---- the end ---- */

static void begin_outage(void)
{
    is_old(1);
    is_old(2);
    times_out(1);
    marks(1, false);
    times_out(2);
    marks(2, false);
}

static void an_outage_is_over_when_every_machine_is_saved_again(void **state)
{
    struct alert alert;

    (void)state;
    begin_outage();
    shop.ms += 240000;
    marks(1, true);
    assert_false(ticks(&alert));
    shop.ms += 5000;
    assert_false(ticks(&alert));
    marks(2, true);
    shop.ms += SAVE_TIMEOUTS_SETTLE_MS - 1;
    assert_false(ticks(&alert));
    shop.ms++;
    assert_int_equal(save_timeouts_due(&shop.counting).ms, shop.ms);
    assert_true(ticks(&alert));
    assert_int_equal(alert.kind, ALERT_OVER);
    assert_true(alert.certain);
    assert_int_equal(alert.lasted_ms, 245000);
    assert_int_equal(alert.since.ms, WALL_MS + 1000);
    assert_false(ticks(&alert));
    assert_int_equal(save_timeouts_due(&shop.counting).ms, 0);
}

static void an_outage_that_flickers_is_one(void **state)
{
    struct alert alert;

    (void)state;
    begin_outage();
    marks(1, true);
    marks(2, true);
    shop.ms += SAVE_TIMEOUTS_SETTLE_MS - 1;
    marks(1, false);
    shop.ms += 60000;
    assert_false(ticks(&alert));
    marks(1, true);
    shop.ms += SAVE_TIMEOUTS_SETTLE_MS;
    assert_true(ticks(&alert));
}

static void nothing_heard_for_a_minute_is_the_end_too_but_not_for_certain(void **state)
{
    struct alert alert;

    (void)state;
    is_old(1);
    is_old(2);
    times_out(1);
    times_out(2);
    shop.ms += 59999;
    assert_false(ticks(&alert));
    shop.ms++;
    assert_true(ticks(&alert));
    assert_false(alert.certain);
}

static void a_machine_of_which_no_end_is_heard_holds_the_outage_for_ten_minutes(void **state)
{
    struct alert alert;

    (void)state;
    begin_outage();
    marks(1, true);
    shop.ms += SAVE_TIMEOUTS_LOST_MS - 1;
    assert_false(ticks(&alert));
    shop.ms++;
    assert_true(ticks(&alert));
    assert_false(alert.certain);

    /* It is not held to be down for ever. */
    times_out(1);
    assert_int_equal(times_out(2), 1);
    marks(1, false);
    marks(1, true);
    shop.ms += SAVE_TIMEOUTS_SETTLE_MS;
    assert_true(ticks(&alert));
    assert_true(alert.certain);
}

static void an_outage_that_was_not_told_of_ends_without_a_word(void **state)
{
    struct alert alert;

    (void)state;
    is_old(1);
    times_out(1);
    marks(1, false);
    marks(1, true);
    shop.ms += SAVE_TIMEOUTS_SETTLE_MS;
    assert_false(ticks(&alert));
    assert_false(shop.counting.open);
}

static void the_next_outage_is_another_one(void **state)
{
    struct alert alert;
    int64_t since;

    (void)state;
    begin_outage();
    since = shop.alerts[0].since.ms;
    marks(1, true);
    marks(2, true);
    shop.ms += COOLDOWN_MS;
    assert_true(ticks(&alert));
    assert_int_equal(times_out(1), 0);
    assert_int_equal(times_out(2), 1);
    assert_true(shop.alerts[0].since.ms > since);
}

static void the_table_of_machines_is_bounded(void **state)
{
    char name[16];

    (void)state;
    for (unsigned i = 0; i < WATCHED_MACHINES_MAX + 10; i++) {
        snprintf(name, sizeof name, "m%u", i);
        assert_non_null(watched_touch(shop.counting.machines, name));
        watched_touch(shop.counting.machines, "m0");
    }
    assert_int_equal(watched_count(shop.counting.machines), WATCHED_MACHINES_MAX);
    assert_string_equal(watched_first(shop.counting.machines)->name, "m11");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C9_5_a_machines_second_timeout_is_one_alert),
        TEST(C9_5_each_machine_has_its_own_second),
        TEST(C9_5_a_second_that_was_missed_is_told_with_the_third),
        TEST(C9_5_a_machine_with_a_past_is_no_news),
        TEST(C9_5_a_controller_that_took_over_with_an_older_count_makes_no_second_alert),
        TEST(a_message_that_comes_twice_counts_once),
        TEST(C9_5_two_machines_within_the_window_are_one_alert_for_the_fleet),
        TEST(C9_5_a_millisecond_more_than_the_window_is_no_alert),
        TEST(C9_5_one_machine_alone_is_no_fleet),
        TEST(C9_5_the_threshold_counts_distinct_machines),
        TEST(C9_5_after_an_alert_there_is_none_until_it_has_cooled),
        TEST(C9_5_a_machines_second_comes_with_the_fleets_alert),
        TEST(four_hundred_machines_are_one_alert_and_one_each),
        TEST(five_timeouts_of_one_machine_within_ten_minutes_are_one_alert),
        TEST(five_within_a_millisecond_more_are_none),
        TEST(repeated_alerts_cool_down_too),
        TEST(each_alert_takes_five_of_its_own),
        TEST(what_the_fleets_alert_has_told_is_not_told_again_for_one_machine),
        TEST(while_the_fleets_alert_cools_down_no_machine_takes_its_place),
        TEST(an_outage_is_over_when_every_machine_is_saved_again),
        TEST(an_outage_that_flickers_is_one),
        TEST(nothing_heard_for_a_minute_is_the_end_too_but_not_for_certain),
        TEST(a_machine_of_which_no_end_is_heard_holds_the_outage_for_ten_minutes),
        TEST(an_outage_that_was_not_told_of_ends_without_a_word),
        TEST(the_next_outage_is_another_one),
        TEST(the_table_of_machines_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
