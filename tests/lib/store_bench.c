#include "tests/lib/store_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <string.h>

#include "controller/support/clock.h"

#define BUSY 6 /* so many times as long a busy host may take */

static struct store_bench *called(void *context)
{
    struct store_bench *bench = context;

    assert_false(bench->inside_call);
    return bench;
}

static void on_up(void *context)
{
    called(context)->ups++;
}

static void on_down(void *context, enum store_down down, const char *reason)
{
    struct store_bench *bench = called(context);

    bench->downs++;
    bench->down = down;
    text_copy(bench->down_reason, sizeof bench->down_reason, reason);
}

static void on_record(void *context, const struct record *record)
{
    struct store_bench *bench = called(context);

    bench->records++;
    bench->last_record = *record;
    if (bench->on_record != NULL) {
        bench->on_record(record);
    }
}

static void on_bad_record(void *context, const char *machine, const char *reason)
{
    struct store_bench *bench = called(context);

    bench->bad_records++;
    text_copy(bench->bad_machine, sizeof bench->bad_machine, machine);
    text_copy(bench->bad_reason, sizeof bench->bad_reason, reason);
}

static void on_loaded(void *context, bool ok)
{
    struct store_bench *bench = called(context);

    bench->loads++;
    bench->loaded_ok = ok;
}

static void on_lease(void *context, const struct store_lease_answer *answer)
{
    struct store_bench *bench = called(context);

    bench->leases++;
    bench->lease = *answer;
}

static void on_card_key(void *context, bool ok, const char *key_hex)
{
    struct store_bench *bench = called(context);

    bench->card_keys++;
    bench->card_key_ok = ok;
    text_copy(bench->card_key, sizeof bench->card_key, ok ? key_hex : "");
}

static void on_saved(void *context, uint64_t token, enum store_saved result, const char *reason)
{
    struct store_bench *bench = called(context);

    assert_true(bench->saves < BENCH_SAVES_MAX);
    bench->tokens[bench->saves] = token;
    bench->results[bench->saves] = result;
    bench->saves++;
    text_copy(bench->save_reason, sizeof bench->save_reason, reason);
}

static void on_blocks(void *context, bool ok, const char *text)
{
    struct store_bench *bench = called(context);

    bench->blocks++;
    bench->blocks_ok = ok;
    text_copy(bench->blocks_text, sizeof bench->blocks_text, text == NULL ? "none" : text);
}

static void on_blocks_saved(void *context, enum store_saved result, const char *reason)
{
    struct store_bench *bench = called(context);

    bench->blocks_saves++;
    bench->blocks_result = result;
    text_copy(bench->blocks_reason, sizeof bench->blocks_reason, reason);
}

static void on_trouble(void *context, const char *reason)
{
    struct store_bench *bench = called(context);
    text_copy(bench->trouble, sizeof bench->trouble, reason);
}

struct store_events store_bench_events(struct store_bench *bench)
{
    return (struct store_events){
        .context = bench,
        .on_up = on_up,
        .on_down = on_down,
        .on_record = on_record,
        .on_bad_record = on_bad_record,
        .on_loaded = on_loaded,
        .on_lease = on_lease,
        .on_card_key = on_card_key,
        .on_saved = on_saved,
        .on_blocks = on_blocks,
        .on_blocks_saved = on_blocks_saved,
        .on_trouble = on_trouble,
    };
}

struct record store_bench_record(const char *machine, uint64_t epoch, uint32_t rev)
{
    struct record record;

    memset(&record, 0, sizeof record);
    core_state_init(&record.core);
    text_copy(record.machine, sizeof record.machine, machine);
    record.core.version = (struct version){epoch, rev};
    return record;
}

struct store_claim store_bench_claim(uint64_t heard, int64_t now_ms)
{
    return (struct store_claim){
        .id = "a",
        .token = "0123",
        .duration_ms = 50000,
        .heard = heard,
        .now = {now_ms},
        .own_id_at_once = true,
    };
}

enum status store_bench_save(struct store_bench *bench, const struct record *record, uint64_t token)
{
    bench->inside_call = true;
    enum status status = bench->store->operations->save(bench->store, record, token);
    bench->inside_call = false;
    return status;
}

/* One turn of at most 10 ms; what it takes beyond that is the store's fault. */
static void turn(struct store_bench *bench)
{
    const struct timeval longest = {.tv_usec = 10000};
    int64_t before = clock_now().mono.ms;

    assert_int_equal(event_base_loopexit(bench->base, &longest), 0);
    assert_true(event_base_loop(bench->base, 0) >= 0);
    int64_t took = clock_now().mono.ms - before - 10;
    if (took > bench->longest_turn_ms) {
        bench->longest_turn_ms = took;
    }
}

void store_bench_run(
    struct store_bench *bench, const unsigned *counter, unsigned target, int limit_ms)
{
    int64_t end = clock_now().mono.ms + (int64_t)limit_ms * BUSY;

    while (*counter < target) {
        turn(bench);
        if (clock_now().mono.ms > end && *counter < target) {
            fail_msg(
                "%u instead of %u after %d ms (down: %s)", *counter, target, limit_ms * BUSY,
                bench->down_reason);
        }
    }
}

void store_bench_wait(struct store_bench *bench, int ms)
{
    int64_t end = clock_now().mono.ms + ms;

    while (clock_now().mono.ms < end) {
        turn(bench);
    }
}
