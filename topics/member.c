#include "topics/member.h"

#include <stdarg.h>
#include <stdio.h>

struct members members_of(
    const char *payload, size_t length, size_t bytes_max, struct json **ret_document,
    struct text *why)
{
    struct members members = {.place = "", .why = why};

    *ret_document = NULL;
    if (length > bytes_max) {
        text_addf(why, "over %zu bytes", bytes_max);
        members.failed = true;
        members.flaw = MEMBER_FLAW_SIZE;
    } else if (json_parse(payload, length, ret_document, why) != STATUS_OK) {
        members.failed = true;
        members.flaw = MEMBER_FLAW_JSON;
    } else if (json_type(*ret_document) != JSON_OBJECT) {
        text_addf(why, "/: must be an object, is %s", json_type_text(json_type(*ret_document)));
        members.failed = true;
        members.flaw = MEMBER_FLAW_VALUE;
    }
    members.object = *ret_document;
    return members;
}

void member_fail(struct members *members, const char *key, const char *format, ...)
{
    TEXT_LOCAL(reason, 256);
    va_list arguments;

    if (members->failed) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(reason.data, reason.size, format, arguments);
    va_end(arguments);
    text_addf(members->why, "%s/%s: %s", members->place, key, reason.data);
    members->failed = true;
    members->flaw = MEMBER_FLAW_VALUE;
}

/* The member when it is there and of the right type. */
static const struct json *
find(struct members *members, const char *key, enum presence presence, enum json_type wanted)
{
    const struct json *node;

    if (members->failed) {
        return NULL;
    }
    node = json_get(members->object, key);
    if (node == NULL) {
        if (presence == REQUIRED) {
            member_fail(members, key, "missing");
            members->flaw = MEMBER_FLAW_MISSING;
        }
        return NULL;
    }
    if (json_type(node) == JSON_NULL && presence == OPTIONAL) {
        return NULL;
    }
    if (json_type(node) != wanted) {
        member_fail(
            members, key, "must be %s, is %s", json_type_text(wanted),
            json_type_text(json_type(node)));
        return NULL;
    }
    return node;
}

bool member_bool(struct members *members, const char *key, enum presence presence, bool *ret)
{
    const struct json *node = find(members, key, presence, JSON_BOOL);

    if (node != NULL) {
        *ret = json_bool(node);
    }
    return node != NULL;
}

bool member_number(struct members *members, const char *key, enum presence presence, double *ret)
{
    const struct json *node = find(members, key, presence, JSON_NUMBER);

    if (node != NULL) {
        *ret = json_number(node);
    }
    return node != NULL;
}

bool member_ms(struct members *members, const char *key, enum presence presence, int64_t *ret_ms)
{
    const struct json *node = find(members, key, presence, JSON_NUMBER);

    if (node != NULL) {
        *ret_ms = json_ms(node);
    }
    return node != NULL;
}

bool member_integer(
    struct members *members, const char *key, enum presence presence, uint64_t min, uint64_t max,
    uint64_t *ret)
{
    const struct json *node = find(members, key, presence, JSON_NUMBER);

    if (node == NULL) {
        return false;
    }
    if (!json_is_integer(node, min, max)) {
        member_fail(
            members, key, "%.17g is not an integer from %llu to %llu", json_number(node),
            (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *ret = (uint64_t)json_number(node);
    return true;
}

bool member_string(
    struct members *members, const char *key, enum presence presence, const char **ret)
{
    const struct json *node = find(members, key, presence, JSON_STRING);

    if (node != NULL) {
        *ret = json_string(node);
    }
    return node != NULL;
}

bool member_text(
    struct members *members, const char *key, enum presence presence, size_t characters_max,
    char *ret, size_t size)
{
    const char *string = NULL;

    if (!member_string(members, key, presence, &string)) {
        return false;
    }
    if (utf8_length(string) > characters_max) {
        member_fail(members, key, "over %zu characters", characters_max);
        return false;
    }
    text_copy(ret, size, string);
    return true;
}

bool member_container(
    struct members *members, const char *key, enum presence presence, enum json_type type,
    const struct json **ret)
{
    const struct json *node = find(members, key, presence, type);

    if (node != NULL) {
        *ret = node;
    }
    return node != NULL;
}
