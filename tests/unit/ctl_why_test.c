/* `tagoutctl why`: the sentence, what would change it, and what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/ctl/why.h"

/* Wednesday, 15 January 2025, 14:37:30 UTC. */
#define NOW_MS INT64_C(1736951850000)

static struct state_payload state;
static struct json *document;
static struct why why;

static int set_up(void **unused)
{
    (void)unused;
    setenv("TZ", "UTC", 1);
    tzset();
    state = (struct state_payload){
        .machine = "table-saw",
        .display_name = "Table Saw",
        .health = "online",
        .mode = "idle",
        .confirmed = "off"};
    why = (struct why){.state = &state, .now = {.ms = NOW_MS}};
    document = NULL;
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    json_free(document);
    return 0;
}

static struct wall_time minutes_ago(int minutes)
{
    return (struct wall_time){.ms = NOW_MS - minutes * INT64_C(60000)};
}

static void answers(const char *data)
{
    TEXT_LOCAL(reason, 128);

    json_free(document);
    document = NULL;
    assert_int_equal(json_parse(data, strlen(data), &document, &reason), STATUS_OK);
    why.data = document;
}

static void assert_sentence(const char *sentence)
{
    TEXT_LOCAL(out, 2048);

    why_sentence(&out, &why);
    assert_string_equal(out.data, sentence);
}

static void assert_steps(const char *steps)
{
    TEXT_LOCAL(out, 4096);

    why_steps(&out, &why);
    assert_string_equal(out.data, steps);
}

static void assert_troubles(const char *troubles)
{
    TEXT_LOCAL(out, 4096);

    why_troubles(&out, &why);
    assert_string_equal(out.data, troubles);
}

#define ACCESS "\"access\": {\"authorizations_or\": [\"woodshop\", \"cnc\"], \"count\": 2}"
#define OPENS "The card of a member with \"woodshop\" or \"cnc\" opens it.\n"

/* ---- off ---- */

static void a_lockout_says_who_when_and_why_and_how_to_lift_it(void **unused)
{
    (void)unused;
    state.mode = "lockout";
    state.lockout = true;
    state.lockout_by = "local (Rosa)";
    state.lockout_reason = "blade is cracked";
    state.lockout_at = minutes_ago(35);
    answers("{" ACCESS "}");
    assert_sentence(
        "Table Saw is off: locked out by Rosa since 14:02 (35 min), because \"blade is cracked\".");
    assert_steps("When somebody has made sure that it is safe: tagoutctl clear table-saw\n" OPENS);
}

static void an_oops_says_who_or_that_the_button_was_pressed(void **unused)
{
    (void)unused;
    state.mode = "oops";
    state.oops = true;
    state.oops_at = minutes_ago(2);
    state.oops_by = "Oops button";
    assert_sentence("Table Saw is off: its Oops button was pressed at 14:35 (2 min ago).");
    state.oops_by = "Ada";
    assert_sentence("Table Saw is off: Oops by Ada at 14:35 (2 min ago).");
}

static void both_flags_need_both_cleared_and_a_card_that_is_in_must_come_out(void **unused)
{
    (void)unused;
    state.mode = "oops";
    state.oops = true;
    state.lockout = true;
    state.card = "0123";
    state.card_spent = true;
    answers("{" ACCESS ", \"card\": {\"user\": \"Ada\", \"authorized\": true}}");
    assert_sentence("Table Saw is off: its Oops button was pressed; and locked out.");
    assert_steps("When somebody has made sure that it is safe: tagoutctl clear table-saw --both\n"
                 "The card that is in must come out first.\n" OPENS);
}

static void clearing_what_is_always_enabled_starts_it(void **unused)
{
    (void)unused;
    state.mode = "lockout";
    state.lockout = true;
    answers("{\"access\": {\"always_enabled\": true, \"authorizations_or\": [\"x\"]}}");
    assert_steps("When somebody has made sure that it is safe: tagoutctl clear table-saw\n"
                 "It STARTS BY ITSELF then, without a card: it is always enabled.\n");
}

static void an_idle_machine_says_that_no_card_is_in_or_that_it_was_there_before(void **unused)
{
    (void)unused;
    assert_sentence("Table Saw is off: no card is in.");
    state.card = "0123";
    state.card_spent = true;
    answers("{\"card\": {\"user\": \"Ada\"}}");
    assert_sentence("Table Saw is off: Ada's card is in, but was there before: it must come out "
                    "and go in again "
                    "(after a restart of the box, an Oops, a lockout, the end of a session, or too "
                    "many unknown cards).");
}

static void a_card_without_the_training_says_whose_and_what_it_lacks(void **unused)
{
    (void)unused;
    state.mode = "denied";
    state.card = "0123";
    answers("{" ACCESS ", \"card\": {\"user\": \"Bob\", \"authorized\": false}}");
    assert_sentence("Table Saw is off: Bob's card is in, and lacks the authorization.");
    assert_steps("To let Bob in: \"woodshop\" or \"cnc\" among the authorizations in users.json, "
                 "then tagoutctl reload.\n"
                 "The card that is in must come out first.\n" OPENS);
}

static void a_blocked_card_is_told_from_an_unknown_one(void **unused)
{
    (void)unused;
    state.mode = "unknown_fob";
    state.card = "0123";
    answers("{" ACCESS ", \"card\": {\"user\": null}}");
    assert_sentence("Table Saw is off: the card that is in is unknown.");
    assert_steps("To enrol its holder: tagoutctl card table-saw prints its number, for "
                 "users.json.\n"
                 "The card that is in must come out first.\n" OPENS);
    answers("{" ACCESS
            ", \"card\": {\"user\": \"Bob\", \"account_id\": \"18\", \"blocked\": true}}");
    assert_sentence("Table Saw is off: Bob's card is in, and is blocked.");
    assert_steps("To take the block back: tagoutctl unblock --account-id 18\n"
                 "The card that is in must come out first.\n" OPENS);
}

/* Without it they would ask another controller, or none. */
static void the_commands_that_it_names_read_the_file_of_this_one(void **unused)
{
    (void)unused;
    why.file = "grace.ini";
    state.mode = "oops";
    state.oops = true;
    state.lockout = true;
    answers("{" ACCESS "}");
    assert_steps("When somebody has made sure that it is safe: tagoutctl -c grace.ini clear "
                 "table-saw --both\n" OPENS);
    state.oops = false;
    state.lockout = false;
    state.mode = "unknown_fob";
    answers("{" ACCESS ", \"card\": {\"user\": null}}");
    assert_steps(
        "To enrol its holder: tagoutctl -c grace.ini card table-saw prints its number, for "
        "users.json.\n" OPENS);
    state.mode = "in_use";
    state.relay = true;
    state.confirmed = "on";
    assert_steps("It goes off when the card comes out, or by tagoutctl -c grace.ini end "
                 "table-saw\n");
}

static void who_may_open_it_is_told_in_every_configuration(void **unused)
{
    static const struct {
        const char *access;
        const char *step;
    } cases[] = {
        {"{" ACCESS "}", OPENS},
        {"{\"access\": {\"authorizations_or\": [\"a\"], \"count\": 17}}",
         "The card of a member with \"a\" or others opens it.\n"},
        {"{\"access\": {\"authorizations_or\": [\"a\"], \"unauthorized_warn_only\": true}}",
         "Any known card opens it; it only warns.\n"},
        {"{\"access\": {\"authorizations_or\": []}}",
         "No card opens it: machines.json names no authorization.\n"},
        {"{}", "The card of an authorized member opens it.\n"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answers(cases[i].access);
        assert_steps(cases[i].step);
    }
}

/* ---- on ---- */

static void a_session_says_whose_card_and_since_when(void **unused)
{
    (void)unused;
    state.relay = true;
    state.confirmed = "on";
    state.mode = "in_use";
    state.user = "Ada";
    state.session_since = minutes_ago(35);
    answers("{" ACCESS ", \"card\": {\"user\": \"Ada\", \"authorized\": true}}");
    assert_sentence("Table Saw is ON: Ada's card is in since 14:02 (35 min).");
    assert_steps("It goes off when the card comes out, or by tagoutctl end table-saw\n");
}

static void a_session_without_the_training_says_why_it_is_open(void **unused)
{
    (void)unused;
    state.relay = true;
    state.confirmed = "on";
    state.mode = "in_use";
    state.user = "Bob";
    answers("{\"access\": {\"unauthorized_warn_only\": true}, \"card\": {\"authorized\": false}}");
    assert_sentence("Table Saw is ON: Bob's card is in, without the training: this machine only "
                    "warns.");
    answers("{\"access\": {}, \"card\": {\"authorized\": false}}");
    assert_sentence("Table Saw is ON: Bob's card is in, though no longer authorized: a session "
                    "that is open goes on.");
}

static void an_override_an_emergency_and_always_on_say_so(void **unused)
{
    (void)unused;
    state.relay = true;
    state.confirmed = "on";
    state.mode = "always_on";
    assert_sentence("Table Saw is ON: it is always enabled, with or without a card.");
    assert_steps("To switch it off: tagoutctl lockout table-saw\n");
    state.mode = "emergency";
    assert_sentence("Table Saw is ON: an EMERGENCY CARD is in.");
    state.mode = "override";
    state.user = "Max";
    state.lockout = true;
    assert_sentence(
        "Table Saw is ON: Max runs it by OVERRIDE, though it is out of use: locked out.");
}

/* ---- what the machine itself says ---- */

static void what_is_not_confirmed_or_contradicted_is_not_called_off(void **unused)
{
    (void)unused;
    state.confirmed = "unknown";
    assert_sentence("Table Saw is switched off, which it has not confirmed, so treat it as live: "
                    "no card is in.");
    state.confirmed = NULL;
    assert_sentence("Table Saw is switched off, which it has not confirmed, so treat it as live: "
                    "no card is in.");
    state.confirmed = "on";
    assert_sentence("Table Saw IS ON THOUGH IT WAS SWITCHED OFF, treat it as live: no card is in.");
}

static void a_relay_that_does_not_go_on_points_at_the_display(void **unused)
{
    (void)unused;
    state.relay = true;
    state.mode = "in_use";
    state.user = "Ada";
    assert_sentence("Table Saw is switched on, but its relay is still off: Ada's card is in.");
    assert_steps("Look at its display: the card may have to come out and go in again.\n"
                 "It goes off when the card comes out, or by tagoutctl end table-saw\n");
}

static void a_machine_that_is_on_and_does_not_answer_is_switched_off_by_hand(void **unused)
{
    (void)unused;
    state.relay = true;
    state.confirmed = "unknown";
    state.mode = "in_use";
    state.user = "Ada";
    state.health = "error";
    assert_sentence("Table Saw is switched ON, which it has not confirmed: Ada's card is in.");
    assert_steps("No command may reach its box: to be sure, switch the machine off by its own "
                 "switch.\n"
                 "It goes off when the card comes out, or by tagoutctl end table-saw\n");
}

static void the_second_relay_has_reasons_of_its_own(void **unused)
{
    TEXT_LOCAL(out, 256);

    (void)unused;
    why_second(&out, &why);
    assert_string_equal(out.data, "");
    answers("{\"access\": {\"second_relay\": {}}}");
    why_second(&out, &why);
    assert_string_equal(out.data, "off, as the first relay is");
    text_clear(&out);
    state.relay = true;
    state.second_relay_authorization = "denied";
    why_second(&out, &why);
    assert_string_equal(out.data, "off: its user is not authorized for it");
}

/* ---- what is wrong ---- */

static void a_dead_box_a_fault_and_a_restart_that_waits_are_told(void **unused)
{
    (void)unused;
    state.health = "error";
    answers("{" ACCESS ", \"saved\": true, \"heard_at\": 1736951820, \"restart\": "
            "\"waits_for_life\", \"faults\": [{\"fault\": \"link_lost\", \"text\": \"its link is "
            "lost\"}]}");
    assert_troubles("Its box DOES NOT ANSWER; last heard at 14:37 (30 s ago). Treat it as live.\n"
                    "A restart of its box is waiting until it answers.\n"
                    "Its link is lost.\n");
    assert_steps("First its box must answer: check its power and Wi-Fi.\n" OPENS);
}

static void C11_2_soon_after_a_start_only_a_restart_that_was_asked_for_is_called_one(void **unused)
{
    (void)unused;
    state.health = "settling";
    answers("{" ACCESS ", \"saved\": true, \"heard_at\": 1736951820, \"link_lost\": true}");
    assert_troubles("Its box has lost its link; last heard at 14:37 (30 s ago).\n");
    assert_steps("First its box must answer: check its power and Wi-Fi.\n" OPENS);
    answers("{" ACCESS ", \"saved\": true, \"link_lost\": false, \"restart\": null}");
    assert_troubles("Its box is not answering at the moment.\n");
    answers("{" ACCESS ", \"saved\": true, \"link_lost\": true, \"restart\": \"under_way\"}");
    assert_troubles("Its box is restarting.\nIts box was told to restart.\n");
    assert_steps("First its box must be back from its restart.\n" OPENS);
}

static void nothing_is_wrong_when_all_is_well_and_a_save_that_is_missing_is_told(void **unused)
{
    (void)unused;
    answers("{\"saved\": true, \"faults\": [], \"restart\": null}");
    assert_troubles("");
    answers("{\"saved\": false}");
    assert_troubles("This is live, but not yet safe against a power cut: Redis has not confirmed "
                    "it.\n");
}

static void the_state_alone_still_tells_its_faults(void **unused)
{
    (void)unused;
    state.faults[0] = "relay_stuck_on";
    state.fault_count = 1;
    assert_troubles("Fault relay_stuck_on.\n");
}

/* ---- the past ---- */

static void a_decision_is_a_time_a_sentence_without_the_name_and_a_rule(void **unused)
{
    TEXT_LOCAL(out, 512);

    (void)unused;
    answers("{\"at\": 1736951820, \"text\": \"Table Saw: Ada logged in\", \"rule\": \"C4.5.4 "
            "welcome\", \"relay\": true}");
    assert_int_equal(why_past(&out, &why, document), TONE_ON);
    assert_string_equal(out.data, "2025-01-15 14:37:00  Ada logged in  (C4.5.4 welcome)");
    text_clear(&out);
    answers("{\"text\": \"Table Saws: \\u001b[2J\"}");
    why_past(&out, &why, document);
    assert_non_null(strstr(out.data, "  Table Saws: \\x1b[2J"));
}

static void the_rule_is_told_with_its_time_or_not_at_all(void **unused)
{
    TEXT_LOCAL(out, 128);

    (void)unused;
    answers("{\"rule\": null}");
    why_rule(&out, &why);
    assert_string_equal(out.data, "");
    answers("{\"rule\": \"C4.2 oops\", \"rule_at\": 1736949720}");
    why_rule(&out, &why);
    assert_string_equal(out.data, "C4.2 oops, at 14:02");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lockout_says_who_when_and_why_and_how_to_lift_it),
        TEST(an_oops_says_who_or_that_the_button_was_pressed),
        TEST(both_flags_need_both_cleared_and_a_card_that_is_in_must_come_out),
        TEST(clearing_what_is_always_enabled_starts_it),
        TEST(an_idle_machine_says_that_no_card_is_in_or_that_it_was_there_before),
        TEST(a_card_without_the_training_says_whose_and_what_it_lacks),
        TEST(a_blocked_card_is_told_from_an_unknown_one),
        TEST(the_commands_that_it_names_read_the_file_of_this_one),
        TEST(who_may_open_it_is_told_in_every_configuration),
        TEST(a_session_says_whose_card_and_since_when),
        TEST(a_session_without_the_training_says_why_it_is_open),
        TEST(an_override_an_emergency_and_always_on_say_so),
        TEST(what_is_not_confirmed_or_contradicted_is_not_called_off),
        TEST(a_relay_that_does_not_go_on_points_at_the_display),
        TEST(a_machine_that_is_on_and_does_not_answer_is_switched_off_by_hand),
        TEST(the_second_relay_has_reasons_of_its_own),
        TEST(a_dead_box_a_fault_and_a_restart_that_waits_are_told),
        TEST(C11_2_soon_after_a_start_only_a_restart_that_was_asked_for_is_called_one),
        TEST(nothing_is_wrong_when_all_is_well_and_a_save_that_is_missing_is_told),
        TEST(the_state_alone_still_tells_its_faults),
        TEST(a_decision_is_a_time_a_sentence_without_the_name_and_a_rule),
        TEST(the_rule_is_told_with_its_time_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
