/* C12: who stood still, or was cut off from the broker, is silent until it knows how things are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/lease_bench.h"

#define EPOCH LEASE_BENCH_EPOCH

/* ---- a standstill ---- */

static void C12_2_a_standstill_of_a_third_is_none(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_stand_still(b, LEASE_THIRD_MS);
    assert_false(b->did.fall_silent);
    assert_true(lease_may_speak(&b->lease));

    lease_bench_leading(b);
    b->mute = true;
    lease_bench_stand_still(b, LEASE_THIRD_MS + 1);
    assert_true(b->did.fall_silent);
    assert_false(lease_may_speak(&b->lease));
    assert_int_equal(b->did.ask, LEASE_ASK_RENEW);
    assert_true(b->did.echo);
}

/* Another may lead without Redis. */
static void C12_2_after_a_standstill_Redis_alone_does_not_let_it_speak(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_stand_still(b, LEASE_THIRD_MS + 1);
    lease_bench_ours(b, EPOCH);
    assert_false(lease_may_speak(&b->lease));
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_true(b->did.speak);
}

static void C12_2_after_a_standstill_an_echo_lets_it_speak(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_stand_still(b, LEASE_THIRD_MS + 1);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_true(b->did.speak);
}

static void C12_2_what_was_asked_before_the_standstill_proves_nothing(void **state)
{
    struct lease_bench *b = *state;
    uint32_t number = 0;

    b->mute = true;
    lease_bench_pass(b, LEASE_THIRD_MS);
    assert_int_equal(b->lease.asked, LEASE_ASK_RENEW);
    number = b->lease.echo_number;
    lease_bench_stand_still(b, LEASE_THIRD_MS + 1);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_echo(b, number);
    assert_false(lease_may_speak(&b->lease));
    assert_int_not_equal(b->lease.echo_number, number);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_true(lease_may_speak(&b->lease));
}

static void C12_2_who_stood_still_announces_itself_anew(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms);
    assert_int_equal(b->lease.role, LEASE_ANNOUNCES);
    lease_bench_stand_still(b, LEASE_ANNOUNCE_MS);
    assert_true(b->did.stand_down);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
    lease_bench_pass(b, b->lease.patience_ms);
    assert_int_equal(b->lease.role, LEASE_ANNOUNCES);
}

/* One step cannot say that it stands down and that it leads. */
static void C12_2_who_stood_still_and_has_the_lease_had_announced_what_is_true(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_pass(b, b->lease.patience_ms);
    assert_int_equal(b->lease.role, LEASE_ANNOUNCES);
    assert_int_equal(b->lease.asked, LEASE_ASK_TAKE);
    b->now.mono.ms += LEASE_THIRD_MS + 1;
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_ours(b, b->lease.epoch + 1);
    assert_true(b->did.lead);
    assert_false(b->did.stand_down);
    assert_null(b->did.why);
}

/* It may lie there unread, and another may have taken the lease since. */
static void C12_2_a_lease_that_was_given_before_a_standstill_does_not_let_it_speak(void **state)
{
    struct lease_bench *b = *state;
    uint64_t epoch;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms + LEASE_ANNOUNCE_MS);
    epoch = b->lease.epoch;
    lease_bench_event(b, LEASE_STORE_UP);
    lease_bench_event(b, LEASE_STORE_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    b->mute = true;
    lease_bench_stand_still(b, LEASE_MS);
    assert_true(b->did.fall_silent);
    lease_bench_ours(b, epoch + 1);
    assert_false(b->did.lead);
    assert_false(lease_may_speak(&b->lease));
    lease_bench_echo(b, b->lease.echo_number);
    assert_true(lease_may_speak(&b->lease));
    assert_int_equal(b->lease.epoch, epoch);
    b->mute = false;
    lease_bench_pass(b, LEASE_THIRD_MS);
    assert_int_equal(b->lease.asked, LEASE_ASK_TAKE);
    lease_bench_ours(b, epoch + 2);
    assert_true(b->did.lead);
    assert_int_equal(b->lease.epoch, epoch + 2);
}

static void C12_a_standby_takes_the_lease_when_it_has_just_heard_the_others(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_other(b, EPOCH, 4000);
    b->mute = true;
    lease_bench_stand_still(b, LEASE_THIRD_MS + 1); /* what comes now lay in the inbox */
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_event(b, LEASE_TICK);
    assert_int_equal(b->lease.asked, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

static void C12_what_the_others_said_is_known_for_a_second(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_other(b, EPOCH, LEASE_FRESH_MS - 2);
    b->mute = true;
    lease_bench_pass(b, LEASE_FRESH_MS - 1);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);

    lease_bench_alone(b);
    lease_bench_ready(b);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_other(b, EPOCH, LEASE_FRESH_MS - 1);
    b->mute = true;
    lease_bench_pass(b, LEASE_FRESH_MS);
    assert_int_equal(b->lease.asked, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

static void C12_2_a_sleeper_that_was_replaced_says_nothing_more(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_stand_still(b, 60000);
    assert_false(lease_may_speak(&b->lease));
    lease_bench_other(b, EPOCH + 1, 3000);
    assert_true(b->did.stand_down);

    lease_bench_leading(b); /* the broker tells first */
    b->mute = true;
    lease_bench_stand_still(b, 60000);
    lease_bench_status(b, "a", true, true, EPOCH + 1);
    assert_true(b->did.stand_down);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_false(lease_may_speak(&b->lease));
}

static void C12_2_a_message_of_others_ends_no_silence(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_stand_still(b, LEASE_THIRD_MS + 1);
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_event(b, LEASE_TICK);
    assert_false(lease_may_speak(&b->lease));
}

static void C12_1_what_is_due_in_a_silence_is_published_after_it(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_stand_still(b, LEASE_AGAIN_MS);
    assert_false(b->did.publish_again);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_true(b->did.publish_again);
}

/* ---- cut off from the broker ---- */

static void C12_cut_off_for_2_s_gives_the_lease_back(void **state)
{
    struct lease_bench *b = *state;
    struct mono_time heard;

    b->mute = true;
    heard = b->lease.touched_at;
    lease_bench_pass(b, heard.ms + LEASE_CUT_MS - 1 - b->now.mono.ms);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_pass(b, 1);
    assert_true(b->did.stand_down);
    assert_true(b->did.release);
    assert_false(lease_may_speak(&b->lease));
    lease_bench_event(b, LEASE_BROKER_ECHO); /* a link that was only slow */
    lease_bench_event(b, LEASE_STORE_READ);
    lease_bench_pass(b, LEASE_THIRD_MS);
    assert_int_equal(b->lease.asked, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_int_equal(b->lease.asked, LEASE_ASK_TAKE);
}

static void C12_cut_off_is_counted_from_the_last_echo_that_came(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, LEASE_ECHO_MS);
    b->mute = true;
    lease_bench_pass(b, LEASE_ECHO_MS); /* the first that does not come is asked for now */
    assert_true(b->lease.echo_waits);
    lease_bench_pass(b, 1000);
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_pass(b, LEASE_CUT_MS - 1000 - 1);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_pass(b, LEASE_TICK_MS);
    assert_false(lease_may_speak(&b->lease));
}

/* The broker may have spoken up to the end, and the echo be among it. */
static void C12_cut_off_is_nobody_who_did_not_listen_himself(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_pass(b, LEASE_ECHO_MS + 1);
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_stand_still(b, LEASE_THIRD_MS);
    lease_bench_event(b, LEASE_TICK);
    assert_true(lease_may_speak(&b->lease));
}

static void C12_a_broker_that_is_heard_and_does_not_hear_is_a_cut(void **state)
{
    struct lease_bench *b = *state;
    struct mono_time asked;

    b->mute = true;
    lease_bench_pass(b, LEASE_ECHO_MS);
    asked = b->lease.echo_asked_at;
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_pass(b, asked.ms + LEASE_CUT_MS - 1 - b->now.mono.ms);
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_pass(b, 1);
    assert_true(lease_may_speak(&b->lease));
    lease_touch(
        &b->lease, b->now.mono, (struct mono_time){b->now.mono.ms - 1}); /* the inbox is deep */
    lease_bench_event(b, LEASE_TICK);
    assert_true(lease_may_speak(&b->lease));
    lease_touch(&b->lease, b->now.mono, b->now.mono);
    lease_bench_event(b, LEASE_TICK);
    assert_true(b->did.release);
}

static void C12_an_echo_behind_a_flood_is_waited_for(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_pass(b, LEASE_ECHO_MS);
    for (int i = 0; i < LEASE_FLOOD; i++) {
        lease_touch(&b->lease, b->now.mono, b->now.mono);
    }
    for (int i = 0; i < 5; i++) {
        lease_bench_pass(b, LEASE_CUT_MS - 1);
        lease_touch(&b->lease, b->now.mono, b->now.mono);
    }
    lease_bench_event(b, LEASE_TICK);
    assert_true(lease_may_speak(&b->lease));
}

static void C12_who_is_cut_off_renews_nothing(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, 1000);
    lease_bench_event(b, LEASE_BROKER_DOWN);
    lease_bench_pass(b, 1000);
    assert_int_equal(b->lease.asked, LEASE_ASK_NOTHING);
    lease_touch(&b->lease, b->now.mono, b->now.mono); /* out of the inbox, from before */
    lease_bench_pass(b, 1000);
    assert_true(b->did.release);
}

static void C12_2_after_each_connect_the_others_are_read_first(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_event(b, LEASE_BROKER_DOWN);
    lease_bench_pass(b, 1000);
    assert_true(lease_may_speak(&b->lease)); /* nobody hears it */
    lease_bench_event(b, LEASE_BROKER_UP);
    assert_true(b->did.fall_silent);
    assert_false(lease_may_speak(&b->lease));
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_true(b->did.speak);
}

static void C12_after_a_cut_both_are_read_anew_before_it_leads_again(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_DOWN);
    lease_bench_pass(b, LEASE_CUT_MS);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_pass(b, 10000);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
    lease_bench_event(b, LEASE_BROKER_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_STORE_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    assert_false(b->lease.own_id_at_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEASE_TEST_LEADING(C12_2_a_standstill_of_a_third_is_none),
        LEASE_TEST_LEADING(C12_2_after_a_standstill_Redis_alone_does_not_let_it_speak),
        LEASE_TEST_LEADING(C12_2_after_a_standstill_an_echo_lets_it_speak),
        LEASE_TEST_LEADING(C12_2_what_was_asked_before_the_standstill_proves_nothing),
        LEASE_TEST_ALONE(C12_2_who_stood_still_announces_itself_anew),
        LEASE_TEST_ALONE(C12_2_who_stood_still_and_has_the_lease_had_announced_what_is_true),
        LEASE_TEST_ALONE(C12_2_a_lease_that_was_given_before_a_standstill_does_not_let_it_speak),
        LEASE_TEST_ALONE(C12_a_standby_takes_the_lease_when_it_has_just_heard_the_others),
        LEASE_TEST_ALONE(C12_what_the_others_said_is_known_for_a_second),
        LEASE_TEST_LEADING(C12_2_a_sleeper_that_was_replaced_says_nothing_more),
        LEASE_TEST_LEADING(C12_2_a_message_of_others_ends_no_silence),
        LEASE_TEST_LEADING(C12_1_what_is_due_in_a_silence_is_published_after_it),
        LEASE_TEST_LEADING(C12_cut_off_for_2_s_gives_the_lease_back),
        LEASE_TEST_LEADING(C12_cut_off_is_counted_from_the_last_echo_that_came),
        LEASE_TEST_LEADING(C12_cut_off_is_nobody_who_did_not_listen_himself),
        LEASE_TEST_LEADING(C12_a_broker_that_is_heard_and_does_not_hear_is_a_cut),
        LEASE_TEST_LEADING(C12_an_echo_behind_a_flood_is_waited_for),
        LEASE_TEST_LEADING(C12_who_is_cut_off_renews_nothing),
        LEASE_TEST_LEADING(C12_2_after_each_connect_the_others_are_read_first),
        LEASE_TEST_LEADING(C12_after_a_cut_both_are_read_anew_before_it_leads_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
