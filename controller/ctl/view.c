#include "controller/ctl/view.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS 4

static bool has_notes(const struct board *board)
{
    TEXT_LOCAL(notes, 1024);

    for (size_t i = 0; i < board->machine_count && notes.length == 0; i++) {
        if (board->machines[i]->has_state) {
            words_notes(&notes, &board->machines[i]->copy.state, board->machines[i]->link);
        }
    }
    return notes.length > 0;
}

/* The last column only where it has something to say. */
enum status view_begin(struct table *table, const struct board *board)
{
    static const char *const headings[COLUMNS] = {"MACHINE", "STATE", "RELAY", "NOTES"};
    enum status status;

    *table = (struct table){.columns = has_notes(board) ? COLUMNS : COLUMNS - 1};
    status = table_add_row(table);
    for (size_t i = 0; status == STATUS_OK && i < table->columns; i++) {
        status = table_set(table, i, TONE_HEAD, headings[i]);
    }
    return status;
}

enum status view_add(struct table *table, const struct board_machine *machine, struct wall_time now)
{
    const struct state_payload *state = &machine->copy.state;
    enum status status = table_add_row(table);
    enum tone tone;
    TEXT_LOCAL(text, 2048);

    if (status == STATUS_OK) {
        status = table_set(table, 0, TONE_PLAIN, machine->name);
    }
    if (machine->is_unreadable) {
        /* An older state would pass for the present one. */
        return status == STATUS_OK ? table_set(table, 1, TONE_ALARM, "state cannot be read")
                                   : status;
    }
    if (status == STATUS_OK) {
        tone = words_state(&text, state, now);
        status = table_set(table, 1, tone, text.data);
    }
    if (status == STATUS_OK) {
        text_clear(&text);
        tone = words_relay(&text, state);
        status = table_set(table, 2, tone, text.data);
    }
    if (status == STATUS_OK && table->columns == COLUMNS) {
        text_clear(&text);
        tone = words_notes(&text, state, machine->link);
        status = table_set(table, 3, tone, text.data);
    }
    return status;
}

enum status view_machines(
    const struct board *board, const struct table_style *style, struct wall_time now, FILE *out)
{
    struct table table;
    enum status status = view_begin(&table, board);

    for (size_t i = 0; status == STATUS_OK && i < board->machine_count; i++) {
        if (board->machines[i]->has_state || board->machines[i]->is_unreadable) {
            status = view_add(&table, board->machines[i], now);
        }
    }
    if (status == STATUS_OK) {
        table_print(&table, style, out);
    }
    table_free(&table);
    return status;
}

/* ---- one machine ---- */

struct detail {
    bool coloured;
    FILE *out;
};

static void
put_detail(const struct detail *detail, const char *key, enum tone tone, const char *value)
{
    fprintf(
        detail->out, "  %-10s %s%s%s\n", key, detail->coloured ? words_colour(tone) : "", value,
        detail->coloured ? words_colour_end(tone) : "");
}

static void
put_time(const struct detail *detail, const char *key, struct wall_time at, struct wall_time now)
{
    TEXT_LOCAL(text, 128);

    if (at.ms != 0) {
        words_time(&text, at, now);
        text_add(&text, " (");
        words_duration(&text, now.ms - at.ms);
        text_add(&text, " ago)");
        put_detail(detail, key, TONE_PLAIN, text.data);
    }
}

static void put_second(const struct detail *detail, const struct state_payload *state)
{
    TEXT_LOCAL(text, 128);

    if (state->second_relay || state->second_relay_authorization != NULL) {
        text_add(&text, state->second_relay ? "on" : "off");
        if (state->second_relay_authorization != NULL) {
            text_add(&text, " (");
            words_escape(&text, state->second_relay_authorization);
            text_add(&text, ")");
        }
        put_detail(detail, "2nd relay", state->second_relay ? TONE_ON : TONE_DIM, text.data);
    }
}

static void put_display(const struct detail *detail, const struct state_payload *state)
{
    TEXT_LOCAL(line, 512);
    TEXT_LOCAL(text, 512);

    if (state->display != NULL) {
        for (const char *at = state->display; *at != '\0'; at++) {
            if (*at == '\n') {
                text_add(&line, " / ");
            } else {
                text_add_bytes(&line, at, 1);
            }
        }
        words_escape(&text, line.data);
        put_detail(detail, "display", TONE_PLAIN, text.data);
    }
}

void view_machine(
    const struct board_machine *machine, bool coloured, struct wall_time now, FILE *out)
{
    const struct state_payload *state = &machine->copy.state;
    const struct detail detail = {.coloured = coloured, .out = out};
    enum tone tone;
    TEXT_LOCAL(text, 2048);

    text_add(&text, machine->name);
    if (state->display_name != NULL && strcmp(state->display_name, machine->name) != 0) {
        text_add(&text, " (");
        words_escape(&text, state->display_name);
        text_add(&text, ")");
    }
    fprintf(
        out, "%s%s%s\n", coloured ? words_colour(TONE_HEAD) : "", text.data,
        coloured ? words_colour_end(TONE_HEAD) : "");
    text_clear(&text);
    tone = words_state(&text, state, now);
    put_detail(&detail, "state", tone, text.data);
    text_clear(&text);
    tone = words_relay(&text, state);
    text_add(&text, text.data[text.length - 1] == '?' ? " (not confirmed)" : "");
    put_detail(&detail, "relay", tone, text.data);
    put_second(&detail, state);
    put_display(&detail, state);
    text_clear(&text);
    tone = words_notes(&text, state, machine->link);
    put_detail(&detail, "notes", tone, text.length > 0 ? text.data : "none");
    put_time(&detail, "changed", state->last_update, now);
    put_time(&detail, "booted", state->booted_at, now);
    if (state->fw != NULL) {
        text_clear(&text);
        words_escape(&text, state->fw);
        put_detail(&detail, "firmware", TONE_PLAIN, text.data);
    }
    if (state->save_timeouts > 0) {
        text_clear(&text);
        text_addf(&text, "%u took longer than their budget", (unsigned)state->save_timeouts);
        put_detail(&detail, "saves", TONE_PLAIN, text.data);
    }
}
