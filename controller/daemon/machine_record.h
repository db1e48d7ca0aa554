/* A machine's record as it is kept in memory, for as long as the process lives. A record of the
 * store has room for the longest of everything; of what people read beside the state most machines
 * have little or nothing, so that here each text takes what it needs.
 */
#ifndef TAGOUT_DAEMON_MACHINE_RECORD_H
#define TAGOUT_DAEMON_MACHINE_RECORD_H

#include "persistence/store.h"

/* As `struct record`; texts are NULL for none, owned, and written by machine_record_note alone. */
struct machine_record {
    char machine[sizeof((struct record *)NULL)->machine];
    char card_key[sizeof((struct record *)NULL)->card_key];
    struct core_state core;
    uint32_t event_n;
    uint32_t save_timeouts;
    struct wall_time oops_at;
    struct wall_time lockout_at;
    char *fw;
    char *oops_by;
    char *lockout_by;
    char *lockout_reason;
};

/* Copies; "" and NULL are none. Where memory is out, there is none from then on. */
void machine_record_note(char **note, const char *text);

void machine_record_take(struct machine_record *kept, const struct record *record);
void machine_record_give(const struct machine_record *kept, struct record *ret_record);
/* Frees the texts. */
void machine_record_clear(struct machine_record *kept);

#endif
