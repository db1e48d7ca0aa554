/* The store in memory keeps the rules of the one on Redis, and fails as ordered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "persistence/memory.h"
#include "tests/lib/store_bench.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NO_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static struct memory_database *database;
static struct store_bench bench;
static struct store_bench other; /* a second controller on the same data */

static void open_bench(struct store_bench *opened)
{
    struct store_events events = store_bench_events(opened);

    memset(opened, 0, sizeof *opened);
    assert_int_equal(memory_store_new(database, &events, &opened->store), STATUS_OK);
}

static int open_store(void **state)
{
    (void)state;
    assert_int_equal(memory_database_new(&database), STATUS_OK);
    open_bench(&bench);
    open_bench(&other);
    memory_store_up(bench.store);
    memory_store_up(other.store);
    assert_int_equal(memory_store_run(bench.store), 1);
    assert_int_equal(bench.ups, 1);
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    bench.inside_call = true;
    bench.store->operations->close(bench.store);
    other.store->operations->close(other.store);
    memory_database_free(database);
    return 0;
}

static enum status save_version(uint64_t epoch, uint32_t rev)
{
    struct record record = store_bench_record("saw", epoch, rev);
    return store_bench_save(&bench, &record, rev);
}

static enum store_saved saved(uint64_t epoch, uint32_t rev)
{
    unsigned before = bench.saves;

    assert_int_equal(save_version(epoch, rev), STATUS_OK);
    assert_int_equal(bench.saves, before);
    assert_int_equal(memory_store_run(bench.store), 1);
    assert_int_equal(bench.saves, before + 1);
    return bench.results[before];
}

static uint64_t take_epoch(struct store_bench *by, uint64_t heard, int64_t now_ms)
{
    struct store_claim claim = store_bench_claim(heard, now_ms);

    assert_int_equal(by->store->operations->take_lease(by->store, &claim), STATUS_OK);
    (void)memory_store_run(by->store);
    assert_int_equal(by->lease.lease, STORE_LEASE_OURS);
    return by->lease.epoch;
}

static void C9_1_versions_are_judged_as_by_the_script(void **state)
{
    (void)state;
    assert_int_equal(saved(10, 5), STORE_SAVE_DONE);
    assert_int_equal(saved(10, 5), STORE_SAVE_DONE);
    assert_int_equal(saved(10, 4), STORE_SAVE_STALE_VERSION);
    assert_string_equal(bench.save_reason, "VERSION 10 5");
    assert_int_equal(saved(9, 6), STORE_SAVE_STALE_VERSION);
    assert_int_equal(saved(11, 0), STORE_SAVE_DONE);
    assert_int_equal(take_epoch(&other, 20, 0), 21);
    assert_int_equal(saved(20, 9), STORE_SAVE_STALE_EPOCH);
    assert_string_equal(bench.save_reason, "EPOCH 21");
    assert_int_equal(saved(21, 0), STORE_SAVE_DONE);
}

static void C12_epochs_grow_over_two_stores_and_a_wipe(void **state)
{
    (void)state;
    assert_int_equal(take_epoch(&bench, 0, 1000999), 1001);
    assert_int_equal(take_epoch(&other, 0, 1000999), 1002);
    memory_database_wipe(database);
    assert_int_equal(take_epoch(&bench, 1002, 1000999), 1003);
    assert_int_equal(memory_database_epoch(database), 1003);
}

static void C9_1_a_load_tells_only_what_was_kept(void **state)
{
    static const char *const machines[] = {"nobody", "saw"};
    struct record record = store_bench_record("saw", 3, 4);

    (void)state;
    record.core.heard = true;
    record.core.session_started = (struct mono_time){55};
    record.save_timeouts = 9;
    assert_int_equal(store_bench_save(&bench, &record, 1), STATUS_OK);
    assert_int_equal(bench.store->operations->load(bench.store, machines, 2), STATUS_OK);
    assert_int_equal(bench.store->operations->load(bench.store, machines, 2), STATUS_BUSY);
    assert_int_equal(memory_store_waiting(bench.store), 2);
    assert_int_equal(memory_store_run(bench.store), 3);
    assert_true(bench.loaded_ok);
    assert_int_equal(bench.records, 1);
    assert_false(bench.last_record.core.heard);
    assert_int_equal(bench.last_record.core.session_started.ms, 0);
    assert_int_equal(bench.last_record.save_timeouts, 9);
}

static void C9_1_a_damaged_record_is_told_with_its_reason(void **state)
{
    static const char *const machines[] = {"saw"};
    struct record record = store_bench_record("saw", 3, 4);
    struct record kept;

    (void)state;
    record.core.locked_out = true;
    record.core.mode = CORE_LOCKOUT;
    assert_int_equal(memory_database_put(database, &record), STATUS_OK);
    assert_int_equal(memory_database_set_field(database, "saw", "mode", "flying"), STATUS_OK);
    assert_int_equal(memory_database_set_field(database, "saw", "fw", NULL), STATUS_OK);
    assert_int_equal(bench.store->operations->load(bench.store, machines, 1), STATUS_OK);
    (void)memory_store_run(bench.store);
    assert_int_equal(bench.bad_records, 1);
    assert_non_null(strstr(bench.bad_reason, "mode can't be read"));
    assert_non_null(strstr(bench.bad_reason, "fw is missing"));
    assert_true(bench.last_record.core.locked_out);
    assert_true(memory_database_get(database, "saw", &kept));
    assert_false(memory_database_get(database, "lathe", &kept));
}

static void C8_1_the_card_key_is_made_once(void **state)
{
    (void)state;
    assert_int_equal(bench.store->operations->card_key(bench.store, KEY_A), STATUS_OK);
    assert_int_equal(other.store->operations->card_key(other.store, KEY_B), STATUS_OK);
    (void)memory_store_run(bench.store);
    (void)memory_store_run(other.store);
    assert_string_equal(bench.card_key, KEY_A);
    assert_string_equal(other.card_key, KEY_A);
    assert_int_equal(bench.store->operations->card_key(bench.store, "short"), STATUS_INVALID);
    assert_int_equal(bench.store->operations->card_key(bench.store, NO_KEY), STATUS_INVALID);
}

static void frozen_nothing_is_carried_out_until_the_thaw(void **state)
{
    (void)state;
    memory_store_freeze(bench.store, true);
    assert_int_equal(save_version(1, 1), STATUS_OK);
    assert_int_equal(save_version(1, 2), STATUS_OK);
    assert_int_equal(memory_store_run(bench.store), 0);
    assert_true(bench.store->operations->is_up(bench.store));
    assert_int_equal(memory_database_count(database), 0);
    memory_store_freeze(bench.store, false);
    assert_int_equal(memory_store_run(bench.store), 2);
    assert_int_equal(bench.tokens[0], 1);
    assert_int_equal(bench.tokens[1], 2);
    assert_int_equal(memory_database_count(database), 1);
}

static void a_break_loses_what_waits_after_saying_so(void **state)
{
    (void)state;
    assert_int_equal(save_version(1, 1), STATUS_OK);
    memory_store_down(bench.store, "pulled", false);
    assert_int_equal(save_version(1, 2), STATUS_DISCONNECTED);
    assert_int_equal(memory_store_run(bench.store), 2);
    assert_int_equal(bench.downs, 1);
    assert_string_equal(bench.down_reason, "pulled");
    assert_int_equal(bench.results[0], STORE_SAVE_LOST);
    assert_int_equal(memory_database_count(database), 0);
    memory_store_up(bench.store);
    assert_int_equal(memory_store_run(bench.store), 1);
    assert_int_equal(bench.ups, 2);
}

static void a_lost_answer_may_have_been_carried_out(void **state)
{
    (void)state;
    assert_int_equal(save_version(1, 1), STATUS_OK);
    memory_store_down(bench.store, "pulled", true);
    (void)memory_store_run(bench.store);
    assert_int_equal(bench.results[0], STORE_SAVE_LOST);
    assert_int_equal(memory_database_count(database), 1);
}

/* The nth call, and no other, has its fault; whatever fault it is, each call that was taken is
 * answered once. */
static void a_fault_strikes_the_call_that_it_was_ordered_for(void **state)
{
    static const enum memory_fault faults[] = {
        MEMORY_CALL_FAILS, MEMORY_REFUSED, MEMORY_ANSWER_LOST, MEMORY_REQUEST_LOST};

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        for (unsigned nth = 1; nth <= 4; nth++) {
            unsigned taken = 0;

            memory_database_wipe(database);
            bench.saves = 0;
            memory_store_up(bench.store);
            (void)memory_store_run(bench.store);
            memory_store_fail(bench.store, nth, faults[i]);
            for (uint32_t rev = 1; rev <= 3; rev++) {
                enum status status = save_version(1, rev);
                bool fails = nth == rev && faults[i] == MEMORY_CALL_FAILS;
                assert_int_equal(status, fails ? STATUS_NO_MEMORY : STATUS_OK);
                taken += status == STATUS_OK;
            }
            assert_int_equal(memory_store_fault_waits(bench.store), nth == 4);
            (void)memory_store_run(bench.store);
            assert_int_equal(bench.saves, taken);
            assert_int_equal(memory_store_waiting(bench.store), 0);
            bool breaks =
                nth < 4 && (faults[i] == MEMORY_ANSWER_LOST || faults[i] == MEMORY_REQUEST_LOST);
            assert_int_equal(bench.store->operations->is_up(bench.store), !breaks);
            for (unsigned j = 0; faults[i] != MEMORY_CALL_FAILS && j < taken; j++) {
                enum store_saved expected = breaks && j + 1 >= nth ? STORE_SAVE_LOST
                                            : faults[i] == MEMORY_REFUSED && j + 1 == nth
                                                ? STORE_SAVE_REFUSED
                                                : STORE_SAVE_DONE;
                assert_int_equal(bench.results[j], expected);
            }
            struct record kept = {.event_n = 0};
            bool found = memory_database_get(database, "saw", &kept);
            if (breaks) {
                uint32_t rev = faults[i] == MEMORY_ANSWER_LOST ? nth : nth - 1;
                assert_int_equal(found, rev > 0);
                assert_int_equal(kept.core.version.rev, rev);
            }
            memory_store_fail(bench.store, 0, faults[i]);
        }
    }
}

static enum store_saved save_blocks(uint64_t epoch, uint32_t rev, const char *text)
{
    const struct store_operations *operations = bench.store->operations;
    struct version version = {epoch, rev};

    assert_int_equal(operations->save_blocks(bench.store, version, text), STATUS_OK);
    assert_int_equal(operations->save_blocks(bench.store, version, text), STATUS_BUSY);
    assert_int_equal(memory_store_run(bench.store), 1);
    return bench.blocks_result;
}

static const char *load_blocks(struct store_bench *by)
{
    assert_int_equal(by->store->operations->load_blocks(by->store), STATUS_OK);
    assert_int_equal(by->store->operations->load_blocks(by->store), STATUS_BUSY);
    (void)memory_store_run(by->store);
    return by->blocks_ok ? by->blocks_text : "an error";
}

static void C6_blocked_cards_are_judged_as_by_the_script(void **state)
{
    (void)state;
    assert_string_equal(load_blocks(&bench), "none");
    assert_int_equal(save_blocks(10, 5, "one"), STORE_SAVE_DONE);
    assert_int_equal(save_blocks(10, 5, "two"), STORE_SAVE_DONE);
    assert_int_equal(save_blocks(10, 4, "three"), STORE_SAVE_STALE_VERSION);
    assert_string_equal(load_blocks(&other), "two");
    assert_int_equal(take_epoch(&other, 20, 0), 21);
    assert_int_equal(save_blocks(20, 9, "four"), STORE_SAVE_STALE_EPOCH);
    assert_int_equal(save_blocks(21, 0, "five"), STORE_SAVE_DONE);
    assert_string_equal(load_blocks(&other), "five");
    memory_database_wipe(database);
    assert_string_equal(load_blocks(&other), "none");
}

static void C6_blocked_cards_fail_as_ordered(void **state)
{
    (void)state;
    memory_store_fail(bench.store, 1, MEMORY_REFUSED);
    assert_int_equal(save_blocks(1, 1, "one"), STORE_SAVE_REFUSED);
    assert_string_equal(bench.blocks_reason, "ERR ordered to fail");
    memory_store_fail(bench.store, 1, MEMORY_REFUSED);
    assert_string_equal(load_blocks(&bench), "an error");
    memory_store_down(bench.store, "pulled", false);
    assert_int_equal(bench.store->operations->load_blocks(bench.store), STATUS_DISCONNECTED);
    assert_int_equal(
        bench.store->operations->save_blocks(bench.store, (struct version){1, 1}, "x"),
        STATUS_DISCONNECTED);
}

static void C6_a_machine_is_forgotten_in_its_turn(void **state)
{
    (void)state;
    assert_int_equal(save_version(1, 5), STATUS_OK);
    assert_int_equal(bench.store->operations->forget(bench.store, "saw"), STATUS_OK);
    assert_int_equal(bench.store->operations->forget(bench.store, "nobody"), STATUS_OK);
    assert_int_equal(memory_database_count(database), 0);
    assert_int_equal(memory_store_run(bench.store), 1);
    assert_int_equal(bench.results[0], STORE_SAVE_DONE);
    assert_int_equal(memory_database_count(database), 0);
    assert_int_equal(saved(1, 1), STORE_SAVE_DONE);
    memory_store_down(bench.store, "pulled", false);
    assert_int_equal(bench.store->operations->forget(bench.store, "saw"), STATUS_DISCONNECTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C9_1_versions_are_judged_as_by_the_script),
        TEST(C12_epochs_grow_over_two_stores_and_a_wipe),
        TEST(C9_1_a_load_tells_only_what_was_kept),
        TEST(C9_1_a_damaged_record_is_told_with_its_reason),
        TEST(C8_1_the_card_key_is_made_once),
        TEST(frozen_nothing_is_carried_out_until_the_thaw),
        TEST(a_break_loses_what_waits_after_saying_so),
        TEST(a_lost_answer_may_have_been_carried_out),
        TEST(C6_blocked_cards_are_judged_as_by_the_script),
        TEST(C6_blocked_cards_fail_as_ordered),
        TEST(C6_a_machine_is_forgotten_in_its_turn),
        TEST(a_fault_strikes_the_call_that_it_was_ordered_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
