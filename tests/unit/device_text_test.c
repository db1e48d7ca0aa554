/* Names and texts on a display of 2 lines of 16 ASCII characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices/device_text.h"

static void folds_to(const char *text, const char *first, const char *second)
{
    char lines[DEVICE_LCD_LINES][DEVICE_LCD_COLUMNS + 1];

    device_text_fold(lines, text);
    assert_string_equal(lines[0], first);
    assert_string_equal(lines[1], second);
}

static void two_lines_are_two_lines(void **state)
{
    (void)state;
    folds_to("Welcome,\nAda", "Welcome,", "Ada");
    folds_to("Always On", "Always On", "");
    folds_to("\nAda", "", "Ada");
    folds_to("", "", "");
    folds_to(NULL, "", "");
    folds_to("a\nb\nc", "a", "b");
}

static void a_line_is_cut_to_sixteen_characters(void **state)
{
    (void)state;
    folds_to("1234567890123456\n12345678901234567", "1234567890123456", "1234567890123456");
    folds_to("123456789012345\xC3\x9F\nx", "123456789012345s", "x");
}

static void latin_letters_lose_their_accents(void **state)
{
    (void)state;
    folds_to(
        "Ren\xC3\xA9\x65 \xC3\x85sa\nJ\xC3\xBCrgen Stra\xC3\x9F", "Renee Asa", "Jurgen Strass");
    folds_to("\xC3\x98yvind \xC3\x86rlig\n\xC5\x81ukasz", "Oyvind AErlig", "Lukasz");
    folds_to(
        "\xC4\x8C\x61pek \xC5\xBDi\xC5\xBEka\n\xC5\x9Eule \xC4\xB0l", "Capek Zizka", "Sule Il");
    folds_to("Nguy\xE1\xBB\x85n V\xC4\x83n\n\xC8\x98tefan", "Nguyen Van", "Stefan");
    folds_to("\xC3\x80\xC3\xBF\n\xC4\x80\xC5\xBF", "Ay", "As");
    folds_to("Ze\xCC\x81", "Ze", "");
    folds_to("O\xE2\x80\x99Neil\xE2\x80\xA6", "O'Neil...", "");
}

static void anything_else_is_a_question_mark(void **state)
{
    (void)state;
    folds_to("\xE6\x9D\x8E \xF0\x9F\x94\xA7\n\xD0\x98", "? ?", "?");
    folds_to("a\tb\x7F\x01", "a?b??", "");
    folds_to("\xC2\x85\xC2\xBF", "??", "");
}

static void broken_utf8_is_a_question_mark_a_byte(void **state)
{
    (void)state;
    folds_to("\xC3", "?", "");
    folds_to("\xC3\nb", "?", "b");
    folds_to("\x80\xFF\xF8", "???", "");
    folds_to("\xE2\x82", "??", "");
    folds_to("\xF0\x9F\x94", "???", "");
    folds_to("\xC1\x81", "??", "");
    folds_to("\xE0\x80\x81", "???", "");
}

static void whatever_comes_in_printable_ascii_comes_out(void **state)
{
    char text[40];
    char lines[DEVICE_LCD_LINES][DEVICE_LCD_COLUMNS + 1];

    (void)state;
    srand(1);
    for (int round = 0; round < 100000; round++) {
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            text[i] = (char)(rand() % 4 ? rand() : 0xC3 + rand() % 40);
        }
        text[sizeof text - 1] = '\0';
        device_text_fold(lines, text);
        for (int line = 0; line < DEVICE_LCD_LINES; line++) {
            assert_int_equal(lines[line][DEVICE_LCD_COLUMNS], '\0');
            for (const char *at = lines[line]; *at; at++) {
                assert_in_range(*at, 0x20, 0x7E);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_lines_are_two_lines),
        cmocka_unit_test(a_line_is_cut_to_sixteen_characters),
        cmocka_unit_test(latin_letters_lose_their_accents),
        cmocka_unit_test(anything_else_is_a_question_mark),
        cmocka_unit_test(broken_utf8_is_a_question_mark_a_byte),
        cmocka_unit_test(whatever_comes_in_printable_ascii_comes_out),
    };

    return cmocka_run_group_tests_name("device, text", tests, NULL, NULL);
}
