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

    return node != NULL && json_type(node) == JSON_STRING ? json_string(node) : NULL;
}

static inline bool why_bool(const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);

    return node != NULL && json_type(node) == JSON_BOOL && json_bool(node);
}

static inline struct wall_time why_time(const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);
    double ms = node != NULL && json_type(node) == JSON_NUMBER ? json_number(node) * 1000.0 : 0;

    return (struct wall_time){.ms = ms > 0 && ms < 1e15 ? (int64_t)(ms + 0.5) : 0};
}

static inline const struct json *why_part(const struct why *why, const char *key)
{
    return why->data == NULL ? NULL : json_get(why->data, key);
}

static inline bool why_is_flagged(const struct state_payload *state)
{
    return state->oops || state->lockout;
}

#endif
