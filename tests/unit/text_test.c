#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/support/text.h"

#define SMILE "\xf0\x9f\x98\x80"
#define EURO "\xe2\x82\xac"
#define E_ACUTE "\xc3\xa9"

static void what_fits_is_kept_whole(void **state)
{
    char buffer[8];
    struct text text = text_over(buffer, sizeof buffer);

    (void)state;
    assert_string_equal(buffer, "");
    text_add(&text, "abc");
    text_addf(&text, "%d", 1234);
    assert_string_equal(buffer, "abc1234");
    assert_int_equal(text.length, 7);
    assert_false(text.cut);
    text_add(&text, "");
    assert_false(text.cut);
    text_clear(&text);
    assert_string_equal(buffer, "");
    assert_int_equal(text.length, 0);
}

static void a_text_is_cut_at_a_whole_character(void **state)
{
    static const struct {
        size_t size;
        const char *string;
        const char *kept;
    } cases[] = {
        {1, "a", ""},
        {2, "ab", "a"},
        {2, E_ACUTE, ""},
        {3, E_ACUTE "x", E_ACUTE},
        {4, "a" EURO, "a"},
        {5, "a" EURO "b", "a" EURO},
        {5, "ab" EURO, "ab"},
        {6, "ab" SMILE, "ab"},
        {7, "ab" SMILE "c", "ab" SMILE},
        {6, EURO EURO, EURO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char added[16];
        char printed[16];
        char copied[16];
        struct text text = text_over(added, cases[i].size);
        struct text format = text_over(printed, cases[i].size);

        text_add(&text, cases[i].string);
        assert_true(text.cut);
        assert_string_equal(added, cases[i].kept);
        assert_int_equal(text.length, strlen(cases[i].kept));

        text_addf(&format, "%s", cases[i].string);
        assert_true(format.cut);
        assert_string_equal(printed, cases[i].kept);
        assert_int_equal(format.length, strlen(cases[i].kept));

        text_copy(copied, cases[i].size, cases[i].string);
        assert_string_equal(copied, cases[i].kept);
    }
}

/* A person may type anything, and a message about it should not be lost. */
static void what_is_no_UTF_8_is_cut_where_it_ends(void **state)
{
    static const char garbage[] = "ab\x94\x94\x94\x94\x94\x94";
    char added[7];
    char printed[7];
    struct text text = text_over(added, sizeof added);
    struct text format = text_over(printed, sizeof printed);

    (void)state;
    text_add(&text, garbage);
    text_addf(&format, "%s", garbage);
    assert_true(text.cut && format.cut);
    assert_memory_equal(added, garbage, 6);
    assert_memory_equal(printed, garbage, 2);
    assert_true(utf8_valid_length(printed, format.length) == 2);
}

static void after_a_cut_nothing_is_added(void **state)
{
    char buffer[4];
    struct text text = text_over(buffer, sizeof buffer);

    (void)state;
    text_add(&text, "ab" EURO);
    assert_true(text.cut);
    text_add(&text, "c");
    text_addf(&text, "%c", 'c');
    text_add_bytes(&text, "c", 1);
    assert_string_equal(buffer, "ab");
    assert_true(text.cut);
}

static void a_format_is_cut_behind_what_was_there(void **state)
{
    char buffer[6];
    struct text text = text_over(buffer, sizeof buffer);

    (void)state;
    text_add(&text, E_ACUTE);
    text_addf(&text, "%s", EURO "!");
    assert_true(text.cut);
    assert_string_equal(buffer, E_ACUTE EURO);
}

static void UTF_8_is_what_Unicode_says(void **state)
{
    static const char *const valid[] = {
        "",
        "a",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "a" E_ACUTE EURO SMILE "z",
    };
    /* Each with the bytes in front of what is wrong. */
    static const struct {
        const char *bytes;
        size_t good;
    } invalid[] = {
        {"\x80", 0}, /* continuation alone */
        {"\xbf", 0},
        {"\xc0\x80", 0}, /* overlong NUL */
        {"\xc1\xbf", 0},
        {"\xe0\x80\x80", 0}, /* overlong, three bytes */
        {"\xe0\x9f\xbf", 0},
        {"\xf0\x80\x80\x80", 0}, /* overlong, four bytes */
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xed\xa0\x80", 0}, /* surrogates */
        {"\xed\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xf8\x88\x80\x80\x80", 0},
        {"\xfe", 0},
        {"\xff", 0},
        {"\xc3", 0}, /* ends too early */
        {"\xe2\x82", 0},
        {"\xf0\x9f\x98", 0},
        {"\xc3"
         "a",
         0}, /* continuation missing */
        {"\xe2\x82"
         "a",
         0},
        {"\xf0\x9f"
         "aa",
         0},
        {"ab" EURO "\xff"
         "c",
         5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        assert_true(utf8_is_valid(valid[i], strlen(valid[i])));
        assert_int_equal(utf8_valid_length(valid[i], strlen(valid[i])), strlen(valid[i]));
    }
    assert_true(utf8_is_valid("a\0b", 3));
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        size_t length = strlen(invalid[i].bytes);
        assert_false(utf8_is_valid(invalid[i].bytes, length));
        assert_int_equal(utf8_valid_length(invalid[i].bytes, length), invalid[i].good);
    }
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(utf8_length(""), 0);
    assert_int_equal(utf8_length("a" E_ACUTE EURO SMILE), 4);
    assert_int_equal(utf8_offset("a" E_ACUTE EURO SMILE, 0), 0);
    assert_int_equal(utf8_offset("a" E_ACUTE EURO SMILE, 1), 1);
    assert_int_equal(utf8_offset("a" E_ACUTE EURO SMILE, 2), 3);
    assert_int_equal(utf8_offset("a" E_ACUTE EURO SMILE, 3), 6);
    assert_int_equal(utf8_offset("a" E_ACUTE EURO SMILE, 4), 10);
    assert_int_equal(utf8_offset("a" E_ACUTE EURO SMILE, 9), 10);
}

static void control_characters_are_found(void **state)
{
    static const char *const with[] = {
        "\n", "a\x01", "\x1f", "\x7f", "\xc2\x80", "x\xc2\x9fy",
    };
    static const char *const without[] = {"", " ~", "\xc2\xa0", E_ACUTE EURO SMILE, "\xe0\xa0\x80"};

    (void)state;
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        assert_true(text_has_control(with[i]));
    }
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        assert_false(text_has_control(without[i]));
    }
}

static void printable_ASCII_is_0x20_to_0x7e(void **state)
{
    (void)state;
    assert_true(text_is_printable_ascii(""));
    assert_true(text_is_printable_ascii(" ~09AZ\"\\"));
    assert_false(text_is_printable_ascii("a\x1f"));
    assert_false(text_is_printable_ascii("\x7f"));
    assert_false(text_is_printable_ascii(E_ACUTE));
}

static void ASCII_case_does_not_count_in_comparisons(void **state)
{
    (void)state;
    assert_int_equal(text_compare_nocase("Table-Saw", "tABLE-sAW"), 0);
    assert_true(text_compare_nocase("a", "B") < 0);
    assert_true(text_compare_nocase("B", "a") > 0);
    assert_true(text_compare_nocase("a", "aa") < 0);
    assert_true(text_compare_nocase("aa", "A") > 0);
    assert_true(text_compare_nocase("a", E_ACUTE) < 0);
    assert_true(text_compare_nocase("[", "{") < 0);
}

static void a_name_is_lower_case_ASCII_of_limited_length(void **state)
{
    (void)state;
    assert_true(text_is_name("laser_1-b", 64));
    assert_true(text_is_name("abcd", 4));
    assert_false(text_is_name("abcde", 4));
    assert_false(text_is_name("", 4));
    assert_false(text_is_name("Laser", 64));
    assert_false(text_is_name("a/b", 64));
    assert_false(text_is_name("a b", 64));
    assert_false(text_is_name("a+", 64));
    assert_false(text_is_name(E_ACUTE, 64));
}

static void all_numbers_but_one_have_a_plural(void **state)
{
    (void)state;
    assert_string_equal(text_plural(0), "s");
    assert_string_equal(text_plural(1), "");
    assert_string_equal(text_plural(2), "s");
    assert_string_equal(text_plural(UINT64_MAX), "s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_kept_whole),
        cmocka_unit_test(a_text_is_cut_at_a_whole_character),
        cmocka_unit_test(what_is_no_UTF_8_is_cut_where_it_ends),
        cmocka_unit_test(after_a_cut_nothing_is_added),
        cmocka_unit_test(a_format_is_cut_behind_what_was_there),
        cmocka_unit_test(UTF_8_is_what_Unicode_says),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(control_characters_are_found),
        cmocka_unit_test(printable_ASCII_is_0x20_to_0x7e),
        cmocka_unit_test(ASCII_case_does_not_count_in_comparisons),
        cmocka_unit_test(a_name_is_lower_case_ASCII_of_limited_length),
        cmocka_unit_test(all_numbers_but_one_have_a_plural),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
