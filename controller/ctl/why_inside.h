/* What why.c and why_steps.c share: looking into the answer. For these two only. */
#ifndef TAGOUT_CTL_WHY_INSIDE_H
#define TAGOUT_CTL_WHY_INSIDE_H

#include <stdbool.h>
#include <string.h>

#include "controller/ctl/why.h"

static inline bool why_is(const char *word, const char *wanted)
{
    return word != NULL && strcmp(word, wanted) == 0;
}

static inline const char *why_string(const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);

    return json_type(node) == JSON_STRING ? json_string(node) : NULL;
}

static inline const struct json *why_part(const struct why *why, const char *key)
{
    return json_get(why->data, key);
}

static inline bool why_is_flagged(const struct state_payload *state)
{
    return state->oops || state->lockout;
}

#endif
