/* Lines on their way to the disk: a list with its end. */
#ifndef TAGOUT_WATCHER_AUDIT_RECORDS_H
#define TAGOUT_WATCHER_AUDIT_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"

struct record {
    struct record *next;
    struct wall_time seen;
    int64_t number; /* the loop's */
    size_t length;
    char object[];
};

struct records {
    struct record *first;
    struct record **end;
    size_t bytes;
};

void records_init(struct records *records);
void records_free(struct records *records);
/* Copies the object; false when there is no memory. */
bool records_add(
    struct records *records, int64_t number, struct wall_time seen, const char *object,
    size_t length);
/* Puts all of `from` behind `to`. */
void records_move(struct records *to, struct records *from);

/* Takes the records of one month off the front and returns them as lines, numbered on from `base`;
 * about a mebibyte at most. NULL when there is no memory. */
char *records_take_lines(
    struct records *records, int64_t base, struct wall_time *ret_seen, size_t *ret_length);

#endif
