/* A store's owner for tests: writes down everything the store says, and turns the loop until
 * something has happened. */
#ifndef TAGOUT_TESTS_STORE_BENCH_H
#define TAGOUT_TESTS_STORE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "persistence/store.h"

#define BENCH_SAVES_MAX 20000

struct event_base;

struct store_bench {
    struct event_base *base; /* NULL for a store in memory */
    struct store *store;
    unsigned ups;
    unsigned downs;
    enum store_down down; /* the last time */
    char down_reason[512];
    char trouble[512];
    unsigned records;
    struct record last_record;
    void (*on_record)(const struct record *record); /* optional */
    unsigned bad_records;
    char bad_machine[65];
    char bad_reason[512];
    unsigned loads;
    bool loaded_ok;
    unsigned leases;
    struct store_lease_answer lease;
    unsigned card_keys;
    bool card_key_ok;
    char card_key[65];
    unsigned blocks;
    bool blocks_ok;
    char blocks_text[1024]; /* "none" for nothing */
    unsigned blocks_saves;
    enum store_saved blocks_result;
    char blocks_reason[256];
    unsigned saves;
    uint64_t tokens[BENCH_SAVES_MAX]; /* in the order of the answers */
    enum store_saved results[BENCH_SAVES_MAX];
    char save_reason[256];   /* of the last one */
    int64_t longest_turn_ms; /* for which the loop stood still */
    bool inside_call;        /* a callback now would be "from inside the call" */
};

struct store_events store_bench_events(struct store_bench *bench);

/* A record at base, of that version. */
struct record store_bench_record(const char *machine, uint64_t epoch, uint32_t rev);

/* A claim that is granted at once: whoever has the lease has it under the same id. */
struct store_claim store_bench_claim(uint64_t heard, int64_t now_ms);

/* Calls the store, and fails if it calls back from inside. */
enum status
store_bench_save(struct store_bench *bench, const struct record *record, uint64_t token);

/* Turns the loop until `*counter` reaches `target`; fails the test after `limit_ms`, or on a
 * host that may be busy, some times that. */
void store_bench_run(
    struct store_bench *bench, const unsigned *counter, unsigned target, int limit_ms);
/* Turns the loop for that long. */
void store_bench_wait(struct store_bench *bench, int ms);

#endif
