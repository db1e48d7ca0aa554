/* C6 `why`: what is kept of a machine's last decisions, and the sentences made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/daemon/history.h"

static struct history history;
static struct core_state state;
static struct core_effects effects;
static int64_t now_ms;

static int set_up(void **unused)
{
    (void)unused;
    setenv("TZ", "UTC", 1);
    tzset();
    core_state_init(&state);
    history_init(&history);
    now_ms = 1000000;
    return 0;
}

/* The next decision: first what it made, then `decided`. */
static void decision(enum core_rule rule)
{
    memset(&effects, 0, sizeof effects);
    effects.rule = rule;
    history_before(&history, &state);
    now_ms += 1000;
}

static struct core_notice *tells(enum core_notice_type type, enum core_source source)
{
    struct core_notice *notice = &effects.notices[effects.notice_count++];

    notice->type = type;
    notice->source = source;
    return notice;
}

static void decided(const char *by)
{
    history_after(&history, &state, &effects, by, (struct wall_time){now_ms});
}

static void assert_sentence(size_t index, const char *sentence)
{
    TEXT_LOCAL(out, 512);

    assert_true(index < history.count);
    history_sentence(history_at(&history, index), "Table Saw", (struct wall_time){now_ms}, &out);
    assert_string_equal(out.data, sentence);
}

static void a_machine_s_place_in_memory_stays_small(void **unused)
{
    (void)unused;
    assert_true(sizeof(struct history) <= 1024);
}

static void a_report_that_changes_nothing_is_not_kept(void **unused)
{
    (void)unused;
    decision(CORE_RULE_NOTHING);
    decided(NULL);
    assert_int_equal(history.count, 0);
    assert_int_equal(history.rule, CORE_RULE_COUNT);
}

static void the_rule_is_that_of_the_last_change_of_mode(void **unused)
{
    (void)unused;
    decision(CORE_RULE_WELCOME);
    state.mode = CORE_IN_USE;
    tells(CORE_NOTICE_LOGIN, CORE_SOURCE_CARD)->has_user = true;
    decided(NULL);
    decision(CORE_RULE_LIVENESS);
    tells(CORE_NOTICE_LINK_LOST, CORE_SOURCE_LIVENESS);
    decided(NULL);
    assert_int_equal(history.count, 2);
    assert_int_equal(history.rule, CORE_RULE_WELCOME);
    assert_int_equal(history.rule_at.ms, now_ms - 1000);
}

static void one_thing_each_with_the_sentence_of_its_event(void **unused)
{
    struct core_notice *notice;

    (void)unused;
    decision(CORE_RULE_OUTSIDE);
    state.mode = CORE_LOCKOUT;
    tells(CORE_NOTICE_LOCKOUT, CORE_SOURCE_OUTSIDE);
    notice = tells(CORE_NOTICE_LOGOUT, CORE_SOURCE_OUTSIDE);
    notice->has_user = true;
    text_copy(notice->user.name, sizeof notice->user.name, "Ada");
    notice->reason = CORE_REASON_LOCKOUT;
    notice->session = CORE_IN_USE;
    notice->session_ms = 125000;
    decided("local (Rosa)");
    assert_sentence(0, "Table Saw: locked out by local (Rosa)");
    assert_sentence(1, "Table Saw: Ada logged out after 2 min (locked out)");
    assert_int_equal(history_at(&history, 0)->rule, CORE_RULE_OUTSIDE);
    assert_int_equal(history_at(&history, 1)->mode, CORE_LOCKOUT);
}

static void who_asked_is_named_for_what_came_from_outside_only(void **unused)
{
    (void)unused;
    decision(CORE_RULE_DISOBEYED);
    tells(CORE_NOTICE_LOCKOUT, CORE_SOURCE_LIVENESS);
    decided("local (Rosa)");
    assert_sentence(0, "Table Saw: locked out");
}

static void who_used_it_last_and_when_it_was_heard_are_kept(void **unused)
{
    struct core_notice *notice;

    (void)unused;
    decision(CORE_RULE_LIVENESS);
    notice = tells(CORE_NOTICE_MACHINE_ERROR, CORE_SOURCE_LIVENESS);
    text_copy(notice->last_user, sizeof notice->last_user, "Ada");
    notice->since.ms = now_ms - 61000;
    decided(NULL);
    assert_sentence(
        0, "Table Saw does not answer since 00:15:40, last used by Ada: treat it as live. Check "
           "the box's power and Wi-Fi.");
}

static void what_no_event_tells_is_told_all_the_same(void **unused)
{
    (void)unused;
    decision(CORE_RULE_ALWAYS_ON);
    state.mode = CORE_ALWAYS_ON;
    decided(NULL);
    decision(CORE_RULE_RELOAD);
    state.mode = CORE_IDLE;
    decided(NULL);
    decision(CORE_RULE_CARD_OUT);
    state.mode = CORE_DENIED;
    decided(NULL);
    decision(CORE_RULE_NOTHING);
    state.second_relay = true;
    decided(NULL);
    assert_sentence(0, "Table Saw: on, since it is always enabled");
    assert_sentence(1, "Table Saw: its configuration changed");
    assert_sentence(2, "Table Saw: the card was taken out");
    assert_sentence(3, "Table Saw: relay off");
}

static void a_restart_is_told_with_what_became_of_it(void **unused)
{
    (void)unused;
    decision(CORE_RULE_RESTART);
    effects.restart = CORE_RESTART_QUEUED;
    decided("op (Rosa)");
    decision(CORE_RULE_CARD_OUT);
    effects.restart = CORE_RESTART_GO;
    decided(NULL);
    decision(CORE_RULE_RESTART);
    effects.restart = CORE_RESTART_DEAD;
    decided(NULL);
    assert_sentence(0, "Table Saw: a restart of its box is waiting, asked by op (Rosa)");
    assert_sentence(1, "Table Saw: its box was told to restart");
    assert_sentence(2, "Table Saw: its box was not restarted: does not answer");
    assert_int_equal(history_at(&history, 1)->rule, CORE_RULE_RESTART);
}

static void a_long_name_is_cut_at_a_whole_character(void **unused)
{
    (void)unused;
    decision(CORE_RULE_WELCOME);
    struct core_notice *notice = tells(CORE_NOTICE_LOGIN, CORE_SOURCE_CARD);
    notice->has_user = true;
    text_copy(notice->user.name, sizeof notice->user.name, "aééééééééééééééééééééé");
    decided(NULL);
    assert_sentence(0, "Table Saw: aééééééééééééééééé logged in");
}

static void the_oldest_gives_way(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < HISTORY_MAX + 3; i++) {
        decision(CORE_RULE_REBOOT);
        tells(CORE_NOTICE_REBOOT, CORE_SOURCE_REBOOT);
        decided(NULL);
    }
    assert_int_equal(history.count, HISTORY_MAX);
    for (size_t i = 0; i < HISTORY_MAX; i++) {
        assert_int_equal(
            history_at(&history, i)->at.ms, now_ms - 1000 * (int64_t)(HISTORY_MAX - 1 - i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_machine_s_place_in_memory_stays_small, set_up),
        cmocka_unit_test_setup(a_report_that_changes_nothing_is_not_kept, set_up),
        cmocka_unit_test_setup(the_rule_is_that_of_the_last_change_of_mode, set_up),
        cmocka_unit_test_setup(one_thing_each_with_the_sentence_of_its_event, set_up),
        cmocka_unit_test_setup(who_asked_is_named_for_what_came_from_outside_only, set_up),
        cmocka_unit_test_setup(who_used_it_last_and_when_it_was_heard_are_kept, set_up),
        cmocka_unit_test_setup(what_no_event_tells_is_told_all_the_same, set_up),
        cmocka_unit_test_setup(a_restart_is_told_with_what_became_of_it, set_up),
        cmocka_unit_test_setup(a_long_name_is_cut_at_a_whole_character, set_up),
        cmocka_unit_test_setup(the_oldest_gives_way, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
