/* Reading a payload's members one after the other, with the exact reason of the first that is
 * wrong: the common half of report_parse, command_parse, state_parse and request_parse.
 *
 * After a failure every further call does nothing, so that a parser is a flat list of members with
 * one test at its end. `null` in an optional member counts as absent (C3). Outputs are written only
 * for a member that is there and right.
 */
#ifndef TAGOUT_TOPICS_MEMBER_H
#define TAGOUT_TOPICS_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/text.h"

enum presence {
    OPTIONAL,
    REQUIRED,
};

/* What is wrong, for counting; the exact reason is in `why`. */
#define MEMBER_FLAW_LIST(X)                                                                        \
    X(MEMBER_FLAW_NONE, "none")                                                                    \
    X(MEMBER_FLAW_SIZE, "too_long")                                                                \
    X(MEMBER_FLAW_JSON, "not_json")                                                                \
    X(MEMBER_FLAW_MISSING, "missing_key")                                                          \
    X(MEMBER_FLAW_VALUE, "bad_value")

#define MEMBER_FLAW_ENUM(id, word) id,
enum member_flaw {
    MEMBER_FLAW_LIST(MEMBER_FLAW_ENUM) MEMBER_FLAW_COUNT
};
#undef MEMBER_FLAW_ENUM

struct members {
    const struct json *object;
    const char *place; /* in front of each key in a reason: "" or "/ack" */
    struct text *why;
    bool failed;
    enum member_flaw flaw; /* with `failed` */
};

/* Parses a payload of at most `bytes_max` bytes that has to be an object. The document is the
 * caller's to free, failed or not; NULL when there is none. */
struct members members_of(
    const char *payload, size_t length, size_t bytes_max, struct json **ret_document,
    struct text *why);

/* Records `PLACE/KEY: REASON`, unless there was a failure before. */
void member_fail(struct members *members, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* All: whether the member was there, and right. */
bool member_bool(struct members *members, const char *key, enum presence presence, bool *ret);
bool member_number(struct members *members, const char *key, enum presence presence, double *ret);
/* A number of seconds in milliseconds; what is no time after 1970 is right, and 0 (json_ms). */
bool member_ms(struct members *members, const char *key, enum presence presence, int64_t *ret_ms);
bool member_integer(
    struct members *members, const char *key, enum presence presence, uint64_t min, uint64_t max,
    uint64_t *ret);
bool member_string(
    struct members *members, const char *key, enum presence presence, const char **ret);
/* At most `characters_max` characters, copied into an array of `size` bytes, which has to be
 * four times as much and one byte. */
bool member_text(
    struct members *members, const char *key, enum presence presence, size_t characters_max,
    char *ret, size_t size);
bool member_container(
    struct members *members, const char *key, enum presence presence, enum json_type type,
    const struct json **ret);

#endif
