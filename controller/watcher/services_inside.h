/* What the files of services share. */
#ifndef TAGOUT_WATCHER_SERVICES_INSIDE_H
#define TAGOUT_WATCHER_SERVICES_INSIDE_H

#include "controller/watcher/services.h"

/* Never {0}. */
struct mono_time in_ms(struct now now, int64_t ms);

/* NULL when it is not known. */
struct service_controller *services_controller(struct services *services, const char *id);

#endif
