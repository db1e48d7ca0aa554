/* An event of C8.2 as the watcher hears it. */
#ifndef TAGOUT_WATCHER_HEARD_EVENT_H
#define TAGOUT_WATCHER_HEARD_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define HEARD_EVENT_BYTES_MAX 8192

/* Strings are borrowed from the document, "" where there is none. */
struct heard_event {
    const char *event_type;
    const char *machine;
    const char *display_name; /* the machine's name where there is none */
    const char *user;         /* who used it, or whom it is about */
    const char *text;
    const char *fault;
    const char *reason;
    const char *source;
    uint32_t n;     /* 0: not told */
    uint64_t epoch; /* 0: not told */
    struct wall_time at;
    bool late;      /* it came behind what happened after it (turn.h) */
    int64_t age_ms; /* of a late one, when it came; 0: not known */
};

/* Marks it as one that came late, at `seen`. */
void heard_event_mark_late(struct heard_event *event, struct wall_time seen);

/* STATUS_INVALID with the reason in `why` for what is no event. */
MUST_USE enum status
heard_event_read(const struct json *object, struct heard_event *ret_event, struct text *why);

#endif
