/* What the parts of the store in memory share: memory.c (the port, and what tests do to it),
 * memory_run.c (its loop), memory_database.c (the rules of Redis's scripts on a list of hashes).
 * For nobody else; tests see memory.h. */
#ifndef TAGOUT_PERSISTENCE_MEMORY_INSIDE_H
#define TAGOUT_PERSISTENCE_MEMORY_INSIDE_H

#include "persistence/memory.h"
#include "persistence/record.h"

#define CARD_KEY_LENGTH 64

enum call_kind {
    CALL_LOAD,
    CALL_LEASE, /* a take or a renewal */
    CALL_RELEASE,
    CALL_CARD_KEY,
    CALL_SAVE,
    CALL_LOAD_BLOCKS,
    CALL_SAVE_BLOCKS,
    CALL_FORGET,
};

/* What is asked of the lease. */
enum lease_verb {
    LEASE_TAKE,
    LEASE_RENEW,
    LEASE_RELEASE,
};

/* A claim with its strings. */
struct kept_claim {
    struct store_claim claim;
    char id[STORE_LEASE_ID_SIZE];
    char token[STORE_LEASE_TOKEN_SIZE];
};

/* A call that waits for memory_store_run. */
struct call {
    struct call *next;
    enum call_kind kind;
    bool struck; /* `fault` is its fate */
    enum memory_fault fault;
    char (*machines)[65]; /* load */
    size_t machine_count;
    enum lease_verb verb; /* lease */
    struct kept_claim claimed;
    char offer[CARD_KEY_LENGTH + 1]; /* card key */
    struct record record;            /* save */
    uint64_t token;
    struct version version; /* blocks */
    char *document;
    /* What came of it. */
    bool failed;
    struct store_lease_answer lease;
    const char *key;
    enum store_saved saved;
    char reason[128];
};

struct memory_store {
    struct store store; /* first: a store is its memory_store */
    struct memory_database *database;
    struct store_events events;
    bool up;
    bool told_up; /* what the events said last */
    bool frozen;
    bool carry_out_lost;
    char down_reason[256];
    struct call *first;
    struct call **last;
    size_t waiting;
    size_t save_bytes;
    unsigned countdown; /* to the call that `fault` strikes; 0: none */
    enum memory_fault fault;
};

void memory_call_free(struct call *call);

/* HGETALL. `*ret_found` false: there is no such record, and the verdict means nothing. */
enum record_verdict memory_database_read(
    const struct memory_database *database, const char *machine, bool *ret_found,
    struct record *ret_record, struct text *why);

/* The save script; `reason` gets what Redis would say. */
enum store_saved memory_database_save(
    struct memory_database *database, const struct record *record, struct text *reason);

/* The lease script. */
struct store_lease_answer memory_database_lease(
    struct memory_database *database, enum lease_verb verb, const struct kept_claim *claimed);

/* SET NX and GET; what it returns lives as long as the database. */
const char *memory_database_card_key(struct memory_database *database, const char *offer_hex);

/* The save script on the blocked cards, and what it kept: NULL for nothing. */
enum store_saved memory_database_save_blocks(
    struct memory_database *database, struct version version, const char *document,
    struct text *reason);
const char *memory_database_blocks(const struct memory_database *database);

/* DEL of a machine's record. */
void memory_database_forget(struct memory_database *database, const char *machine);

#endif
