#include "tests/scenario/log.h"

#include <stdarg.h>
#include <string.h>

#include "controller/support/log.h"

#define LINES_MAX 256
#define LINE_SIZE 400
#define SHOWN 12

/* A log is global by its nature. */
static char lines[LINES_MAX][LINE_SIZE];
static size_t line_count;
static size_t mark;

static void keep(const char *level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void keep(const char *level, const char *format, va_list arguments)
{
    char *line = lines[line_count++ % LINES_MAX];
    size_t length = strlen(level);

    memcpy(line, level, length);
    (void)vsnprintf(line + length, LINE_SIZE - length, format, arguments);
}

void log_debug(const char *format, ...)
{
    (void)format;
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep("", format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep("warning: ", format, arguments);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep("error: ", format, arguments);
    va_end(arguments);
}

enum status log_start(const char *program, enum log_level least)
{
    (void)program;
    (void)least;
    return STATUS_OK;
}

void log_stop(void)
{
}

uint64_t log_dropped(void)
{
    return 0;
}

void scenario_log_clear(void)
{
    line_count = 0;
    mark = 0;
}

void scenario_log_mark(void)
{
    mark = line_count;
}

bool scenario_log_has(const char *text)
{
    size_t first = line_count > LINES_MAX ? line_count - LINES_MAX : 0;

    for (size_t i = mark > first ? mark : first; i < line_count; i++) {
        if (strstr(lines[i % LINES_MAX], text) != NULL) {
            return true;
        }
    }
    return false;
}

void scenario_log_show(FILE *file)
{
    for (size_t i = line_count > SHOWN ? line_count - SHOWN : 0; i < line_count; i++) {
        fprintf(file, "      log: %s\n", lines[i % LINES_MAX]);
    }
}
