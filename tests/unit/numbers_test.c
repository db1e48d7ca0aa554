/* Numbers are printed by hand where each report prints them: as printf would. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/json.h"
#include "controller/support/text.h"

static void integers_are_those_of_printf(void **state)
{
    static const int64_t numbers[] = {0,  1,          9,         10,        -1,        -10,
                                      99, 4294967295, INT64_MAX, INT64_MIN, 1LL << 40, -999};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        TEXT_LOCAL(text, 32);
        char wanted[32];
        (void)snprintf(wanted, sizeof wanted, "%" PRId64, numbers[i]);
        text_add_integer(&text, numbers[i]);
        assert_string_equal(text.data, wanted);
    }
}

/* "%.3f" without zeros at its end, as it was before there was a shorter way. */
static void print_slowly(double value, char ret_digits[64])
{
    size_t length;

    (void)snprintf(ret_digits, 64, "%.3f", value);
    length = strlen(ret_digits);
    while (ret_digits[length - 1] == '0') {
        length--;
    }
    length -= ret_digits[length - 1] == '.';
    ret_digits[length] = '\0';
}

static void assert_same(double value)
{
    TEXT_LOCAL(text, 64);
    struct json_out out = json_out(&text);
    char wanted[64];

    print_slowly(value, wanted);
    json_out_number(&out, NULL, value, 3);
    assert_string_equal(text.data, wanted);
}

static void decimals_are_those_of_printf(void **state)
{
    static const double values[] = {
        0,      0.5,     1,    0.0005,          0.0015,    0.0014999, 0.1245, 1.0005,        2.5005,
        99.999, 99.9995, 1e11, 123456789012.75, 1.2345e14, 0.1,       1e-9,   1700000000.123};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_same(values[i]);
    }
    for (int64_t ms = 1700000000000; ms < 1700000002000; ms++) {
        assert_same((double)ms / 1000);
    }
    for (uint32_t i = 0; i < 20000; i++) {
        assert_same(i * 0.00037); /* every kind of rest, ties among them */
    }
}

static void two_documents_live_side_by_side(void **state)
{
    static const char first_text[] = "{\"a\":\"one\",\"b\":[1,2]}";
    static const char second_text[] = "{\"c\":\"two\"}";
    struct json *first;
    struct json *second;
    TEXT_LOCAL(why, 128);

    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(json_parse(first_text, sizeof first_text - 1, &first, &why), STATUS_OK);
        assert_int_equal(json_parse(second_text, sizeof second_text - 1, &second, &why), STATUS_OK);
        assert_string_equal(json_string(json_get(first, "a")), "one");
        assert_string_equal(json_string(json_get(second, "c")), "two");
        json_free(first);
        assert_string_equal(json_string(json_get(second, "c")), "two");
        assert_int_equal(json_parse(first_text, sizeof first_text - 1, &first, &why), STATUS_OK);
        json_free(second);
        assert_int_equal(json_count(json_get(first, "b")), 2);
        json_free(first);
    }
}

static void a_document_of_many_nodes_overflows_into_the_heap(void **state)
{
    static char many[4096];
    struct json *document;
    size_t length = 0;
    TEXT_LOCAL(why, 128);

    (void)state;
    many[length++] = '[';
    while (length < sizeof many - 3) {
        many[length++] = '7';
        many[length++] = ',';
    }
    many[length - 1] = ']';
    for (int round = 0; round < 2; round++) {
        assert_int_equal(json_parse(many, length, &document, &why), STATUS_OK);
        assert_int_equal(json_count(document), (length - 1) / 2);
        json_free(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_those_of_printf),
        cmocka_unit_test(decimals_are_those_of_printf),
        cmocka_unit_test(two_documents_live_side_by_side),
        cmocka_unit_test(a_document_of_many_nodes_overflows_into_the_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
