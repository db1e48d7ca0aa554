#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/support/audit_months.h"
#include "controller/support/clock.h"
#include "controller/watcher/audit_inside.h"
#include "controller/watcher/watcher_inside.h"
#include "tests/lib/audit_bench.h"
#include "tests/lib/scratch.h"

static struct event_base *base;
static struct settings *settings;
static struct audit *audit;
static struct watcher *watcher;

static int open_watcher(void **state)
{
    TEXT_LOCAL(why, 512);

    (void)state;
    assert_int_equal(settings_load(NULL, &settings, &why), STATUS_OK);
    base = event_base_new();
    assert_non_null(base);
    audit = audit_bench_start();
    assert_int_equal(watcher_new(base, settings, audit, &watcher), STATUS_OK);
    return 0;
}

static int close_watcher(void **state)
{
    char month[AUDIT_NAME_SIZE];
    TEXT_LOCAL(events, 64);

    (void)state;
    audit_month_name(audit_month_of(watcher->now.wall), month);
    text_addf(&events, "audit/%s", month);
    watcher_free(watcher);
    audit_bench_stop(audit);
    event_base_free(base);
    settings_free(settings);
    unlink(events.data);
    unlink("audit/watcher.json");
    rmdir("audit");
    return 0;
}

static void hear(const char *payload)
{
    watcher_on_message(watcher, "tagout/machine/saw/event", payload, strlen(payload), false);
}

static char *copy(const char *text)
{
    char *bytes = strdup(text);
    assert_non_null(bytes);
    return bytes;
}

/* The disk answers at last: one line behind the last that was counted in. */
static void recall(const char *line)
{
    struct audit_past *past = calloc(1, sizeof *past);

    assert_non_null(past);
    past->base = 9;
    past->state = copy("{\"from\":8,\"line\":8,\"lanes\":[8,8,8,8],\"machines\":{}}");
    past->state_length = strlen(past->state);
    past->lines = calloc(1, sizeof *past->lines);
    assert_non_null(past->lines);
    past->lines->number = 9;
    past->lines->text = copy(line);
    watcher_on_past(watcher, past);
}

#define EVENT(n, at, reason)                                                                       \
    "\"event_type\":\"save_timeout\",\"machine\":\"saw\",\"n\":" n ",\"at\":" at                   \
    ",\"reason\":\"" reason "\"}"

static void what_was_heard_meanwhile_is_newer_than_the_past(void **state)
{
    (void)state;
    hear("{" EVENT("6", "1700000006", "over"));
    assert_false(watched_first(watcher->machines)->down);
    recall(
        "{\"line\":9,\"kind\":\"event\",\"seen\":1700000005," EVENT("5", "1700000005", "started"));
    assert_false(watched_first(watcher->machines)->down);
    assert_int_equal(watched_first(watcher->machines)->n, 6);
    assert_false(watcher->counting.open);
}

static void an_outage_of_the_past_goes_on(void **state)
{
    (void)state;
    recall(
        "{\"line\":9,\"kind\":\"event\",\"seen\":1700000005," EVENT("5", "1700000005", "started"));
    assert_true(watched_first(watcher->machines)->down);
    assert_true(watcher->counting.open);
    hear("{" EVENT("6", "1700000006", "over"));
    assert_false(watched_first(watcher->machines)->down);
}

static void expect_lines_after_recall(const char *heard, unsigned lines)
{
    int64_t before;

    hear(heard);
    before = watcher->line;
    recall("{\"line\":9,\"kind\":\"event\",\"seen\":5," EVENT("5", "5", "over"));
    assert_int_equal(watcher->line, before + lines);
}

static void C8_2_what_was_missed_before_the_past_was_known_is_a_gap(void **state)
{
    (void)state;
    expect_lines_after_recall("{" EVENT("7", "7", "over"), 1);
}

static void C8_2_what_follows_the_past_is_no_gap(void **state)
{
    (void)state;
    expect_lines_after_recall("{" EVENT("6", "6", "over"), 0);
}

static void C8_2_what_the_past_has_already_is_no_gap(void **state)
{
    (void)state;
    expect_lines_after_recall("{" EVENT("5", "5", "over"), 0);
}

static void C8_2_counting_that_began_anew_before_the_past_was_known_is_told(void **state)
{
    (void)state;
    expect_lines_after_recall("{" EVENT("1", "6", "over"), 1);
}

/* By so much the disk is behind now. */
static bool is_alerted_behind(int64_t behind_ms)
{
    watcher->audit->busy_since.ms = behind_ms == 0 ? 0 : clock_now().mono.ms - behind_ms;
    (void)watcher_tick(watcher);
    return watcher->audit_alerted;
}

static void
a_disk_that_has_taken_nothing_for_five_minutes_is_an_alert_and_its_end_is_one(void **state)
{
    struct audit idle = {.fd = -1, .busy_since = {1}}; /* nobody writes it */
    int64_t line;

    (void)state;
    records_init(&idle.group);
    records_init(&idle.waiting);
    pthread_mutex_init(&idle.lock, NULL);
    pthread_cond_init(&idle.changed, NULL);
    watcher->audit = &idle;
    recall("{\"line\":9,\"kind\":\"event\",\"seen\":5," EVENT("5", "5", "over"));
    assert_false(is_alerted_behind(299000)); /* the tick reads the clock itself */
    line = watcher->line;
    assert_true(is_alerted_behind(300000));
    assert_int_equal(watcher->line, line + 1);
    assert_true(is_alerted_behind(301000));
    assert_int_equal(watcher->line, line + 1);
    assert_false(is_alerted_behind(0));
    assert_int_equal(watcher->line, line + 2);

    watcher->audit = audit;
    records_free(&idle.waiting);
    records_free(&idle.group);
    free(idle.state);
    pthread_cond_destroy(&idle.changed);
    pthread_mutex_destroy(&idle.lock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_watcher, close_watcher)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_heard_meanwhile_is_newer_than_the_past),
        TEST(an_outage_of_the_past_goes_on),
        TEST(C8_2_what_was_missed_before_the_past_was_known_is_a_gap),
        TEST(C8_2_what_follows_the_past_is_no_gap),
        TEST(C8_2_what_the_past_has_already_is_no_gap),
        TEST(a_disk_that_has_taken_nothing_for_five_minutes_is_an_alert_and_its_end_is_one),
        TEST(C8_2_counting_that_began_anew_before_the_past_was_known_is_told),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
