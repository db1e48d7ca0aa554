/* C12's lease and epoch, the same on both stores: on Redis, and on its twin in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/memory.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/store_bench.h"

#define LEASE_MS 50000
#define NOW_S 1000

static struct redis_server server;
static struct event_base *base;
static struct memory_database *database; /* NULL: the test is on Redis */
static struct mono_time memory_now;
static struct store_bench benches[2]; /* of controllers a and b */
static struct store_claim claims[2];

static int start_server(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    redis_server_start(&server, "");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

static void open_store(size_t index)
{
    struct store_bench *bench = &benches[index];
    struct store_events events = store_bench_events(bench);
    struct redis_options options = {
        .url = server.url,
        .username = "tagout",
        .password = "tagout",
        .prefix = "shop",
        .base = base};
    TEXT_LOCAL(why, 256);

    memset(bench, 0, sizeof *bench);
    claims[index] = (struct store_claim){
        .id = index == 0 ? "a" : "b",
        .token = index == 0 ? "0123" : "4567",
        .duration_ms = LEASE_MS,
        .now = {NOW_S * 1000 + 999},
    };
    if (database != NULL) {
        assert_int_equal(memory_store_new(database, &events, &bench->store), STATUS_OK);
        memory_store_up(bench->store);
        (void)memory_store_run(bench->store);
        return;
    }
    bench->base = base;
    assert_int_equal(redis_store_new(&options, &events, &bench->store, &why), STATUS_OK);
    store_bench_run(bench, &bench->ups, 1, 5000);
}

static int open_memory(void **state)
{
    (void)state;
    assert_int_equal(memory_database_new(&database), STATUS_OK);
    memory_now = (struct mono_time){1};
    memory_database_set_clock(database, memory_now);
    open_store(0);
    open_store(1);
    return 0;
}

static int open_redis(void **state)
{
    (void)state;
    redis_server_command(&server, "FLUSHALL", "+OK");
    base = event_base_new();
    open_store(0);
    open_store(1);
    return 0;
}

static int close_stores(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        benches[i].store->operations->close(benches[i].store);
    }
    if (database != NULL) {
        memory_database_free(database);
        database = NULL;
    } else {
        event_base_free(base);
    }
    return 0;
}

static enum store_lease answer_of(struct store_bench *bench, unsigned before)
{
    assert_int_equal(bench->leases, before);
    if (database != NULL) {
        (void)memory_store_run(bench->store);
        assert_int_equal(bench->leases, before + 1);
    } else {
        store_bench_run(bench, &bench->leases, before + 1, 5000);
    }
    return bench->lease.lease;
}

static enum store_lease take(size_t index)
{
    struct store_bench *bench = &benches[index];
    unsigned before = bench->leases;

    assert_int_equal(bench->store->operations->take_lease(bench->store, &claims[index]), STATUS_OK);
    return answer_of(bench, before);
}

static enum store_lease renew(size_t index)
{
    struct store_bench *bench = &benches[index];
    unsigned before = bench->leases;

    assert_int_equal(
        bench->store->operations->renew_lease(bench->store, &claims[index]), STATUS_OK);
    return answer_of(bench, before);
}

/* There is no answer: what is asked after it shows that it was carried out. */
static void release(size_t index)
{
    struct store_bench *bench = &benches[index];

    assert_int_equal(
        bench->store->operations->release_lease(bench->store, &claims[index]), STATUS_OK);
    if (database != NULL) {
        assert_int_equal(memory_store_run(bench->store), 0);
    }
}

static int64_t number_from_redis(const char *command)
{
    char answer[64];

    redis_server_ask(&server, command, answer, sizeof answer);
    assert_int_equal(answer[0], ':');
    return strtoll(answer + 1, NULL, 10);
}

/* On Redis, too, the clock is the test's: the lease is shortened by what has passed. */
static void pass(int64_t ms)
{
    char command[64];
    int64_t left_ms;

    if (database != NULL) {
        memory_now.ms += ms;
        memory_database_set_clock(database, memory_now);
        return;
    }
    left_ms = number_from_redis("PTTL shop:lease") - ms;
    (void)snprintf(
        command, sizeof command, "PEXPIRE shop:lease %lld", (long long)(left_ms < 0 ? 0 : left_ms));
    redis_server_command(&server, command, ":1");
}

static void wipe(void)
{
    if (database != NULL) {
        memory_database_wipe(database);
    } else {
        redis_server_command(&server, "FLUSHALL", "+OK");
    }
}

static void C12_the_first_takes_it_and_the_other_is_told_who(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 1);
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    assert_string_equal(benches[1].lease.id, "a");
    assert_int_equal(benches[1].lease.epoch, NOW_S + 1);
    assert_in_range(benches[1].lease.remaining_ms, LEASE_MS - 20000, LEASE_MS);
    assert_int_equal(renew(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 1);
    assert_int_equal(renew(1), STORE_LEASE_OTHER);
}

static void C12_a_lease_that_ran_out_goes_to_the_next(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    pass(LEASE_MS);
    assert_int_equal(renew(0), STORE_LEASE_FREE);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 1);
    assert_int_equal(take(1), STORE_LEASE_OURS);
    assert_int_equal(benches[1].lease.epoch, NOW_S + 2);
    assert_int_equal(renew(0), STORE_LEASE_OTHER);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 2);
    assert_int_equal(take(0), STORE_LEASE_OTHER);
}

static void C12_a_lease_that_ran_out_is_taken_up_again_if_nobody_had_it_since(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    pass(LEASE_MS);
    claims[0].epoch = NOW_S + 1;
    assert_int_equal(renew(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 1);
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    pass(LEASE_MS);
    assert_int_equal(take(1), STORE_LEASE_OURS);
    pass(LEASE_MS);
    assert_int_equal(renew(0), STORE_LEASE_FREE);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 2);
    claims[0].epoch = NOW_S + 2;
    release(0);
    assert_int_equal(take(1), STORE_LEASE_OURS);
}

static void C12_a_renewed_lease_lasts_as_long_as_a_new_one(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    pass(LEASE_MS - 10000);
    assert_int_equal(renew(0), STORE_LEASE_OURS);
    pass(LEASE_MS - 10000);
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    assert_in_range(benches[1].lease.remaining_ms, 1, 10000);
}

static void C12_it_is_released_only_by_its_owner(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    release(1);
    assert_int_equal(renew(1), STORE_LEASE_OTHER);
    release(0);
    assert_int_equal(renew(0), STORE_LEASE_FREE);
    assert_int_equal(take(1), STORE_LEASE_OURS);
    assert_int_equal(benches[1].lease.epoch, NOW_S + 2);
    release(0); /* late */
    assert_int_equal(renew(1), STORE_LEASE_OURS);
}

static void C12_a_release_comes_behind_what_was_asked_before(void **state)
{
    (void)state;
    assert_int_equal(
        benches[0].store->operations->take_lease(benches[0].store, &claims[0]), STATUS_OK);
    assert_int_equal(
        benches[0].store->operations->renew_lease(benches[0].store, &claims[0]), STATUS_BUSY);
    assert_int_equal(
        benches[0].store->operations->take_lease(benches[0].store, &claims[0]), STATUS_BUSY);
    assert_int_equal(
        benches[0].store->operations->release_lease(benches[0].store, &claims[0]), STATUS_OK);
    assert_int_equal(answer_of(&benches[0], 0), STORE_LEASE_OURS);
    assert_int_equal(renew(0), STORE_LEASE_FREE);
}

static void C12_a_lease_under_ones_own_id_is_taken_over_at_once_if_that_is_asked(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    claims[1].own_id_at_once = true;
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    claims[1].id = "a";
    claims[1].own_id_at_once = false;
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    claims[1].own_id_at_once = true;
    assert_int_equal(renew(1), STORE_LEASE_OTHER);
    release(1);
    assert_int_equal(take(1), STORE_LEASE_OURS);
    assert_int_equal(benches[1].lease.epoch, NOW_S + 2);
    assert_int_equal(renew(0), STORE_LEASE_OTHER);
}

static void C12_taking_what_is_ones_own_raises_the_epoch(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    assert_int_equal(take(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 2);
}

static void C12_epochs_neither_fall_nor_repeat_whatever_is_wiped(void **state)
{
    (void)state;
    claims[0].heard = 5000;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, 5001);
    wipe();
    assert_int_equal(renew(0), STORE_LEASE_FREE);
    assert_int_equal(benches[0].lease.epoch, 0);
    claims[1].heard = 5001;
    assert_int_equal(take(1), STORE_LEASE_OURS);
    assert_int_equal(benches[1].lease.epoch, 5002);
    claims[1].now.ms = 6000 * 1000;
    assert_int_equal(take(1), STORE_LEASE_OURS);
    assert_int_equal(benches[1].lease.epoch, 6001);
    claims[1].heard = VERSION_EPOCH_HEARD_MAX + 1;
    assert_int_equal(
        benches[1].store->operations->take_lease(benches[1].store, &claims[1]), STATUS_INVALID);
}

static enum store_saved save(size_t index, const struct record *record)
{
    struct store_bench *bench = &benches[index];
    unsigned before = bench->saves;

    assert_int_equal(store_bench_save(bench, record, before), STATUS_OK);
    if (database != NULL) {
        (void)memory_store_run(bench->store);
    } else {
        store_bench_run(bench, &bench->saves, before + 1, 5000);
    }
    return bench->results[before];
}

/* What damaged `<p>:epoch`. */
static void set_epoch(uint64_t epoch)
{
    char command[64];

    if (database != NULL) {
        memory_database_set_epoch(database, epoch);
    } else {
        (void)snprintf(command, sizeof command, "SET shop:epoch %llu", (unsigned long long)epoch);
        redis_server_command(&server, command, "+OK");
    }
}

static void C12_a_stored_epoch_beyond_belief_starts_none_and_deposes_nobody(void **state)
{
    struct record record = store_bench_record("saw", NOW_S + 1, 7);

    (void)state;
    set_epoch(VERSION_EPOCH_HEARD_MAX + 1);
    assert_int_equal(save(0, &record), STORE_SAVE_DONE);
    assert_int_equal(renew(0), STORE_LEASE_FREE);
    assert_int_equal(benches[0].lease.epoch, 0);
    assert_int_equal(take(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 1);
    set_epoch(VERSION_EPOCH_HEARD_MAX);
    record.core.version.rev++;
    assert_int_equal(save(0, &record), STORE_SAVE_STALE_EPOCH);
    assert_int_equal(take(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, VERSION_EPOCH_HEARD_MAX + 1);
}

static void C9_1_a_save_of_an_older_epoch_is_refused_once_another_has_the_lease(void **state)
{
    struct record record = store_bench_record("saw", NOW_S + 1, 7);

    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    pass(LEASE_MS);
    assert_int_equal(take(1), STORE_LEASE_OURS);
    assert_int_equal(save(0, &record), STORE_SAVE_STALE_EPOCH);
}

/* ---- Redis only ---- */

static void C12_the_scripts_survive_a_flush(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    redis_server_command(&server, "SCRIPT FLUSH", "+OK");
    assert_int_equal(renew(0), STORE_LEASE_OURS);
    redis_server_command(&server, "SCRIPT FLUSH", "+OK");
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    redis_server_command(&server, "SCRIPT FLUSH", "+OK");
    release(0);
    assert_int_equal(renew(0), STORE_LEASE_FREE);
    redis_server_command(&server, "SCRIPT FLUSH", "+OK");
    assert_int_equal(take(1), STORE_LEASE_OURS);
}

static void C12_the_scripts_are_loaded_once(void **state)
{
    char before[512];
    char after[512];

    (void)state;
    redis_server_ask(&server, "SCRIPT FLUSH", before, sizeof before);
    assert_int_equal(take(0), STORE_LEASE_OURS); /* loads it again */
    redis_server_command(&server, "CONFIG RESETSTAT", "+OK");
    assert_int_equal(renew(0), STORE_LEASE_OURS);
    assert_int_equal(renew(0), STORE_LEASE_OURS);
    redis_server_ask(&server, "INFO commandstats", after, sizeof after);
    assert_non_null(strstr(after, "cmdstat_evalsha:calls=2"));
    assert_null(strstr(after, "cmdstat_eval:"));
}

static void C12_a_damaged_lease_keeps_nobody_out(void **state)
{
    (void)state;
    redis_server_command(&server, "SET shop:lease \"89ab x\"", "+OK");
    assert_int_equal(renew(0), STORE_LEASE_FREE);
    assert_int_equal(take(0), STORE_LEASE_OURS);
    redis_server_command(&server, "SET shop:lease nonsense PX 60000", "+OK");
    assert_int_equal(take(1), STORE_LEASE_OURS);
    assert_in_range(number_from_redis("PTTL shop:lease"), 1, LEASE_MS);
    redis_server_command(&server, "SET shop:lease 89ab PX 60000", "+OK");
    assert_int_equal(renew(1), STORE_LEASE_FREE);
}

/* What it lasts Redis keeps as a time of the host's wall clock. */
static void C12_a_lease_that_a_clock_put_back_has_stretched_lasts_no_longer_than_any(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    redis_server_command(&server, "PEXPIRE shop:lease 3600000", ":1");
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    assert_in_range(benches[1].lease.remaining_ms, 1, LEASE_MS);
    assert_in_range(number_from_redis("PTTL shop:lease"), 1, LEASE_MS);
    assert_int_equal(renew(0), STORE_LEASE_OURS);
}

static void C12_an_epoch_that_somebody_damaged_counts_as_none(void **state)
{
    (void)state;
    redis_server_command(&server, "SET shop:epoch nonsense", "+OK");
    assert_int_equal(take(0), STORE_LEASE_OURS);
    assert_int_equal(benches[0].lease.epoch, NOW_S + 1);
}

static void C12_what_Redis_refuses_is_told(void **state)
{
    (void)state;
    redis_server_command(&server, "LPUSH shop:lease x", ":1");
    redis_server_command(&server, "PEXPIRE shop:lease 60000", ":1");
    assert_int_equal(take(0), STORE_LEASE_ERROR);
    assert_non_null(strstr(benches[0].trouble, "asked to take the lease: "));
    redis_server_command(&server, "DEL shop:lease", ":1");
    assert_int_equal(take(0), STORE_LEASE_OURS);
}

static void C12_a_connection_that_breaks_is_an_answer_too(void **state)
{
    (void)state;
    redis_server_freeze(&server);
    assert_int_equal(
        benches[0].store->operations->take_lease(benches[0].store, &claims[0]), STATUS_OK);
    redis_server_kill(&server);
    store_bench_run(&benches[0], &benches[0].leases, 1, 20000);
    assert_int_equal(benches[0].lease.lease, STORE_LEASE_ERROR);
    assert_int_equal(
        benches[0].store->operations->take_lease(benches[0].store, &claims[0]),
        STATUS_DISCONNECTED);
    redis_server_restart(&server);
    store_bench_run(&benches[0], &benches[0].ups, 2, 20000);
    assert_int_equal(take(0), STORE_LEASE_OURS);
}

static void C12_a_claim_that_is_no_word_is_refused(void **state)
{
    (void)state;
    claims[0].id = "a b";
    assert_int_equal(
        benches[0].store->operations->take_lease(benches[0].store, &claims[0]), STATUS_INVALID);
    claims[0].id = "";
    assert_int_equal(
        benches[0].store->operations->release_lease(benches[0].store, &claims[0]), STATUS_INVALID);
}

/* ---- memory only ---- */

static void C12_memory_the_lease_runs_out_to_the_millisecond(void **state)
{
    (void)state;
    assert_int_equal(take(0), STORE_LEASE_OURS);
    pass(LEASE_MS - 1);
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    assert_int_equal(benches[1].lease.remaining_ms, 1);
    pass(1);
    assert_int_equal(take(1), STORE_LEASE_OURS);
}

static void C12_memory_a_lost_answer_may_have_been_carried_out(void **state)
{
    (void)state;
    memory_store_fail(benches[0].store, 1, MEMORY_ANSWER_LOST);
    assert_int_equal(take(0), STORE_LEASE_ERROR);
    assert_int_equal(take(1), STORE_LEASE_OTHER);
    memory_store_up(benches[0].store);
    (void)memory_store_run(benches[0].store);
    assert_int_equal(take(0), STORE_LEASE_OURS);
    memory_store_fail(benches[0].store, 1, MEMORY_REFUSED);
    assert_int_equal(renew(0), STORE_LEASE_ERROR);
}

int main(void)
{
#define BOTH(name)                                                                                 \
    {"memory: " #name, name, open_memory, close_stores, NULL},                                     \
    {                                                                                              \
        "Redis: " #name, name, open_redis, close_stores, NULL                                      \
    }
#define MEMORY(name) cmocka_unit_test_setup_teardown(name, open_memory, close_stores)
#define REDIS(name) cmocka_unit_test_setup_teardown(name, open_redis, close_stores)
    const struct CMUnitTest tests[] = {
        BOTH(C12_the_first_takes_it_and_the_other_is_told_who),
        BOTH(C12_a_lease_that_ran_out_goes_to_the_next),
        BOTH(C12_a_lease_that_ran_out_is_taken_up_again_if_nobody_had_it_since),
        BOTH(C12_a_renewed_lease_lasts_as_long_as_a_new_one),
        BOTH(C12_it_is_released_only_by_its_owner),
        BOTH(C12_a_release_comes_behind_what_was_asked_before),
        BOTH(C12_a_lease_under_ones_own_id_is_taken_over_at_once_if_that_is_asked),
        BOTH(C12_taking_what_is_ones_own_raises_the_epoch),
        BOTH(C12_epochs_neither_fall_nor_repeat_whatever_is_wiped),
        BOTH(C12_a_stored_epoch_beyond_belief_starts_none_and_deposes_nobody),
        BOTH(C9_1_a_save_of_an_older_epoch_is_refused_once_another_has_the_lease),
        REDIS(C12_the_scripts_survive_a_flush),
        REDIS(C12_the_scripts_are_loaded_once),
        REDIS(C12_a_damaged_lease_keeps_nobody_out),
        REDIS(C12_a_lease_that_a_clock_put_back_has_stretched_lasts_no_longer_than_any),
        REDIS(C12_an_epoch_that_somebody_damaged_counts_as_none),
        REDIS(C12_what_Redis_refuses_is_told),
        REDIS(C12_a_connection_that_breaks_is_an_answer_too),
        REDIS(C12_a_claim_that_is_no_word_is_refused),
        MEMORY(C12_memory_the_lease_runs_out_to_the_millisecond),
        MEMORY(C12_memory_a_lost_answer_may_have_been_carried_out),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
