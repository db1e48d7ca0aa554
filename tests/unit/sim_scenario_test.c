/* A scenario's lines, and what is wrong with the wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "devices/sim/scenario.h"

static struct scenario_step parse(const char *line)
{
    struct scenario_step step;
    TEXT_LOCAL(why, 256);

    if (scenario_parse(line, &step, &why) != STATUS_OK) {
        fail_msg("%s: %s", line, why.data);
    }
    return step;
}

static void refuse(const char *line, const char *reason)
{
    struct scenario_step step = {.kind = SCENARIO_STOP};
    TEXT_LOCAL(why, 256);

    assert_int_equal(scenario_parse(line, &step, &why), STATUS_INVALID);
    if (strstr(why.data, reason) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", line, why.data, reason);
    }
    assert_int_equal(step.kind, SCENARIO_STOP);
}

static void comments_and_empty_lines_are_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse("").kind, SCENARIO_NOTHING);
    assert_int_equal(parse("  \t\r\n").kind, SCENARIO_NOTHING);
    assert_int_equal(parse("  # table-saw card in Rosa").kind, SCENARIO_NOTHING);
}

static void an_action_names_machine_and_card(void **state)
{
    struct scenario_step step = parse("table-saw card in Rosa\n");

    (void)state;
    assert_int_equal(step.kind, SCENARIO_ACT);
    assert_int_equal(step.action, ACTION_CARD_IN);
    assert_string_equal(step.machines, "table-saw");
    assert_string_equal(step.text, "Rosa");
    assert_int_equal(step.when, SCENARIO_THEN);
    assert_string_equal(parse("saw card in \"Ada Byron\"").text, "Ada Byron");
}

static void every_action_is_read(void **state)
{
    static const struct {
        const char *line;
        enum scenario_action action;
    } all[] = {
        {"m card in #2", ACTION_CARD_IN},
        {"m card out", ACTION_CARD_OUT},
        {"m oops press", ACTION_OOPS_PRESS},
        {"m oops release", ACTION_OOPS_RELEASE},
        {"m oops tap", ACTION_OOPS_TAP},
        {"m power cut", ACTION_POWER_CUT},
        {"m power on", ACTION_POWER_ON},
        {"m die", ACTION_DIE},
        {"m switch off", ACTION_SWITCH_OFF},
        {"m restart", ACTION_RESTART},
        {"m restart force", ACTION_RESTART_FORCE},
        {"m hang", ACTION_HANG},
        {"m hang with pongs", ACTION_HANG_PONGS},
        {"m resume", ACTION_RESUME},
        {"m link cut", ACTION_LINK_CUT},
        {"m link back", ACTION_LINK_BACK},
        {"m roam", ACTION_ROAM},
        {"m flap", ACTION_FLAP},
        {"m stick closed", ACTION_STICK_CLOSED},
        {"m stick open", ACTION_STICK_OPEN},
        {"m unstick", ACTION_UNSTICK},
        {"m reader lost", ACTION_READER_LOST},
        {"m reader back", ACTION_READER_BACK},
        {"m amps 3.5", ACTION_AMPS},
        {"m life 60", ACTION_LIFE},
    };

    (void)state;
    assert_int_equal(sizeof all / sizeof all[0], ACTION_COUNT);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct scenario_step step = parse(all[i].line);
        assert_int_equal(step.kind, SCENARIO_ACT);
        assert_int_equal(step.action, all[i].action);
    }
}

static void numbers_and_durations_stand_behind_their_action(void **state)
{
    (void)state;
    assert_true(parse("m amps 3.5").number > 3.49 && parse("m amps 3.5").number < 3.51);
    assert_int_equal(parse("m flap for 3 s").duration_ms, 3000);
    assert_int_equal(parse("m flap").duration_ms, SCENARIO_FLAP_MS);
}

static void a_line_has_its_time_or_comes_then(void **state)
{
    struct scenario_step at = parse("at 1.5 s m card out");
    struct scenario_step after = parse("after 200ms m card out");

    (void)state;
    assert_int_equal(at.when, SCENARIO_AT);
    assert_int_equal(at.when_ms, 1500);
    assert_int_equal(after.when, SCENARIO_AFTER);
    assert_int_equal(after.when_ms, 200);
    assert_int_equal(parse("then m card out").when, SCENARIO_THEN);
    assert_int_equal(parse("at 2 m card out").when_ms, 2000);
    assert_int_equal(parse("wait 2 min").duration_ms, 120000);
}

static void print_keeps_its_text_as_it_stands(void **state)
{
    (void)state;
    assert_string_equal(parse("print  1. Rosa: \"in\"  \n").text, "1. Rosa: \"in\"");
    assert_int_equal(parse("print").kind, SCENARIO_PRINT);
    assert_string_equal(parse("print").text, "");
}

static void a_request_has_a_verb_and_a_body(void **state)
{
    struct scenario_step step = parse("request clear {\"machine\": \"m\"}\n");

    (void)state;
    assert_int_equal(step.kind, SCENARIO_REQUEST);
    assert_string_equal(step.more, "clear");
    assert_string_equal(step.text, "{\"machine\": \"m\"}");
    refuse("request", "the verb is missing");
    refuse("request a/b {}", "the verb is no name");
}

static void an_expectation_has_a_limit(void **state)
{
    struct scenario_step within = parse("expect saw relay on within 500 ms");
    struct scenario_step throughout = parse("expect saw relay off for 3 s");

    (void)state;
    assert_int_equal(within.kind, SCENARIO_EXPECT);
    assert_int_equal(within.expectation, EXPECT_RELAY_ON);
    assert_int_equal(within.duration_ms, 500);
    assert_false(within.throughout);
    assert_int_equal(throughout.expectation, EXPECT_RELAY_OFF);
    assert_int_equal(throughout.duration_ms, 3000);
    assert_true(throughout.throughout);
    assert_int_equal(parse("expect saw relay on").duration_ms, SCENARIO_EXPECT_MS);
}

static void every_expectation_is_read(void **state)
{
    static const struct {
        const char *line;
        enum scenario_expectation expectation;
    } all[] = {
        {"expect m relay on", EXPECT_RELAY_ON},
        {"expect m relay off", EXPECT_RELAY_OFF},
        {"expect m second relay on", EXPECT_SECOND_ON},
        {"expect m second relay off", EXPECT_SECOND_OFF},
        {"expect m contact on", EXPECT_CONTACT_ON},
        {"expect m contact off", EXPECT_CONTACT_OFF},
        {"expect m oops on", EXPECT_OOPS_ON},
        {"expect m oops off", EXPECT_OOPS_OFF},
        {"expect m link up", EXPECT_LINK_UP},
        {"expect m link down", EXPECT_LINK_DOWN},
        {"expect m display \"Welcome, / Rosa\"", EXPECT_DISPLAY},
        {"expect m led green", EXPECT_LED},
        {"expect m state confirmed off", EXPECT_STATE},
        {"expect m refused", EXPECT_REFUSED},
        {"expect m boot", EXPECT_BOOT},
        {"expect m event denied", EXPECT_EVENT},
        {"expect answer ok", EXPECT_ANSWER},
        {"expect alert fleet_save_timeouts \"Cards still work\" within 5 s", EXPECT_ALERT},
    };

    (void)state;
    assert_int_equal(sizeof all / sizeof all[0], EXPECTATION_COUNT);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(parse(all[i].line).expectation, all[i].expectation);
    }
}

static void what_is_looked_for_is_in_quotes_or_a_word(void **state)
{
    struct scenario_step refused = parse("expect m refused \"the window\" within 1 s");
    struct scenario_step bare = parse("expect m refused within 2 s");
    struct scenario_step value = parse("expect m state user \"Ada Byron\"");
    struct scenario_step answer = parse("expect answer error \"no machine\" within 2 s");

    (void)state;
    assert_string_equal(refused.text, "the window");
    assert_int_equal(refused.duration_ms, 1000);
    assert_string_equal(bare.text, "");
    assert_int_equal(bare.duration_ms, 2000);
    assert_string_equal(value.text, "user");
    assert_string_equal(value.more, "Ada Byron");
    assert_string_equal(answer.text, "error");
    assert_string_equal(answer.more, "no machine");
    assert_string_equal(answer.machines, "");
    assert_true(parse("expect m not event login for 1 s").negated);
}

static void machines_are_a_list_or_all(void **state)
{
    struct scenario_step two = parse("saw,lathe card out");
    struct scenario_step all = parse("* card out");

    (void)state;
    assert_true(scenario_names(&two, "saw"));
    assert_true(scenario_names(&two, "lathe"));
    assert_false(scenario_names(&two, "saw,lathe"));
    assert_false(scenario_names(&two, "sa"));
    assert_false(scenario_names(&two, "lathe2"));
    assert_true(scenario_names(&all, "anything"));
}

static void what_is_wrong_is_said(void **state)
{
    char long_line[SCENARIO_LINE_MAX + 2];

    (void)state;
    memset(long_line, 'a', sizeof long_line);
    long_line[sizeof long_line - 1] = '\0';
    refuse("saw jump", "no such action: jump");
    refuse("saw", "no such action");
    refuse("saw card in", "is missing");
    refuse("saw card in \"Rosa", "is missing");
    refuse("saw card out now", "too much: now");
    refuse("expect saw dance", "no such expectation: dance");
    refuse("expect saw answer ok", "no such expectation");
    refuse("expect saw alert test", "no such expectation");
    refuse("expect saw state confirmed", "the value is missing");
    refuse("expect saw relay on within", "a number is missing");
    refuse("wait x", "a number is missing");
    refuse("wait -1 s", "a number is missing");
    refuse("wait nan", "a number is missing");
    refuse("wait 3 h", "too much: h");
    refuse("wait 3h", "a time is in s, ms or min");
    refuse("wait 2000000 s", "longer than a day");
    refuse("at m card out", "a number is missing");
    refuse(long_line, "over 1000 bytes");
    refuse("print \xff", "no UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_empty_lines_are_nothing),
        cmocka_unit_test(an_action_names_machine_and_card),
        cmocka_unit_test(every_action_is_read),
        cmocka_unit_test(numbers_and_durations_stand_behind_their_action),
        cmocka_unit_test(a_line_has_its_time_or_comes_then),
        cmocka_unit_test(print_keeps_its_text_as_it_stands),
        cmocka_unit_test(a_request_has_a_verb_and_a_body),
        cmocka_unit_test(an_expectation_has_a_limit),
        cmocka_unit_test(every_expectation_is_read),
        cmocka_unit_test(what_is_looked_for_is_in_quotes_or_a_word),
        cmocka_unit_test(machines_are_a_list_or_all),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
