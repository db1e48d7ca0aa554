/* Columns of text for people: as wide as they need to be, on a terminal no wider than it is. The
 * first column, which has the names, is the last to give way. */
#ifndef TAGOUT_CTL_TABLE_H
#define TAGOUT_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "controller/ctl/words.h"
#include "controller/support/status.h"

#define TABLE_COLUMNS_MAX 7

struct table_cell {
    char *text; /* NULL: empty */
    enum tone tone;
};

struct table {
    size_t columns;
    size_t rows;
    size_t room;
    struct table_cell *cells;
};

enum table_fit {
    TABLE_WRAP, /* a row takes as many lines as it needs */
    TABLE_CUT,  /* a row takes one line; what is too long ends in an ellipsis */
};

struct table_style {
    size_t width; /* 0: no limit */
    bool coloured;
    enum table_fit fit;
};

/* Zeroed but for `columns` it is an empty table. The first row is the headings. */
void table_free(struct table *table);

MUST_USE enum status table_add_row(struct table *table);
/* Of the last row; copies. */
MUST_USE enum status
table_set(struct table *table, size_t column, enum tone tone, const char *text);

/* Without trailing spaces. */
void table_print(const struct table *table, const struct table_style *style, FILE *out);

/* How many columns of a terminal a UTF-8 string takes, and how many bytes of it fit into that
 * many. */
size_t table_width(const char *string);
size_t table_fitting(const char *string, size_t width);

#endif
