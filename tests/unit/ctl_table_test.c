#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ctl/table.h"

static struct table make(const char *const rows[][3], size_t count)
{
    struct table table = {.columns = 3};

    for (size_t row = 0; row < count; row++) {
        assert_int_equal(table_add_row(&table), STATUS_OK);
        for (size_t i = 0; i < 3; i++) {
            if (rows[row][i] != NULL) {
                assert_int_equal(
                    table_set(&table, i, row == 0 ? TONE_HEAD : TONE_PLAIN, rows[row][i]),
                    STATUS_OK);
            }
        }
    }
    return table;
}

static void assert_printed(const struct table *table, struct table_style style, const char *wanted)
{
    char *printed = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&printed, &length);

    assert_non_null(out);
    table_print(table, &style, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(printed, wanted);
    free(printed);
}

static const char *const shop[][3] = {
    {"MACHINE", "STATE", "RELAY"},
    {"saw", "in use by Ada", "on"},
    {"3d-printer", "idle", NULL},
};

static void columns_are_as_wide_as_their_widest_cell_and_end_without_spaces(void **state)
{
    struct table table = make(shop, 3);

    (void)state;
    assert_printed(
        &table, (struct table_style){.width = 0},
        "MACHINE     STATE          RELAY\n"
        "saw         in use by Ada  on\n"
        "3d-printer  idle\n");
    table_free(&table);
}

static void a_table_that_fits_exactly_is_not_squeezed(void **state)
{
    struct table table = make(shop, 3);

    (void)state;
    assert_printed(
        &table, (struct table_style){.width = 32},
        "MACHINE     STATE          RELAY\n"
        "saw         in use by Ada  on\n"
        "3d-printer  idle\n");
    table_free(&table);
}

static void a_column_gives_way_and_wraps_at_words_but_names_stay_whole(void **state)
{
    struct table table = make(shop, 3);

    (void)state;
    assert_printed(
        &table, (struct table_style){.width = 27},
        "MACHINE     STATE     RELAY\n"
        "saw         in use    on\n"
        "            by Ada\n"
        "3d-printer  idle\n");
    table_free(&table);
}

static void a_word_that_is_longer_than_its_column_is_broken(void **state)
{
    static const char *const rows[][3] = {{"aaaaaaaaaaaaaaaaaaaa bb", "x", "y"}};
    struct table table = make(rows, 1);

    (void)state;
    assert_printed(
        &table, (struct table_style){.width = 14}, "aaaaaaaa  x  y\naaaaaaaa\naaaa bb\n");
    table_free(&table);
}

static void a_cut_row_is_one_line_that_ends_in_an_ellipsis(void **state)
{
    struct table table = make(shop, 3);

    (void)state;
    assert_printed(
        &table, (struct table_style){.width = 27, .fit = TABLE_CUT},
        "MACHINE     STATE     RELAY\n"
        "saw         in use \u2026  on\n"
        "3d-printer  idle\n");
    table_free(&table);
}

static void columns_keep_a_least_width(void **state)
{
    static const char *const rows[][3] = {{"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"}};
    struct table table = make(rows, 1);

    (void)state;
    assert_printed(
        &table, (struct table_style){.width = 3, .fit = TABLE_CUT},
        "aaaaa\u2026  bbbbb\u2026  ccccc\u2026\n");
    table_free(&table);
}

static void a_cell_is_coloured_but_not_the_space_behind_it(void **state)
{
    static const char *const rows[][3] = {{"A", "B", "C"}, {"long", NULL, "c"}};
    struct table table = make(rows, 2);

    (void)state;
    assert_printed(
        &table, (struct table_style){.coloured = true},
        "\033[1mA\033[0m     \033[1mB\033[0m  \033[1mC\033[0m\n"
        "long     c\n");
    table_free(&table);
}

static void wide_characters_take_two_columns_and_combining_ones_none(void **state)
{
    (void)state;
    assert_int_equal(table_width(""), 0);
    assert_int_equal(table_width("abc"), 3);
    assert_int_equal(table_width("Søren"), 5);
    assert_int_equal(table_width("田中"), 4);
    assert_int_equal(table_width("e\u0301a"), 2);
    assert_int_equal(table_fitting("田中", 3), strlen("田"));
    assert_int_equal(table_fitting("田中", 1), 0);
    assert_int_equal(table_fitting("e\u0301a", 1), 3);
    assert_int_equal(table_fitting("abc", 9), 3);
}

static void wide_characters_line_up(void **state)
{
    static const char *const rows[][3] = {{"田中", "x", NULL}, {"Mei", "y", NULL}};
    struct table table = make(rows, 2);

    (void)state;
    assert_printed(&table, (struct table_style){.width = 0}, "田中  x\nMei   y\n");
    table_free(&table);
}

static void many_rows_find_room(void **state)
{
    struct table table = {.columns = 3};

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(table_add_row(&table), STATUS_OK);
        assert_int_equal(table_set(&table, 2, TONE_PLAIN, "first"), STATUS_OK);
        assert_int_equal(table_set(&table, 2, TONE_PLAIN, "second"), STATUS_OK);
    }
    assert_int_equal(table.rows, 1000);
    assert_string_equal(table.cells[1000 * 3 - 1].text, "second");
    table_free(&table);
    assert_int_equal(table.rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell_and_end_without_spaces),
        cmocka_unit_test(a_table_that_fits_exactly_is_not_squeezed),
        cmocka_unit_test(a_column_gives_way_and_wraps_at_words_but_names_stay_whole),
        cmocka_unit_test(a_word_that_is_longer_than_its_column_is_broken),
        cmocka_unit_test(a_cut_row_is_one_line_that_ends_in_an_ellipsis),
        cmocka_unit_test(columns_keep_a_least_width),
        cmocka_unit_test(a_cell_is_coloured_but_not_the_space_behind_it),
        cmocka_unit_test(wide_characters_take_two_columns_and_combining_ones_none),
        cmocka_unit_test(wide_characters_line_up),
        cmocka_unit_test(many_rows_find_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
