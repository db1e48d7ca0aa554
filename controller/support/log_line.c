#include "controller/support/log_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/text.h"

static const struct {
    const char *name; /* five characters */
    const char *colour;
    int priority; /* syslog's, which the journal reads */
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"DEBUG", "\033[2m", 7},
    [LOG_LEVEL_INFO] = {"INFO ", "\033[32m", 6},
    [LOG_LEVEL_WARNING] = {"WARN ", "\033[33m", 4},
    [LOG_LEVEL_ERROR] = {"ERROR", "\033[31m", 3},
};

static struct {
    bool coloured;
    bool journal;
} surroundings;

/* JOURNAL_STREAM names the device and inode that the journal reads; whoever redirected standard
 * error since then wants the time. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device;
    unsigned long long inode;
    struct stat target;

    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &target) == 0 && target.st_dev == device && target.st_ino == inode;
}

void log_line_look_around(void)
{
    const char *no_color = getenv("NO_COLOR");

    surroundings.journal = is_journal();
    surroundings.coloured = isatty(STDERR_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0');
}

static void add_head(struct text *line, enum log_level level, const char *program, int64_t now_ms)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm local;

    if (surroundings.journal) {
        text_addf(line, "<%d>", levels[level].priority);
        return;
    }
    localtime_r(&seconds, &local);
    text_addf(
        line, "%04d-%02d-%02d %02d:%02d:%02d.%03d ", local.tm_year + 1900, local.tm_mon + 1,
        local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, (int)(now_ms % 1000));
    if (surroundings.coloured) {
        text_addf(line, "%s%s\033[0m", levels[level].colour, levels[level].name);
    } else {
        text_add(line, levels[level].name);
    }
    text_addf(line, " %s: ", program);
}

/* Bytes of the well-formed, printable character at `at`, 0 where there is none. */
static size_t printable_length(const char *at)
{
    const unsigned char first = (unsigned char)at[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char character[5] = {0};

    if (strnlen(at, length) < length || !utf8_is_valid(at, length)) {
        return 0;
    }
    memcpy(character, at, length);
    return text_has_control(character) ? 0 : length;
}

static void add_escaped(struct text *line, const char *text)
{
    while (*text != '\0') {
        size_t length = printable_length(text);
        if (length > 0) {
            text_add_bytes(line, text, length);
            text += length;
        } else if (*text == '\n') {
            text_add(line, "\\n");
            text++;
        } else {
            text_addf(line, "\\x%02x", (unsigned)(unsigned char)*text);
            text++;
        }
    }
}

size_t log_line(
    char line[LOG_LINE_MAX], enum log_level level, const char *program, const char *text,
    struct wall_time now)
{
    static const char cut[] = "...";
    struct text out = text_over(line, LOG_LINE_MAX - sizeof cut);

    add_head(&out, level, program, now.ms);
    add_escaped(&out, text);
    if (out.cut) {
        memcpy(line + out.length, cut, sizeof cut - 1);
        out.length += sizeof cut - 1;
    }
    line[out.length] = '\n';
    return out.length + 1;
}
