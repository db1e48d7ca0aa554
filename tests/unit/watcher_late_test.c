/* Events that come late or again, over restarts of the watcher, with a real audit (C8.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/support/audit_months.h"
#include "controller/watcher/watcher_inside.h"
#include "tests/lib/audit_bench.h"
#include "tests/lib/scratch.h"

static struct event_base *base;
static struct settings *settings;
static struct audit *audit;
static struct watcher *watcher;

static void begin(void)
{
    audit = audit_bench_start();
    assert_int_equal(watcher_new(base, settings, audit, &watcher), STATUS_OK);
    watcher_on_past(watcher, audit_bench_past(audit));
}

static void end(void)
{
    watcher_free(watcher);
    audit_bench_stop(audit);
}

/* Killed: what it remembers is as it was at its start, and only the audit has the rest. */
static void kill_and_begin(void)
{
    end();
    begin();
}

static void restart(void)
{
    watcher_stop(watcher);
    kill_and_begin();
}

static int open_watcher(void **state)
{
    TEXT_LOCAL(why, 512);

    (void)state;
    assert_int_equal(settings_load(NULL, &settings, &why), STATUS_OK);
    base = event_base_new();
    assert_non_null(base);
    begin();
    (void)watcher_tick(watcher); /* remembers that there is nothing */
    return 0;
}

static void name_file(struct text *name)
{
    char month[AUDIT_NAME_SIZE];

    audit_month_name(audit_month_of(watcher->started), month);
    text_addf(name, "audit/%s", month);
}

static int close_watcher(void **state)
{
    TEXT_LOCAL(events, 64);

    (void)state;
    name_file(&events);
    end();
    event_base_free(base);
    settings_free(settings);
    unlink(events.data);
    unlink("audit/watcher.json");
    return rmdir("audit");
}

static void hear_of(unsigned machine, unsigned n)
{
    TEXT_LOCAL(topic, 64);
    TEXT_LOCAL(payload, 256);

    text_addf(&topic, "tagout/machine/m%u/event", machine);
    text_addf(
        &payload, "{\"event_type\":\"login\",\"machine\":\"m%u\",\"n\":%u,\"at\":%u}", machine, n,
        1000 + n);
    watcher_on_message(watcher, topic.data, payload.data, payload.length, false);
}

static void hear(const char *payload)
{
    watcher_on_message(watcher, "tagout/machine/saw/event", payload, strlen(payload), false);
}

#define EVENT(type, n, epoch, at)                                                                  \
    "{\"event_type\":\"" type "\",\"machine\":\"saw\",\"n\":" n ",\"epoch\":" epoch ",\"at\":" at  \
    "}"

#define OLD "1700000000"
#define NEW "1700000009"

/* What the audit has, a word for each line: the event's number and epoch's last digit. */
static void expect_audit(const char *expected)
{
    char bytes[8192] = "";
    char *rest = NULL;
    FILE *file;
    TEXT_LOCAL(name, 64);
    TEXT_LOCAL(found, 512);

    name_file(&name);
    kill_and_begin(); /* all is in the file */
    file = fopen(name.data, "r");
    if (file != NULL) {
        bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
        (void)fclose(file);
    }
    for (char *line = strtok_r(bytes, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct json *document = NULL;
        TEXT_LOCAL(why, 256);
        assert_int_equal(json_parse(line, strlen(line), &document, &why), STATUS_OK);
        text_add(&found, found.length > 0 ? " " : "");
        if (strcmp(json_get_string(document, "kind"), "event") != 0) {
            text_addf(
                &found, "%s%s", json_get_string(document, "kind"),
                json_get_bool(document, "restarted") ? "-anew" : "");
        } else {
            text_addf(
                &found, "%u.%u%s", (unsigned)json_get_integer(document, "n", UINT32_MAX),
                (unsigned)json_get_integer(document, "epoch", UINT32_MAX) % 10,
                json_get_bool(document, "late") ? "-late" : "");
        }
        json_free(document);
    }
    assert_string_equal(found.data, expected);
}

static void what_comes_again_is_heard_once(void **state)
{
    (void)state;
    hear(EVENT("login", "1", OLD, "10"));
    hear(EVENT("logout", "2", OLD, "11"));
    hear(EVENT("login", "1", OLD, "10"));
    hear(EVENT("logout", "2", OLD, "11"));
    expect_audit("1.0 2.0");
}

static void what_a_cut_off_leader_still_had_is_in_the_audit_once_and_marked(void **state)
{
    (void)state;
    hear(EVENT("login", "1", OLD, "10"));
    hear(EVENT("oops", "2", NEW, "20"));
    hear(EVENT("logout", "2", OLD, "11"));
    hear(EVENT("denied", "3", OLD, "12"));
    hear(EVENT("logout", "2", OLD, "11"));
    hear(EVENT("denied", "3", OLD, "12"));
    expect_audit("1.0 2.9 2.0-late 3.0-late");
}

static void what_came_late_does_not_move_the_count(void **state)
{
    (void)state;
    hear(EVENT("login", "1", OLD, "10"));
    hear(EVENT("oops", "2", NEW, "20"));
    hear(EVENT("denied", "9", OLD, "12"));
    assert_int_equal(watched_first(watcher->machines)->n, 2);
    hear(EVENT("unoops", "3", NEW, "21"));
    hear(EVENT("denied", "2", OLD, "11"));
    hear(EVENT("login", "5", NEW, "22"));
    expect_audit("1.0 2.9 9.0-late 3.9 2.0-late gap 5.9");
}

static void a_late_start_of_an_outage_is_over(void **state)
{
    (void)state;
    hear(EVENT("login", "5", NEW, "20"));
    hear(EVENT("save_timeout", "5", OLD, "11"));
    assert_false(watched_first(watcher->machines)->down);
    assert_false(watcher->counting.open);
    kill_and_begin(); /* nor by what the audit tells of it */
    assert_false(watched_first(watcher->machines)->down);
    assert_int_equal(watched_first(watcher->machines)->n, 5);
    assert_true(watched_first(watcher->machines)->epoch == 1700000009);
    expect_audit("5.9 5.0-late");
}

static void a_count_that_began_anew_is_told(void **state)
{
    (void)state;
    hear(EVENT("login", "5", OLD, "10"));
    hear(EVENT("login", "1", NEW, "20"));
    hear(EVENT("logout", "2", NEW, "21"));
    expect_audit("5.0 gap-anew 1.9 2.9");
}

static void after_a_restart_it_knows_what_it_heard(void **state)
{
    (void)state;
    hear(EVENT("login", "1", OLD, "10"));
    hear(EVENT("logout", "2", OLD, "11"));
    hear(EVENT("oops", "2", NEW, "20"));
    hear(EVENT("denied", "3", OLD, "12"));
    for (int i = 0; i < 2; i++) {
        restart();
        hear(EVENT("login", "1", OLD, "10"));
        hear(EVENT("logout", "2", OLD, "11"));
        hear(EVENT("oops", "2", NEW, "20"));
        hear(EVENT("denied", "3", OLD, "12"));
    }
    kill_and_begin();
    hear(EVENT("denied", "3", OLD, "12"));
    hear(EVENT("unoops", "3", NEW, "21"));
    expect_audit("1.0 2.0 gap-anew 2.9 3.0-late 3.9");
}

static void after_a_restart_an_event_that_is_new_is_late_all_the_same(void **state)
{
    (void)state;
    hear(EVENT("login", "1", OLD, "10"));
    hear(EVENT("oops", "2", NEW, "20"));
    restart();
    hear(EVENT("logout", "2", OLD, "11"));
    kill_and_begin();
    hear(EVENT("denied", "3", OLD, "12"));
    expect_audit("1.0 2.9 2.0-late 3.0-late");
}

/* watcher.json is gone: nothing is owed to Slack, but the audit still has what it has. */
static void without_its_memory_it_knows_what_the_audit_has(void **state)
{
    (void)state;
    hear(EVENT("login", "1", OLD, "10"));
    end();
    assert_int_equal(unlink("audit/watcher.json"), 0);
    begin();
    hear(EVENT("login", "1", OLD, "10"));
    hear(EVENT("logout", "2", OLD, "11"));
    expect_audit("1.0 2.0");
}

static void how_a_payload_is_laid_out_does_not_matter_to_the_audits_print(void **state)
{
    static const char spread[] = "{ \"event_type\": \"oops\",\r\n\t\"machine\": \"saw\", \"n\": 1,"
                                 "\n\"at\": 5, \"text\": \"a\\nb\"\n} \n";
    (void)state;
    hear(spread);
    hear(spread);
    kill_and_begin();
    hear(spread);
    expect_audit("1.0");
}

#define FLEET 10000 /* what one process carries */

static void in_a_large_fleet_each_gap_shows_and_nothing_is_heard_twice(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FLEET; i++) {
        hear_of(i, 1);
    }
    assert_int_equal(watcher->line, FLEET);
    for (unsigned i = 0; i < FLEET; i++) {
        hear_of(i, 1);
    }
    assert_int_equal(watcher->line, FLEET);
    for (unsigned i = 0; i < FLEET; i++) {
        hear_of(i, 3); /* and a gap before it */
    }
    assert_int_equal(watcher->line, 3 * FLEET);
    kill_and_begin();
    for (unsigned i = 0; i < FLEET; i++) {
        hear_of(i, 1);
        hear_of(i, 3);
    }
    assert_int_equal(watcher->line, 0);
}

static void without_a_number_each_is_one(void **state)
{
    (void)state;
    hear("{\"event_type\":\"login\",\"machine\":\"saw\"}");
    hear("{\"event_type\":\"login\",\"machine\":\"saw\"}");
    expect_audit("0.0 0.0");
}

static void late_is_the_audits_own_word(void **state)
{
    (void)state;
    hear("{\"event_type\":\"oops\",\"machine\":\"saw\",\"n\":1,\"at\":5,\"late\":true}");
    assert_int_equal(watcher->bad_messages, 1);
    expect_audit("");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_watcher, close_watcher)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_comes_again_is_heard_once),
        TEST(what_a_cut_off_leader_still_had_is_in_the_audit_once_and_marked),
        TEST(what_came_late_does_not_move_the_count),
        TEST(a_late_start_of_an_outage_is_over),
        TEST(a_count_that_began_anew_is_told),
        TEST(after_a_restart_it_knows_what_it_heard),
        TEST(after_a_restart_an_event_that_is_new_is_late_all_the_same),
        TEST(without_its_memory_it_knows_what_the_audit_has),
        TEST(how_a_payload_is_laid_out_does_not_matter_to_the_audits_print),
        TEST(in_a_large_fleet_each_gap_shows_and_nothing_is_heard_twice),
        TEST(without_a_number_each_is_one),
        TEST(late_is_the_audits_own_word),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
