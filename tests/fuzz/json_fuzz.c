/* json_parse: what it accepts can be walked, written, and read back as the same. */
#include <string.h>

#include "controller/support/json.h"
#include "tests/fuzz/fuzz.h"

#define OUT_MAX (1 << 20)

static void write_node(struct json_out *out, const char *key, const struct json *node)
{
    enum json_type type = json_type(node);

    FUZZ_CHECK(json_type_text(type) != NULL);
    switch (type) {
    case JSON_NULL:
        json_out_null(out, key);
        return;
    case JSON_BOOL:
        json_out_bool(out, key, json_bool(node));
        return;
    case JSON_NUMBER:
        json_out_number(out, key, json_number(node), 6);
        return;
    case JSON_STRING:
        FUZZ_CHECK(utf8_is_valid(json_string(node), strlen(json_string(node))));
        json_out_string(out, key, json_string(node));
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        json_out_open(out, key, type == JSON_OBJECT ? '{' : '[');
        for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
            if (type == JSON_OBJECT) {
                FUZZ_CHECK(json_get(node, json_key(child)) == child);
            }
            write_node(out, type == JSON_OBJECT ? json_key(child) : NULL, child);
        }
        json_out_close(out, type == JSON_OBJECT ? '}' : ']');
        return;
    }
    abort();
}

static size_t write_document(const struct json *document, char *buffer)
{
    struct text text = text_over(buffer, OUT_MAX);
    struct json_out out = json_out(&text);

    write_node(&out, NULL, document);
    FUZZ_CHECK(!text.cut);
    return text.length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first[OUT_MAX];
    static char second[OUT_MAX];
    struct json *document = NULL;
    struct json *again = NULL;
    TEXT_LOCAL(why, 256);
    size_t length;

    if (json_parse((const char *)data, size, &document, &why) != STATUS_OK) {
        FUZZ_CHECK(document == NULL);
        FUZZ_CHECK(why.length > 0);
        return 0;
    }
    FUZZ_CHECK(why.length == 0);
    length = write_document(document, first);
    FUZZ_CHECK(json_parse(first, length, &again, &why) == STATUS_OK);
    FUZZ_CHECK(write_document(again, second) == length);
    FUZZ_CHECK(memcmp(first, second, length) == 0);
    json_free(document);
    json_free(again);
    return 0;
}
