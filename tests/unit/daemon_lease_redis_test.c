/* C12: what Redis answers, late answers and none included, and what follows for who leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/lease_bench.h"

#define EPOCH LEASE_BENCH_EPOCH

/* ---- asked for the lease ---- */

static void C12_with_the_lease_comes_the_lead(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_ours(b, EPOCH);
    assert_true(b->did.lead);
    assert_int_equal(b->lease.epoch, EPOCH);
    assert_true(b->lease.is_kept);
    assert_true(lease_may_speak(&b->lease));
}

static void C12_an_answer_as_old_as_the_lease_is_not_believed(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_pass(b, LEASE_MS - 1);
    lease_bench_ours(b, EPOCH);
    assert_true(b->did.lead);

    lease_bench_alone(b);
    lease_bench_ready(b);
    b->lease.patience_ms = 60000;
    lease_bench_pass(b, LEASE_MS);
    lease_bench_ours(b, EPOCH);
    assert_false(b->did.lead);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

static void C12_a_lease_that_another_has_is_asked_for_again_each_third(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_other(b, EPOCH, 4000);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
    lease_bench_pass(b, LEASE_THIRD_MS - 1);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(b, 1);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    lease_bench_other(b, EPOCH, 300);
    lease_bench_pass(b, 300);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(b, 1);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

static void C12_a_lease_that_nobody_leads_under_is_asked_for_again_soon(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_other(b, EPOCH, 4000);
    lease_bench_pass(b, LEASE_SOON_MS - 1);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(b, 1);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

/* load_timeout_ms may be shorter than from one question to the next. */
static void C12_2_a_standby_that_Redis_answers_does_not_lead_without_it(void **state)
{
    struct lease_bench *b = *state;

    b->lease.patience_ms = 1;
    lease_bench_ready(b);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_other(b, EPOCH, 4000);
    lease_bench_status(b, "a", false, false, EPOCH);
    lease_bench_other(b, EPOCH, 4000);
    lease_bench_pass(b, LEASE_SOON_MS);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

/* A replica that became the master may never have had the lease. */
static void C12_beside_a_leader_a_new_Redis_is_asked_after_a_whole_lease(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_status(b, "a", true, true, EPOCH);
    lease_bench_other(b, EPOCH, 4000);
    lease_bench_event(b, LEASE_STORE_DOWN);
    lease_bench_event(b, LEASE_STORE_UP);
    lease_bench_event(b, LEASE_STORE_READ);
    lease_bench_pass(b, LEASE_MS - 1);
    assert_int_equal(b->lease.asked, LEASE_ASK_NOTHING);
    lease_bench_pass(b, 1);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);

    lease_bench_other(b, EPOCH, 4000);
    lease_bench_event(b, LEASE_STORE_DOWN);
    lease_bench_event(b, LEASE_STORE_UP);
    lease_bench_event(b, LEASE_STORE_READ);
    lease_bench_pass(b, LEASE_MS - 1);
    lease_bench_status(b, "a", false, false, EPOCH); /* it has gone */
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    assert_false(b->did.announce);
}

static void C12_an_answer_that_nobody_waits_for_changes_nothing(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_ready(b);
    lease_bench_other(b, EPOCH, 4000);
    lease_bench_ours(b, EPOCH + 1);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);

    lease_bench_leading(b);
    lease_bench_other(b, EPOCH, 4000);
    lease_bench_free(b, EPOCH);
    assert_true(lease_may_speak(&b->lease));
}

/* ---- asked again by the leader ---- */

static void C12_the_lease_is_renewed_each_third(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, LEASE_THIRD_MS - 1);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_pass(b, 1);
    assert_int_equal(b->did.ask, LEASE_ASK_RENEW);
    lease_bench_ours(b, EPOCH);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_pass(b, LEASE_THIRD_MS);
    assert_int_equal(b->did.ask, LEASE_ASK_RENEW);
}

static void C12_2_Redis_silent_and_the_loop_never_still_leads_on(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, 3600 * 1000);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_event(b, LEASE_STORE_DOWN);
    lease_bench_event(b, LEASE_ANSWER_NONE);
    lease_bench_pass(b, 3600 * 1000);
    assert_true(lease_may_speak(&b->lease));
    lease_bench_event(b, LEASE_STORE_UP);
    assert_int_equal(b->did.ask, LEASE_ASK_RENEW);
}

static void C12_2_another_token_stands_down_at_once(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, LEASE_THIRD_MS);
    lease_bench_other(b, EPOCH + 1, 3000);
    assert_true(b->did.stand_down);
    assert_false(b->did.release);
    assert_false(lease_may_speak(&b->lease));
}

static void C12_2_a_newer_epoch_in_Redis_stands_down_at_once(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, LEASE_THIRD_MS);
    lease_bench_ours(b, EPOCH + 1);
    assert_true(b->did.stand_down);

    lease_bench_leading(b);
    lease_bench_pass(b, LEASE_THIRD_MS);
    lease_bench_free(b, EPOCH + 1);
    assert_true(b->did.stand_down);
}

static void C12_a_lease_that_Redis_lost_is_taken_again_under_a_new_epoch(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, LEASE_THIRD_MS);
    lease_bench_free(b, 0);
    assert_true(lease_may_speak(&b->lease));
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    assert_int_equal(b->lease.heard, EPOCH);
    assert_false(b->lease.own_id_at_once);
    lease_bench_ours(b, EPOCH + 1);
    assert_true(b->did.lead);
    assert_int_equal(b->lease.epoch, EPOCH + 1);
}

static void C12_a_Redis_that_was_rolled_back_gets_its_epoch_raised(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_pass(b, LEASE_THIRD_MS);
    lease_bench_ours(b, EPOCH - 10);
    assert_true(lease_may_speak(&b->lease));
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
}

/* ---- back after somebody has led without it ---- */

/* What a process that died asked of a frozen Redis is carried out when it thaws, under the same id.
 */
static void C12_a_lease_of_its_past_life_is_taken_over_until_Redis_has_given_it_one(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms);
    lease_bench_pass(b, LEASE_ANNOUNCE_MS);
    assert_true(lease_may_speak(&b->lease));
    assert_true(b->lease.own_id_at_once);
    lease_bench_event(b, LEASE_STORE_UP);
    lease_bench_event(b, LEASE_STORE_READ);
    lease_bench_event(b, LEASE_BROKER_ECHO);
    assert_int_equal(b->lease.asked, LEASE_ASK_TAKE);
    lease_bench_ours(b, b->lease.epoch + 1);
    assert_true(lease_may_speak(&b->lease));
    assert_false(b->lease.own_id_at_once);
}

static void C12_a_Redis_that_comes_back_while_announcing_decides(void **state)
{
    struct lease_bench *b = *state;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms);
    lease_bench_event(b, LEASE_STORE_UP);
    lease_bench_event(b, LEASE_STORE_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    lease_bench_other(b, EPOCH, 3000);
    assert_true(b->did.stand_down);
    assert_int_equal(b->lease.role, LEASE_STANDS_BY);
}

static void C12_a_leader_without_Redis_takes_the_lease_when_Redis_has_told_all(void **state)
{
    struct lease_bench *b = *state;
    uint64_t epoch = 0;

    lease_bench_event(b, LEASE_BROKER_UP);
    lease_bench_event(b, LEASE_BROKER_READ);
    lease_bench_pass(b, b->lease.patience_ms + LEASE_ANNOUNCE_MS);
    assert_true(lease_may_speak(&b->lease));
    epoch = b->lease.epoch;
    lease_bench_event(b, LEASE_STORE_UP);
    assert_int_equal(b->did.ask, LEASE_ASK_NOTHING);
    lease_bench_event(b, LEASE_STORE_READ);
    assert_int_equal(b->did.ask, LEASE_ASK_TAKE);
    lease_bench_ours(b, epoch); /* asked for before this epoch was its own */
    assert_false(b->did.lead);
    lease_bench_pass(b, LEASE_THIRD_MS);
    lease_bench_ours(b, epoch + 1);
    assert_true(b->did.lead);
    assert_true(b->lease.is_kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEASE_TEST_ALONE(C12_with_the_lease_comes_the_lead),
        LEASE_TEST_ALONE(C12_an_answer_as_old_as_the_lease_is_not_believed),
        LEASE_TEST_ALONE(C12_a_lease_that_another_has_is_asked_for_again_each_third),
        LEASE_TEST_ALONE(C12_a_lease_that_nobody_leads_under_is_asked_for_again_soon),
        LEASE_TEST_ALONE(C12_2_a_standby_that_Redis_answers_does_not_lead_without_it),
        LEASE_TEST_ALONE(C12_beside_a_leader_a_new_Redis_is_asked_after_a_whole_lease),
        LEASE_TEST_ALONE(C12_an_answer_that_nobody_waits_for_changes_nothing),
        LEASE_TEST_LEADING(C12_the_lease_is_renewed_each_third),
        LEASE_TEST_LEADING(C12_2_Redis_silent_and_the_loop_never_still_leads_on),
        LEASE_TEST_LEADING(C12_2_another_token_stands_down_at_once),
        LEASE_TEST_LEADING(C12_2_a_newer_epoch_in_Redis_stands_down_at_once),
        LEASE_TEST_LEADING(C12_a_lease_that_Redis_lost_is_taken_again_under_a_new_epoch),
        LEASE_TEST_LEADING(C12_a_Redis_that_was_rolled_back_gets_its_epoch_raised),
        LEASE_TEST_ALONE(C12_a_lease_of_its_past_life_is_taken_over_until_Redis_has_given_it_one),
        LEASE_TEST_ALONE(C12_a_Redis_that_comes_back_while_announcing_decides),
        LEASE_TEST_ALONE(C12_a_leader_without_Redis_takes_the_lease_when_Redis_has_told_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
