/* The names of the audit's files, and what month a time lies in. */
#ifndef TAGOUT_SUPPORT_AUDIT_MONTHS_H
#define TAGOUT_SUPPORT_AUDIT_MONTHS_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/time.h"

#define AUDIT_NAME_SIZE 32

/* Months since the year 0: they compare and subtract. */
struct audit_month {
    int number;
};

struct audit_month audit_month_of(struct wall_time time);
void audit_month_name(struct audit_month month, char ret_name[AUDIT_NAME_SIZE]);
/* False for a file that is none of the audit's. */
bool audit_month_parse(const char *name, struct audit_month *ret_month);
/* When the month has passed. */
struct wall_time audit_month_end(struct audit_month month);

/* The months of which the folder has a file, the oldest first, at most `max` of the newest. False,
 * with errno set: the folder cannot be read, and what is in it is not known. */
#define AUDIT_MONTHS_MAX 1200
MUST_USE bool
audit_months_list(int directory, struct audit_month *ret_months, size_t max, size_t *ret_count);

/* Those of them that may have the last lines, the oldest first: the newest two, and the newest two
 * that are not later than `now`, for a clock that was ahead has left some that are. */
#define AUDIT_MONTHS_RECENT 4
MUST_USE bool audit_months_recent(
    int directory, struct audit_month now, struct audit_month ret_months[AUDIT_MONTHS_RECENT],
    size_t *ret_count);

#endif
