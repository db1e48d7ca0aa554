#include "controller/ctl/table.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2
#define COLUMN_LEAST 6
#define ELLIPSIS "\u2026"

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        free(table->cells[i].text);
    }
    free(table->cells);
    *table = (struct table){.columns = table->columns};
}

enum status table_add_row(struct table *table)
{
    if (table->rows == table->room) {
        size_t room = table->room == 0 ? 32 : 2 * table->room;
        struct table_cell *cells =
            realloc(table->cells, room * table->columns * sizeof *table->cells);
        if (cells == NULL) {
            return STATUS_NO_MEMORY;
        }
        table->cells = cells;
        table->room = room;
    }
    memset(&table->cells[table->rows * table->columns], 0, table->columns * sizeof *table->cells);
    table->rows++;
    return STATUS_OK;
}

enum status table_set(struct table *table, size_t column, enum tone tone, const char *text)
{
    struct table_cell *cell = &table->cells[(table->rows - 1) * table->columns + column];
    char *copy = strdup(text);

    if (copy == NULL) {
        return STATUS_NO_MEMORY;
    }
    free(cell->text);
    *cell = (struct table_cell){.text = copy, .tone = tone};
    return STATUS_OK;
}

static const char *text_of(const struct table_cell *cell)
{
    return cell->text == NULL ? "" : cell->text;
}

/* `widths` is all 0 before. */
static void measure(const struct table *table, size_t widths[])
{
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        size_t width = table_width(text_of(&table->cells[i]));
        size_t *widest = &widths[i % table->columns];
        *widest = width > *widest ? width : *widest;
    }
}

/* The column that gives way: the widest, but the first only when the others are at their least. */
static size_t next_to_shrink(const struct table *table, const size_t widths[])
{
    size_t widest = 0;

    for (size_t i = 1; i < table->columns; i++) {
        bool wider = widest == 0 || widths[i] >= widths[widest];
        widest = widths[i] > COLUMN_LEAST && wider ? i : widest;
    }
    return widest;
}

static void squeeze(const struct table *table, size_t limit, size_t widths[])
{
    size_t total = GAP * (table->columns - 1);

    for (size_t i = 0; i < table->columns; i++) {
        total += widths[i];
    }
    while (limit > 0 && total > limit) {
        size_t column = next_to_shrink(table, widths);
        if (widths[column] <= COLUMN_LEAST) {
            return;
        }
        widths[column]--;
        total--;
    }
}

/* Bytes of `text` that go onto this line: up to a space if there is one. */
static size_t break_line(const char *text, size_t width)
{
    size_t fits = table_fitting(text, width);
    size_t at = fits;

    if (text[fits] == '\0') {
        return fits;
    }
    if (fits == 0) {
        return utf8_offset(text, 1); /* a character that is wider than the column */
    }
    while (at > 0 && text[at] != ' ') {
        at--;
    }
    return at > 0 ? at : fits;
}

static void put_spaces(size_t count, FILE *out)
{
    while (count-- > 0) {
        fputc(' ', out);
    }
}

static void put_piece(
    const char *text, size_t length, const char *end, enum tone tone, bool coloured, FILE *out)
{
    fprintf(
        out, "%s%.*s%s%s", coloured ? words_colour(tone) : "", (int)length, text, end,
        coloured ? words_colour_end(tone) : "");
}

/* One line of a row: from each cell what is left of it. True while something is. */
static bool put_line(
    const struct table_cell *cells, const struct table *table, const size_t widths[],
    const struct table_style *style, const char *left[], FILE *out)
{
    size_t owed = 0; /* spaces, put only when something follows */
    bool more = false;

    for (size_t i = 0; i < table->columns; i++) {
        const char *text = left[i];
        size_t length = break_line(text, widths[i]);
        size_t width;
        const char *end = "";
        TEXT_LOCAL(piece, 2048);

        if (style->fit == TABLE_CUT && text[length] != '\0') {
            length = table_fitting(text, widths[i] - 1);
            end = ELLIPSIS;
        }
        text_add_bytes(&piece, text, length);
        width = table_width(piece.data) + (end[0] != '\0');
        if (width > 0) {
            put_spaces(owed, out);
            owed = 0;
            put_piece(text, length, end, cells[i].tone, style->coloured, out);
        }
        owed += widths[i] + GAP - (width < widths[i] ? width : widths[i]);
        left[i] = style->fit == TABLE_CUT ? "" : text + length;
        left[i] += strspn(left[i], " ");
        more |= left[i][0] != '\0';
    }
    fputc('\n', out);
    return more;
}

void table_print(const struct table *table, const struct table_style *style, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};

    measure(table, widths);
    squeeze(table, style->width, widths);
    for (size_t row = 0; row < table->rows; row++) {
        const struct table_cell *cells = &table->cells[row * table->columns];
        const char *left[TABLE_COLUMNS_MAX];

        for (size_t i = 0; i < table->columns; i++) {
            left[i] = text_of(&cells[i]);
        }
        while (put_line(cells, table, widths, style, left, out)) {
        }
    }
}
