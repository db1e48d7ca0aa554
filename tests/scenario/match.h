/* A word of a scenario against a value on the wire. */
#ifndef TAGOUT_SCENARIO_MATCH_H
#define TAGOUT_SCENARIO_MATCH_H

#include <stdbool.h>

#include "controller/support/json.h"

/* yes/no, on/off for booleans; numbers by value; `none` for null and what is not there; strings
 * with `|` for a new line, and `~text` for a string that holds the text; lists joined by commas. A
 * missing value is also `no`. */
bool match_value(const struct json *node, const char *word);

/* The member under a dotted path, NULL for none. In a list: by its place from 0 on, or `last`. */
const struct json *match_find(const struct json *document, const char *path);

#endif
