#include "controller/daemon/machine_record.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/log.h"
#include "controller/support/text.h"

void machine_record_note(char **note, const char *text)
{
    char *copy = NULL;

    if (text != NULL && text[0] != '\0') {
        copy = strdup(text);
        if (copy == NULL) {
            log_error("no memory for a note: \"%s\"", text);
        }
    }
    free(*note);
    *note = copy;
}

void machine_record_take(struct machine_record *kept, const struct record *record)
{
    text_copy(kept->machine, sizeof kept->machine, record->machine);
    text_copy(kept->card_key, sizeof kept->card_key, record->card_key);
    kept->core = record->core;
    kept->event_n = record->event_n;
    kept->save_timeouts = record->save_timeouts;
    kept->oops_at = record->oops_at;
    kept->lockout_at = record->lockout_at;
    machine_record_note(&kept->fw, record->fw);
    machine_record_note(&kept->oops_by, record->oops_by);
    machine_record_note(&kept->lockout_by, record->lockout_by);
    machine_record_note(&kept->lockout_reason, record->lockout_reason);
}

static void give(char *target, size_t size, const char *note)
{
    text_copy(target, size, note == NULL ? "" : note);
}

void machine_record_give(const struct machine_record *kept, struct record *ret_record)
{
    text_copy(ret_record->machine, sizeof ret_record->machine, kept->machine);
    text_copy(ret_record->card_key, sizeof ret_record->card_key, kept->card_key);
    ret_record->core = kept->core;
    ret_record->event_n = kept->event_n;
    ret_record->save_timeouts = kept->save_timeouts;
    ret_record->oops_at = kept->oops_at;
    ret_record->lockout_at = kept->lockout_at;
    give(ret_record->fw, sizeof ret_record->fw, kept->fw);
    give(ret_record->oops_by, sizeof ret_record->oops_by, kept->oops_by);
    give(ret_record->lockout_by, sizeof ret_record->lockout_by, kept->lockout_by);
    give(ret_record->lockout_reason, sizeof ret_record->lockout_reason, kept->lockout_reason);
}

void machine_record_clear(struct machine_record *kept)
{
    machine_record_note(&kept->fw, NULL);
    machine_record_note(&kept->oops_by, NULL);
    machine_record_note(&kept->lockout_by, NULL);
    machine_record_note(&kept->lockout_reason, NULL);
}
