#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"

/* Parses a copy that ends exactly at `length`, so that ASan sees a read behind it. */
static enum status parse(const char *bytes, size_t length, struct json **ret, struct text *why)
{
    char *copy = malloc(length + (length == 0));
    enum status status;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    status = json_parse(copy, length, ret, why);
    free(copy);
    return status;
}

static struct json *parsed(const char *string)
{
    struct json *document = NULL;
    TEXT_LOCAL(why, 256);

    if (parse(string, strlen(string), &document, &why) != STATUS_OK) {
        fail_msg("%s: %s", string, why.data);
    }
    return document;
}

static void assert_refused(const char *bytes, size_t length, const char *reason)
{
    struct json *document = NULL;
    TEXT_LOCAL(why, 256);
    enum status status = parse(bytes, length, &document, &why);

    if (status == STATUS_OK) {
        fail_msg("was taken: %s", bytes);
    }
    assert_int_equal(status, STATUS_INVALID);
    assert_null(document);
    assert_string_equal(why.data, reason);
}

#define REFUSED(bytes, reason)                                                                     \
    {                                                                                              \
        bytes, sizeof bytes - 1, reason                                                            \
    }

static void what_RFC_8259_does_not_allow_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *reason;
    } cases[] = {
        REFUSED("", "not JSON: it ends too early at byte 0"),
        REFUSED(" \n ", "not JSON: it ends too early at byte 3 (line 2)"),
        REFUSED("{", "not JSON: it ends too early at byte 1"),
        REFUSED("{\"a\"", "not JSON: it ends too early at byte 4"),
        REFUSED("{\"a\":", "not JSON: it ends too early at byte 5"),
        REFUSED("{\"a\":1", "not JSON: it ends too early at byte 6"),
        REFUSED("{\"a\":1,", "not JSON: it ends too early at byte 7"),
        REFUSED("[1", "not JSON: it ends too early at byte 2"),
        REFUSED("\"abc", "not JSON: it ends too early at byte 4"),
        REFUSED("\"abc\\", "not JSON: it ends too early at byte 5"),
        REFUSED("\"\\u12", "not JSON: it ends too early at byte 5"),
        REFUSED("-", "not JSON: it ends too early at byte 1"),
        REFUSED("{\"a\":1,}", "not JSON: no key at byte 7"),
        REFUSED("{a:1}", "not JSON: no key at byte 1"),
        REFUSED("{'a':1}", "not JSON: no key at byte 1"),
        REFUSED("{1:1}", "not JSON: no key at byte 1"),
        REFUSED("{\"a\" 1}", "not JSON: no colon after a key at byte 5"),
        REFUSED("{\"a\":}", "not JSON: no value at byte 5"),
        REFUSED("{\"a\":1 \"b\":2}", "not JSON: neither a comma nor a } after a member at byte 7"),
        REFUSED("{\"a\":1]", "not JSON: neither a comma nor a } after a member at byte 6"),
        REFUSED("[1 2]", "not JSON: neither a comma nor a ] after an element at byte 3"),
        REFUSED("[1,]", "not JSON: no value at byte 3"),
        REFUSED("[,1]", "not JSON: no value at byte 1"),
        REFUSED("tru", "not JSON: no value at byte 0"),
        REFUSED("True", "not JSON: no value at byte 0"),
        REFUSED("nul\0", "not JSON: no value at byte 0"),
        REFUSED("NaN", "not JSON: no value at byte 0"),
        REFUSED("Infinity", "not JSON: no value at byte 0"),
        REFUSED("/**/1", "not JSON: no value at byte 0"),
        REFUSED(
            "\xef\xbb\xbf{}",
            "not JSON: a byte order mark; save it as UTF-8 without one at byte 0"),
        REFUSED("{}x", "not JSON: more bytes after the value at byte 2"),
        REFUSED("{}{}", "not JSON: more bytes after the value at byte 2"),
        REFUSED("{}\0", "not JSON: more bytes after the value at byte 2"),
        REFUSED("truee", "not JSON: more bytes after the value at byte 4"),
        REFUSED("01", "not JSON: a number has a leading zero at byte 0"),
        REFUSED("[1,-01]", "not JSON: a number has a leading zero at byte 3"),
        REFUSED("+1", "not JSON: no value at byte 0"),
        REFUSED(".5", "not JSON: no value at byte 0"),
        REFUSED("[1.]", "not JSON: a digit is missing at byte 3"),
        REFUSED("[1.e5]", "not JSON: a digit is missing at byte 3"),
        REFUSED("[1e]", "not JSON: a digit is missing at byte 3"),
        REFUSED("[1e+]", "not JSON: a digit is missing at byte 4"),
        REFUSED("[-]", "not JSON: a digit is missing at byte 2"),
        REFUSED("0x10", "not JSON: more bytes after the value at byte 1"),
        REFUSED("\"a\nb\"", "not JSON: a control character in a string at byte 2"),
        REFUSED("\"a\0b\"", "not JSON: a control character in a string at byte 2"),
        REFUSED("\"\x1f\"", "not JSON: a control character in a string at byte 1"),
        REFUSED("\"\\x41\"", "not JSON: an unknown escape at byte 1"),
        REFUSED("\"\\'\"", "not JSON: an unknown escape at byte 1"),
        REFUSED("\"\\\0\"", "not JSON: an unknown escape at byte 1"),
        REFUSED("\"\\u00g0\"", "not JSON: a \\u escape lacks a hexadecimal digit at byte 5"),
        REFUSED("\v1", "not JSON: no value at byte 0"),
        REFUSED("1\f", "not JSON: more bytes after the value at byte 1"),
        REFUSED("\0", "not JSON: no value at byte 0"),
        REFUSED("{\n\"a\":\n?}", "not JSON: no value at byte 7 (line 3)"),
        REFUSED("\"\xff\"", "not JSON: invalid UTF-8 at byte 1"),
        REFUSED("{\"\xc0\x80\":1}", "not JSON: invalid UTF-8 at byte 2"),
        REFUSED("\"\xed\xa0\x80\"", "not JSON: invalid UTF-8 at byte 1"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_refused(cases[i].bytes, cases[i].length, cases[i].reason);
    }
}

static void C3_a_NUL_is_refused_however_it_is_written(void **state)
{
    static const char nul_value[] = "{\"a\":\"4\\u00002\"}";
    static const char nul_key[] = "{\"a\\u0000b\":1}";

    (void)state;
    assert_refused(nul_value, sizeof nul_value - 1, "\\u0000 in a string at byte 7");
    assert_refused(nul_key, sizeof nul_key - 1, "\\u0000 in a string at byte 3");
}

static void half_of_a_surrogate_pair_is_refused(void **state)
{
    static const char *const cases[] = {
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud83d\\n\"", "\"\\ud83dx\"", "\"\\ud83d\\ud83d\"",
    };
    struct json *pair = parsed("\"\\uD83D\\ude00\"");

    (void)state;
    assert_string_equal(json_string(pair), "\xf0\x9f\x98\x80");
    json_free(pair);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_refused(
            cases[i], strlen(cases[i]), "half of a surrogate pair in a string at byte 1");
    }
}

static void C3_a_key_that_stands_twice_is_refused_at_every_level(void **state)
{
    static const struct {
        const char *bytes;
        const char *reason;
    } cases[] = {
        {"{\"a\":1,\"a\":1}", "the key \"a\" stands twice in /"},
        {"{\"a\":1,\"\\u0061\":2}", "the key \"a\" stands twice in /"},
        {"{\"x\":{\"b\":1,\"c\":2,\"b\":3}}", "the key \"b\" stands twice in /x"},
        {"[1,{},{\"x\":[{\"\":1,\"\":2}]}]", "the key \"\" stands twice in /2/x/0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_refused(cases[i].bytes, strlen(cases[i].bytes), cases[i].reason);
    }
    json_free(parsed("{\"a\":1,\"A\":{\"a\":1},\"aa\":[\"a\",\"a\"]}"));
}

static void a_key_that_stands_twice_is_found_among_thousands(void **state)
{
    static char bytes[200000];
    struct text text = text_over(bytes, sizeof bytes);

    (void)state;
    text_add(&text, "{");
    for (int i = 0; i < 5000; i++) {
        text_addf(&text, "\"m%d\":%d,", (i * 7919) % 5000, i);
    }
    text_add(&text, "\"m4711\":0}");
    assert_false(text.cut);
    assert_refused(bytes, text.length, "the key \"m4711\" stands twice in /");
}

static void C3_depth_8_is_taken_and_9_is_not(void **state)
{
    (void)state;
    json_free(parsed("[[[[[[[[1]]]]]]]]"));
    json_free(parsed("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}"));
    json_free(parsed("[[],[],[],[],[],[],[],[],[],[]]"));
    assert_refused("[[[[[[[[[1]]]]]]]]]", 19, "nested over 8 deep at byte 8");
    assert_refused("[[[[[[[[{}]]]]]]]]", 18, "nested over 8 deep at byte 8");
}

static void numbers_that_a_double_cannot_hold_are_refused(void **state)
{
    static const char inner[] = "{\"a\":[0,-1e999]}";
    char digits[80];

    (void)state;
    assert_refused("1e999", 5, "/: a number too big");
    assert_refused(inner, sizeof inner - 1, "/a/1: a number too big");
    memset(digits, '1', sizeof digits);
    assert_refused(digits, 64, "a number has over 63 characters at byte 0");
    digits[63] = '\0';
    json_free(parsed(digits));
}

static void a_document_is_read_as_it_was_written(void **state)
{
    struct json *document = parsed(
        "\t{\"s\" : \"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\xc3\xa9\", \"n\":-1.5e2,\"t\":true,\r\n"
        "\"f\":false,\"z\":null,\"l\":[1,\"two\",{}], \"o\":{\"S\":\"big\"}} ");
    const struct json *list = json_get(document, "l");

    (void)state;
    assert_int_equal(json_type(document), JSON_OBJECT);
    assert_int_equal(json_count(document), 7);
    assert_string_equal(json_string(json_get(document, "s")), "a\"\\/\b\f\n\r\t\xc3\xa9\xc3\xa9");
    assert_true(fabs(json_number(json_get(document, "n")) + 150) < 1e-9);
    assert_int_equal(json_type(json_get(document, "t")), JSON_BOOL);
    assert_true(json_bool(json_get(document, "t")));
    assert_int_equal(json_type(json_get(document, "f")), JSON_BOOL);
    assert_false(json_bool(json_get(document, "f")));
    assert_int_equal(json_type(json_get(document, "z")), JSON_NULL);
    assert_int_equal(json_count(list), 3);
    assert_int_equal(json_type(json_first(list)), JSON_NUMBER);
    assert_string_equal(json_string(json_next(json_first(list))), "two");
    assert_null(json_next(json_next(json_next(json_first(list)))));
    assert_string_equal(json_key(list), "l");
    assert_null(json_get(document, "S"));
    assert_null(json_get(list, "s"));
    assert_null(json_get(NULL, "s"));
    assert_string_equal(json_string(json_get(json_get(document, "o"), "S")), "big");
    json_free(document);
    json_free(NULL);
}

static void a_member_that_is_not_there_or_of_another_type_is_nothing(void **state)
{
    struct json *document = parsed("{\"b\":true,\"n\":1.5,\"s\":\"true\",\"z\":null,\"l\":[1]}");

    (void)state;
    assert_true(json_get_bool(document, "b"));
    assert_false(json_get_bool(document, "n"));
    assert_false(json_get_bool(document, "s"));
    assert_false(json_get_bool(document, "x"));
    assert_false(json_get_bool(NULL, "b"));
    assert_string_equal(json_get_string(document, "s"), "true");
    assert_string_equal(json_get_string(document, "z"), "");
    assert_string_equal(json_get_string(document, "x"), "");
    assert_int_equal(json_type(json_get(document, "x")), JSON_NULL);
    assert_int_equal(json_count(json_get(document, "x")), 0);
    assert_null(json_first(json_get(document, "x")));
    json_free(document);
}

static void an_integer_is_read_up_to_its_limit(void **state)
{
    struct json *document = parsed("{\"a\":7,\"b\":8,\"c\":7.5,\"d\":-1,\"e\":\"7\"}");

    (void)state;
    assert_int_equal(json_get_integer(document, "a", 7), 7);
    assert_int_equal(json_get_integer(document, "b", 7), 0);
    assert_int_equal(json_get_integer(document, "c", 7), 0);
    assert_int_equal(json_get_integer(document, "d", 7), 0);
    assert_int_equal(json_get_integer(document, "e", 7), 0);
    assert_int_equal(json_get_integer(document, "x", 7), 0);
    json_free(document);
}

static void seconds_are_read_as_milliseconds_and_what_is_no_time_as_none(void **state)
{
    struct json *document =
        parsed("{\"a\":1795329728.979,\"b\":0.0005,\"c\":0.0004,\"d\":-1,\"e\":99999999999.999,"
               "\"f\":1e11,\"g\":\"1\"}");

    (void)state;
    assert_int_equal(json_get_ms(document, "a"), 1795329728979);
    assert_int_equal(json_get_ms(document, "b"), 1);
    assert_int_equal(json_get_ms(document, "c"), 0);
    assert_int_equal(json_get_ms(document, "d"), 0);
    assert_int_equal(json_get_ms(document, "e"), 99999999999999);
    assert_int_equal(json_get_ms(document, "f"), 0);
    assert_int_equal(json_get_ms(document, "g"), 0);
    assert_int_equal(json_get_ms(document, "x"), 0);
    assert_int_equal(json_get_wall(document, "a").ms, 1795329728979);
    json_free(document);
}

static void an_integer_is_a_whole_number_in_its_limits(void **state)
{
    static const struct {
        const char *bytes;
        bool is;
    } cases[] = {
        {"1", true},           {"4294967295", true}, {"1e0", true},
        {"2.0", true},         {"0", false},         {"-1", false},
        {"4294967296", false}, {"1.5", false},       {"4294967294.5", false},
        {"1e300", false},      {"\"1\"", false},     {"true", false},
        {"null", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json *node = parsed(cases[i].bytes);
        assert_int_equal(json_is_integer(node, 1, UINT32_MAX), cases[i].is);
        json_free(node);
    }
}

static void types_have_names_for_error_texts(void **state)
{
    (void)state;
    assert_string_equal(json_type_text(JSON_NULL), "null");
    assert_string_equal(json_type_text(JSON_BOOL), "a boolean");
    assert_string_equal(json_type_text(JSON_NUMBER), "a number");
    assert_string_equal(json_type_text(JSON_STRING), "a string");
    assert_string_equal(json_type_text(JSON_ARRAY), "an array");
    assert_string_equal(json_type_text(JSON_OBJECT), "an object");
}

static void writing_separates_members_and_escapes_strings(void **state)
{
    TEXT_LOCAL(text, 512);
    struct json_out out = json_out(&text);

    (void)state;
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "a\"b", "q\" b\\ \b\f\n\r\t\x01\x1f\x7f \xc3\xa9 \xf0\x9f\x98\x80");
    json_out_string(&out, "none", NULL);
    json_out_open(&out, "list", '[');
    json_out_integer(&out, NULL, INT64_MIN);
    json_out_bool(&out, NULL, true);
    json_out_open(&out, NULL, '{');
    json_out_close(&out, '}');
    json_out_null(&out, NULL);
    json_out_close(&out, ']');
    json_out_raw(&out, "raw", "[1]");
    json_out_bool(&out, "no", false);
    json_out_close(&out, '}');
    assert_string_equal(
        text.data,
        "{\"a\\\"b\":\"q\\\" b\\\\ \\b\\f\\n\\r\\t\\u0001\\u001f\x7f \xc3\xa9 \xf0\x9f\x98\x80\","
        "\"none\":null,\"list\":[-9223372036854775808,true,{},null],\"raw\":[1],\"no\":false}");
    assert_false(text.cut);
    json_free(parsed(text.data));
}

static void writing_bytes_that_are_no_UTF_8_gives_valid_JSON(void **state)
{
    TEXT_LOCAL(text, 64);
    struct json_out out = json_out(&text);

    (void)state;
    json_out_string(&out, NULL, "a\xff\xc3(\xe2\x82");
    assert_string_equal(text.data, "\"a\\ufffd\\ufffd(\\ufffd\\ufffd\"");
    json_free(parsed(text.data));
}

static void numbers_are_written_in_their_shortest_form(void **state)
{
    static const struct {
        double value;
        int decimals;
        const char *written;
    } cases[] = {
        {0, 3, "0"},
        {-0.0, 3, "0"},
        {-0.0001, 3, "0"},
        {1, 3, "1"},
        {0.5, 3, "0.5"},
        {0.1 + 0.2, 3, "0.3"},
        {100, 0, "100"},
        {100, 2, "100"},
        {-61.25, 1, "-61.2"},
        {1700000000.123, 3, "1700000000.123"},
        {(double)NAN, 3, "null"},
        {HUGE_VAL, 3, "null"},
        {1e300, 3, "1.0000000000000001e+300"},
        {999999999999999, 3, "999999999999999"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(text, 64);
        struct json_out out = json_out(&text);
        json_out_number(&out, NULL, cases[i].value, cases[i].decimals);
        assert_string_equal(text.data, cases[i].written);
        json_free(parsed(text.data));
    }
}

static void writing_into_too_small_a_buffer_is_noticed(void **state)
{
    static const char whole[] = "{\"abc\":1234,\"d\":\"e\",\"f\":\"\\\"\xc3\xa9\"}";
    char buffer[sizeof whole + 8];

    (void)state;
    for (size_t size = 1; size <= sizeof buffer; size++) {
        struct text text = text_over(buffer, size);
        struct json_out out = json_out(&text);
        json_out_open(&out, NULL, '{');
        json_out_integer(&out, "abc", 1234);
        json_out_string(&out, "d", "e");
        json_out_string(&out, "f", "\"\xc3\xa9");
        json_out_close(&out, '}');
        assert_int_equal(text.cut, size < sizeof whole);
        assert_int_equal(strlen(buffer), text.length);
        assert_true(text.length < size);
        if (!text.cut) {
            assert_string_equal(buffer, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_RFC_8259_does_not_allow_is_refused_with_its_place),
        cmocka_unit_test(C3_a_NUL_is_refused_however_it_is_written),
        cmocka_unit_test(half_of_a_surrogate_pair_is_refused),
        cmocka_unit_test(C3_a_key_that_stands_twice_is_refused_at_every_level),
        cmocka_unit_test(a_key_that_stands_twice_is_found_among_thousands),
        cmocka_unit_test(C3_depth_8_is_taken_and_9_is_not),
        cmocka_unit_test(numbers_that_a_double_cannot_hold_are_refused),
        cmocka_unit_test(a_document_is_read_as_it_was_written),
        cmocka_unit_test(a_member_that_is_not_there_or_of_another_type_is_nothing),
        cmocka_unit_test(an_integer_is_read_up_to_its_limit),
        cmocka_unit_test(seconds_are_read_as_milliseconds_and_what_is_no_time_as_none),
        cmocka_unit_test(an_integer_is_a_whole_number_in_its_limits),
        cmocka_unit_test(types_have_names_for_error_texts),
        cmocka_unit_test(writing_separates_members_and_escapes_strings),
        cmocka_unit_test(writing_bytes_that_are_no_UTF_8_gives_valid_JSON),
        cmocka_unit_test(numbers_are_written_in_their_shortest_form),
        cmocka_unit_test(writing_into_too_small_a_buffer_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
