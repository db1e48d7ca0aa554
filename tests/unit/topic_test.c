#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "topics/topic.h"

static const struct {
    enum topic_id id;
    const char *first;
    const char *second;
    const char *topic;
    const char *filter;
} topics[] = {
    {TOPIC_REPORT, "saw", "", "tagout/machine/saw/report", "tagout/machine/+/report"},
    {TOPIC_LINK, "saw", "", "tagout/machine/saw/link", "tagout/machine/+/link"},
    {TOPIC_PONG, "saw", "", "tagout/machine/saw/pong", "tagout/machine/+/pong"},
    {TOPIC_COMMAND, "saw", "", "tagout/machine/saw/command", "tagout/machine/+/command"},
    {TOPIC_PROBE, "saw", "", "tagout/machine/saw/probe", "tagout/machine/+/probe"},
    {TOPIC_RESTART, "saw", "", "tagout/machine/saw/restart", "tagout/machine/+/restart"},
    {TOPIC_STATE, "saw", "", "tagout/machine/saw/state", "tagout/machine/+/state"},
    {TOPIC_TELEMETRY, "saw", "", "tagout/machine/saw/telemetry", "tagout/machine/+/telemetry"},
    {TOPIC_EVENT, "saw", "", "tagout/machine/saw/event", "tagout/machine/+/event"},
    {TOPIC_SET_OOPS, "saw", "", "tagout/machine/saw/set/oops", "tagout/machine/+/set/oops"},
    {TOPIC_SET_LOCKOUT, "saw", "", "tagout/machine/saw/set/lockout",
     "tagout/machine/+/set/lockout"},
    {TOPIC_REQUEST, "ada", "clear", "tagout/request/ada/clear", "tagout/request/+/+"},
    {TOPIC_RESPONSE, "ada", "clear", "tagout/response/ada/clear", "tagout/response/+/+"},
    {TOPIC_CONTROLLER_STATUS, "a", "", "tagout/controller/a/status", "tagout/controller/+/status"},
    {TOPIC_CONTROLLER_MARKER, "a", "", "tagout/controller/a/marker", "tagout/controller/+/marker"},
    {TOPIC_BLOCKS, "", "", "tagout/controller/blocks", "tagout/controller/blocks"},
    {TOPIC_SAVE_TIMEOUT, "", "", "tagout/fleet/save_timeout", "tagout/fleet/save_timeout"},
    {TOPIC_ALERT, "", "", "tagout/fleet/alert", "tagout/fleet/alert"},
    {TOPIC_SERVICE, "redis", "", "tagout/service/redis", "tagout/service/+"},
};

static const char *or_null(const char *level)
{
    return level[0] != '\0' ? level : NULL;
}

static void C2_every_topic_is_built_and_parsed_back(void **state)
{
    (void)state;
    assert_int_equal(sizeof topics / sizeof topics[0], TOPIC_COUNT);
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        char topic[TOPIC_SIZE];
        struct topic_match match;

        assert_int_equal(topics[i].id, i);
        assert_int_equal(
            topic_build(
                topic, sizeof topic, "tagout", topics[i].id, or_null(topics[i].first),
                or_null(topics[i].second)),
            STATUS_OK);
        assert_string_equal(topic, topics[i].topic);
        assert_int_equal(topic_parse("tagout", topic, &match), STATUS_OK);
        assert_int_equal(match.id, topics[i].id);
        assert_string_equal(match.first, topics[i].first);
        assert_string_equal(match.second, topics[i].second);
        assert_int_equal(topic_filter(topic, sizeof topic, "tagout", topics[i].id), STATUS_OK);
        assert_string_equal(topic, topics[i].filter);
    }
}

static void C2_the_table_says_who_writes_how(void **state)
{
    (void)state;
    assert_string_equal(topic_info(TOPIC_COMMAND)->name, "machine/%m/command");
    assert_string_equal(topic_info(TOPIC_COMMAND)->writer, "controller");
    assert_int_equal(topic_info(TOPIC_COMMAND)->qos, 1);
    assert_true(topic_info(TOPIC_COMMAND)->retained);
    assert_int_equal(topic_info(TOPIC_PROBE)->qos, 0);
    assert_false(topic_info(TOPIC_REPORT)->retained);
}

static void the_longest_names_fit(void **state)
{
    static const char prefix[] = "abcdefghijklmnopqrstuvwxyz012345";
    char level[TOPIC_MACHINE_MAX + 1];
    char topic[TOPIC_SIZE];
    struct topic_match match;

    (void)state;
    memset(level, 'm', TOPIC_MACHINE_MAX);
    level[TOPIC_MACHINE_MAX] = '\0';
    assert_int_equal(strlen(prefix), TOPIC_PREFIX_MAX);
    assert_int_equal(
        topic_build(topic, sizeof topic, prefix, TOPIC_REQUEST, level, level), STATUS_OK);
    assert_int_equal(topic_parse(prefix, topic, &match), STATUS_OK);
    assert_string_equal(match.first, level);
    assert_string_equal(match.second, level);
}

static void a_hostile_level_builds_nothing(void **state)
{
    static const char *const levels[] = {NULL, "", "a/b", "/", "+", "a+", "#", "a#b"};
    char too_long[TOPIC_MACHINE_MAX + 2];
    char topic[TOPIC_SIZE] = "untouched";

    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        assert_int_equal(
            topic_build(topic, sizeof topic, "tagout", TOPIC_COMMAND, levels[i], NULL),
            STATUS_INVALID);
        assert_int_equal(
            topic_build(topic, sizeof topic, "tagout", TOPIC_RESPONSE, "ada", levels[i]),
            STATUS_INVALID);
    }
    memset(too_long, 'm', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(
        topic_build(topic, sizeof topic, "tagout", TOPIC_COMMAND, too_long, NULL), STATUS_TOO_LONG);
    assert_int_equal(topic_build(topic, 10, "tagout", TOPIC_ALERT, NULL, NULL), STATUS_TOO_LONG);
    assert_string_equal(topic, "untouched");
}

static void a_topic_fits_a_buffer_of_exactly_its_size(void **state)
{
    char topic[sizeof "tagout/fleet/alert"];

    (void)state;
    assert_int_equal(
        topic_build(topic, sizeof topic - 1, "tagout", TOPIC_ALERT, NULL, NULL), STATUS_TOO_LONG);
    assert_int_equal(
        topic_build(topic, sizeof topic, "tagout", TOPIC_ALERT, NULL, NULL), STATUS_OK);
    assert_string_equal(topic, "tagout/fleet/alert");
}

static void a_prefix_is_one_level_of_a_names_characters(void **state)
{
    static const char *const prefixes[] = {
        "", "a/b", "+", "Tagout", "abcdefghijklmnopqrstuvwxyz0123456",
    };
    char topic[TOPIC_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        assert_int_equal(
            topic_build(topic, sizeof topic, prefixes[i], TOPIC_ALERT, NULL, NULL), STATUS_INVALID);
        assert_int_equal(
            topic_filter(topic, sizeof topic, prefixes[i], TOPIC_ALERT), STATUS_INVALID);
    }
}

static void a_topic_that_is_none_of_ours_is_not_found(void **state)
{
    static const char *const strangers[] = {
        "",
        "tagout",
        "tagout/",
        "tagout/machine",
        "tagout/machine/saw",
        "tagout/machine/saw/",
        "tagout/machine//report",
        "tagout/machine/saw/report/",
        "tagout/machine/saw/reports",
        "tagout/machine/saw/repor",
        "tagout/machine/saw/x/report",
        "tagout/machine/saw/set",
        "tagout/machine/saw/set/power",
        "tagout/request/ada",
        "tagout/request/ada/",
        "tagout/request//clear",
        "tagout/request/ada/clear/x",
        "tagout/controller/a",
        "tagout/service/",
        "tagout/service/a/b",
        "tagout2/fleet/alert",
        "tagou/fleet/alert",
        "/tagout/fleet/alert",
        "other/machine/saw/report",
        "$SYS/broker/version",
        /* A level of 65 bytes. */
        "tagout/machine/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/report",
    };
    struct topic_match match;

    (void)state;
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        if (topic_parse("tagout", strangers[i], &match) != STATUS_NOT_FOUND) {
            fail_msg("was found: %s", strangers[i]);
        }
    }
}

static void a_request_is_recognised_under_any_prefix(void **state)
{
    (void)state;
    assert_true(topic_is_request("tagout/request/ada/clear"));
    assert_true(topic_is_request("x/request/ada/clear"));
    assert_false(topic_is_request("tagout/response/ada/clear"));
    assert_false(topic_is_request("tagout/machine/request/report"));
    assert_false(topic_is_request("tagout/requests/ada/clear"));
    assert_false(topic_is_request("request"));
    assert_false(topic_is_request(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C2_every_topic_is_built_and_parsed_back),
        cmocka_unit_test(C2_the_table_says_who_writes_how),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(a_hostile_level_builds_nothing),
        cmocka_unit_test(a_topic_fits_a_buffer_of_exactly_its_size),
        cmocka_unit_test(a_prefix_is_one_level_of_a_names_characters),
        cmocka_unit_test(a_topic_that_is_none_of_ours_is_not_found),
        cmocka_unit_test(a_request_is_recognised_under_any_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
