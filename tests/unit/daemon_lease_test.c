/* C12: who leads, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/support/version.h"
#include "tests/lib/lease_bench.h"

#define EPOCH 1000

static struct lease_bench b;

static int open_bench(void **state)
{
    (void)state;
    lease_bench_init(&b, "b", 3000);
    return 0;
}

static int open_leader(void **state)
{
    (void)open_bench(state);
    lease_bench_lead(&b, EPOCH);
    return 0;
}

/* ---- taking it ---- */

static void C12_nothing_is_asked_before_broker_and_Redis_were_read(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    assert_true(b.did.echo);
    lease_bench_event(&b, LEASE_STORE_UP);
    lease_bench_event(&b, LEASE_STORE_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_BROKER_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    assert_true(b.lease.own_id_at_once);
    assert_false(lease_may_speak(&b.lease));
}

static void C9_4_Redis_is_read_before_the_lease_is_taken(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_event(&b, LEASE_STORE_UP);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_STORE_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_with_the_lease_comes_the_lead(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_ours(&b, EPOCH);
    assert_true(b.did.lead);
    assert_int_equal(b.lease.epoch, EPOCH);
    assert_true(b.lease.is_kept);
    assert_true(lease_may_speak(&b.lease));
}

static void C12_an_answer_as_old_as_the_lease_is_not_believed(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_pass(&b, LEASE_MS - 1);
    lease_bench_ours(&b, EPOCH);
    assert_true(b.did.lead);

    (void)open_bench(NULL);
    lease_bench_ready(&b);
    b.lease.patience_ms = 60000;
    lease_bench_pass(&b, LEASE_MS);
    lease_bench_ours(&b, EPOCH);
    assert_false(b.did.lead);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_a_lease_that_another_has_is_asked_for_again_each_third(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_other(&b, EPOCH, 4000);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
    lease_bench_pass(&b, LEASE_THIRD_MS - 1);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(&b, 1);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    lease_bench_other(&b, EPOCH, 300);
    lease_bench_pass(&b, 300);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(&b, 1);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_a_lease_that_nobody_leads_under_is_asked_for_again_soon(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_pass(&b, LEASE_SOON_MS - 1);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(&b, 1);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

/* load_timeout_ms may be shorter than from one question to the next. */
static void C12_2_a_standby_that_Redis_answers_does_not_lead_without_it(void **state)
{
    (void)state;
    b.lease.patience_ms = 1;
    lease_bench_ready(&b);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_status(&b, "a", false, false, EPOCH);
    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_pass(&b, LEASE_SOON_MS);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_a_leader_that_says_goodbye_is_followed_at_once(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_status(&b, "a", false, false, EPOCH);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_a_lease_taken_while_the_broker_was_lost_is_given_back(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_event(&b, LEASE_BROKER_DOWN);
    lease_bench_ours(&b, EPOCH);
    assert_false(b.did.lead);
    assert_true(b.did.release);
}

static void C12_a_standby_that_hears_no_echo_takes_nothing(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_event(&b, LEASE_STORE_UP);
    lease_bench_pass(&b, LEASE_CUT_MS);
    lease_bench_event(&b, LEASE_STORE_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_BROKER_ECHO); /* asked for too long ago */
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_the_epoch_is_above_all_that_was_heard(void **state)
{
    (void)state;
    lease_hear(&b.lease, 7);
    lease_hear(&b.lease, 5);
    lease_bench_status(&b, "a", false, false, 9);
    assert_int_equal(b.lease.heard, 9);
    lease_hear(&b.lease, VERSION_EPOCH_HEARD_MAX);
    lease_hear(&b.lease, VERSION_EPOCH_HEARD_MAX + 1);
    assert_int_equal(b.lease.heard, VERSION_EPOCH_HEARD_MAX);
}

/* ---- keeping it ---- */

static void C12_the_lease_is_renewed_each_third(void **state)
{
    (void)state;
    lease_bench_pass(&b, LEASE_THIRD_MS - 1);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(&b, 1);
    assert_int_equal(b.did.ask, LEASE_ASK_RENEW);
    lease_bench_ours(&b, EPOCH);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_pass(&b, LEASE_THIRD_MS);
    assert_int_equal(b.did.ask, LEASE_ASK_RENEW);
}

static void C12_2_Redis_silent_and_the_loop_never_still_leads_on(void **state)
{
    (void)state;
    lease_bench_pass(&b, 3600 * 1000);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_event(&b, LEASE_STORE_DOWN);
    lease_bench_event(&b, LEASE_ANSWER_NONE);
    lease_bench_pass(&b, 3600 * 1000);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_event(&b, LEASE_STORE_UP);
    assert_int_equal(b.did.ask, LEASE_ASK_RENEW);
}

static void C12_2_another_token_stands_down_at_once(void **state)
{
    (void)state;
    lease_bench_pass(&b, LEASE_THIRD_MS);
    lease_bench_other(&b, EPOCH + 1, 3000);
    assert_true(b.did.stand_down);
    assert_false(b.did.release);
    assert_false(lease_may_speak(&b.lease));
}

static void C12_2_a_newer_epoch_in_Redis_stands_down_at_once(void **state)
{
    (void)state;
    lease_bench_pass(&b, LEASE_THIRD_MS);
    lease_bench_ours(&b, EPOCH + 1);
    assert_true(b.did.stand_down);

    (void)open_leader(NULL);
    lease_bench_pass(&b, LEASE_THIRD_MS);
    lease_bench_free(&b, EPOCH + 1);
    assert_true(b.did.stand_down);
}

static void C12_2_a_newer_epoch_on_the_broker_stands_down_at_once(void **state)
{
    (void)state;
    lease_bench_status(&b, "a", true, true, EPOCH - 1);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_status(&b, "a", true, true, EPOCH + 1);
    assert_true(b.did.stand_down);

    (void)open_leader(NULL); /* it led, and stopped since */
    lease_bench_status(&b, "a", false, false, EPOCH + 1);
    assert_true(b.did.stand_down);

    (void)open_leader(NULL); /* another process under its own id */
    lease_bench_status(&b, "b", true, true, EPOCH);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_status(&b, "b", true, true, EPOCH + 1);
    assert_true(b.did.stand_down);
}

static void C12_a_lease_that_Redis_lost_is_taken_again_under_a_new_epoch(void **state)
{
    (void)state;
    lease_bench_pass(&b, LEASE_THIRD_MS);
    lease_bench_free(&b, 0);
    assert_true(lease_may_speak(&b.lease));
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    assert_int_equal(b.lease.heard, EPOCH);
    assert_false(b.lease.own_id_at_once);
    lease_bench_ours(&b, EPOCH + 1);
    assert_true(b.did.lead);
    assert_int_equal(b.lease.epoch, EPOCH + 1);
}

static void C12_a_Redis_that_was_rolled_back_gets_its_epoch_raised(void **state)
{
    (void)state;
    lease_bench_pass(&b, LEASE_THIRD_MS);
    lease_bench_ours(&b, EPOCH - 10);
    assert_true(lease_may_speak(&b.lease));
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

/* ---- a standstill ---- */

static void C12_2_a_standstill_of_a_third_is_none(void **state)
{
    (void)state;
    lease_bench_stand_still(&b, LEASE_THIRD_MS);
    assert_false(b.did.fall_silent);
    assert_true(lease_may_speak(&b.lease));

    (void)open_leader(NULL);
    b.mute = true;
    lease_bench_stand_still(&b, LEASE_THIRD_MS + 1);
    assert_true(b.did.fall_silent);
    assert_false(lease_may_speak(&b.lease));
    assert_int_equal(b.did.ask, LEASE_ASK_RENEW);
    assert_true(b.did.echo);
}

/* Another may lead without Redis. */
static void C12_2_after_a_standstill_Redis_alone_does_not_let_it_speak(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_stand_still(&b, LEASE_THIRD_MS + 1);
    lease_bench_ours(&b, EPOCH);
    assert_false(lease_may_speak(&b.lease));
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_true(b.did.speak);
}

static void C12_2_after_a_standstill_an_echo_lets_it_speak(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_stand_still(&b, LEASE_THIRD_MS + 1);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_true(b.did.speak);
}

static void C12_2_what_was_asked_before_the_standstill_proves_nothing(void **state)
{
    uint32_t number = 0;

    (void)state;
    b.mute = true;
    lease_bench_pass(&b, LEASE_THIRD_MS);
    assert_int_equal(b.lease.asked, LEASE_ASK_RENEW);
    number = b.lease.echo_number;
    lease_bench_stand_still(&b, LEASE_THIRD_MS + 1);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_echo(&b, number);
    assert_false(lease_may_speak(&b.lease));
    assert_int_not_equal(b.lease.echo_number, number);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_true(lease_may_speak(&b.lease));
}

static void C12_2_who_stood_still_announces_itself_anew(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms);
    assert_int_equal(b.lease.role, LEASE_ANNOUNCES);
    lease_bench_stand_still(&b, LEASE_ANNOUNCE_MS);
    assert_true(b.did.stand_down);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
    lease_bench_pass(&b, b.lease.patience_ms);
    assert_int_equal(b.lease.role, LEASE_ANNOUNCES);
}

/* One step cannot say that it stands down and that it leads. */
static void C12_2_who_stood_still_and_has_the_lease_had_announced_what_is_true(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_pass(&b, b.lease.patience_ms);
    assert_int_equal(b.lease.role, LEASE_ANNOUNCES);
    assert_int_equal(b.lease.asked, LEASE_ASK_TAKE);
    b.now.mono.ms += LEASE_THIRD_MS + 1;
    lease_touch(&b.lease, b.now.mono, b.now.mono);
    lease_bench_ours(&b, b.lease.epoch + 1);
    assert_true(b.did.lead);
    assert_false(b.did.stand_down);
    assert_null(b.did.why);
}

/* A replica that became the master may never have had the lease. */
static void C12_beside_a_leader_a_new_Redis_is_asked_after_a_whole_lease(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_event(&b, LEASE_STORE_DOWN);
    lease_bench_event(&b, LEASE_STORE_UP);
    lease_bench_event(&b, LEASE_STORE_READ);
    lease_bench_pass(&b, LEASE_MS - 1);
    assert_int_equal(b.lease.asked, LEASE_ASK_NOTHING);
    lease_bench_pass(&b, 1);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);

    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_event(&b, LEASE_STORE_DOWN);
    lease_bench_event(&b, LEASE_STORE_UP);
    lease_bench_event(&b, LEASE_STORE_READ);
    lease_bench_pass(&b, LEASE_MS - 1);
    lease_bench_status(&b, "a", false, false, EPOCH); /* it has gone */
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    assert_false(b.did.announce);
}

/* A broker that was restored from an old file has no last will of it. */
static void C12_2_a_leader_that_answers_nothing_for_12_s_is_gone(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms);
    assert_true(b.did.tell);
    lease_bench_pass(&b, LEASE_GONE_MS - 1);
    lease_bench_status(&b, "a", true, true, EPOCH);                 /* the answer */
    lease_bench_pass(&b, 3 * LEASE_INQUIRE_MS - LEASE_GONE_MS + 1); /* it is asked again */
    lease_bench_pass(&b, LEASE_GONE_MS - 1);
    assert_true(lease_another_leads(&b.lease));
    lease_bench_pass(&b, 1);
    assert_false(lease_another_leads(&b.lease));
    lease_bench_pass(&b, LEASE_TICK_MS);
    assert_int_equal(b.lease.role, LEASE_ANNOUNCES);
    assert_true(b.lease.epoch > EPOCH);
}

static void C12_2_a_leader_answers_who_cannot_reach_Redis(void **state)
{
    struct lease_event event = {.type = LEASE_STATUS, .now = b.now};
    struct lease_actions actions;

    (void)state;
    event.status = (struct lease_status){.id = "a", .runs = true, .without_redis = true};
    lease_step(&b.lease, &event, &actions);
    assert_true(actions.tell);
    event.status.without_redis = false;
    lease_step(&b.lease, &event, &actions);
    assert_false(actions.tell);
}

static void C12_a_standby_takes_the_lease_when_it_has_just_heard_the_others(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_other(&b, EPOCH, 4000);
    b.mute = true;
    lease_bench_stand_still(&b, LEASE_THIRD_MS + 1); /* what comes now lay in the inbox */
    lease_touch(&b.lease, b.now.mono, b.now.mono);
    lease_bench_event(&b, LEASE_TICK);
    assert_int_equal(b.lease.asked, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_what_the_others_said_is_known_for_a_second(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_other(&b, EPOCH, LEASE_FRESH_MS - 2);
    b.mute = true;
    lease_bench_pass(&b, LEASE_FRESH_MS - 1);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);

    (void)open_bench(NULL);
    lease_bench_ready(&b);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_other(&b, EPOCH, LEASE_FRESH_MS - 1);
    b.mute = true;
    lease_bench_pass(&b, LEASE_FRESH_MS);
    assert_int_equal(b.lease.asked, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
}

static void C12_2_a_sleeper_that_was_replaced_says_nothing_more(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_stand_still(&b, 60000);
    assert_false(lease_may_speak(&b.lease));
    lease_bench_other(&b, EPOCH + 1, 3000);
    assert_true(b.did.stand_down);

    (void)open_leader(NULL); /* the broker tells first */
    b.mute = true;
    lease_bench_stand_still(&b, 60000);
    lease_bench_status(&b, "a", true, true, EPOCH + 1);
    assert_true(b.did.stand_down);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_false(lease_may_speak(&b.lease));
}

static void C12_2_a_message_of_others_ends_no_silence(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_stand_still(&b, LEASE_THIRD_MS + 1);
    lease_touch(&b.lease, b.now.mono, b.now.mono);
    lease_bench_event(&b, LEASE_TICK);
    assert_false(lease_may_speak(&b.lease));
}

/* ---- cut off from the broker ---- */

static void C12_cut_off_for_2_s_gives_the_lease_back(void **state)
{
    struct mono_time heard;

    (void)state;
    b.mute = true;
    heard = b.lease.touched_at;
    lease_bench_pass(&b, heard.ms + LEASE_CUT_MS - 1 - b.now.mono.ms);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_pass(&b, 1);
    assert_true(b.did.stand_down);
    assert_true(b.did.release);
    assert_false(lease_may_speak(&b.lease));
    lease_bench_event(&b, LEASE_BROKER_ECHO); /* a link that was only slow */
    lease_bench_event(&b, LEASE_STORE_READ);
    lease_bench_pass(&b, LEASE_THIRD_MS);
    assert_int_equal(b.lease.asked, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_int_equal(b.lease.asked, LEASE_ASK_TAKE);
}

static void C12_cut_off_is_counted_from_the_last_sign_of_life(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_pass(&b, 1000);
    lease_touch(&b.lease, b.now.mono, b.now.mono);
    lease_bench_pass(&b, LEASE_CUT_MS - 1);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_pass(&b, 1);
    assert_true(b.did.release);
}

static void C12_a_broker_that_is_heard_and_does_not_hear_is_a_cut(void **state)
{
    struct mono_time asked;

    (void)state;
    b.mute = true;
    lease_bench_pass(&b, LEASE_ECHO_MS);
    asked = b.lease.echo_asked_at;
    lease_touch(&b.lease, b.now.mono, b.now.mono);
    lease_bench_pass(&b, asked.ms + LEASE_CUT_MS - 1 - b.now.mono.ms);
    lease_touch(&b.lease, b.now.mono, b.now.mono);
    lease_bench_pass(&b, 1);
    assert_true(lease_may_speak(&b.lease));
    lease_touch(
        &b.lease, b.now.mono, (struct mono_time){b.now.mono.ms - 1}); /* the inbox is deep */
    lease_bench_event(&b, LEASE_TICK);
    assert_true(lease_may_speak(&b.lease));
    lease_touch(&b.lease, b.now.mono, b.now.mono);
    lease_bench_event(&b, LEASE_TICK);
    assert_true(b.did.release);
}

static void C12_an_echo_behind_a_flood_is_waited_for(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_pass(&b, LEASE_ECHO_MS);
    for (int i = 0; i < LEASE_FLOOD; i++) {
        lease_touch(&b.lease, b.now.mono, b.now.mono);
    }
    for (int i = 0; i < 5; i++) {
        lease_bench_pass(&b, LEASE_CUT_MS - 1);
        lease_touch(&b.lease, b.now.mono, b.now.mono);
    }
    lease_bench_event(&b, LEASE_TICK);
    assert_true(lease_may_speak(&b.lease));
}

static void C12_who_is_cut_off_renews_nothing(void **state)
{
    (void)state;
    lease_bench_pass(&b, 1000);
    lease_bench_event(&b, LEASE_BROKER_DOWN);
    lease_bench_pass(&b, 1000);
    assert_int_equal(b.lease.asked, LEASE_ASK_NOTHING);
    lease_touch(&b.lease, b.now.mono, b.now.mono); /* out of the inbox, from before */
    lease_bench_pass(&b, 1000);
    assert_true(b.did.release);
}

static void C12_2_after_each_connect_the_others_are_read_first(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_event(&b, LEASE_BROKER_DOWN);
    lease_bench_pass(&b, 1000);
    assert_true(lease_may_speak(&b.lease)); /* nobody hears it */
    lease_bench_event(&b, LEASE_BROKER_UP);
    assert_true(b.did.fall_silent);
    assert_false(lease_may_speak(&b.lease));
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_true(b.did.speak);
}

static void C12_after_a_cut_both_are_read_anew_before_it_leads_again(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_DOWN);
    lease_bench_pass(&b, LEASE_CUT_MS);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_pass(&b, 10000);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
    lease_bench_event(&b, LEASE_BROKER_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_STORE_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    assert_false(b.lease.own_id_at_once);
}

/* ---- without Redis ---- */

static void C12_2_without_Redis_it_announces_itself_waits_and_leads(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms - 1);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
    lease_bench_pass(&b, 1);
    assert_true(b.did.announce);
    assert_int_equal(b.lease.epoch, b.now.wall.ms / 1000 + 1);
    lease_bench_pass(&b, LEASE_ANNOUNCE_MS - 1);
    assert_false(lease_may_speak(&b.lease));
    lease_bench_pass(&b, 1);
    assert_true(b.did.lead);
    assert_false(b.lease.is_kept);
}

/* What a process that died asked of a frozen Redis is carried out when it thaws, under the same id.
 */
static void C12_a_lease_of_its_past_life_is_taken_over_until_Redis_has_given_it_one(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms);
    lease_bench_pass(&b, LEASE_ANNOUNCE_MS);
    assert_true(lease_may_speak(&b.lease));
    assert_true(b.lease.own_id_at_once);
    lease_bench_event(&b, LEASE_STORE_UP);
    lease_bench_event(&b, LEASE_STORE_READ);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_int_equal(b.lease.asked, LEASE_ASK_TAKE);
    lease_bench_ours(&b, b.lease.epoch + 1);
    assert_true(lease_may_speak(&b.lease));
    assert_false(b.lease.own_id_at_once);
}

/* A minute in which `a` leads, and answers. */
static void pass_beside(uint64_t epoch)
{
    for (int i = 0; i < 6; i++) {
        lease_bench_pass(&b, 10000);
        assert_int_equal(b.lease.role, LEASE_STANDS_BY);
        lease_bench_status(&b, "a", true, true, epoch);
    }
}

static void C12_2_without_Redis_nobody_leads_beside_a_leader(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_status(&b, "a", true, true, EPOCH);
    lease_bench_event(&b, LEASE_BROKER_READ);
    pass_beside(EPOCH);
    lease_bench_status(&b, "a", false, true, 0); /* its last will */
    assert_true(b.did.announce);
}

static void C12_2_of_two_that_announced_themselves_the_newer_epoch_stays(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms);
    lease_bench_status(&b, "a", true, true, b.lease.epoch - 1);
    assert_int_equal(b.lease.role, LEASE_ANNOUNCES);
    lease_bench_status(&b, "a", true, true, b.lease.epoch + 1);
    assert_true(b.did.stand_down);
    assert_int_equal(b.lease.epoch, 0);
    pass_beside(b.lease.heard);
}

static void C12_2_of_equal_epochs_the_smaller_id_stays(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms);
    lease_bench_status(&b, "c", true, true, b.lease.epoch);
    lease_bench_status(&b, "a", true, false, b.lease.epoch);
    assert_int_equal(b.lease.role, LEASE_ANNOUNCES);
    lease_bench_status(&b, "a", true, true, b.lease.epoch);
    assert_true(b.did.stand_down);

    (void)open_leader(NULL);
    lease_bench_status(&b, "c", true, true, EPOCH);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_status(&b, "a", true, true, EPOCH);
    assert_true(b.did.stand_down);
}

static void C12_a_Redis_that_comes_back_while_announcing_decides(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms);
    lease_bench_event(&b, LEASE_STORE_UP);
    lease_bench_event(&b, LEASE_STORE_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    lease_bench_other(&b, EPOCH, 3000);
    assert_true(b.did.stand_down);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
}

/* It may lie there unread, and another may have taken the lease since. */
static void C12_2_a_lease_that_was_given_before_a_standstill_does_not_let_it_speak(void **state)
{
    uint64_t epoch;

    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms + LEASE_ANNOUNCE_MS);
    epoch = b.lease.epoch;
    lease_bench_event(&b, LEASE_STORE_UP);
    lease_bench_event(&b, LEASE_STORE_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    b.mute = true;
    lease_bench_stand_still(&b, LEASE_MS);
    assert_true(b.did.fall_silent);
    lease_bench_ours(&b, epoch + 1);
    assert_false(b.did.lead);
    assert_false(lease_may_speak(&b.lease));
    lease_bench_echo(&b, b.lease.echo_number);
    assert_true(lease_may_speak(&b.lease));
    assert_int_equal(b.lease.epoch, epoch);
    b.mute = false;
    lease_bench_pass(&b, LEASE_THIRD_MS);
    assert_int_equal(b.lease.asked, LEASE_ASK_TAKE);
    lease_bench_ours(&b, epoch + 2);
    assert_true(b.did.lead);
    assert_int_equal(b.lease.epoch, epoch + 2);
}

static void C12_a_leader_without_Redis_takes_the_lease_when_Redis_has_told_all(void **state)
{
    uint64_t epoch = 0;

    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms + LEASE_ANNOUNCE_MS);
    assert_true(lease_may_speak(&b.lease));
    epoch = b.lease.epoch;
    lease_bench_event(&b, LEASE_STORE_UP);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(&b, LEASE_STORE_READ);
    assert_int_equal(b.did.ask, LEASE_ASK_TAKE);
    lease_bench_ours(&b, epoch); /* asked for before this epoch was its own */
    assert_false(b.did.lead);
    lease_bench_pass(&b, LEASE_THIRD_MS);
    lease_bench_ours(&b, epoch + 1);
    assert_true(b.did.lead);
    assert_true(b.lease.is_kept);
}

static void C12_a_broker_lost_while_announcing_ends_it(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_BROKER_UP);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_pass(&b, b.lease.patience_ms);
    lease_bench_event(&b, LEASE_BROKER_DOWN);
    assert_true(b.did.stand_down);
    lease_bench_pass(&b, 60000);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);
}

/* ---- taking over, handing over, the end ---- */

static void C12_1_everything_is_published_once_more_10_s_after_the_take_over(void **state)
{
    (void)state;
    lease_bench_pass(&b, LEASE_AGAIN_MS - 1);
    assert_false(b.did.publish_again);
    lease_bench_pass(&b, 1);
    assert_true(b.did.publish_again);
    lease_bench_pass(&b, 3600 * 1000);
    assert_false(b.did.publish_again);
}

static void C12_1_what_is_due_in_a_silence_is_published_after_it(void **state)
{
    (void)state;
    b.mute = true;
    lease_bench_stand_still(&b, LEASE_AGAIN_MS);
    assert_false(b.did.publish_again);
    lease_bench_event(&b, LEASE_BROKER_ECHO);
    assert_true(b.did.publish_again);
}

static void C6_handover_gives_the_lease_to_a_standby(void **state)
{
    (void)state;
    assert_false(lease_has_standby(&b.lease));
    lease_bench_event(&b, LEASE_HAND_OVER);
    assert_true(lease_may_speak(&b.lease));
    lease_bench_status(&b, "a", true, false, 0);
    assert_true(lease_has_standby(&b.lease));
    lease_bench_event(&b, LEASE_HAND_OVER);
    assert_true(b.did.stand_down);
    assert_true(b.did.release);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_event(&b, LEASE_STORE_READ);
    lease_bench_pass(&b, LEASE_MS - 1);
    assert_int_equal(b.lease.asked, LEASE_ASK_NOTHING);
    lease_bench_pass(&b, 1);
    assert_int_equal(b.lease.asked, LEASE_ASK_TAKE);
}

static void C6_a_lead_that_was_handed_over_may_come_back_at_once(void **state)
{
    (void)state;
    lease_bench_status(&b, "a", true, false, 0);
    lease_bench_event(&b, LEASE_HAND_OVER);
    lease_bench_event(&b, LEASE_BROKER_READ);
    lease_bench_event(&b, LEASE_STORE_READ);
    lease_bench_status(&b, "a", true, true, EPOCH + 1);
    lease_bench_status(&b, "a", true, false, EPOCH + 1);
    assert_int_equal(b.lease.asked, LEASE_ASK_TAKE);
}

static void C6_nothing_is_handed_over_to_who_does_not_reach_Redis(void **state)
{
    struct lease_event event = {
        .type = LEASE_STATUS,
        .now = b.now,
        .status = {.id = "a", .runs = true, .without_redis = true},
    };

    (void)state;
    lease_step(&b.lease, &event, &b.did);
    lease_bench_event(&b, LEASE_HAND_OVER);
    assert_true(lease_may_speak(&b.lease));
}

/* A broker that was killed may have forgotten it, or its last will. */
static void C12_2_who_is_there_is_heard_anew_after_each_connect(void **state)
{
    (void)state;
    lease_bench_status(&b, "a", true, false, 0);
    lease_bench_event(&b, LEASE_BROKER_DOWN);
    lease_bench_event(&b, LEASE_BROKER_UP);
    assert_false(lease_has_standby(&b.lease));
}

static void C12_a_clean_stop_gives_the_lease_back(void **state)
{
    (void)state;
    lease_bench_event(&b, LEASE_STOP);
    assert_true(b.did.release);
    assert_int_equal(lease_wake_at(&b.lease).ms, 0);
    lease_bench_event(&b, LEASE_TICK);
    assert_int_equal(b.did.ask, LEASE_ASK_NOTHING);

    (void)open_bench(NULL); /* a lease that may be on its way */
    lease_bench_ready(&b);
    lease_bench_event(&b, LEASE_STOP);
    assert_true(b.did.release);

    (void)open_bench(NULL); /* none */
    lease_bench_event(&b, LEASE_STOP);
    assert_false(b.did.release);
}

static void C12_an_answer_that_nobody_waits_for_changes_nothing(void **state)
{
    (void)state;
    lease_bench_ready(&b);
    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_ours(&b, EPOCH + 1);
    assert_int_equal(b.lease.role, LEASE_STANDS_BY);

    (void)open_leader(NULL);
    lease_bench_other(&b, EPOCH, 4000);
    lease_bench_free(&b, EPOCH);
    assert_true(lease_may_speak(&b.lease));
}

static void C12_more_controllers_than_fit_are_still_seen_to_lead(void **state)
{
    char id[8] = "x00";

    (void)state;
    for (int i = 0; i < 2 * LEASE_OTHERS_MAX; i++) {
        id[1] = (char)('0' + i / 10);
        id[2] = (char)('0' + i % 10);
        lease_bench_status(&b, id, true, false, 1);
    }
    assert_int_equal(b.lease.other_count, LEASE_OTHERS_MAX);
    lease_bench_status(&b, "y", true, true, EPOCH + 1);
    assert_true(b.did.stand_down);
}

int main(void)
{
#define ALONE(name) cmocka_unit_test_setup(name, open_bench)
#define LEADING(name) cmocka_unit_test_setup(name, open_leader)
    const struct CMUnitTest tests[] = {
        ALONE(C12_nothing_is_asked_before_broker_and_Redis_were_read),
        ALONE(C9_4_Redis_is_read_before_the_lease_is_taken),
        ALONE(C12_with_the_lease_comes_the_lead),
        ALONE(C12_an_answer_as_old_as_the_lease_is_not_believed),
        ALONE(C12_a_lease_that_another_has_is_asked_for_again_each_third),
        ALONE(C12_a_lease_that_nobody_leads_under_is_asked_for_again_soon),
        ALONE(C12_2_a_standby_that_Redis_answers_does_not_lead_without_it),
        ALONE(C12_a_leader_that_says_goodbye_is_followed_at_once),
        ALONE(C12_a_lease_taken_while_the_broker_was_lost_is_given_back),
        ALONE(C12_a_standby_that_hears_no_echo_takes_nothing),
        ALONE(C12_the_epoch_is_above_all_that_was_heard),
        LEADING(C12_the_lease_is_renewed_each_third),
        LEADING(C12_2_Redis_silent_and_the_loop_never_still_leads_on),
        LEADING(C12_2_another_token_stands_down_at_once),
        LEADING(C12_2_a_newer_epoch_in_Redis_stands_down_at_once),
        LEADING(C12_2_a_newer_epoch_on_the_broker_stands_down_at_once),
        LEADING(C12_a_lease_that_Redis_lost_is_taken_again_under_a_new_epoch),
        LEADING(C12_a_Redis_that_was_rolled_back_gets_its_epoch_raised),
        LEADING(C12_2_a_standstill_of_a_third_is_none),
        LEADING(C12_2_after_a_standstill_Redis_alone_does_not_let_it_speak),
        LEADING(C12_2_after_a_standstill_an_echo_lets_it_speak),
        LEADING(C12_2_what_was_asked_before_the_standstill_proves_nothing),
        ALONE(C12_2_who_stood_still_announces_itself_anew),
        ALONE(C12_2_who_stood_still_and_has_the_lease_had_announced_what_is_true),
        ALONE(C12_beside_a_leader_a_new_Redis_is_asked_after_a_whole_lease),
        ALONE(C12_2_a_leader_that_answers_nothing_for_12_s_is_gone),
        LEADING(C12_2_a_leader_answers_who_cannot_reach_Redis),
        ALONE(C12_a_standby_takes_the_lease_when_it_has_just_heard_the_others),
        ALONE(C12_what_the_others_said_is_known_for_a_second),
        LEADING(C12_2_a_sleeper_that_was_replaced_says_nothing_more),
        LEADING(C12_2_a_message_of_others_ends_no_silence),
        LEADING(C12_cut_off_for_2_s_gives_the_lease_back),
        LEADING(C12_cut_off_is_counted_from_the_last_sign_of_life),
        LEADING(C12_a_broker_that_is_heard_and_does_not_hear_is_a_cut),
        LEADING(C12_an_echo_behind_a_flood_is_waited_for),
        LEADING(C12_who_is_cut_off_renews_nothing),
        LEADING(C12_2_after_each_connect_the_others_are_read_first),
        LEADING(C12_after_a_cut_both_are_read_anew_before_it_leads_again),
        ALONE(C12_2_without_Redis_it_announces_itself_waits_and_leads),
        ALONE(C12_a_lease_of_its_past_life_is_taken_over_until_Redis_has_given_it_one),
        ALONE(C12_2_without_Redis_nobody_leads_beside_a_leader),
        ALONE(C12_2_of_two_that_announced_themselves_the_newer_epoch_stays),
        ALONE(C12_2_of_equal_epochs_the_smaller_id_stays),
        ALONE(C12_a_Redis_that_comes_back_while_announcing_decides),
        ALONE(C12_2_a_lease_that_was_given_before_a_standstill_does_not_let_it_speak),
        ALONE(C12_a_leader_without_Redis_takes_the_lease_when_Redis_has_told_all),
        ALONE(C12_a_broker_lost_while_announcing_ends_it),
        LEADING(C12_1_everything_is_published_once_more_10_s_after_the_take_over),
        LEADING(C12_1_what_is_due_in_a_silence_is_published_after_it),
        LEADING(C6_handover_gives_the_lease_to_a_standby),
        LEADING(C6_a_lead_that_was_handed_over_may_come_back_at_once),
        LEADING(C12_2_who_is_there_is_heard_anew_after_each_connect),
        LEADING(C6_nothing_is_handed_over_to_who_does_not_reach_Redis),
        LEADING(C12_a_clean_stop_gives_the_lease_back),
        ALONE(C12_an_answer_that_nobody_waits_for_changes_nothing),
        LEADING(C12_more_controllers_than_fit_are_still_seen_to_lead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
