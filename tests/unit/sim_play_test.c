/* A scenario's order and times, and what becomes of an expectation: with boxes that only have a
 * face, and a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/sim/play.h"

#define BOXES 2
#define START_MS 1000

struct stage {
    struct box boxes[BOXES];
    struct cards cards;
    struct observer observer;
    struct teller teller;
    struct play play;
    char *said;
    size_t said_size;
};

/* A rate that was asked for stands for an action that was carried out. */
static void on_life(void *context, size_t box, double per_hour)
{
    struct stage *stage = context;

    stage->boxes[box].amps = per_hour;
}

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);

    text_copy(stage->boxes[0].name, sizeof stage->boxes[0].name, "saw");
    text_copy(stage->boxes[1].name, sizeof stage->boxes[1].name, "lathe");
    stage->teller.out = open_memstream(&stage->said, &stage->said_size);
    stage->teller.json = true;
    stage->play = (struct play){
        .boxes = stage->boxes,
        .box_count = BOXES,
        .cards = &stage->cards,
        .observer = &stage->observer,
        .teller = &stage->teller,
        .life = on_life,
        .context = stage,
        .pace = 1,
    };
    play_init(&stage->play, START_MS);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    play_free(&stage->play);
    fclose(stage->teller.out);
    free(stage->said);
    for (size_t i = 0; i < BOXES; i++) {
        json_free(stage->boxes[i].state);
    }
    free(stage);
    return 0;
}

static void add(struct stage *stage, const char *line)
{
    static unsigned number;
    TEXT_LOCAL(why, 256);

    if (play_add(&stage->play, "story", ++number, line, &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
}

static int64_t turn(struct stage *stage, int64_t ms)
{
    return play_turn(&stage->play, START_MS + ms);
}

static bool said(struct stage *stage, const char *words)
{
    fflush(stage->teller.out);
    return strstr(stage->said, words) != NULL;
}

static void set_relay(struct stage *stage, size_t box, bool on)
{
    stage->boxes[box].face.relay[0] = on;
    play_look(&stage->play);
}

static void lines_come_one_after_the_other_and_wait(void **state)
{
    struct stage *stage = *state;

    add(stage, "saw life 1");
    add(stage, "wait 2 s");
    add(stage, "saw life 2");
    assert_int_equal(turn(stage, 0), START_MS + 2000);
    assert_true(stage->boxes[0].amps > 0.5 && stage->boxes[0].amps < 1.5);
    assert_int_equal(turn(stage, 1999), START_MS + 2000);
    assert_false(play_is_done(&stage->play));
    assert_int_equal(turn(stage, 2000), BOX_NEVER);
    assert_true(stage->boxes[0].amps > 1.5);
    assert_true(play_is_done(&stage->play));
}

static void a_time_is_since_the_start_or_since_the_line_before(void **state)
{
    struct stage *stage = *state;

    add(stage, "at 1 s print one");
    add(stage, "after 500 ms print two");
    add(stage, "at 1 s print late");
    assert_int_equal(turn(stage, 999), START_MS + 1000);
    assert_false(said(stage, "one"));
    assert_int_equal(turn(stage, 1100), START_MS + 1600);
    assert_true(said(stage, "one"));
    turn(stage, 1599);
    assert_false(said(stage, "two"));
    turn(stage, 1600);
    assert_true(said(stage, "two"));
    assert_true(said(stage, "late"));
}

static void the_pace_changes_waits_and_nothing_else(void **state)
{
    struct stage *stage = *state;

    stage->play.pace = 0.5;
    add(stage, "wait 2 s");
    add(stage, "after 2 s print later");
    assert_int_equal(turn(stage, 0), START_MS + 1000);
    assert_int_equal(turn(stage, 1000), START_MS + 3000);
}

static void an_expectation_is_met_within_its_time(void **state)
{
    struct stage *stage = *state;

    add(stage, "expect saw relay on within 1 s");
    add(stage, "print met");
    assert_int_equal(turn(stage, 0), START_MS + 1000);
    assert_false(said(stage, "met"));
    set_relay(stage, 0, true);
    turn(stage, 500);
    assert_true(said(stage, "met"));
    assert_int_equal(stage->play.failures, 0);
}

static void an_expectation_that_is_not_met_fails_at_its_time_and_ends_the_play(void **state)
{
    struct stage *stage = *state;

    add(stage, "expect saw relay on within 1 s");
    add(stage, "print met");
    turn(stage, 0);
    turn(stage, 999);
    assert_int_equal(stage->play.failures, 0);
    turn(stage, 1000);
    assert_int_equal(stage->play.failures, 1);
    assert_true(stage->play.stop);
    assert_true(said(stage, "expect saw relay on within 1 s: not so within 1 s; saw: relay off"));
    assert_false(said(stage, "\"met\""));
}

static void with_a_control_the_play_goes_on(void **state)
{
    struct stage *stage = *state;

    stage->play.goes_on = true;
    add(stage, "expect saw relay on within 0 s");
    add(stage, "print all the same");
    turn(stage, 0);
    assert_int_equal(stage->play.failures, 1);
    assert_true(said(stage, "all the same"));
}

static void no_moment_is_too_short(void **state)
{
    struct stage *stage = *state;

    add(stage, "expect saw relay on within 1 s");
    add(stage, "expect saw relay off for 1 s");
    turn(stage, 0);
    set_relay(stage, 0, true);
    set_relay(stage, 0, false);
    turn(stage, 10);
    assert_int_equal(stage->play.failures, 0);
    set_relay(stage, 0, true);
    set_relay(stage, 0, false);
    turn(stage, 20);
    assert_int_equal(stage->play.failures, 1);
    assert_true(said(stage, "not so for 1 s; saw: relay on"));
}

static void what_has_to_stay_so_is_met_when_its_time_is_over(void **state)
{
    struct stage *stage = *state;

    add(stage, "expect saw relay off for 1 s");
    assert_int_equal(turn(stage, 0), START_MS + 1000);
    turn(stage, 999);
    assert_false(play_is_done(&stage->play));
    turn(stage, 1000);
    assert_true(play_is_done(&stage->play));
    assert_int_equal(stage->play.failures, 0);
}

static void all_the_machines_have_to_be_so(void **state)
{
    struct stage *stage = *state;

    add(stage, "expect * relay on within 1 s");
    turn(stage, 0);
    set_relay(stage, 0, true);
    turn(stage, 10);
    assert_false(play_is_done(&stage->play));
    set_relay(stage, 1, true);
    turn(stage, 20);
    assert_true(play_is_done(&stage->play));
}

static void what_happened_counts_from_the_last_action_on(void **state)
{
    struct stage *stage = *state;

    box_note(stage->boxes[0].events, "login");
    box_note(stage->boxes[0].refusals, "refused on: it is for another boot");
    add(stage, "expect saw event login within 0 s");
    add(stage, "expect saw refused \"another boot\" within 0 s");
    add(stage, "expect saw not event log within 0 s");
    add(stage, "saw life 1");
    add(stage, "expect saw not event login within 0 s");
    add(stage, "expect saw not refused within 0 s");
    turn(stage, 0);
    turn(stage, 0);
    assert_true(play_is_done(&stage->play));
    assert_int_equal(stage->play.failures, 0);
}

static void a_state_is_compared_as_words(void **state)
{
    static const char json[] = "{\"confirmed\": \"off\", \"user\": null, \"oops\": true,"
                               " \"rev\": 12, \"faults\": [\"link_lost\", \"twin\"]}";
    struct stage *stage = *state;
    TEXT_LOCAL(why, 128);

    assert_int_equal(json_parse(json, strlen(json), &stage->boxes[0].state, &why), STATUS_OK);
    add(stage, "expect saw state confirmed off within 0 s");
    add(stage, "expect saw state user null within 0 s");
    add(stage, "expect saw state oops true within 0 s");
    add(stage, "expect saw state rev 12 within 0 s");
    add(stage, "expect saw state faults twin within 0 s");
    add(stage, "expect saw not state faults relay_refused within 0 s");
    add(stage, "expect lathe not state confirmed off within 0 s");
    turn(stage, 0);
    assert_true(play_is_done(&stage->play));
    assert_int_equal(stage->play.failures, 0);
}

static void alerts_are_met_in_their_order_whenever_they_came(void **state)
{
    struct stage *stage = *state;

    play_hear_alert(&stage->play, "fleet_save_timeouts", "Fleet: storage hangs.\nLook.");
    play_hear_alert(&stage->play, "machine_save_timeouts", "Saw: storage did not save");
    play_hear_alert(&stage->play, "save_timeouts_over", "Storage answers again");
    add(stage, "saw life 1");
    add(stage, "expect alert fleet_save_timeouts \"hangs. Look\" within 0 s");
    add(stage, "expect alert save_timeouts_over within 0 s");
    turn(stage, 0);
    assert_int_equal(stage->play.failures, 0);
    assert_true(play_is_done(&stage->play));
    /* The one in between has been passed by; and half a word is no alert's. */
    add(stage, "expect alert save_timeouts_over within 1 s");
    turn(stage, 0);
    play_hear_alert(&stage->play, "save_timeouts_over_and_out", "Storage");
    turn(stage, 999);
    assert_int_equal(stage->play.failures, 0);
    turn(stage, 1000);
    assert_int_equal(stage->play.failures, 1);
    assert_true(said(stage, "alerts: save_timeouts_over_and_out Storage"));
}

static void an_alert_ends_the_wait_for_it(void **state)
{
    struct stage *stage = *state;

    add(stage, "expect alert test within 5 s");
    turn(stage, 0);
    play_hear_alert(&stage->play, "test", "Test alert");
    assert_int_equal(turn(stage, 100), BOX_NEVER);
    assert_true(play_is_done(&stage->play));
    assert_string_equal(stage->play.alerts, "");
}

static void C7_9_an_answer_is_explained_without_its_data(void **state)
{
    struct stage *stage = *state;

    text_copy(
        stage->play.answer, sizeof stage->play.answer,
        "{\"status\":\"ok\",\"data\":{\"fob\":\"0008214577\"}}");
    add(stage, "expect answer ok fob within 0 s");
    add(stage, "expect answer error within 0 s");
    turn(stage, 0);
    assert_int_equal(stage->play.failures, 1);
    assert_true(said(stage, "the answer: ok"));
    assert_false(said(stage, "8214577"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_one_after_the_other_and_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_time_is_since_the_start_or_since_the_line_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_pace_changes_waits_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_expectation_is_met_within_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_expectation_that_is_not_met_fails_at_its_time_and_ends_the_play, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_a_control_the_play_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_moment_is_too_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_has_to_stay_so_is_met_when_its_time_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_the_machines_have_to_be_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_happened_counts_from_the_last_action_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_state_is_compared_as_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            alerts_are_met_in_their_order_whenever_they_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_alert_ends_the_wait_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            C7_9_an_answer_is_explained_without_its_data, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
