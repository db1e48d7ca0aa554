#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/watcher/slack_crowds.h"

#define LONG_MS SLACK_CROWD_LONGEST_MS
#define ALONE_MS SLACK_CROWD_ALONE_MS

static struct slack_crowds crowds;
static struct mono_time now;
static int64_t line;
static struct slack_post post;
static int64_t post_line;

static int begin(void **state)
{
    (void)state;
    memset(&crowds, 0, sizeof crowds);
    now.ms = 5000;
    line = 0;
    return 0;
}

/* Machine `m` of the shop is M<m>; its sentence is "M<m> <words>". */
static void happens_to(const char *user, const char *event_type, int m, const char *words)
{
    char machine[16];
    char display_name[16];
    char text[64];
    struct slack_post posts[SLACK_POSTS_MAX];
    const struct heard_event event = {
        .event_type = event_type,
        .machine = machine,
        .display_name = display_name,
        .user = user,
        .text = text,
        .fault = "link_lost",
        .reason = "",
        .source = ""};

    snprintf(machine, sizeof machine, "m%d", m);
    snprintf(display_name, sizeof display_name, "M%d", m);
    snprintf(text, sizeof text, "M%d %s", m, words);
    slack_crowds_hear(&crowds, &event, now);
    line++;
    if (slack_posts_of(&event, posts) > 0) {
        assert_true(slack_crowds_has(posts[0].lane));
        slack_crowds_add(&crowds, &posts[0], &event, line, (struct wall_time){line}, now);
    }
}

static void happens(const char *event_type, int m, const char *words)
{
    happens_to("", event_type, m, words);
}

static void fails(int m)
{
    happens("machine_error", m, "does not answer.");
}

static void returns(int m)
{
    happens("machine_recovered", m, "answers again");
}

static void reboots(int m)
{
    happens("reboot", m, "restarted");
}

static void pass(int64_t ms)
{
    now.ms += ms;
}

static bool takes(void)
{
    struct wall_time seen;
    return slack_crowds_take(&crowds, now, &post, &post_line, &seen);
}

static void expect(enum slack_lane lane, const char *text)
{
    assert_true(takes());
    assert_int_equal(post.lane, lane);
    assert_string_equal(post.text, text);
}

static void one_alone_waits_2_s_and_is_told_in_its_own_words(void **state)
{
    (void)state;
    fails(1);
    pass(ALONE_MS - 1);
    assert_false(takes());
    assert_int_equal(slack_crowds_due(&crowds, now).ms, now.ms + 1);
    pass(1);
    expect(
        SLACK_MACHINES,
        "M1 does not answer.\nIf it runs: card out. A box that hangs may not heed that; "
        "then switch the machine off at its isolator or breaker.");
    assert_int_equal(slack_crowds_due(&crowds, now).ms, 0);
    assert_false(takes());
}

static void two_are_one_message_each_in_its_own_words(void **state)
{
    (void)state;
    returns(1);
    returns(2);
    pass(SLACK_CROWD_RETURN_MS);
    expect(SLACK_RETURNS, "M1 answers again\nM2 answers again");
}

static void three_that_vanish_together_are_one_message_with_their_number(void **state)
{
    (void)state;
    for (int m = 1; m <= 3; m++) {
        fails(m);
    }
    pass(ALONE_MS);
    expect(
        SLACK_MACHINES,
        "3 machines do not answer: M1, M2 and M3.\nTreat them as live. What so many share is an "
        "access point, a switch or a fuse: look there, then at each: tagoutctl status");
}

static void those_in_use_are_named_first_of_the_places_to_go_to(void **state)
{
    (void)state;
    fails(1);
    happens_to("Ada", "machine_error", 2, "does not answer");
    happens_to("Bob", "machine_error", 3, "does not answer");
    pass(ALONE_MS);
    assert_true(takes());
    assert_non_null(strstr(
        post.text, "3 machines do not answer: M1, M2 and M3.\nIn use, go there first: M2 and "
                   "M3.\nTreat them as live."));
}

static void of_many_five_are_named(void **state)
{
    (void)state;
    for (int m = 1; m <= 400; m++) {
        returns(m);
    }
    pass(SLACK_CROWD_RETURN_MS);
    expect(SLACK_RETURNS, "400 machines answer again: M1, M2, M3, M4, M5 and 395 more.");
}

static void while_links_are_lost_the_first_error_waits_for_the_others(void **state)
{
    (void)state;
    for (int m = 1; m <= 4; m++) {
        happens("link_lost", m, "");
    }
    fails(1);
    pass(LONG_MS - 1);
    assert_false(takes());
    fails(2);
    fails(3);
    pass(1);
    assert_true(takes());
    assert_non_null(strstr(post.text, "3 machines do not answer: M1, M2 and M3."));
}

static void when_no_link_is_in_doubt_any_more_it_waits_no_longer(void **state)
{
    (void)state;
    happens("link_lost", 1, "");
    happens("link_lost", 2, "");
    fails(1);
    pass(ALONE_MS);
    assert_false(takes());
    happens("fault_cleared", 2, "");
    assert_true(takes());
}

static void a_doubt_ends_after_30_s(void **state)
{
    (void)state;
    happens("link_lost", 2, "");
    pass(SLACK_CROWD_DOUBT_MS - ALONE_MS - 1);
    fails(1);
    pass(ALONE_MS);
    assert_false(takes());
    pass(1);
    assert_true(takes());
}

static void those_that_follow_within_a_minute_gather_for_12_s(void **state)
{
    (void)state;
    fails(1);
    pass(ALONE_MS);
    assert_true(takes());
    for (int m = 2; m <= 9; m++) {
        fails(m);
        pass(1000);
        assert_false(takes());
    }
    pass(LONG_MS - 8000 - 1);
    assert_false(takes());
    pass(1);
    assert_true(takes());
    assert_non_null(strstr(post.text, "8 machines do not answer"));
    pass(SLACK_CROWD_AGAIN_MS);
    fails(10);
    pass(ALONE_MS);
    assert_true(takes());
}

static void who_was_not_yet_told_to_be_gone_is_not_back(void **state)
{
    (void)state;
    happens("link_lost", 2, "");
    fails(1);
    returns(1);
    pass(LONG_MS - 1);
    assert_false(takes());
    pass(1);
    assert_true(takes());
    assert_int_equal(post.lane, SLACK_MACHINES);
    assert_true(takes());
    assert_int_equal(post.lane, SLACK_RETURNS);
}

static void one_restart_is_activity_and_many_are_not(void **state)
{
    (void)state;
    reboots(1);
    pass(SLACK_CROWD_RETURN_MS);
    expect(SLACK_ACTIVITY, "M1 restarted");
    assert_true(post.routine);
    for (int m = 1; m <= 7; m++) {
        reboots(m);
        pass(1000);
    }
    pass(SLACK_CROWD_RETURN_MS - 1000);
    expect(
        SLACK_REBOOTS,
        "7 machines restarted together: M1, M2, M3, M4, M5 and 2 more.\nDid the power fail? A card "
        "that was in has to come out and go in again.");
    assert_false(post.routine);
}

static void one_machine_that_restarts_again_and_again_is_no_crowd(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        reboots(1);
        pass(1000);
    }
    pass(LONG_MS);
    expect(SLACK_ACTIVITY, "M1 restarted");
}

static void nobody_waits_longer_than_12_s(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        assert_false(takes());
        returns(i);
        pass(1000);
    }
    assert_true(takes());
}

static void over_a_restart_the_first_line_that_waits_is_remembered(void **state)
{
    (void)state;
    line = 40;
    fails(1);
    fails(2);
    assert_int_equal(slack_crowds_position(&crowds, SLACK_MACHINES, 42), 40);
    assert_int_equal(slack_crowds_position(&crowds, SLACK_MACHINES, 7), 7);
    assert_int_equal(slack_crowds_position(&crowds, SLACK_RETURNS, 42), 42);
    pass(ALONE_MS);
    assert_true(takes());
    assert_int_equal(post_line, 41);
    assert_int_equal(slack_crowds_position(&crowds, SLACK_MACHINES, 42), 42);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(one_alone_waits_2_s_and_is_told_in_its_own_words),
        TEST(two_are_one_message_each_in_its_own_words),
        TEST(three_that_vanish_together_are_one_message_with_their_number),
        TEST(those_in_use_are_named_first_of_the_places_to_go_to),
        TEST(of_many_five_are_named),
        TEST(while_links_are_lost_the_first_error_waits_for_the_others),
        TEST(when_no_link_is_in_doubt_any_more_it_waits_no_longer),
        TEST(a_doubt_ends_after_30_s),
        TEST(those_that_follow_within_a_minute_gather_for_12_s),
        TEST(who_was_not_yet_told_to_be_gone_is_not_back),
        TEST(one_restart_is_activity_and_many_are_not),
        TEST(one_machine_that_restarts_again_and_again_is_no_crowd),
        TEST(nobody_waits_longer_than_12_s),
        TEST(over_a_restart_the_first_line_that_waits_is_remembered),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
