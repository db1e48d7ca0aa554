#include "controller/config/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controller/support/nearest.h"

#define KEY_SHOWN_MAX 64
#define PROBLEM_SIZE 512

struct node node_member(const struct node *parent, const char *key, const struct json *json)
{
    return (struct node){parent->file, parent->why, parent, key, 0, json};
}

struct node node_item(const struct node *parent, size_t index, const struct json *json)
{
    return (struct node){parent->file, parent->why, parent, NULL, index, json};
}

/* A JSON pointer's escapes (RFC 6901); what would spoil a line of text becomes `?`. */
static void add_key(const char *key, struct text *out)
{
    size_t length = utf8_offset(key, KEY_SHOWN_MAX);

    for (size_t i = 0; i < length; i++) {
        bool control = (unsigned char)key[i] < 0x20 || key[i] == 0x7f;
        if (key[i] == '~' || key[i] == '/') {
            text_add(out, key[i] == '~' ? "~0" : "~1");
        } else {
            text_add_bytes(out, control ? "?" : key + i, 1);
        }
    }
    text_add(out, key[length] == '\0' ? "" : "...");
}

/* Nesting is at most JSON_DEPTH_MAX deep. */
static void add_path(const struct node *node, struct text *out)
{
    if (node->parent == NULL) {
        return;
    }
    add_path(node->parent, out);
    text_add(out, "/");
    if (node->key != NULL) {
        add_key(node->key, out);
    } else {
        text_addf(out, "%zu", node->index);
    }
}

/* "/3/fob_codes/0", "/" at the top. */
static void add_place(const struct node *node, struct text *out)
{
    text_add(out, node->parent == NULL ? "/" : "");
    add_path(node, out);
}

enum status node_refuse(const struct node *node, const char *format, ...)
{
    char problem[PROBLEM_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    text_addf(node->why, "%s: ", node->file);
    add_place(node, node->why);
    text_addf(node->why, ": %s", problem);
    return STATUS_INVALID;
}

enum status node_no_memory(const struct node *node)
{
    text_addf(node->why, "%s: out of memory", node->file);
    return STATUS_NO_MEMORY;
}

enum status node_is(const struct node *node, enum json_type type)
{
    enum json_type found = json_type(node->json);

    if (found != type) {
        return node_refuse(node, "must be %s, not %s", json_type_text(type), json_type_text(found));
    }
    return STATUS_OK;
}

static enum status unknown_key(const struct node *member, const struct node_key *keys, size_t count)
{
    struct nearest nearest = nearest_to(member->key);
    TEXT_LOCAL(problem, 128);

    for (size_t i = 0; i < count; i++) {
        nearest_offer(&nearest, keys[i].key);
    }
    text_add(&problem, "unknown key");
    nearest_add(&nearest, &problem);
    return node_refuse(member, "%s", problem.data);
}

static enum status
take_member(const struct node *member, const struct node_key *keys, size_t count, void *draft)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].key, member->key) == 0) {
            return keys[i].take(member, (char *)draft + keys[i].offset);
        }
    }
    return unknown_key(member, keys, count);
}

enum status
node_take(const struct node *object, const struct node_key *keys, size_t count, void *draft)
{
    enum status status = node_is(object, JSON_OBJECT);

    if (status != STATUS_OK) {
        return status;
    }
    for (const struct json *json = json_first(object->json); json != NULL; json = json_next(json)) {
        struct node member = node_member(object, json_key(json), json);
        status = take_member(&member, keys, count, draft);
        if (status != STATUS_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (keys[i].required && json_get(object->json, keys[i].key) == NULL) {
            return node_refuse(object, "lacks %s", keys[i].key);
        }
    }
    return STATUS_OK;
}

enum status node_take_string(const struct node *node, void *target)
{
    const char **string = target;
    enum status status = node_is(node, JSON_STRING);

    if (status != STATUS_OK) {
        return status;
    }
    if (utf8_length(json_string(node->json)) > NODE_STRING_MAX) {
        return node_refuse(node, "must be at most %d characters", NODE_STRING_MAX);
    }
    if (text_has_control(json_string(node->json))) {
        return node_refuse(node, "must not hold control characters");
    }
    *string = json_string(node->json);
    return STATUS_OK;
}

enum status node_take_bool(const struct node *node, void *target)
{
    bool *value = target;
    enum status status = node_is(node, JSON_BOOL);

    if (status == STATUS_OK) {
        *value = json_bool(node->json);
    }
    return status;
}

enum status node_is_strings(const struct node *node, size_t min, size_t max, bool empty)
{
    enum status status = node_is(node, JSON_ARRAY);
    size_t index = 0;

    if (status != STATUS_OK) {
        return status;
    }
    if (json_count(node->json) < min) {
        return node_refuse(node, "must hold at least one");
    }
    if (json_count(node->json) > max) {
        return node_refuse(node, "must hold at most %zu", max);
    }
    for (const struct json *json = json_first(node->json); json != NULL; json = json_next(json)) {
        struct node item = node_item(node, index++, json);
        const char *string = "";
        status = node_take_string(&item, &string);
        if (status != STATUS_OK) {
            return status;
        }
        if (!empty && string[0] == '\0') {
            return node_refuse(&item, "must not be empty");
        }
    }
    return STATUS_OK;
}
