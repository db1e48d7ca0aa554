/* The audit's thread: everything that touches the disk happens on it, so that a disk that hangs
 * stops nothing else.
 *
 * The loop hands over lines in groups and never waits. What waits for the disk is bounded: beyond
 * AUDIT_WAITING_BYTES_MAX groups are dropped, counted, and marked by a line of kind `dropped` as
 * soon as there is room. A group is written by one call, whole or, after a crash, torn at its end.
 * Lines are in the file at once and on the disk (fdatasync) within AUDIT_SYNC_MS: the crash of this
 * process loses none, that of the host at most the last second's.
 *
 * Lines are numbered on from the last one on disk. The loop, which may have to begin before the
 * disk has answered, counts its own from 1; line N of the loop is `past.base + N` on disk.
 */
#ifndef TAGOUT_WATCHER_AUDIT_H
#define TAGOUT_WATCHER_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define AUDIT_WAITING_BYTES_MAX ((size_t)8 << 20)
#define AUDIT_PAST_BYTES_MAX ((size_t)4 << 20)
#define AUDIT_HEARD_BYTES_MAX ((size_t)8 << 20)
#define AUDIT_SYNC_MS 1000
#define AUDIT_RETRY_MS 1000

struct audit;

MUST_USE enum status
audit_start(const char *directory, int64_t keep_days, struct audit **ret_audit);

/* Waits at most `timeout_ms` for what is to be written; then the thread is left behind. True: each
 * line that was ever added is in the files. Takes NULL. */
bool audit_stop(struct audit *audit, int timeout_ms);

/* Puts one line into the group under construction and returns its number. `object` is a JSON
 * object without line breaks; its number is written in front of its members. */
int64_t audit_add(struct audit *audit, struct wall_time seen, const char *object, size_t length);
/* Hands the group over. */
void audit_commit(struct audit *audit);

/* Replaces watcher.json as soon as the lines that were committed are written; of several only the
 * newest is. Only once the past was taken. */
void audit_save(struct audit *audit, const char *bytes, size_t length);

/* What the disk knew at the start. */
struct audit_past_line {
    int64_t number; /* as on disk */
    char *text;
    struct audit_past_line *next;
};

struct audit_past {
    int64_t base;
    char *state; /* watcher.json; NULL for none */
    size_t state_length;
    struct audit_past_line *lines; /* those after the state's `from`, the newest at most */
    uint64_t *heard;               /* prints of the newest events (heard.h) */
    size_t heard_count;
};

/* Readable when the past has become known. */
int audit_fd(const struct audit *audit);
/* Once; NULL before. To be freed. */
struct audit_past *audit_take_past(struct audit *audit);
void audit_past_free(struct audit_past *past);

struct audit_counts {
    size_t waiting_bytes;   /* for the disk, in memory */
    uint64_t added_lines;   /* since the start */
    uint64_t dropped_lines; /* of them, those that found no room */
};
struct audit_counts audit_counts(struct audit *audit);

/* For how long the disk has not taken what waits for it, 0 while all is well. */
int64_t audit_behind_ms(struct audit *audit, struct mono_time now);

#endif
