/* What memory.c keeps: the rules of Redis's scripts on a list of hashes. For memory.c alone; tests
 * see memory.h. */
#ifndef TAGOUT_PERSISTENCE_MEMORY_DATABASE_H
#define TAGOUT_PERSISTENCE_MEMORY_DATABASE_H

#include "persistence/memory.h"
#include "persistence/record.h"

/* HGETALL. `*ret_found` false: there is no such record, and the verdict means nothing. */
enum record_verdict memory_database_read(
    const struct memory_database *database, const char *machine, bool *ret_found,
    struct record *ret_record, struct text *why);

/* The save script; `reason` gets what Redis would say. */
enum store_saved memory_database_save(
    struct memory_database *database, const struct record *record, struct text *reason);

/* The epoch script. */
uint64_t
memory_database_take_epoch(struct memory_database *database, uint64_t heard, struct wall_time now);

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
