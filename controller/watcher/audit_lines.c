#include "controller/watcher/audit_lines.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10)

struct reader {
    int64_t after;
    void (*take)(void *context, int64_t number, const char *line, size_t length);
    void *context;
    char *buffer;
    bool in_middle; /* of a line whose beginning is not known */
};

int64_t audit_line_number(const char *line, size_t length)
{
    static const char head[] = "{\"line\":";
    size_t at = sizeof head - 1;
    int64_t number = 0;

    if (length <= at || memcmp(line, head, at) != 0) {
        return 0;
    }
    for (; at < length && line[at] >= '0' && line[at] <= '9' && number < INT64_MAX / 100; at++) {
        number = number * 10 + (line[at] - '0');
    }
    return number;
}

/* False: something else stands there. */
static bool pass_over(const char **at, const char *end, const char *words)
{
    size_t length = strlen(words);

    if ((size_t)(end - *at) < length || memcmp(*at, words, length) != 0) {
        return false;
    }
    *at += length;
    return true;
}

static bool pass_number(const char **at, const char *end)
{
    const char *comma = memchr(*at, ',', (size_t)(end - *at));

    *at = comma == NULL ? end : comma + 1;
    return comma != NULL;
}

const char *audit_line_event(const char *line, size_t length, size_t *ret_length)
{
    const char *at = line;
    const char *end = line + length;

    if (!pass_over(&at, end, "{\"line\":") || !pass_number(&at, end) ||
        !pass_over(&at, end, "\"kind\":\"event\",\"seen\":") || !pass_number(&at, end)) {
        return NULL;
    }
    (void)pass_over(&at, end, "\"late\":true,");
    *ret_length = (size_t)(end - at);
    return at;
}

static void take_lines(struct reader *reader, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t size = end == NULL ? length : (size_t)(end - bytes);
        int64_t number = audit_line_number(bytes, size);
        if (number > reader->after && !reader->in_middle) {
            reader->take(reader->context, number, bytes, size);
        }
        reader->in_middle = reader->in_middle && end == NULL;
        size += end != NULL;
        bytes += size;
        length -= size;
    }
}

static void read_all(struct reader *reader, int fd)
{
    size_t held = 0; /* bytes of a line whose end is still to come */

    for (;;) {
        ssize_t count = read(fd, reader->buffer + held, READ_BYTES - held);
        size_t total = held + (size_t)(count < 0 ? 0 : count);
        size_t whole = total;
        if (count <= 0) {
            take_lines(reader, reader->buffer, held);
            return;
        }
        while (whole > 0 && reader->buffer[whole - 1] != '\n') {
            whole--;
        }
        take_lines(reader, reader->buffer, whole);
        held = total - whole;
        memmove(reader->buffer, reader->buffer + whole, held);
        if (held == READ_BYTES) {
            held = 0; /* a line that long is none of ours */
            reader->in_middle = true;
        }
    }
}

void audit_lines_read(
    int fd, int64_t after, size_t bytes_max,
    void (*take)(void *context, int64_t number, const char *line, size_t length), void *context)
{
    struct reader reader = {.after = after, .take = take, .context = context};
    struct stat about;

    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        return;
    }
    if (about.st_size > (off_t)bytes_max) {
        /* One byte more, so that a line which begins just there is seen to begin. */
        reader.in_middle = true;
        if (lseek(fd, about.st_size - (off_t)bytes_max - 1, SEEK_SET) < 0) {
            return;
        }
    }
    reader.buffer = malloc(READ_BYTES);
    if (reader.buffer != NULL) {
        read_all(&reader, fd);
    }
    free(reader.buffer);
}
