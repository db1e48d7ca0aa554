#include "tests/scenario/match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_yes(const char *word)
{
    return strcmp(word, "yes") == 0 || strcmp(word, "on") == 0;
}

static bool is_no(const char *word)
{
    return strcmp(word, "no") == 0 || strcmp(word, "off") == 0;
}

static bool match_number(double number, const char *word)
{
    char *end = NULL;
    double wanted = strtod(word, &end);

    return end != word && *end == '\0' && fabs(number - wanted) < 1e-6;
}

static bool match_string(const char *string, const char *word)
{
    char line[1024];
    struct text text = text_over(line, sizeof line);

    text_add(&text, string);
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\n') {
            *at = '|';
        }
    }
    return word[0] == '~' ? strstr(line, word + 1) != NULL : strcmp(line, word) == 0;
}

static bool match_array(const struct json *array, const char *word)
{
    TEXT_LOCAL(joined, 1024);

    for (const struct json *item = json_first(array); item != NULL; item = json_next(item)) {
        text_add(&joined, joined.length > 0 ? "," : "");
        if (json_type(item) == JSON_NUMBER) {
            text_addf(&joined, "%g", json_number(item));
        } else if (json_type(item) == JSON_STRING) {
            text_add(&joined, json_string(item));
        } else {
            text_add(&joined, json_type_text(json_type(item)));
        }
    }
    return strcmp(joined.data, word) == 0 || (joined.length == 0 && strcmp(word, "none") == 0);
}

bool match_value(const struct json *node, const char *word)
{
    if (node == NULL) {
        return strcmp(word, "none") == 0 || is_no(word);
    }
    switch (json_type(node)) {
    case JSON_NULL:
        return strcmp(word, "none") == 0;
    case JSON_BOOL:
        return json_bool(node) ? is_yes(word) : is_no(word);
    case JSON_NUMBER:
        return match_number(json_number(node), word);
    case JSON_STRING:
        return match_string(json_string(node), word);
    case JSON_ARRAY:
        return match_array(node, word);
    case JSON_OBJECT:
        break;
    }
    return false;
}

static const struct json *item_of(const struct json *list, const char *place)
{
    size_t index = strcmp(place, "last") == 0 ? json_count(list) - 1 : strtoul(place, NULL, 10);
    const struct json *item = json_first(list);

    while (item != NULL && index > 0) {
        item = json_next(item);
        index--;
    }
    return item;
}

const struct json *match_find(const struct json *document, const char *path)
{
    const struct json *node = document;
    char key[128];

    while (node != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        if (length >= sizeof key) {
            return NULL;
        }
        memcpy(key, path, length);
        key[length] = '\0';
        node = json_type(node) == JSON_ARRAY ? item_of(node, key) : json_get(node, key);
        path += length;
        path += *path == '.';
    }
    return node;
}
