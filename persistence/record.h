/* A machine's record as the fields of a hash (C9.1): words and decimal numbers that a person can
 * read with HGETALL, under the names that C8.1 gives them.
 *
 * Writing always writes every field, so that nothing old stays behind. Reading ignores fields that
 * it does not know and believes nothing else: a record that comes back is one that the core could
 * have made. What can't be read costs as little as is safe:
 *
 *   - what people only read (who, why, when, firmware) falls back to nothing;
 *   - what decides (mode, user, card, boot, ...), or a state that contradicts itself, ends the
 *     session: the machine is at base, relays off, and a card that is in opens nothing;
 *   - oops and lockout are kept whenever they can be read. One of them that can't be counts as
 *     set, for a lockout lost is worse than a machine that waits for a person. With neither
 *     readable the record is refused, and the other copies (C9.4) decide.
 */
#ifndef TAGOUT_PERSISTENCE_RECORD_H
#define TAGOUT_PERSISTENCE_RECORD_H

#include <stddef.h>

#include "controller/support/text.h"
#include "persistence/store.h"

#define RECORD_FORMAT "1"
#define RECORD_FIELDS_MAX 48
#define RECORD_VALUES_MAX 4096 /* bytes of all values of one record */

struct record_field {
    const char *name;
    size_t name_length;
    const char *value; /* not NUL-terminated when it comes from a store */
    size_t value_length;
};

/* A record written out. The values point into the record that was written and into `values`, so
 * neither may move or change while this is used. */
struct record_fields {
    size_t count;
    struct record_field fields[RECORD_FIELDS_MAX];
    size_t bytes; /* of all names and values */
    char values[RECORD_VALUES_MAX];
    size_t used;
};

void record_write(const struct record *record, struct record_fields *ret_fields);

enum record_verdict {
    RECORD_GOOD,
    RECORD_DAMAGED, /* `ret_record` is what could be saved of it, `why` what is wrong */
    RECORD_REFUSED, /* `ret_record` is untouched */
};

/* `machine` is the name under which it was stored. */
MUST_USE enum record_verdict record_read(
    const char *machine, const struct record_field *fields, size_t count, struct record *ret_record,
    struct text *why);

/* Ends the session of a state that no decision can have led to, however it was come by; oops and
 * lockout stay. Says what is wrong with it, NULL for nothing. */
const char *record_settle(struct core_state *core);

#endif
