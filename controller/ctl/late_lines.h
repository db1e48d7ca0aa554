/* Events that the watcher heard late: in the audit they stand behind what happened after them. They
 * are read before all else, so that each can be told at its time.
 *
 * Bounded: beyond LATE_LINES_MAX they are told where they stand.
 */
#ifndef TAGOUT_CTL_LATE_LINES_H
#define TAGOUT_CTL_LATE_LINES_H

#include <stdbool.h>

#include "controller/ctl/audit_reader.h"
#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/time.h"

#define LATE_LINES_MAX 20000

struct late_lines;

/* What the reader, which has just been opened, has of them from `since` to `until`. */
MUST_USE enum status late_lines_read(
    struct audit_reader *reader, struct wall_time since, struct wall_time until,
    struct late_lines **ret_lines);
/* Takes NULL. */
void late_lines_free(struct late_lines *lines);

/* Whether an event was heard late. */
bool late_lines_is_late(const struct json *event);

/* Whether a late line, as it is met where it stands, is one of these. For each of them once. */
bool late_lines_has(struct late_lines *lines);

/* The next one that happened until then; false when there is none. It lives until the next call. */
bool late_lines_take(struct late_lines *lines, struct wall_time until, struct audit_line *ret_line);

#endif
