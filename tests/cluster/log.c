#include "tests/cluster/log.h"

#include <stdio.h>

#include "tests/cluster/world.h"
#include "tests/lib/heard_log.h"

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

void heard_log(enum log_level level, const char *format, va_list values)
{
    char line[400];

    if (level != LOG_LEVEL_DEBUG && told != NULL && told->step >= told->trace_from) {
        (void)vsnprintf(line, sizeof line, format, values);
        world_tell(told, "%s: log: %s", who_speaks, line);
    }
}
