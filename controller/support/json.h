/* JSON as C3 wants it: strict, bounded, and the only place that knows cJSON.
 *
 * Reading: json_parse refuses everything that is not exactly one JSON value in UTF-8 (RFC 8259:
 * no trailing bytes, no control characters in strings, no leading zeros), and also `\u0000`
 * anywhere, a key that stands twice in one object, nesting deeper than JSON_DEPTH_MAX, and numbers
 * that a double can't hold. What it returns is therefore plain to use: strings hold no hidden NUL.
 *
 * Writing: `struct json_out` appends to a fixed buffer (a `struct text`); it escapes, and
 * separates members by itself. Nothing is allocated.
 */
#ifndef TAGOUT_SUPPORT_JSON_H
#define TAGOUT_SUPPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define JSON_DEPTH_MAX 8

/* A node of a parsed document, owned by the document. */
struct json;

/* `why` gets the whole reason: what, and where (`not JSON: a number has a leading zero at byte 17`,
 * counted from 0, with the line where there are several; `the key "rev" stands twice in /ack`).
 * A document that is returned is freed by json_free, which takes NULL, in the thread that read it.
 */
MUST_USE enum status
json_parse(const char *bytes, size_t length, struct json **ret_document, struct text *why);
void json_free(struct json *document);

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* A node that is looked at may be NULL, as json_get returns it: it is null, and has no members. */

enum json_type json_type(const struct json *node);
/* "null", "a boolean", "a number", "a string", "an array", "an object": for error texts. */
const char *json_type_text(enum json_type type);

/* The value; false, 0 or "" for a node of another type. */
bool json_bool(const struct json *node);
double json_number(const struct json *node);
const char *json_string(const struct json *node);
/* A number of seconds in milliseconds; 0 for none, and for what is no time after 1970. */
int64_t json_ms(const struct json *node);

/* The member of that name (exact), or NULL; NULL for a node that is no object. */
const struct json *json_get(const struct json *object, const char *key);
/* The value of a member; false, 0 or "" where there is none of that type. */
bool json_get_bool(const struct json *object, const char *key);
const char *json_get_string(const struct json *object, const char *key);
int64_t json_get_ms(const struct json *object, const char *key);
struct wall_time json_get_wall(const struct json *object, const char *key);
/* From 0 to `max`, at most 2^53; 0 where there is no such integer. */
uint64_t json_get_integer(const struct json *object, const char *key, uint64_t max);
/* First child of an object or array, and the next one; NULL at the end. */
const struct json *json_first(const struct json *node);
const struct json *json_next(const struct json *node);
/* The key under which a member stands in its object. */
const char *json_key(const struct json *member);
size_t json_count(const struct json *node);

/* Whether a number is an integer from `min` to `max`, both at most 2^53. */
bool json_is_integer(const struct json *node, uint64_t min, uint64_t max);

struct json_out {
    struct text *text;
    bool first; /* no comma before the next member */
};

/* The text tells at the end whether everything fitted: `cut`. */
struct json_out json_out(struct text *text);
/* `{` or `[`, and `}` or `]`. */
void json_out_open(struct json_out *out, const char *key, char bracket);
void json_out_close(struct json_out *out, char bracket);
/* `key` is NULL inside an array, and for the outermost value. A NULL string is written as null. */
void json_out_string(struct json_out *out, const char *key, const char *value);
void json_out_bool(struct json_out *out, const char *key, bool value);
void json_out_null(struct json_out *out, const char *key);
void json_out_integer(struct json_out *out, const char *key, int64_t value);
/* Shortest form with at most `decimals` digits behind the point; not finite: null. */
void json_out_number(struct json_out *out, const char *key, double value, int decimals);
/* Seconds with up to three decimals, or null for {0}. */
void json_out_wall(struct json_out *out, const char *key, struct wall_time time);
/* Text that is JSON already. */
void json_out_raw(struct json_out *out, const char *key, const char *json);

#endif
