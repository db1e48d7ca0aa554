/* What the watcher must remember over a restart, as JSON (watcher.json beside the audit). Times are
 * wall times in it, for the monotonic clock means nothing to the next process.
 */
#ifndef TAGOUT_WATCHER_SNAPSHOT_H
#define TAGOUT_WATCHER_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/time.h"
#include "controller/watcher/certificates.h"
#include "controller/watcher/save_timeouts.h"
#include "controller/watcher/services.h"
#include "controller/watcher/slack_queue.h"

struct snapshot {
    struct save_timeouts *counting;
    struct slack_thread *thread;
    struct services *services;
    struct certificates *certificates;
    int64_t line;                    /* the last line that is counted in */
    int64_t lanes[SLACK_LANE_COUNT]; /* their positions */
};

/* Lines in the text are numbered as on disk: `base` is added. To be freed; NULL when there is no
 * memory. */
char *
snapshot_print(const struct snapshot *snapshot, int64_t base, struct now now, size_t *ret_length);

/* The part about services, as a member of the object. */
void snapshot_print_services(struct json_out *out, struct services *services);
void snapshot_read_services(const struct json *document, struct services *services);

/* Fills in what is not known yet: what has been heard since the start stays. Lines come back as
 * the loop counts them, at most 0. STATUS_INVALID: nothing of it can be used. */
MUST_USE enum status snapshot_read(
    const char *bytes, size_t length, int64_t base, struct now now, struct snapshot *snapshot);

#endif
