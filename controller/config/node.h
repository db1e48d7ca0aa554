/* A value in a JSON file together with its place, so that every error can say where it stands:
 * `users.json: /3/fob_codes/0: must not be empty`.
 *
 * Nodes live on the stack of whoever walks down; strings that they hand out belong to the document.
 */
#ifndef TAGOUT_CONFIG_NODE_H
#define TAGOUT_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define NODE_STRING_MAX 64 /* characters (C10.2) */

struct node {
    const char *file;
    struct text *why;
    const struct node *parent; /* NULL at the top */
    const char *key;           /* NULL in an array: then `index` */
    size_t index;
    const struct json *json;
};

struct node node_member(const struct node *parent, const char *key, const struct json *json);
struct node node_item(const struct node *parent, size_t index, const struct json *json);

/* Writes file, place and what is wrong; returns STATUS_INVALID. */
MUST_USE enum status node_refuse(const struct node *node, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
MUST_USE enum status node_no_memory(const struct node *node);

MUST_USE enum status node_is(const struct node *node, enum json_type type);

/* One known key of an object. `take` checks the value and writes what it means to `offset` bytes
 * into the caller's draft; an absent key leaves the draft alone. */
struct node_key {
    const char *key;
    enum status (*take)(const struct node *node, void *target);
    size_t offset;
    bool required;
};

/* Takes an object apart: unknown keys and lacking ones are errors. */
MUST_USE enum status
node_take(const struct node *object, const struct node_key *keys, size_t count, void *draft);

/* Takers. Strings have at most NODE_STRING_MAX characters and no control characters. */
MUST_USE enum status node_take_string(const struct node *node, void *target); /* const char * */
MUST_USE enum status node_take_bool(const struct node *node, void *target);   /* bool */

/* An array of `min` to `max` strings that are not empty unless `empty`. */
MUST_USE enum status node_is_strings(const struct node *node, size_t min, size_t max, bool empty);

#endif
