/* The audit on disk: one file a month (UTC), `events-YYYY-MM.jsonl`, one JSON object a line, each
 * with its number, `{"line":17,...}`; and beside them one small file, watcher.json, with what the
 * watcher must remember over a restart. Everything here may block for as long as a disk hangs: it
 * is called on the audit's own thread only.
 *
 * Lines are only ever appended. One that a crash cut off is taken out at the next start, and a
 * line of kind `torn` with its text stands in its place.
 */
#ifndef TAGOUT_WATCHER_AUDIT_FILES_H
#define TAGOUT_WATCHER_AUDIT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define AUDIT_LINE_MAX 16384
#define AUDIT_STATE_MAX ((size_t)32 << 20)

struct audit_files;

/* Makes the folder where it is missing, mends the end of the newest file, finds the last line's
 * number. Fails when another watcher has the folder. */
MUST_USE enum status audit_files_open(
    const char *directory, struct wall_time now, struct audit_files **ret_files, struct text *why);
/* Takes NULL. */
void audit_files_close(struct audit_files *files);

/* The number of the last line, 0 when there is none. */
int64_t audit_files_last(const struct audit_files *files);

/* Appends bytes to the file of the month in which `at` lies. `ret_written` tells how many of them
 * are in the file, also after an error; the rest is to be given again. */
MUST_USE enum status audit_files_append(
    struct audit_files *files, struct wall_time at, const char *bytes, size_t length,
    size_t *ret_written, struct text *why);

/* What was appended is on the disk when it returns. */
MUST_USE enum status audit_files_sync(struct audit_files *files, struct text *why);

/* See audit_expire.h. */
size_t audit_files_expire(const struct audit_files *files, struct wall_time now, int64_t keep_days);

/* Gives each line with a number above `after` of the files that may have the last ones, in their
 * order (audit_months_recent); of each file only its last `bytes_max` bytes are read. */
void audit_files_read(
    const struct audit_files *files, int64_t after, size_t bytes_max,
    void (*take)(void *context, int64_t number, const char *line, size_t length), void *context);

/* watcher.json: replaced whole, by renaming; `sync` waits for the disk before that. */
MUST_USE enum status audit_files_save(
    const struct audit_files *files, const char *bytes, size_t length, bool sync, struct text *why);
/* NULL when there is none, else to be freed; NUL-terminated. */
char *audit_files_load(const struct audit_files *files, size_t *ret_length);

#endif
