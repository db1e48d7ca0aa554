#include "controller/config/ini_lines.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/file.h"

#define REASON_SIZE 320
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct reader {
    const char *rest;
    int line; /* the one that was handed out last, from 1 */
    const struct ini_handlers *handlers;
    enum status status;
    struct text reason;
};

static enum status enter_section(struct reader *reader, const char *line, size_t length)
{
    char name[64];
    const char *end = memchr(line, ']', length);

    /* Without the bracket inih finds the error itself. */
    if (line[0] != '[' || end == NULL) {
        return STATUS_OK;
    }
    length = (size_t)(end - line) - 1;
    if (length >= sizeof name) {
        text_add(&reader->reason, "the section's name is too long");
        return STATUS_TOO_LONG;
    }
    text_clear(&reader->reason); /* what the last key's handler had begun to say */
    memcpy(name, line + 1, length);
    name[length] = '\0';
    return reader->handlers->section(reader->handlers->context, name, &reader->reason);
}

/* inih's fgets: one line for each call, so that the numbers here are inih's numbers too. */
static char *next_line(char *buffer, int size, void *context)
{
    struct reader *reader = context;
    size_t length;

    if (reader->status != STATUS_OK || *reader->rest == '\0') {
        return NULL;
    }
    reader->line++;
    /* White space in front would make inih take the line for more of the last value. */
    reader->rest += strspn(reader->rest, " \t\r");
    length = strcspn(reader->rest, "\n");
    if (length > (size_t)size - 2) {
        text_addf(&reader->reason, "the line is longer than %d bytes", size - 2);
        reader->status = STATUS_TOO_LONG;
        return NULL;
    }
    reader->status = enter_section(reader, reader->rest, length);
    if (reader->status != STATUS_OK) {
        return NULL;
    }
    memcpy(buffer, reader->rest, length);
    reader->rest += length;
    reader->rest += *reader->rest == '\n';
    buffer[length] = '\n';
    buffer[length + 1] = '\0';
    return buffer;
}

static int take_value(void *context, const char *section, const char *key, const char *value)
{
    struct reader *reader = context;

    if (reader->status == STATUS_OK) {
        text_clear(&reader->reason);
        reader->status = reader->handlers->value(
            reader->handlers->context, section, key, value, reader->line, &reader->reason);
    }
    return reader->status == STATUS_OK;
}

static enum status read_bytes(
    const char *file, const char *bytes, size_t length, const struct ini_handlers *handlers,
    struct text *why)
{
    char buffer[REASON_SIZE];
    struct reader reader = {
        .rest = bytes, .handlers = handlers, .reason = text_over(buffer, sizeof buffer)};
    int first_bad;

    reader.rest += strncmp(bytes, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    if (memchr(bytes, '\0', length) != NULL || !utf8_is_valid(bytes, length)) {
        text_addf(why, "%s: is not UTF-8 text", file);
        return STATUS_INVALID;
    }
    first_bad = ini_parse_stream(next_line, &reader, take_value, &reader);
    /* inih reads on after a line that it cannot make sense of: the earlier error is told. */
    if (first_bad > 0 && (reader.status == STATUS_OK || first_bad < reader.line)) {
        text_addf(
            why, "%s:%d: the line is neither [section] nor key = value nor a comment", file,
            first_bad);
        return STATUS_INVALID;
    }
    if (reader.status != STATUS_OK) {
        text_addf(why, "%s:%d: %s", file, reader.line, reader.reason.data);
        return reader.status;
    }
    if (first_bad < 0) {
        text_addf(why, "%s: out of memory", file);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status ini_lines_read(const char *file, const struct ini_handlers *handlers, struct text *why)
{
    char *bytes;
    size_t length;
    enum status status = file_read(file, INI_FILE_MAX, &bytes, &length, why);

    if (status != STATUS_OK) {
        return status;
    }
    status = read_bytes(file, bytes, length, handlers, why);
    free(bytes);
    return status;
}
