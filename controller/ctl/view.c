#include "controller/ctl/view.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS 4
#define EVENTS_SHOWN 8
#define EVENTS_LEAST 3

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
static enum status begin_table(struct table *table, const struct board *board)
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

static enum status
add_machine(struct table *table, const struct board_machine *machine, struct wall_time now)
{
    const struct state_payload *state = &machine->copy.state;
    enum status status = table_add_row(table);
    enum tone tone;
    TEXT_LOCAL(text, 2048);

    if (status == STATUS_OK) {
        status = table_set(table, 0, TONE_PLAIN, machine->name);
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
    enum status status = begin_table(&table, board);

    for (size_t i = 0; status == STATUS_OK && i < board->machine_count; i++) {
        if (board->machines[i]->has_state) {
            status = add_machine(&table, board->machines[i], now);
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

/* ---- the live frame ---- */

/* Lines of a frame under construction; what does not fit is left out. */
struct lines {
    const struct frame *frame;
    FILE *out;
    size_t used;
};

static void put_line(struct lines *lines, enum tone tone, const char *text)
{
    size_t length = table_fitting(text, lines->frame->width);
    bool coloured = lines->frame->coloured;

    if (lines->used < lines->frame->height) {
        fprintf(
            lines->out, "%s%s%.*s%s", lines->used > 0 ? "\n" : "",
            coloured ? words_colour(tone) : "", (int)length, text,
            coloured ? words_colour_end(tone) : "");
        lines->used++;
    }
}

/* Lines that are one text. */
static void put_lines(struct lines *lines, enum tone tone, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        TEXT_LOCAL(line, 2048);

        text_add_bytes(&line, text, length);
        put_line(lines, tone, line.data);
        text += length + (text[length] == '\n');
    }
}

static void put_head(struct lines *lines)
{
    const struct frame *frame = lines->frame;
    TEXT_LOCAL(head, 256);
    TEXT_LOCAL(not_well, 4096);

    text_add(&head, "Tagout  ");
    words_time(&head, frame->now, frame->now);
    text_add(&head, "  ");
    board_count(frame->board, &head);
    put_line(lines, TONE_HEAD, head.data);
    if (frame->refused) {
        text_add(&not_well, "The broker does not let us in: ");
        words_escape(&not_well, frame->trouble);
    } else if (frame->trouble[0] != '\0') {
        text_add(&not_well, "The broker is out of reach (");
        words_escape(&not_well, frame->trouble);
        text_add(&not_well, "): " BOARD_MEANWHILE ". What you see is old.\n");
    } else if (!frame->connecting) {
        board_not_well(frame->board, &not_well);
    }
    put_lines(lines, TONE_ALARM, not_well.data);
}

static bool is_quiet(const struct board_machine *machine)
{
    TEXT_LOCAL(text, 2048);

    return words_state(&text, &machine->copy.state, (struct wall_time){0}) == TONE_DIM &&
           words_notes(&text, &machine->copy.state, machine->link) <= TONE_DIM;
}

/* Which machines are shown when there is no room for all: the quiet ones give way. */
static size_t choose(const struct board *board, size_t room, bool shown[])
{
    size_t count = 0;

    for (int quiet = 0; quiet < 2; quiet++) {
        for (size_t i = 0; i < board->machine_count; i++) {
            const struct board_machine *machine = board->machines[i];
            if (count < room && machine->has_state && is_quiet(machine) == (quiet == 1)) {
                shown[i] = true;
                count++;
            }
        }
    }
    return count;
}

static size_t count_states(const struct board *board)
{
    size_t count = 0;

    for (size_t i = 0; i < board->machine_count; i++) {
        count += board->machines[i]->has_state;
    }
    return count;
}

/* The table, in at most `room` lines. */
static enum status put_machines(struct lines *lines, size_t room)
{
    const struct frame *frame = lines->frame;
    const struct board *board = frame->board;
    const struct table_style style = {
        .width = frame->width, .coloured = frame->coloured, .fit = TABLE_CUT};
    struct table table;
    size_t all = count_states(board);
    size_t rows = room < 2 ? 0 : room - 1;
    bool *shown = calloc(board->machine_count + 1, sizeof *shown);
    enum status status = begin_table(&table, board);
    TEXT_LOCAL(more, 64);

    if (shown == NULL) {
        status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK || rows == 0) {
        goto out;
    }
    rows = choose(board, all <= rows ? rows : rows - 1, shown);
    for (size_t i = 0; status == STATUS_OK && i < board->machine_count; i++) {
        if (shown[i]) {
            status = add_machine(&table, board->machines[i], frame->now);
        }
    }
    if (status == STATUS_OK) {
        fputc('\n', lines->out);
        table_print(&table, &style, lines->out);
        lines->used += rows + 1;
    }
    if (status == STATUS_OK && rows < all) {
        text_addf(&more, "and %zu more", all - rows);
        fprintf(lines->out, "%.*s\n", (int)frame->width, more.data);
        lines->used++;
    }
out:
    table_free(&table);
    free(shown);
    return status;
}

static void put_events(struct lines *lines, size_t count)
{
    const struct frame *frame = lines->frame;

    lines->used += count > 0; /* the empty line behind the table */
    for (size_t i = count; i > 0; i--) {
        const struct board_event *event = board_event(frame->board, i - 1);
        TEXT_LOCAL(line, 1024);

        words_time(&line, event->at, frame->now);
        text_addf(&line, "  %s", event->text);
        put_line(lines, event->alarm ? TONE_NOTE : TONE_PLAIN, line.data);
    }
}

enum status view_frame(const struct frame *frame, FILE *out)
{
    struct lines lines = {.frame = frame, .out = out};
    size_t events = frame->board->event_count;
    size_t left;
    size_t wanted;
    enum status status;

    put_head(&lines);
    left = frame->height - lines.used;
    wanted = count_states(frame->board) + 1;
    events = events > EVENTS_SHOWN ? EVENTS_SHOWN : events;
    /* One line between table and events. */
    while (events > EVENTS_LEAST && wanted + 1 + events > left) {
        events--;
    }
    if (events + 3 > left) {
        events = 0;
    }
    status = put_machines(&lines, left - (events > 0 ? events + 1 : 0));
    put_events(&lines, events);
    return status;
}
