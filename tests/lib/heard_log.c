#include "tests/lib/heard_log.h"

#define HEAR(level)                                                                                \
    va_list values;                                                                                \
    va_start(values, format);                                                                      \
    heard_log(level, format, values);                                                              \
    va_end(values)

void log_debug(const char *format, ...)
{
    HEAR(LOG_LEVEL_DEBUG);
}

void log_info(const char *format, ...)
{
    HEAR(LOG_LEVEL_INFO);
}

void log_warning(const char *format, ...)
{
    HEAR(LOG_LEVEL_WARNING);
}

void log_error(const char *format, ...)
{
    HEAR(LOG_LEVEL_ERROR);
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
