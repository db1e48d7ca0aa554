/* The board as people see it: a table of machines, one machine in detail, the live frame. */
#ifndef TAGOUT_CTL_VIEW_H
#define TAGOUT_CTL_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "controller/ctl/board.h"
#include "controller/ctl/table.h"
#include "controller/support/status.h"

/* A table of machines under construction: its headings, with the last column only where it has
 * something to say, and a row. The table is to be freed whatever they return. */
MUST_USE enum status view_begin(struct table *table, const struct board *board);
MUST_USE enum status
view_add(struct table *table, const struct board_machine *machine, struct wall_time now);

/* All machines with a state, one row each. */
MUST_USE enum status view_machines(
    const struct board *board, const struct table_style *style, struct wall_time now, FILE *out);

/* One of them in full. */
void view_machine(
    const struct board_machine *machine, bool coloured, struct wall_time now, FILE *out);

struct frame {
    const struct board *board;
    const char *trouble; /* with the broker; "" for none */
    bool refused;        /* it is there, and says no */
    bool connecting;     /* too early to say that anybody is missing */
    size_t width;
    size_t height;
    bool coloured;
    struct wall_time now;
};

/* What fits on the screen, at most `height` lines, the last without a newline: what is not well,
 * the machines (those that only stand idle give way first), and the latest events. */
MUST_USE enum status view_frame(const struct frame *frame, FILE *out);

#endif
