#include "controller/ctl/late_lines.h"

#include <stdlib.h>
#include <string.h>

struct late_line {
    struct wall_time at;
    size_t place; /* in the files: of those of one moment the first is first */
    char *bytes;
};

struct late_lines {
    struct late_line *lines; /* by time */
    size_t count;
    size_t room;
    size_t met;
    size_t taken;
    struct json *document; /* of the one that was taken last */
};

void late_lines_free(struct late_lines *lines)
{
    if (lines == NULL) {
        return;
    }
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->lines[i].bytes);
    }
    json_free(lines->document);
    free(lines->lines);
    free(lines);
}

bool late_lines_is_late(const struct json *event)
{
    return json_get_bool(event, "late");
}

static enum status add(struct late_lines *lines, const struct audit_line *line)
{
    struct late_line *added;

    if (lines->count == lines->room) {
        size_t room = 2 * lines->room + 16;
        added = realloc(lines->lines, room * sizeof *added);
        if (added == NULL) {
            return STATUS_NO_MEMORY;
        }
        lines->lines = added;
        lines->room = room;
    }
    added = &lines->lines[lines->count];
    *added =
        (struct late_line){.at = line->at, .place = lines->count, .bytes = strdup(line->bytes)};
    if (added->bytes == NULL) {
        return STATUS_NO_MEMORY;
    }
    lines->count++;
    return STATUS_OK;
}

static int compare(const void *a, const void *b)
{
    const struct late_line *left = a;
    const struct late_line *right = b;

    if (left->at.ms != right->at.ms) {
        return left->at.ms < right->at.ms ? -1 : 1;
    }
    return (left->place > right->place) - (left->place < right->place);
}

enum status late_lines_read(
    struct audit_reader *reader, struct wall_time since, struct wall_time until,
    struct late_lines **ret_lines)
{
    struct late_lines *lines = calloc(1, sizeof *lines);
    enum status status = lines == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    struct audit_line line;

    while (status == STATUS_OK && lines->count < LATE_LINES_MAX &&
           audit_reader_next_with(reader, "\"late\"", &line)) {
        if (strcmp(line.kind, "event") == 0 && late_lines_is_late(line.object) &&
            line.at.ms >= since.ms && line.at.ms <= until.ms) {
            status = add(lines, &line);
        }
    }
    if (status != STATUS_OK) {
        late_lines_free(lines);
        return status;
    }
    if (lines->count > 0) {
        qsort(lines->lines, lines->count, sizeof lines->lines[0], compare);
    }
    *ret_lines = lines;
    return STATUS_OK;
}

bool late_lines_has(struct late_lines *lines)
{
    bool has = lines->met < lines->count;

    lines->met += has;
    return has;
}

bool late_lines_take(struct late_lines *lines, struct wall_time until, struct audit_line *ret_line)
{
    while (lines->taken < lines->count && lines->lines[lines->taken].at.ms <= until.ms) {
        const struct late_line *line = &lines->lines[lines->taken++];
        TEXT_LOCAL(why, 192);

        json_free(lines->document);
        lines->document = NULL;
        if (json_parse(line->bytes, strlen(line->bytes), &lines->document, &why) == STATUS_OK) {
            *ret_line = (struct audit_line){
                .bytes = line->bytes, .object = lines->document, .kind = "event", .at = line->at};
            return true;
        }
    }
    return false;
}
