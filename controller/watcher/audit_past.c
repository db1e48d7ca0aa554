/* What the disk knew at the start. */
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "controller/support/log.h"
#include "controller/watcher/audit_inside.h"
#include "controller/watcher/audit_lines.h"
#include "controller/watcher/heard.h"

struct gathering {
    struct audit_past *past;
    struct audit_past_line **end;
    size_t bytes;
    int64_t from;
    size_t heard_room;
};

static void note_heard(struct gathering *gathering, const char *line, size_t length)
{
    struct audit_past *past = gathering->past;
    const char *members = audit_line_event(line, length, &length);

    if (members == NULL) {
        return;
    }
    if (past->heard_count == gathering->heard_room) {
        size_t room = 2 * gathering->heard_room + 64;
        uint64_t *heard = realloc(past->heard, room * sizeof *heard);
        if (heard == NULL) {
            return;
        }
        past->heard = heard;
        gathering->heard_room = room;
    }
    past->heard[past->heard_count++] = heard_print(members, length);
}

static void take_line(void *context, int64_t number, const char *line, size_t length)
{
    struct gathering *gathering = context;
    struct audit_past_line *item;

    note_heard(gathering, line, length);
    if (number <= gathering->from) {
        return;
    }
    item = malloc(sizeof *item);
    if (item == NULL || (item->text = malloc(length + 1)) == NULL) {
        free(item);
        return;
    }
    memcpy(item->text, line, length);
    item->text[length] = '\0';
    item->number = number;
    item->next = NULL;
    *gathering->end = item;
    gathering->end = &item->next;
    gathering->bytes += length + sizeof *item;
    while (gathering->bytes > AUDIT_PAST_BYTES_MAX && gathering->past->lines->next != NULL) {
        struct audit_past_line *oldest = gathering->past->lines;
        gathering->past->lines = oldest->next;
        gathering->bytes -= strlen(oldest->text) + sizeof *oldest;
        free(oldest->text);
        free(oldest);
    }
}

/* The number of a line that stands in the state, `otherwise` where none does. */
static int64_t line_in(const struct json *state, const char *key, int64_t otherwise)
{
    const struct json *line = json_get(state, key);

    return json_is_integer(line, 0, (uint64_t)1 << 53) ? (int64_t)json_number(line) : otherwise;
}

struct audit_past *audit_past_read(const struct audit_files *files)
{
    struct audit_past *past = calloc(1, sizeof *past);
    struct gathering gathering = {.past = past};
    struct json *state = NULL;
    int64_t last = audit_files_last(files);
    TEXT_LOCAL(why, 256);

    if (past == NULL) {
        return NULL;
    }
    gathering.end = &past->lines;
    past->state = audit_files_load(files, &past->state_length);
    if (past->state != NULL &&
        json_parse(past->state, past->state_length, &state, &why) != STATUS_OK) {
        log_warning("audit: watcher.json is not used: %s", why.data);
    }
    /* After a clock that was wrong, or a crash of the host, the newest files may lack the last
     * line. No number is given twice, for positions are numbers. */
    past->base = line_in(state, "line", 0);
    past->base = past->base > last ? past->base : last;
    /* Without a state nothing is known to be owed. */
    gathering.from = line_in(state, "from", INT64_MAX);
    audit_files_read(files, 0, AUDIT_HEARD_BYTES_MAX, take_line, &gathering);
    json_free(state);
    return past;
}

void audit_past_free(struct audit_past *past)
{
    if (past == NULL) {
        return;
    }
    while (past->lines != NULL) {
        struct audit_past_line *next = past->lines->next;
        free(past->lines->text);
        free(past->lines);
        past->lines = next;
    }
    free(past->state);
    free(past->heard);
    free(past);
}
