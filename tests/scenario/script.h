/* A scenario file as lines of words. What the words mean is play.c's business.
 *
 *   # a comment
 *   machine table-saw needs woodshop     lines above the first scenario belong to all of them
 *   scenario A member opens the table saw
 *   table-saw reports card 0000000001
 *   expect table-saw relay on display "Welcome,|Ada"
 *
 * Words are separated by blanks; "…" and '…' hold blanks together, and a comma behind a word is
 * only for the eye.
 */
#ifndef TAGOUT_SCENARIO_SCRIPT_H
#define TAGOUT_SCENARIO_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

struct line {
    const char *file;
    unsigned number;
    char **words;
    size_t count;
};

struct scenario {
    char *title;
    const struct line **lines; /* the common ones, then its own */
    size_t count;
    size_t place;  /* in its file, from 0 */
    size_t shared; /* how many of the lines it begins with the first one of the file has, too */
};

struct script {
    char *file;
    char *bytes;
    struct line *lines;
    size_t line_count;
    struct scenario *scenarios;
    size_t scenario_count;
};

MUST_USE enum status script_read(const char *file, struct script *ret_script, struct text *why);
void script_free(struct script *script);

/* Memory, or the end: a test that cannot have it has nothing to say. */
void *scenario_memory(void *memory);

#endif
