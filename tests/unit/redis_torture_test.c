/* Each allocation failing in turn, ours and libevent's, while the store on Redis is made, greets,
 * is asked everything and goes: no crash, nothing lost track of, and every question has one answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "persistence/memory.h"
#include "tests/lib/failing_memory.h"
#include "tests/lib/passing_clock.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/store_bench.h"

#define CALLS_MAX 2000
#define TURNS_MAX 60
#define SOME 80 /* where there is no end, for it tries again */
#define TURN_US 300
#define AFTERMATH_MS 200
#define SHA_HEX "0123456789012345678901234567890101234567890123456789012345678901"

static struct redis_server server;

/* By these libevent asks for memory as our own code does. */
static void *take(size_t size)
{
    return malloc(size);
}

static void *take_again(void *memory, size_t size)
{
    return realloc(memory, size);
}

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

static void turn(const struct store_bench *bench)
{
    (void)event_base_loop(bench->base, EVLOOP_NONBLOCK);
    usleep(TURN_US);
}

struct questions {
    unsigned loads, leases, keys, blocks, blocks_saves, saves;
};

static struct questions ask_all(struct store_bench *bench)
{
    const struct store_operations *operations = bench->store->operations;
    const char *const machines[] = {"saw", "lathe"};
    const struct store_claim claim = store_bench_claim(1000, 1000000);
    const struct record record = store_bench_record("saw", 1, 1);
    struct questions asked = {0};

    asked.loads = operations->load(bench->store, machines, 2) == STATUS_OK;
    asked.leases = operations->take_lease(bench->store, &claim) == STATUS_OK;
    asked.keys = operations->card_key(bench->store, SHA_HEX) == STATUS_OK;
    asked.blocks = operations->load_blocks(bench->store) == STATUS_OK;
    asked.blocks_saves =
        operations->save_blocks(bench->store, (struct version){1, 1}, "{}") == STATUS_OK;
    asked.saves = operations->save(bench->store, &record, 1) == STATUS_OK;
    (void)operations->forget(bench->store, "lathe");
    (void)operations->release_lease(bench->store, &claim);
    return asked;
}

static bool is_answered(const struct store_bench *bench, const struct questions *asked)
{
    return bench->loads == asked->loads && bench->leases == asked->leases &&
           bench->card_keys == asked->keys && bench->blocks == asked->blocks &&
           bench->blocks_saves == asked->blocks_saves && bench->saves == asked->saves;
}

/* Where the store is made to be; an empty list of Sentinels is none. */
struct place {
    const char *url;
    const char *sentinels;
    const char *nameserver;
};

static enum status
open_store(struct store_bench *bench, const struct place *place, struct text *why)
{
    struct store_events events = store_bench_events(bench);
    const struct redis_options options = {
        .url = place->url,
        .prefix = "shop",
        .base = bench->base,
        .sentinels = place->sentinels,
        .nameserver = place->nameserver,
        .master = "shop",
    };

    return redis_store_new(&options, &events, &bench->store, why);
}

/* One life of a store, in which the nth request for memory is refused; whether any was. */
static bool live(unsigned nth, bool for_good, const struct place *place)
{
    struct store_bench *bench = calloc(1, sizeof *bench);
    struct questions asked = {0};
    enum status status;
    bool struck;
    TEXT_LOCAL(why, 256);

    assert_non_null(bench);
    bench->base = event_base_new();
    failing_memory_order(nth, for_good);
    status = open_store(bench, place, &why);
    for (int i = 0; status == STATUS_OK && i < TURNS_MAX && bench->ups == 0; i++) {
        turn(bench);
    }
    if (bench->ups > 0) {
        asked = ask_all(bench);
    }
    for (int i = 0; i < TURNS_MAX && !is_answered(bench, &asked); i++) {
        turn(bench);
    }
    struck = failing_memory_end();
    assert_true(struck || status == STATUS_OK);
    assert_true(status == STATUS_OK || why.length > 0);
    if (status == STATUS_OK) {
        bench->store->operations->close(bench->store);
    }
    turn(bench);
    passing_clock_pass(AFTERMATH_MS); /* a look-up that was cancelled ends */
    turn(bench);
    turn(bench);
    event_base_free(bench->base);
    free(bench);
    return struck;
}

static void a_store_is_made_and_asked_or_it_is_said_that_there_is_no_memory(void **state)
{
    const struct place place = {.url = server.url};

    (void)state;
    for (unsigned nth = 1; live(nth, false, &place); nth++) {
        assert_true(nth < CALLS_MAX);
    }
}

static void so_where_there_is_none_from_then_on(void **state)
{
    const struct place place = {.url = server.url};

    (void)state;
    for (unsigned nth = 1; live(nth, true, &place); nth++) {
        assert_true(nth < CALLS_MAX);
    }
}

static void so_with_sentinels(void **state)
{
    const struct place place = {.url = server.url, .sentinels = "127.0.0.1:1, 127.0.0.1:2"};

    (void)state;
    for (unsigned nth = 1; nth < SOME && live(nth, nth % 2 == 0, &place); nth++) {
    }
}

static void so_where_a_name_is_looked_up(void **state)
{
    const struct place place = {.url = "redis://redis.test:1", .nameserver = "127.0.0.1:9"};

    (void)state;
    for (unsigned nth = 1; nth < SOME && live(nth, false, &place); nth++) {
    }
}

/* The store that other tests use in Redis's place. */
static bool live_in_memory(unsigned nth)
{
    struct store_bench *bench = calloc(1, sizeof *bench);
    struct store_events events = store_bench_events(bench);
    const struct record record = store_bench_record("saw", 1, 1);
    struct memory_database *database = NULL;
    struct questions asked = {0};
    enum status status;
    bool struck;

    assert_non_null(bench);
    failing_memory_order(nth, false);
    status = memory_database_new(&database);
    if (status == STATUS_OK) {
        status = memory_store_new(database, &events, &bench->store);
    }
    if (status == STATUS_OK) {
        status = memory_database_put(database, &record);
        memory_store_up(bench->store);
        (void)memory_store_run(bench->store);
        asked = ask_all(bench);
        (void)memory_store_run(bench->store);
    }
    struck = failing_memory_end();
    assert_true(struck || status == STATUS_OK);
    assert_true(is_answered(bench, &asked));
    if (bench->store != NULL) {
        bench->store->operations->close(bench->store);
    }
    memory_database_free(database);
    free(bench);
    return struck;
}

static void so_does_its_twin_in_memory(void **state)
{
    (void)state;
    for (unsigned nth = 1; live_in_memory(nth); nth++) {
        assert_true(nth < CALLS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_is_made_and_asked_or_it_is_said_that_there_is_no_memory),
        cmocka_unit_test(so_where_there_is_none_from_then_on),
        cmocka_unit_test(so_with_sentinels),
        cmocka_unit_test(so_where_a_name_is_looked_up),
        cmocka_unit_test(so_does_its_twin_in_memory),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* store.h */
    event_set_mem_functions(take, take_again, free);
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
