#include "controller/ctl/audit_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An event is in the file of the month in which it was heard, which may be a little later. */
#define LATE_MS ((int64_t)24 * 3600 * 1000)

enum status audit_reader_open(
    struct audit_reader *reader, const char *directory, struct wall_time since, struct text *why)
{
    size_t count = 0;

    memset(reader, 0, sizeof *reader);
    reader->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (reader->directory < 0) {
        text_addf(why, "the audit's folder %s: %s", directory, strerror(errno));
        return STATUS_IO;
    }
    if (!audit_months_list(reader->directory, reader->months, AUDIT_READER_MONTHS_MAX, &count)) {
        text_addf(why, "the audit's folder %s: %s", directory, strerror(errno));
        audit_reader_close(reader);
        return STATUS_IO;
    }
    if (count == 0) {
        text_addf(why, "the audit's folder %s has no file events-YYYY-MM.jsonl", directory);
        audit_reader_close(reader);
        return STATUS_IO;
    }
    reader->month_count = count;
    while (reader->month < count &&
           audit_month_end(reader->months[reader->month]).ms + LATE_MS <= since.ms) {
        reader->month++;
    }
    return STATUS_OK;
}

static void close_file(struct audit_reader *reader)
{
    if (reader->file != NULL) {
        (void)fclose(reader->file);
        reader->file = NULL;
        reader->month++;
    }
}

void audit_reader_close(struct audit_reader *reader)
{
    close_file(reader);
    json_free(reader->document);
    reader->document = NULL;
    if (reader->directory >= 0) {
        close(reader->directory);
        reader->directory = -1;
    }
}

static void count_bad(struct audit_reader *reader, const char *reason)
{
    if (reader->bad++ == 0) {
        struct text first = text_over(reader->first_bad, sizeof reader->first_bad);
        text_addf(
            &first, "%s:%llu: %s", reader->file_name, (unsigned long long)reader->number, reason);
    }
}

static void count_closed(struct audit_reader *reader)
{
    int error = errno;

    if (reader->closed++ == 0) {
        struct text first = text_over(reader->first_closed, sizeof reader->first_closed);
        text_addf(&first, "%s: %s", reader->file_name, strerror(error));
    }
}

/* Opens the next month that can be opened. */
static bool open_file(struct audit_reader *reader)
{
    while (reader->file == NULL && reader->month < reader->month_count) {
        int fd;

        audit_month_name(reader->months[reader->month], reader->file_name);
        reader->number = 0;
        fd = openat(reader->directory, reader->file_name, O_RDONLY | O_CLOEXEC);
        reader->file = fd < 0 ? NULL : fdopen(fd, "r");
        if (reader->file == NULL) {
            count_closed(reader);
            if (fd >= 0) {
                close(fd);
            }
            reader->month++;
        }
    }
    return reader->file != NULL;
}

enum ending {
    END_OF_LINE,
    END_IN_LINE, /* the file ends in it */
    END_OF_FILE,
};

/* What does not fit is cut, and its length says so. */
static enum ending read_line(struct audit_reader *reader, size_t *ret_length)
{
    size_t length = 0;
    int byte;

    while ((byte = getc_unlocked(reader->file)) != EOF && byte != '\n') {
        if (length < AUDIT_LINE_BYTES_MAX) {
            reader->buffer[length] = (char)byte;
        }
        length++;
    }
    reader->buffer[length < AUDIT_LINE_BYTES_MAX ? length : AUDIT_LINE_BYTES_MAX] = '\0';
    *ret_length = length;
    if (byte != EOF) {
        return END_OF_LINE;
    }
    return length > 0 ? END_IN_LINE : END_OF_FILE;
}

/* False at the end of all. */
static bool next_bytes(struct audit_reader *reader, size_t *ret_length)
{
    while (open_file(reader)) {
        bool is_newest = reader->month + 1 == reader->month_count;
        enum ending ending = read_line(reader, ret_length);

        reader->number++;
        if (ending == END_OF_LINE || (ending == END_IN_LINE && !is_newest)) {
            return true;
        }
        if (ferror(reader->file)) {
            count_closed(reader);
        }
        close_file(reader);
    }
    return false;
}

bool audit_reader_next(struct audit_reader *reader, struct audit_line *ret_line)
{
    return audit_reader_next_with(reader, "", ret_line);
}

bool audit_reader_next_with(
    struct audit_reader *reader, const char *word, struct audit_line *ret_line)
{
    size_t length;

    while (next_bytes(reader, &length)) {
        TEXT_LOCAL(why, 192);

        if (strstr(reader->buffer, word) == NULL) {
            continue;
        }
        json_free(reader->document);
        reader->document = NULL;
        if (length > AUDIT_LINE_BYTES_MAX) {
            count_bad(reader, "too long");
        } else if (json_parse(reader->buffer, length, &reader->document, &why) != STATUS_OK) {
            count_bad(reader, why.data);
        } else if (json_get_string(reader->document, "kind")[0] == '\0') {
            count_bad(reader, "no line of the audit: it has no \"kind\"");
        } else {
            ret_line->bytes = reader->buffer;
            ret_line->object = reader->document;
            ret_line->kind = json_get_string(reader->document, "kind");
            ret_line->at = json_get_wall(reader->document, "at");
            if (ret_line->at.ms == 0) {
                ret_line->at = json_get_wall(reader->document, "seen");
            }
            return true;
        }
    }
    return false;
}
