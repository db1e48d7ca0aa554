/* Names of machines that were heard and are not configured (C2): listed, and logged at most once
 * a minute each. The list is bounded; names beyond it are only counted, until the line of another
 * is a minute old. Whatever else may be said of a name, once a minute, is kept in such lists too.
 */
#ifndef TAGOUT_DAEMON_STRANGERS_H
#define TAGOUT_DAEMON_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"

#define STRANGERS_MAX 64
#define STRANGERS_LOG_MS 60000

struct stranger {
    char name[65];
    uint64_t messages;
    struct wall_time last;
    struct mono_time logged;
};

struct strangers {
    struct stranger items[STRANGERS_MAX];
    size_t count;
};

/* True when this one is to be logged now. */
bool strangers_heard(struct strangers *strangers, const char *name, struct now now);
/* Whether it was listed. */
bool strangers_forget(struct strangers *strangers, const char *name);

#endif
