/* The watcher's audit, read line by line: months of it, the oldest first, in bounded memory.
 *
 * What cannot be read is counted and left out, a line or a whole file. The last line of all may be
 * under way to the disk, and is left out without a word if it has no end yet.
 */
#ifndef TAGOUT_CTL_AUDIT_READER_H
#define TAGOUT_CTL_AUDIT_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "controller/support/audit_months.h"
#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define AUDIT_LINE_BYTES_MAX 65536
#define AUDIT_READER_MONTHS_MAX 1200

struct audit_reader {
    int directory;
    size_t month_count;
    size_t month; /* the one that is being read */
    FILE *file;
    char file_name[AUDIT_NAME_SIZE];
    uint64_t number; /* of the line in the file */
    uint64_t bad;
    char first_bad[256]; /* where, and why */
    size_t closed;       /* files that could not be opened, or not be read to their end */
    char first_closed[256];
    struct json *document;
    struct audit_month months[AUDIT_READER_MONTHS_MAX];
    char buffer[AUDIT_LINE_BYTES_MAX + 1];
};

struct audit_line {
    const char *bytes; /* as it stands there, without its end; so long as the next is not read */
    const struct json *object;
    const char *kind;
    struct wall_time at; /* when it happened, as far as that is told; else when it was seen */
};

/* It is too large for a stack. Months that ended before `since` are passed over.
 * STATUS_IO: `why` names the folder and what is wrong with it. */
MUST_USE enum status audit_reader_open(
    struct audit_reader *reader, const char *directory, struct wall_time since, struct text *why);
void audit_reader_close(struct audit_reader *reader);

/* False at the end. */
bool audit_reader_next(struct audit_reader *reader, struct audit_line *ret_line);

/* The next line that has this word in it; the others cost little. */
bool audit_reader_next_with(
    struct audit_reader *reader, const char *word, struct audit_line *ret_line);

#endif
