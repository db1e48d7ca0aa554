/* In the place of controller/support/log.c: lines are made and checked, and nobody reads them. */
#include <stdarg.h>
#include <stdio.h>

#include "controller/support/log.h"
#include "controller/support/log_line.h"
#include "tests/fuzz/fuzz.h"

/* Whatever came in, it is one line, and nothing in it that a terminal would obey. */
__attribute__((format(printf, 2, 0))) static void
check_line(enum log_level level, const char *format, va_list values)
{
    char message[LOG_TEXT_MAX];
    char line[LOG_LINE_MAX];
    size_t length;

    (void)vsnprintf(message, sizeof message, format, values);
    length = log_line(line, level, "fuzz", message, (struct wall_time){1767636000000});
    FUZZ_CHECK(length > 0 && length <= sizeof line && line[length - 1] == '\n');
    for (size_t i = 0; i + 1 < length; i++) {
        FUZZ_CHECK((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
    }
}

#define LOG_AT(level)                                                                              \
    va_list values;                                                                                \
    va_start(values, format);                                                                      \
    check_line(level, format, values);                                                             \
    va_end(values)

void log_debug(const char *format, ...)
{
    LOG_AT(LOG_LEVEL_DEBUG);
}

void log_info(const char *format, ...)
{
    LOG_AT(LOG_LEVEL_INFO);
}

void log_warning(const char *format, ...)
{
    LOG_AT(LOG_LEVEL_WARNING);
}

void log_error(const char *format, ...)
{
    LOG_AT(LOG_LEVEL_ERROR);
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
