/* What the disk knew at the start. */
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "controller/support/log.h"
#include "controller/watcher/audit_inside.h"

struct gathering {
    struct audit_past *past;
    struct audit_past_line **end;
    size_t bytes;
};

static void take_line(void *context, int64_t number, const char *line, size_t length)
{
    struct gathering *gathering = context;
    struct audit_past_line *item = malloc(sizeof *item);

    if (item == NULL || (item->text = strndup(line, length)) == NULL) {
        free(item);
        return;
    }
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

/* After which line the state wants to read; all that there is has been seen without one. */
static int64_t state_from(const struct audit_past *past)
{
    struct json *document = NULL;
    const struct json *from = NULL;
    int64_t after = past->base;
    TEXT_LOCAL(why, 256);

    if (past->state != NULL &&
        json_parse(past->state, past->state_length, &document, &why) == STATUS_OK) {
        from = json_get(document, "from");
    } else if (past->state != NULL) {
        log_warning("audit: watcher.json is not used: %s", why.data);
    }
    if (from != NULL && json_type(from) == JSON_NUMBER &&
        json_is_integer(from, 0, (uint64_t)1 << 53)) {
        after = (int64_t)json_number(from);
    }
    json_free(document);
    return after;
}

struct audit_past *audit_past_read(const struct audit_files *files)
{
    struct audit_past *past = calloc(1, sizeof *past);
    struct gathering gathering = {.past = past};

    if (past == NULL) {
        return NULL;
    }
    gathering.end = &past->lines;
    past->base = audit_files_last(files);
    past->state = audit_files_load(files, &past->state_length);
    audit_files_read(files, state_from(past), take_line, &gathering);
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
    free(past);
}
