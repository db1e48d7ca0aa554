#include "tests/cluster/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "controller/support/log.h"
#include "tests/cluster/world.h"

/* A log is global by its nature. */
static struct world *told;
static const char *who_speaks = "";

void cluster_log_to(struct world *world)
{
    told = world;
}

void cluster_log_who(const char *who)
{
    who_speaks = who;
}

static void tell(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

static void tell(const char *format, va_list arguments)
{
    char line[400];

    if (told != NULL && told->step >= told->trace_from) {
        (void)vsnprintf(line, sizeof line, format, arguments);
        world_tell(told, "%s: log: %s", who_speaks, line);
    }
}

void log_debug(const char *format, ...)
{
    (void)format;
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(format, arguments);
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
