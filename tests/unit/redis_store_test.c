/* C9.1 and C12's epoch on a real Redis: what is asked of the store, and what it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/clock.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/store_bench.h"

#define FLEET 5000
#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NO_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static struct redis_server server;
static struct store_bench bench;

static int start_server(void **state)
{
    (void)state;
    redis_server_start(&server, "");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

static int open_store(void **state)
{
    struct store_events events = store_bench_events(&bench);
    struct redis_options options = {
        .url = server.url, .username = "tagout", .password = "tagout", .prefix = "shop"};
    TEXT_LOCAL(why, 256);

    (void)state;
    redis_server_command(&server, "FLUSHALL", "+OK");
    memset(&bench, 0, sizeof bench);
    bench.base = event_base_new();
    options.base = bench.base;
    assert_int_equal(redis_store_new(&options, &events, &bench.store, &why), STATUS_OK);
    assert_false(bench.store->operations->is_up(bench.store));
    store_bench_run(&bench, &bench.ups, 1, 5000);
    assert_true(bench.store->operations->is_up(bench.store));
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    bench.store->operations->close(bench.store);
    event_base_free(bench.base);
    return 0;
}

static enum store_saved save(const struct record *record)
{
    static uint64_t token = 100;
    unsigned before = bench.saves;

    assert_int_equal(store_bench_save(&bench, record, ++token), STATUS_OK);
    store_bench_run(&bench, &bench.saves, before + 1, 5000);
    assert_int_equal(bench.tokens[before], token);
    return bench.results[before];
}

static enum store_saved save_version(uint64_t epoch, uint32_t rev)
{
    struct record record = store_bench_record("saw", epoch, rev);
    return save(&record);
}

static void load(const char *const machines[], size_t count)
{
    unsigned before = bench.loads;

    assert_int_equal(bench.store->operations->load(bench.store, machines, count), STATUS_OK);
    store_bench_run(&bench, &bench.loads, before + 1, 20000);
}

static uint64_t take_epoch(uint64_t heard, int64_t now_s)
{
    unsigned before = bench.leases;
    struct store_claim claim = store_bench_claim(heard, now_s * 1000 + 999);

    assert_int_equal(bench.store->operations->take_lease(bench.store, &claim), STATUS_OK);
    assert_int_equal(bench.store->operations->take_lease(bench.store, &claim), STATUS_BUSY);
    store_bench_run(&bench, &bench.leases, before + 1, 5000);
    return bench.lease.lease == STORE_LEASE_OURS ? bench.lease.epoch : 0;
}

static void C9_1_a_saved_record_is_loaded(void **state)
{
    static const char *const machines[] = {"lathe", "saw", "nobody"};
    struct record record = store_bench_record("saw", 7, 8);

    (void)state;
    record.core.locked_out = true;
    record.core.mode = CORE_LOCKOUT;
    text_copy(record.lockout_reason, sizeof record.lockout_reason, "blade \"dull\"\r\n✂");
    assert_int_equal(save(&record), STORE_SAVE_DONE);
    load(machines, 3);
    assert_true(bench.loaded_ok);
    assert_int_equal(bench.records, 1);
    assert_int_equal(bench.bad_records, 0);
    assert_string_equal(bench.last_record.machine, "saw");
    assert_true(bench.last_record.core.locked_out);
    assert_string_equal(bench.last_record.lockout_reason, record.lockout_reason);
    assert_int_equal(bench.last_record.core.version.epoch, 7);
    assert_int_equal(bench.last_record.core.version.rev, 8);
    redis_server_command(&server, "HGET shop:machine:saw mode", "$7\r\nlockout");
}

static uint32_t revs_seen[FLEET];

static void see(const struct record *record)
{
    long index = strtol(record->machine + 1, NULL, 10);

    assert_in_range(index, 0, FLEET - 1);
    revs_seen[index] = record->core.version.rev;
}

static void C9_1_five_thousand_machines_are_saved_and_read_back(void **state)
{
    static char names[FLEET][16];
    static const char *machines[FLEET];
    int64_t start = clock_now().mono.ms;

    (void)state;
    for (uint32_t i = 0; i < FLEET; i++) {
        (void)snprintf(names[i], sizeof names[i], "m%u", i);
        machines[i] = names[i];
        struct record record = store_bench_record(names[i], 5, i + 1);
        record.core.oopsed = true;
        record.core.mode = CORE_OOPS;
        assert_int_equal(store_bench_save(&bench, &record, i), STATUS_OK);
    }
    store_bench_run(&bench, &bench.saves, FLEET, 30000);
    int64_t saved = clock_now().mono.ms;
    for (uint32_t i = 0; i < FLEET; i++) {
        assert_int_equal(bench.results[i], STORE_SAVE_DONE);
        assert_int_equal(bench.tokens[i], i);
    }
    memset(revs_seen, 0, sizeof revs_seen);
    bench.on_record = see;
    load(machines, FLEET);
    print_message(
        "saved in %d ms, loaded in %d ms, the loop stood still for at most %d ms\n",
        (int)(saved - start), (int)(clock_now().mono.ms - saved), (int)bench.longest_turn_ms);
    assert_true(bench.loaded_ok);
    assert_int_equal(bench.records, FLEET);
    for (uint32_t i = 0; i < FLEET; i++) {
        assert_int_equal(revs_seen[i], i + 1);
    }
    assert_true(bench.last_record.core.oopsed);
}

static void C9_1_an_older_version_is_refused_and_an_equal_one_written(void **state)
{
    (void)state;
    assert_int_equal(save_version(10, 5), STORE_SAVE_DONE);
    assert_int_equal(save_version(10, 5), STORE_SAVE_DONE);
    assert_int_equal(save_version(10, 4), STORE_SAVE_STALE_VERSION);
    assert_string_equal(bench.save_reason, "VERSION 10 5");
    assert_int_equal(save_version(9, 99), STORE_SAVE_STALE_VERSION);
    redis_server_command(&server, "HGET shop:machine:saw rev", "$1\r\n5");
    assert_int_equal(save_version(10, UINT32_MAX), STORE_SAVE_DONE);
    assert_int_equal(save_version(10, UINT32_MAX - 1), STORE_SAVE_STALE_VERSION);
    assert_int_equal(save_version(11, 0), STORE_SAVE_DONE);
    assert_int_equal(save_version(VERSION_EPOCH_MAX, 1), STORE_SAVE_DONE);
    assert_int_equal(save_version(VERSION_EPOCH_MAX - 1, 1), STORE_SAVE_STALE_VERSION);
}

static void C9_1_an_epoch_below_the_stored_one_is_refused(void **state)
{
    (void)state;
    redis_server_command(&server, "SET shop:epoch 20", "+OK");
    assert_int_equal(save_version(19, 9), STORE_SAVE_STALE_EPOCH);
    assert_string_equal(bench.save_reason, "EPOCH 20");
    redis_server_command(&server, "EXISTS shop:machine:saw", ":0");
    assert_int_equal(save_version(20, 1), STORE_SAVE_DONE);
    assert_int_equal(save_version(21, 1), STORE_SAVE_DONE);
}

static void C9_1_damaged_numbers_block_no_save(void **state)
{
    static const char *const rubbish[] = {"nan", "-5", "1e300", "x", "7.5", "inf"};

    (void)state;
    for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
        char command[128];
        (void)snprintf(
            command, sizeof command, "HSET shop:machine:saw epoch %s rev %s", rubbish[i],
            rubbish[i]);
        redis_server_command(&server, command, ":");
        (void)snprintf(command, sizeof command, "SET shop:epoch %s", rubbish[i]);
        redis_server_command(&server, command, "+OK");
        assert_int_equal(save_version(3, 1), STORE_SAVE_DONE);
        assert_int_equal(take_epoch(0, 1000), 1001);
        redis_server_command(&server, "DEL shop:epoch shop:machine:saw", ":2");
    }
}

static void C12_a_claim_that_makes_no_sense_is_not_sent(void **state)
{
    const struct store_claim good = store_bench_claim(0, 1000);
    struct store_claim bad[7];
    char longest[80];

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < 7; i++) {
        bad[i] = good;
    }
    bad[0].id = "";
    bad[1].id = "one two";
    bad[2].id = longest;
    bad[3].token = "";
    bad[4].token = longest;
    bad[5].duration_ms = 0;
    bad[6].heard = VERSION_EPOCH_HEARD_MAX + 1;
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(bench.store->operations->take_lease(bench.store, &bad[i]), STATUS_INVALID);
    }
    assert_int_equal(take_epoch(0, -1), 1); /* before 1970 counts as no time */
}

static void one_question_of_a_kind_is_under_way_at_a_time(void **state)
{
    const struct store_operations *operations = bench.store->operations;
    const struct version version = {1, 1};

    (void)state;
    assert_int_equal(operations->card_key(bench.store, KEY_A), STATUS_OK);
    assert_int_equal(operations->card_key(bench.store, KEY_A), STATUS_BUSY);
    assert_int_equal(operations->card_key(bench.store, "no key"), STATUS_BUSY);
    assert_int_equal(operations->load_blocks(bench.store), STATUS_OK);
    assert_int_equal(operations->load_blocks(bench.store), STATUS_BUSY);
    assert_int_equal(operations->save_blocks(bench.store, version, "{}"), STATUS_OK);
    assert_int_equal(operations->save_blocks(bench.store, version, "{}"), STATUS_BUSY);
    store_bench_run(&bench, &bench.blocks_saves, 1, 5000);
    assert_int_equal(bench.card_keys, 1);
    assert_int_equal(bench.blocks, 1);
    assert_int_equal(operations->card_key(bench.store, "no key"), STATUS_INVALID);
}

static void whoever_closes_with_questions_under_way_hears_no_more(void **state)
{
    static const char *const machines[] = {"saw"};
    const struct store_claim claim = store_bench_claim(0, 1000);
    const struct record record = store_bench_record("saw", 1, 1);
    const struct store_operations *operations = bench.store->operations;

    (void)state;
    assert_int_equal(operations->card_key(bench.store, KEY_A), STATUS_OK);
    assert_int_equal(operations->load(bench.store, machines, 1), STATUS_OK);
    assert_int_equal(operations->take_lease(bench.store, &claim), STATUS_OK);
    assert_int_equal(operations->load_blocks(bench.store), STATUS_OK);
    assert_int_equal(operations->save_blocks(bench.store, (struct version){1, 1}, "{}"), STATUS_OK);
    assert_int_equal(store_bench_save(&bench, &record, 1), STATUS_OK);
    assert_int_equal(operations->forget(bench.store, "lathe"), STATUS_OK);
    bench.inside_call = true; /* nothing is called back: teardown closes it */
}

static void C9_1_a_flushed_script_is_loaded_again_for_the_next_save(void **state)
{
    (void)state;
    assert_int_equal(save_version(1, 1), STORE_SAVE_DONE);
    redis_server_command(&server, "SCRIPT FLUSH", "+OK");
    assert_int_equal(save_version(1, 2), STORE_SAVE_LOST);
    assert_int_equal(save_version(1, 2), STORE_SAVE_DONE);
    assert_int_equal(save_version(1, 3), STORE_SAVE_DONE);
    assert_int_equal(save_version(1, 2), STORE_SAVE_STALE_VERSION);
}

static void C9_1_a_script_that_cannot_be_loaded_is_a_refusal(void **state)
{
    (void)state;
    assert_int_equal(save_version(1, 1), STORE_SAVE_DONE);
    redis_server_command(&server, "SCRIPT FLUSH", "+OK");
    redis_server_command(&server, "ACL SETUSER tagout -script|load", "+OK");
    assert_int_equal(save_version(1, 2), STORE_SAVE_LOST);
    assert_int_equal(save_version(1, 2), STORE_SAVE_REFUSED);
    redis_server_command(&server, "ACL SETUSER tagout +script|load", "+OK");
    assert_int_equal(save_version(1, 2), STORE_SAVE_REFUSED);
    assert_int_equal(save_version(1, 2), STORE_SAVE_DONE);
}

static void C9_1_a_redis_without_memory_refuses_with_its_reason(void **state)
{
    (void)state;
    redis_server_command(&server, "CONFIG SET maxmemory 1", "+OK");
    assert_int_equal(save_version(1, 1), STORE_SAVE_REFUSED);
    assert_non_null(strstr(bench.save_reason, "OOM"));
    assert_int_equal(take_epoch(0, 1000), 0);
    assert_non_null(strstr(bench.trouble, "asked to take the lease: OOM"));
    redis_server_command(&server, "CONFIG SET maxmemory 0", "+OK");
    assert_int_equal(save_version(1, 1), STORE_SAVE_DONE);
}

static void C9_1_a_read_only_replica_refuses_with_its_reason(void **state)
{
    (void)state;
    redis_server_command(&server, "REPLICAOF 127.0.0.1 1", "+OK");
    assert_int_equal(save_version(1, 1), STORE_SAVE_REFUSED);
    assert_non_null(strstr(bench.save_reason, "READONLY"));
    redis_server_command(&server, "REPLICAOF NO ONE", "+OK");
    assert_int_equal(save_version(1, 1), STORE_SAVE_DONE);
}

static void C9_1_damaged_records_are_reported_and_the_rest_is_loaded(void **state)
{
    static const char *const machines[] = {"saw", "list", "foreign", "lathe"};
    struct record record = store_bench_record("saw", 4, 4);

    (void)state;
    record.core.locked_out = true;
    record.core.mode = CORE_LOCKOUT;
    assert_int_equal(save(&record), STORE_SAVE_DONE);
    text_copy(record.machine, sizeof record.machine, "lathe");
    assert_int_equal(save(&record), STORE_SAVE_DONE);
    redis_server_command(&server, "HSET shop:machine:saw mode flying", ":0");
    redis_server_command(&server, "HSET shop:machine:foreign name value", ":1");
    redis_server_command(&server, "RPUSH shop:machine:list one", ":1");
    load(machines, 1);
    assert_int_equal(bench.bad_records, 1);
    assert_string_equal(bench.bad_machine, "saw");
    assert_non_null(strstr(bench.bad_reason, "mode can't be read"));
    assert_true(bench.last_record.core.locked_out);
    load(machines, 4);
    assert_true(bench.loaded_ok);
    assert_int_equal(bench.bad_records, 4);
    assert_int_equal(bench.records, 3);
    assert_string_equal(bench.last_record.machine, "lathe");
    assert_string_equal(bench.bad_machine, "foreign");
}

static void C9_1_one_load_at_a_time_and_none_is_one_too(void **state)
{
    static const char *const machines[] = {"saw"};

    (void)state;
    bench.inside_call = true;
    assert_int_equal(bench.store->operations->load(bench.store, NULL, 0), STATUS_OK);
    assert_int_equal(bench.store->operations->load(bench.store, machines, 1), STATUS_BUSY);
    bench.inside_call = false;
    store_bench_run(&bench, &bench.loads, 1, 5000);
    assert_true(bench.loaded_ok);
    assert_int_equal(bench.records, 0);
}

static void C12_an_epoch_is_above_the_stored_one_the_time_and_all_heard(void **state)
{
    (void)state;
    assert_int_equal(take_epoch(0, 1000), 1001);
    assert_int_equal(take_epoch(0, 1000), 1002);
    assert_int_equal(take_epoch(5000, 1000), 5001);
    assert_int_equal(take_epoch(10, 6000), 6001);
    redis_server_command(&server, "GET shop:epoch", "$4\r\n6001");
}

static void C12_an_epoch_never_falls_whatever_is_wiped(void **state)
{
    (void)state;
    uint64_t first = take_epoch(0, 1700000000);
    redis_server_command(&server, "FLUSHALL", "+OK");
    uint64_t second = take_epoch(first, 1700000000);
    assert_true(second > first);
    redis_server_command(&server, "FLUSHALL", "+OK");
    assert_true(take_epoch(0, (int64_t)second + 1) > second);
}

static const char *card_key(const char *offer)
{
    unsigned before = bench.card_keys;

    assert_int_equal(bench.store->operations->card_key(bench.store, offer), STATUS_OK);
    store_bench_run(&bench, &bench.card_keys, before + 1, 5000);
    return bench.card_key_ok ? bench.card_key : "none";
}

static void C8_1_the_card_key_is_made_once(void **state)
{
    (void)state;
    assert_string_equal(card_key(KEY_A), KEY_A);
    assert_string_equal(card_key(KEY_B), KEY_A);
    assert_int_equal(bench.store->operations->card_key(bench.store, "short"), STATUS_INVALID);
    redis_server_command(&server, "SET shop:card_key garbage", "+OK");
    assert_string_equal(card_key(KEY_B), "none");
    assert_string_equal(bench.trouble, "reading the card key: not 64 hex digits");
    assert_int_equal(bench.store->operations->card_key(bench.store, NO_KEY), STATUS_INVALID);
    redis_server_command(&server, "SET shop:card_key " NO_KEY, "+OK");
    assert_string_equal(card_key(KEY_B), "none");
}

static enum store_saved save_blocks(uint64_t epoch, uint32_t rev, const char *text)
{
    const struct store_operations *operations = bench.store->operations;
    struct version version = {epoch, rev};
    unsigned before = bench.blocks_saves;

    assert_int_equal(operations->save_blocks(bench.store, version, text), STATUS_OK);
    assert_int_equal(operations->save_blocks(bench.store, version, text), STATUS_BUSY);
    store_bench_run(&bench, &bench.blocks_saves, before + 1, 5000);
    return bench.blocks_result;
}

static const char *load_blocks(void)
{
    const struct store_operations *operations = bench.store->operations;
    unsigned before = bench.blocks;

    assert_int_equal(operations->load_blocks(bench.store), STATUS_OK);
    assert_int_equal(operations->load_blocks(bench.store), STATUS_BUSY);
    store_bench_run(&bench, &bench.blocks, before + 1, 5000);
    return bench.blocks_ok ? bench.blocks_text : "an error";
}

static void C6_blocked_cards_are_kept_under_a_version_of_their_own(void **state)
{
    (void)state;
    assert_string_equal(load_blocks(), "none");
    assert_int_equal(save_blocks(10, 5, "{\"a\": \"\xe2\x9c\x82 \\r\\n\"}"), STORE_SAVE_DONE);
    assert_string_equal(load_blocks(), "{\"a\": \"\xe2\x9c\x82 \\r\\n\"}");
    assert_int_equal(save_blocks(10, 5, "same version"), STORE_SAVE_DONE);
    assert_int_equal(save_blocks(10, 4, "older"), STORE_SAVE_STALE_VERSION);
    assert_string_equal(bench.blocks_reason, "VERSION 10 5");
    assert_string_equal(load_blocks(), "same version");
    redis_server_command(&server, "SET shop:epoch 20", "+OK");
    assert_int_equal(save_blocks(19, 9, "deposed"), STORE_SAVE_STALE_EPOCH);
    assert_int_equal(save_blocks(20, 0, "newer"), STORE_SAVE_DONE);
    assert_string_equal(load_blocks(), "newer");
    assert_int_equal(save_version(20, 1), STORE_SAVE_DONE);
}

static void C6_blocked_cards_that_cannot_be_read_or_kept_are_an_error(void **state)
{
    (void)state;
    redis_server_command(&server, "SET shop:blocks rubbish", "+OK");
    assert_string_equal(load_blocks(), "an error");
    assert_non_null(strstr(bench.trouble, "reading the blocked cards: WRONGTYPE"));
    assert_int_equal(save_blocks(1, 1, "x"), STORE_SAVE_REFUSED);
    redis_server_command(&server, "DEL shop:blocks", ":1");
    redis_server_command(&server, "CONFIG SET maxmemory 1", "+OK");
    assert_int_equal(save_blocks(1, 1, "x"), STORE_SAVE_REFUSED);
    assert_non_null(strstr(bench.blocks_reason, "OOM"));
    redis_server_command(&server, "CONFIG SET maxmemory 0", "+OK");
}

static void C6_blocked_cards_may_be_many(void **state)
{
    char *text = malloc(STORE_BLOCKS_MAX);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', STORE_BLOCKS_MAX - 1);
    text[STORE_BLOCKS_MAX - 1] = '\0';
    assert_int_equal(save_blocks(1, 1, text), STORE_SAVE_DONE);
    redis_server_command(&server, "HSTRLEN shop:blocks document", ":1048575");
    assert_true(strlen(load_blocks()) == sizeof bench.blocks_text - 1);
    free(text);
}

static void C6_a_machine_is_forgotten_and_no_other(void **state)
{
    static const char *const machines[] = {"saw", "saw2"};
    struct record record = store_bench_record("saw2", 1, 1);

    (void)state;
    assert_int_equal(save_version(1, 1), STORE_SAVE_DONE);
    assert_int_equal(save(&record), STORE_SAVE_DONE);
    assert_int_equal(bench.store->operations->forget(bench.store, "saw"), STATUS_OK);
    assert_int_equal(bench.store->operations->forget(bench.store, "nobody"), STATUS_OK);
    load(machines, 2);
    assert_int_equal(bench.records, 1);
    assert_string_equal(bench.last_record.machine, "saw2");
    redis_server_command(&server, "EXISTS shop:machine:saw", ":0");
    assert_int_equal(save_version(1, 0), STORE_SAVE_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C9_1_a_saved_record_is_loaded),
        TEST(C9_1_five_thousand_machines_are_saved_and_read_back),
        TEST(C9_1_an_older_version_is_refused_and_an_equal_one_written),
        TEST(C9_1_an_epoch_below_the_stored_one_is_refused),
        TEST(C9_1_damaged_numbers_block_no_save),
        TEST(C12_a_claim_that_makes_no_sense_is_not_sent),
        TEST(one_question_of_a_kind_is_under_way_at_a_time),
        TEST(whoever_closes_with_questions_under_way_hears_no_more),
        TEST(C9_1_a_flushed_script_is_loaded_again_for_the_next_save),
        TEST(C9_1_a_script_that_cannot_be_loaded_is_a_refusal),
        TEST(C9_1_a_redis_without_memory_refuses_with_its_reason),
        TEST(C9_1_a_read_only_replica_refuses_with_its_reason),
        TEST(C9_1_damaged_records_are_reported_and_the_rest_is_loaded),
        TEST(C9_1_one_load_at_a_time_and_none_is_one_too),
        TEST(C12_an_epoch_is_above_the_stored_one_the_time_and_all_heard),
        TEST(C12_an_epoch_never_falls_whatever_is_wiped),
        TEST(C8_1_the_card_key_is_made_once),
        TEST(C6_blocked_cards_are_kept_under_a_version_of_their_own),
        TEST(C6_blocked_cards_that_cannot_be_read_or_kept_are_an_error),
        TEST(C6_blocked_cards_may_be_many),
        TEST(C6_a_machine_is_forgotten_and_no_other),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
