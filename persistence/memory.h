/* A store in memory, for tests: the same rules as Redis's scripts, a loop of its own, and faults
 * to order.
 *
 * The data is a `struct memory_database`, which any number of stores may share, as controllers
 * share a Redis. A call only queues; memory_store_run carries out what waits and calls back, so
 * that answers come "from the loop". While frozen nothing is carried out and nothing answered.
 * Records go through record_write and record_read, so that a test sees exactly what survives a
 * restart.
 */
#ifndef TAGOUT_PERSISTENCE_MEMORY_H
#define TAGOUT_PERSISTENCE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "persistence/store.h"

struct memory_database;

MUST_USE enum status memory_database_new(struct memory_database **ret_database);
/* After the stores that use it. */
void memory_database_free(struct memory_database *database);

/* FLUSHALL. */
void memory_database_wipe(struct memory_database *database);
/* The record as it would be loaded; false when there is none. */
bool memory_database_get(
    const struct memory_database *database, const char *machine, struct record *ret_record);
/* Stores a record without asking for its version. */
MUST_USE enum status
memory_database_put(struct memory_database *database, const struct record *record);
/* Overwrites one field of a stored record, to damage it; a NULL `value` removes it. */
MUST_USE enum status memory_database_set_field(
    struct memory_database *database, const char *machine, const char *field, const char *value);
size_t memory_database_count(const struct memory_database *database);
uint64_t memory_database_epoch(const struct memory_database *database);
/* What a roll-back or damage leaves there. */
void memory_database_set_epoch(struct memory_database *database, uint64_t epoch);

/* The database's own clock, by which a lease runs out; it stands still unless it is set. */
void memory_database_set_clock(struct memory_database *database, struct mono_time now);

/* A store that is down; memory_store_up brings it up. The database is borrowed. */
MUST_USE enum status memory_store_new(
    struct memory_database *database, const struct store_events *events, struct store **ret_store);

/* Carries out and answers what waits, in order, also what callbacks ask for meanwhile; on_up and
 * on_down come from here too. Returns how many callbacks it made. */
size_t memory_store_run(struct store *store);

void memory_store_up(struct store *store);
/* Breaks the connection. What waits is lost: `carried_out` says whether the database has it all
 * the same, as may happen when only the answer is lost. */
void memory_store_down(struct store *store, const char *reason, bool carried_out);
void memory_store_freeze(struct store *store, bool frozen);
/* Calls that wait for memory_store_run. */
size_t memory_store_waiting(const struct store *store);

/* What happens to a call when its turn in the fault countdown has come. */
enum memory_fault {
    MEMORY_CALL_FAILS,   /* the call itself returns STATUS_NO_MEMORY */
    MEMORY_REFUSED,      /* not carried out; the answer is an error */
    MEMORY_ANSWER_LOST,  /* carried out; then the connection breaks before the answer */
    MEMORY_REQUEST_LOST, /* the connection breaks before it is carried out */
};

/* The `nth` call from now on (1 is the next) has this fault, once. One fault at a time; 0 takes an
 * ordered one back. After a fault that broke the connection the store stays down until
 * memory_store_up. */
void memory_store_fail(struct store *store, unsigned nth, enum memory_fault fault);
/* Whether a fault that was ordered has not struck yet: the end of a walk over all calls. */
bool memory_store_fault_waits(const struct store *store);

#endif
