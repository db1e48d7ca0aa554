/* What waits for Slack: order, pace, retries and overflow. Pure: knows neither the network nor the
 * clock.
 *
 * A *lane* is a queue whose messages leave in order; a *room* is a channel of Slack's with a pace
 * and one request in flight. The control room has two lanes: messages about storage leave when
 * nothing else waits. A lane's position is the number of the last audit line of which it owes
 * nothing: after a restart, what lies behind it in the audit files is queued again.
 *
 * Bounded: a lane that is full ends in one message "... and 37 more".
 */
#ifndef TAGOUT_WATCHER_SLACK_QUEUE_H
#define TAGOUT_WATCHER_SLACK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "controller/watcher/alert.h"
#include "controller/watcher/slack_message.h"
#include "controller/watcher/slack_policy.h"

#define SLACK_PACE_MS 1000 /* one message a second in each room ... */
#define SLACK_BURST 3      /* ... after as many at once */
#define SLACK_ROUTINE_MAX 50
#define SLACK_LANE_MAX 150
#define SLACK_RETRY_MIN_MS 1000
#define SLACK_RETRY_MAX_MS 60000
/* The first message about an outage waits for what else comes with it, and details for more of
 * their kind. */
#define SLACK_GATHER_MS 1000
#define SLACK_DETAILS_MS 30000
#define SLACK_HOPELESS_TRIES 3
#define SLACK_TS_SIZE 32

enum slack_room {
    SLACK_ROOM_CONTROL,
    SLACK_ROOM_ACTIVITY,
    SLACK_ROOM_OOPS,
    SLACK_ROOM_COUNT
};

/* The messages of one outage of storage are one thread. */
struct slack_thread {
    struct wall_time outage;
    char ts[SLACK_TS_SIZE]; /* "" while not known */
};

struct slack_queue;

/* `has_room`: which rooms there are. Without one for activity its messages go to control's. */
MUST_USE enum status
slack_queue_new(const bool has_room[SLACK_ROOM_COUNT], struct slack_queue **ret_queue);
void slack_queue_free(struct slack_queue *queue);

/* Where a lane's messages wait: activity's with control's where it has no room. */
enum slack_lane slack_queue_lane(const struct slack_queue *queue, enum slack_lane lane);

/* False when nobody wants it, or when it was merged into "... and 37 more". */
bool slack_queue_add(
    struct slack_queue *queue, const struct slack_post *post, int64_t line, struct wall_time seen,
    uint32_t ticket);
void slack_queue_add_alert(
    struct slack_queue *queue, const struct alert *alert, int64_t line, struct now now);
/* More machines timed out in that outage: counts where its alert still waits. */
void slack_queue_grow(struct slack_queue *queue, struct wall_time outage, uint32_t machines);

/* The message that may leave now; it is in flight until slack_queue_settle. NULL for none. */
const struct slack_message *
slack_queue_take(struct slack_queue *queue, enum slack_room room, struct mono_time now);
/* When there may be one, {0}: not by itself. */
struct mono_time slack_queue_due(const struct slack_queue *queue, struct mono_time now);

/* The thread it belongs to, "" for none. */
const char *
slack_queue_thread_of(const struct slack_queue *queue, const struct slack_message *message);

enum slack_outcome_kind {
    SLACK_DELIVERED,
    SLACK_REFUSED,      /* Slack has it and does not want it */
    SLACK_DECLINED,     /* Slack takes nothing before somebody mends something: again, later */
    SLACK_RATE_LIMITED, /* all wait for `wait_ms` */
    SLACK_FAILED,       /* once more, later */
    SLACK_HOPELESS,     /* the same, but not for ever */
};

struct slack_outcome {
    enum slack_outcome_kind kind;
    int64_t wait_ms;
    char ts[SLACK_TS_SIZE];
};

/* What became of the message in flight. `jitter` is a random number below 1000. True when it has
 * left the queue. */
bool slack_queue_settle(
    struct slack_queue *queue, enum slack_room room, const struct slack_outcome *outcome,
    struct mono_time now, unsigned jitter);

/* Drops what was not seen between the two, but for what is in flight: somebody else has told it. A
 * clock that was put back has left some behind that is yet to come. */
void slack_queue_forget(struct slack_queue *queue, struct wall_time from, struct wall_time until);

int64_t slack_queue_position(const struct slack_queue *queue, enum slack_lane lane, int64_t newest);
unsigned slack_queue_waiting(const struct slack_queue *queue, enum slack_lane lane);
struct slack_thread *slack_queue_thread(struct slack_queue *queue);

#endif
