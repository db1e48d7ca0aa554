/* C12: who leads, and who stands by: what the controllers hear of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/support/version.h"
#include "tests/lib/lease_bench.h"

#define EPOCH LEASE_BENCH_EPOCH

/* ---- taking it ---- */

static void C12_nothing_is_asked_before_broker_and_Redis_were_read(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    assert_true(b->did.echo);
    lease_bench_event(b, LEASE_STORE_UP);
    lease_bench_event(b, LEASE_STORE_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_BROKER_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    assert_true(b->lease.own_id_at_once);
    assert_false(lease_may_speak(&b->lease));
}

static void C9_4_Redis_is_read_before_the_lease_is_taken(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_event(b, LEASE_STORE_UP);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_STORE_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

static void C12_a_leader_that_says_goodbye_is_followed_at_once(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_other(b, EPOCH, 4000);
    lease_bench_status(b, "a", false, false, EPOCH);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

static void C12_a_lease_taken_while_the_broker_was_lost_is_given_back(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_event(b, LEASE_BROKER_DOWN);
    lease_bench_ours(b, EPOCH);
    assert_false(b->did.lead);
    assert_true(b->did.release);
}

static void C12_a_standby_that_hears_no_echo_takes_nothing(void **state)
{
    struct lease_bench *b = *state;

    b->mute = true;
    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_event(b, LEASE_STORE_UP);
    lease_bench_pass(b, LEASE_CUT_MS);
    lease_bench_event(b, LEASE_STORE_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_BROKER_ECHO); /* asked for too long ago */
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

static void C12_the_epoch_is_above_all_that_was_heard(void **state)
{
    struct lease_bench *b = *state;

    lease_hear(&b->lease, 7);
    lease_hear(&b->lease, 5);
    lease_bench_status(b, "a", false, false, 9);
    assert_int_equal(b->lease.heard, 9);
    lease_hear(&b->lease, VERSION_EPOCH_HEARD_MAX);
    lease_hear(&b->lease, VERSION_EPOCH_HEARD_MAX + 1);
    assert_int_equal(b->lease.heard, VERSION_EPOCH_HEARD_MAX);
}

/* ---- beside others ---- */

static void C12_2_a_newer_epoch_on_the_broker_stands_down_at_once(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_status(b, "a", true, true, EPOCH - 1);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_status(b, "a", true, true, EPOCH + 1);
    assert_true(b->did.stand_down);

    lease_bench_leading(b); /* it led, and stopped since */
    lease_bench_status(b, "a", false, false, EPOCH + 1);
    assert_true(b->did.stand_down);

    lease_bench_leading(b); /* another process under its own id */
    lease_bench_status(b, "b", true, true, EPOCH);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_status(b, "b", true, true, EPOCH + 1);
    assert_true(b->did.stand_down);
}

/* A broker that was restored from an old file has no last will of it. */
static void C12_2_a_leader_that_answers_nothing_for_12_s_is_gone(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms);
    assert_true(b->did.tell);
    lease_bench_pass(b, LEASE_GONE_MS - 1);
    lease_bench_status(b, "a", true, true, EPOCH);                 /* the answer */
    lease_bench_pass(b, 3 * LEASE_INQUIRE_MS - LEASE_GONE_MS + 1); /* it is asked again */
    lease_bench_pass(b, LEASE_GONE_MS - 1);
    assert_true(lease_another_leads(&b->lease));
    lease_bench_pass(b, 1);
    assert_false(lease_another_leads(&b->lease));
    lease_bench_pass(b, LEASE_TICK_MS);
    assert_int_equal(b->lease.role, LEASE_ANNOUNCES);
    assert_true(b->lease.epoch > EPOCH);
}

static void C12_2_a_leader_answers_who_cannot_reach_Redis(void **state)
{
    struct lease_bench *b = *state;
    struct lease_event event = {.type = LEASE_STATUS, .now = b->now};
    struct lease_actions actions;

    event.status = (struct lease_status){.id = "a", .runs = true, .without_redis = true};
    lease_step(&b->lease, &event, &actions);
    assert_true(actions.tell);
    event.status.without_redis = false;
    lease_step(&b->lease, &event, &actions);
    assert_false(actions.tell);
}

/* A broker that was killed may have forgotten it, or its last will. */
static void C12_2_who_is_there_is_heard_anew_after_each_connect(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_status(b, "a", true, false, 0);
    lease_bench_event(b, LEASE_BROKER_DOWN);
    lease_bench_event(b, LEASE_BROKER_UP);
    assert_false(lease_has_standby(&b->lease));
}

static void C12_more_controllers_than_fit_are_still_seen_to_lead(void **state)
{
    struct lease_bench *b = *state;
    char id[8] = "x00";

    for (int i = 0; i < 2 * LEASE_OTHERS_MAX; i++) {
        id[1] = (char)('0' + i / 10);
        id[2] = (char)('0' + i % 10);
        lease_bench_status(b, id, true, false, 1);
    }
    assert_int_equal(b->lease.other_count, LEASE_OTHERS_MAX);
    lease_bench_status(b, "y", true, true, EPOCH + 1);
    assert_true(b->did.stand_down);
}

/* ---- without Redis ---- */

static void C12_2_without_Redis_it_announces_itself_waits_and_leads(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms - 1);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
    lease_bench_pass(b, 1);
    assert_true(b->did.announce);
    assert_int_equal(b->lease.epoch, b->now.wall.ms / 1000 + 1);
    lease_bench_pass(b, LEASE_ANNOUNCE_MS - 1);
    assert_false(lease_may_speak(&b->lease));
    lease_bench_pass(b, 1);
    assert_true(b->did.lead);
    assert_false(b->lease.is_kept);
}

/* A minute in which `a` leads, and answers. */
static void pass_beside(struct lease_bench *b, uint64_t epoch)
{
    for (int i = 0; i < 6; i++) {
        lease_bench_pass(b, 10000);
        assert_int_equal(b->lease.role, LEASE_STANDS_BY);
        lease_bench_status(b, "a", true, true, epoch);
    }
}

static void C12_2_without_Redis_nobody_leads_beside_a_leader(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_event(b, LEASE_BROKER_READ);
    pass_beside(b, EPOCH);
    lease_bench_status(b, "a", false, true, 0); /* its last will */
    assert_true(b->did.announce);
}

static void C12_2_of_two_that_announced_themselves_the_newer_epoch_stays(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms);
    lease_bench_status(b, "a", true, true, b->lease.epoch - 1);
    assert_int_equal(b->lease.role, LEASE_ANNOUNCES);
    lease_bench_status(b, "a", true, true, b->lease.epoch + 1);
    assert_true(b->did.stand_down);
    assert_int_equal(b->lease.epoch, 0);
    pass_beside(b, b->lease.heard);
}

static void C12_2_of_equal_epochs_the_smaller_id_stays(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms);
    lease_bench_status(b, "c", true, true, b->lease.epoch);
    lease_bench_status(b, "a", true, false, b->lease.epoch);
    assert_int_equal(b->lease.role, LEASE_ANNOUNCES);
    lease_bench_status(b, "a", true, true, b->lease.epoch);
    assert_true(b->did.stand_down);

    lease_bench_leading(b);
    lease_bench_status(b, "c", true, true, EPOCH);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_status(b, "a", true, true, EPOCH);
    assert_true(b->did.stand_down);
}

static void C12_a_broker_lost_while_announcing_ends_it(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms);
    lease_bench_event(b, LEASE_BROKER_DOWN);
    assert_true(b->did.stand_down);
    lease_bench_pass(b, 60000);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
}

/* ---- taking over, handing over, the end ---- */

static void C12_1_everything_is_published_once_more_10_s_after_the_take_over(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, LEASE_AGAIN_MS - 1);
    assert_false(b->did.publish_again);
    lease_bench_pass(b, 1);
    assert_true(b->did.publish_again);
    lease_bench_pass(b, 3600 * 1000);
    assert_false(b->did.publish_again);
}

static void C6_handover_gives_the_lease_to_a_standby(void **state)
{
    struct lease_bench *b = *state;

    assert_false(lease_has_standby(&b->lease));
    lease_bench_event(b, LEASE_HAND_OVER);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_status(b, "a", true, false, 0);
    assert_true(lease_has_standby(&b->lease));
    lease_bench_event(b, LEASE_HAND_OVER);
    assert_true(b->did.stand_down);
    assert_true(b->did.release);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_event(b, LEASE_STORE_READ);
    lease_bench_pass(b, LEASE_MS - 1);
    assert_int_equal(b->lease.asked, LEASE_ASK_NOTHING);
    lease_bench_pass(b, 1);
    assert_int_equal(b->lease.asked, LEASE_ASK_TAKE);
}

static void C6_a_lead_that_was_handed_over_may_come_back_at_once(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_status(b, "a", true, false, 0);
    lease_bench_event(b, LEASE_HAND_OVER);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_event(b, LEASE_STORE_READ);
    lease_bench_status(b, "a", true, true, EPOCH + 1);
    lease_bench_status(b, "a", true, false, EPOCH + 1);
    assert_int_equal(b->lease.asked, LEASE_ASK_TAKE);
}

static void C6_nothing_is_handed_over_to_who_does_not_reach_Redis(void **state)
{
    struct lease_bench *b = *state;
    struct lease_event event = {
        .type = LEASE_STATUS,
        .now = b->now,
        .status = {.id = "a", .runs = true, .without_redis = true},
    };

    lease_step(&b->lease, &event, &b->did);
    lease_bench_event(b, LEASE_HAND_OVER);
    assert_true(lease_may_speak(&b->lease));
}

static void C12_a_clean_stop_gives_the_lease_back(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_STOP);
    assert_true(b->did.release);
    assert_int_equal(lease_wake_at(&b->lease).ms, 0);
    lease_bench_event(b, LEASE_TICK);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);

    lease_bench_alone(b); /* a lease that may be on its way */
    lease_bench_ready(b);
    lease_bench_event(b, LEASE_STOP);
    assert_true(b->did.release);

    lease_bench_alone(b); /* none */
    lease_bench_event(b, LEASE_STOP);
    assert_false(b->did.release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEASE_TEST_ALONE(C12_nothing_is_asked_before_broker_and_Redis_were_read),
        LEASE_TEST_ALONE(C9_4_Redis_is_read_before_the_lease_is_taken),
        LEASE_TEST_ALONE(C12_a_leader_that_says_goodbye_is_followed_at_once),
        LEASE_TEST_ALONE(C12_a_lease_taken_while_the_broker_was_lost_is_given_back),
        LEASE_TEST_ALONE(C12_a_standby_that_hears_no_echo_takes_nothing),
        LEASE_TEST_ALONE(C12_the_epoch_is_above_all_that_was_heard),
        LEASE_TEST_LEADING(C12_2_a_newer_epoch_on_the_broker_stands_down_at_once),
        LEASE_TEST_ALONE(C12_2_a_leader_that_answers_nothing_for_12_s_is_gone),
        LEASE_TEST_LEADING(C12_2_a_leader_answers_who_cannot_reach_Redis),
        LEASE_TEST_LEADING(C12_2_who_is_there_is_heard_anew_after_each_connect),
        LEASE_TEST_LEADING(C12_more_controllers_than_fit_are_still_seen_to_lead),
        LEASE_TEST_ALONE(C12_2_without_Redis_it_announces_itself_waits_and_leads),
        LEASE_TEST_ALONE(C12_2_without_Redis_nobody_leads_beside_a_leader),
        LEASE_TEST_ALONE(C12_2_of_two_that_announced_themselves_the_newer_epoch_stays),
        LEASE_TEST_ALONE(C12_2_of_equal_epochs_the_smaller_id_stays),
        LEASE_TEST_ALONE(C12_a_broker_lost_while_announcing_ends_it),
        LEASE_TEST_LEADING(C12_1_everything_is_published_once_more_10_s_after_the_take_over),
        LEASE_TEST_LEADING(C6_handover_gives_the_lease_to_a_standby),
        LEASE_TEST_LEADING(C6_a_lead_that_was_handed_over_may_come_back_at_once),
        LEASE_TEST_LEADING(C6_nothing_is_handed_over_to_who_does_not_reach_Redis),
        LEASE_TEST_LEADING(C12_a_clean_stop_gives_the_lease_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
