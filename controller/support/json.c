#include "controller/support/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json_memory.h"
#include "controller/support/json_scan.h"

#define MS_MAX 1e14 /* some three thousand years: no clock says more */

/* `struct json` is never defined: a node is a cJSON behind this cast. */
static const cJSON *tree(const struct json *node)
{
    return (const cJSON *)node;
}

static const struct json *node_of(const cJSON *item)
{
    return (const struct json *)item;
}

/* The way down to a node, for error texts; each level lives in its caller's frame. */
struct place {
    const struct place *parent;
    const cJSON *item;
    size_t index;
};

/* As a JSON pointer without its escapes, "/" alone for the document itself. */
static void add_place(struct text *why, const struct place *place)
{
    if (place->parent == NULL) {
        return;
    }
    add_place(why, place->parent);
    if (place->item->string != NULL) {
        text_addf(why, "/%s", place->item->string);
    } else {
        text_addf(why, "/%zu", place->index);
    }
}

static void say_place(struct text *why, const struct place *place)
{
    if (place->parent == NULL) {
        text_add(why, "/");
    }
    add_place(why, place);
}

static int compare_keys(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* Sorts the keys, since an object from a file can have thousands. */
static enum status check_keys(const struct place *place, struct text *why)
{
    const char *few[32];
    const char **keys = few;
    const cJSON *child;
    size_t count = 0;
    enum status status = STATUS_OK;

    cJSON_ArrayForEach(child, place->item)
    {
        count++;
    }
    if (count > sizeof few / sizeof few[0]) {
        keys = calloc(count, sizeof *keys);
        if (keys == NULL) {
            text_add(why, status_text(STATUS_NO_MEMORY));
            return STATUS_NO_MEMORY;
        }
    }
    count = 0;
    cJSON_ArrayForEach(child, place->item)
    {
        keys[count++] = child->string;
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count && status == STATUS_OK; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0) {
            text_addf(why, "the key \"%s\" stands twice in ", keys[i]);
            say_place(why, place);
            status = STATUS_INVALID;
        }
    }
    if (keys != few) {
        free(keys);
    }
    return status;
}

/* What only the tree can tell: keys that are the same once unescaped, numbers too big. */
static enum status check_node(const struct place *place, struct text *why)
{
    struct place below = {.parent = place};

    if (cJSON_IsNumber(place->item) && !isfinite(place->item->valuedouble)) {
        say_place(why, place);
        text_add(why, ": a number too big");
        return STATUS_INVALID;
    }
    if (cJSON_IsObject(place->item)) {
        enum status status = check_keys(place, why);
        if (status != STATUS_OK) {
            return status;
        }
    }
    cJSON_ArrayForEach(below.item, place->item)
    {
        enum status status = check_node(&below, why);
        if (status != STATUS_OK) {
            return status;
        }
        below.index++;
    }
    return STATUS_OK;
}

static void set_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = json_memory_take, .free_fn = json_memory_drop};
    cJSON_InitHooks(&hooks);
}

static cJSON *read_tree(const char *bytes, size_t length)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool is_short = length <= JSON_MEMORY_DOCUMENT_MAX;
    cJSON *document;

    pthread_once(&once, set_hooks);
    if (!is_short || !json_memory_begin()) {
        return cJSON_ParseWithLength(bytes, length);
    }
    document = cJSON_ParseWithLength(bytes, length);
    json_memory_end(document == NULL);
    return document;
}

enum status
json_parse(const char *bytes, size_t length, struct json **ret_document, struct text *why)
{
    enum status status = json_scan(bytes, length, why);
    struct place root = {0};
    cJSON *document;

    if (status != STATUS_OK) {
        return status;
    }
    document = read_tree(bytes, length);
    if (document == NULL) {
        /* The scan has accepted the bytes, so only memory can be missing. */
        text_add(why, status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    root.item = document;
    status = check_node(&root, why);
    if (status != STATUS_OK) {
        json_free((struct json *)document);
        return status;
    }
    *ret_document = (struct json *)document;
    return STATUS_OK;
}

void json_free(struct json *document)
{
    cJSON_Delete((cJSON *)document);
    json_memory_reset(document);
}

enum json_type json_type(const struct json *node)
{
    const cJSON *item = tree(node);

    if (cJSON_IsBool(item)) {
        return JSON_BOOL;
    } else if (cJSON_IsNumber(item)) {
        return JSON_NUMBER;
    } else if (cJSON_IsString(item)) {
        return JSON_STRING;
    } else if (cJSON_IsArray(item)) {
        return JSON_ARRAY;
    } else if (cJSON_IsObject(item)) {
        return JSON_OBJECT;
    }
    return JSON_NULL;
}

const char *json_type_text(enum json_type type)
{
    switch (type) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return "a boolean";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    }
    return "unknown";
}

bool json_bool(const struct json *node)
{
    return cJSON_IsTrue(tree(node));
}

double json_number(const struct json *node)
{
    return node != NULL && cJSON_IsNumber(tree(node)) ? tree(node)->valuedouble : 0.0;
}

const char *json_string(const struct json *node)
{
    return node != NULL && cJSON_IsString(tree(node)) ? tree(node)->valuestring : "";
}

int64_t json_ms(const struct json *node)
{
    double ms = json_number(node) * 1000;

    return ms > 0 && ms < MS_MAX ? (int64_t)(ms + 0.5) : 0;
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!cJSON_IsObject(tree(object))) {
        return NULL;
    }
    return node_of(cJSON_GetObjectItemCaseSensitive(tree(object), key));
}

bool json_get_bool(const struct json *object, const char *key)
{
    return json_bool(json_get(object, key));
}

const char *json_get_string(const struct json *object, const char *key)
{
    return json_string(json_get(object, key));
}

int64_t json_get_ms(const struct json *object, const char *key)
{
    return json_ms(json_get(object, key));
}

struct wall_time json_get_wall(const struct json *object, const char *key)
{
    return (struct wall_time){json_get_ms(object, key)};
}

uint64_t json_get_integer(const struct json *object, const char *key, uint64_t max)
{
    const struct json *member = json_get(object, key);

    return json_is_integer(member, 0, max) ? (uint64_t)json_number(member) : 0;
}

const struct json *json_first(const struct json *node)
{
    return node == NULL ? NULL : node_of(tree(node)->child);
}

const struct json *json_next(const struct json *node)
{
    return node_of(tree(node)->next);
}

const char *json_key(const struct json *member)
{
    return tree(member)->string != NULL ? tree(member)->string : "";
}

size_t json_count(const struct json *node)
{
    return (size_t)cJSON_GetArraySize(tree(node));
}

bool json_is_integer(const struct json *node, uint64_t min, uint64_t max)
{
    double value;

    if (node == NULL || !cJSON_IsNumber(tree(node))) {
        return false;
    }
    value = tree(node)->valuedouble;
    return value >= (double)min && value <= (double)max && floor(value) == value;
}
