/* The live frame of `watch`: what fits on a screen. */
#include <stdlib.h>
#include <string.h>

#include "controller/ctl/view.h"

#define EVENTS_SHOWN 8
#define EVENTS_LEAST 3

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

static bool is_shown(const struct board_machine *machine)
{
    return machine->has_state || machine->is_unreadable;
}

static bool is_quiet(const struct board_machine *machine)
{
    TEXT_LOCAL(text, 2048);

    return !machine->is_unreadable &&
           words_state(&text, &machine->copy.state, (struct wall_time){0}) == TONE_DIM &&
           words_notes(&text, &machine->copy.state, machine->link) <= TONE_DIM;
}

/* Which machines are shown when there is no room for all: the quiet ones give way. */
static size_t choose(const struct board *board, size_t room, bool shown[])
{
    size_t count = 0;

    for (int quiet = 0; quiet < 2; quiet++) {
        for (size_t i = 0; i < board->machine_count; i++) {
            const struct board_machine *machine = board->machines[i];
            if (count < room && is_shown(machine) && is_quiet(machine) == (quiet == 1)) {
                shown[i] = true;
                count++;
            }
        }
    }
    return count;
}

static size_t count_shown(const struct board *board)
{
    size_t count = 0;

    for (size_t i = 0; i < board->machine_count; i++) {
        count += is_shown(board->machines[i]);
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
    size_t all = count_shown(board);
    size_t rows = room < 2 ? 0 : room - 1;
    bool *shown = calloc(board->machine_count + 1, sizeof *shown);
    enum status status = view_begin(&table, board);
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
            status = view_add(&table, board->machines[i], frame->now);
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
    wanted = count_shown(frame->board) + 1;
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
