/* The audit's lines, which a crash or a person may have spoilt: read back by the watcher at its
 * start and by `tagoutctl log`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/audit_reader.h"
#include "controller/watcher/audit_lines.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

struct heard {
    int64_t after;
    size_t count;
    size_t bytes;
};

static void take_line(void *context, int64_t number, const char *line, size_t length)
{
    struct heard *heard = context;
    size_t event_length = 0;
    const char *event = audit_line_event(line, length, &event_length);

    FUZZ_CHECK(event == NULL || (event > line && event + event_length == line + length));
    FUZZ_CHECK(number > heard->after && number == audit_line_number(line, length));
    FUZZ_CHECK(memchr(line, '\n', length) == NULL);
    heard->count++;
    heard->bytes += length;
}

/* The last bytes hold no line that all of them do not. */
static void check_watcher(int fd, size_t size)
{
    struct heard all = {.after = 0};
    struct heard last = {.after = 5};

    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    audit_lines_read(fd, all.after, SIZE_MAX / 4, take_line, &all);
    FUZZ_CHECK(all.bytes <= size);
    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    audit_lines_read(fd, last.after, size / 2, take_line, &last);
    FUZZ_CHECK(last.count <= all.count && last.bytes <= size / 2 + 1);
}

static void check_reader(const uint8_t *data, size_t size)
{
    struct audit_reader *reader = calloc(1, sizeof *reader);
    struct audit_line line;
    uint64_t lines = 0;

    FUZZ_CHECK(reader != NULL);
    reader->directory = -1;
    reader->month_count = 1;
    reader->file = fmemopen((void *)(uintptr_t)data, size, "r");
    FUZZ_CHECK(reader->file != NULL);
    while (audit_reader_next(reader, &line)) {
        FUZZ_CHECK(line.kind[0] != '\0' && line.at.ms >= 0);
        FUZZ_CHECK(strlen(line.bytes) <= AUDIT_LINE_BYTES_MAX);
        lines++;
    }
    FUZZ_CHECK(lines + reader->bad <= size);
    FUZZ_CHECK((reader->bad > 0) == (reader->first_bad[0] != '\0'));
    audit_reader_close(reader);
    free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[BYTES_PATH_SIZE];
    int fd = bytes_file((const char *)data, size, path);

    check_watcher(fd, size);
    close(fd);
    if (size > 0) {
        check_reader(data, size);
    }
    return 0;
}
