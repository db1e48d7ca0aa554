#include "controller/watcher/slack_queue.h"

#include <stdlib.h>
#include <string.h>

struct lane {
    struct slack_message *first;
    unsigned count;
    unsigned routine;
};

struct room {
    bool exists;
    struct slack_message *in_flight;
    struct mono_time paced; /* when the pace's debt is paid */
    struct mono_time retry_at;
    unsigned failures; /* in a row */
};

struct slack_queue {
    struct lane lanes[SLACK_LANE_COUNT];
    struct room rooms[SLACK_ROOM_COUNT];
    struct mono_time stopped_until; /* 429 stops them all */
    struct slack_thread thread;
};

static enum slack_room room_of(enum slack_lane lane)
{
    switch (lane) {
    case SLACK_ACTIVITY:
        return SLACK_ROOM_ACTIVITY;
    case SLACK_OOPS:
        return SLACK_ROOM_OOPS;
    case SLACK_CONTROL:
    case SLACK_STORAGE:
    case SLACK_MACHINES:
    case SLACK_RETURNS:
    case SLACK_REBOOTS:
    case SLACK_LANE_COUNT:
        break;
    }
    return SLACK_ROOM_CONTROL;
}

enum status slack_queue_new(const bool has_room[SLACK_ROOM_COUNT], struct slack_queue **ret_queue)
{
    struct slack_queue *queue = calloc(1, sizeof *queue);

    if (queue == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < SLACK_ROOM_COUNT; i++) {
        queue->rooms[i].exists = has_room[i];
    }
    *ret_queue = queue;
    return STATUS_OK;
}

static void drop_first(struct lane *lane)
{
    struct slack_message *message = lane->first;

    lane->first = message->next;
    lane->count--;
    lane->routine -= message->routine;
    slack_message_free(message);
}

void slack_queue_free(struct slack_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    for (size_t i = 0; i < SLACK_LANE_COUNT; i++) {
        while (queue->lanes[i].first != NULL) {
            drop_first(&queue->lanes[i]);
        }
    }
    free(queue);
}

/* ---- adding ---- */

static struct slack_message *last_of(const struct slack_queue *queue, enum slack_lane lane)
{
    struct slack_message *message = queue->lanes[lane].first;

    while (message != NULL && message->next != NULL) {
        message = message->next;
    }
    return message;
}

/* The last message of a lane, unless it is on its way already. */
static struct slack_message *last_open(const struct slack_queue *queue, enum slack_lane lane)
{
    struct slack_message *last = last_of(queue, lane);
    return last == queue->rooms[room_of(lane)].in_flight ? NULL : last;
}

/* In the order of lines: after a late start, those of the past come when newer ones wait already.
 * What is in flight stays the first. */
static void insert(struct slack_queue *queue, struct slack_message *message)
{
    struct lane *lane = &queue->lanes[message->lane];
    struct slack_message **at = &lane->first;

    if (*at != NULL && *at == queue->rooms[room_of(message->lane)].in_flight) {
        at = &(*at)->next;
    }
    while (*at != NULL && (*at)->line <= message->line) {
        at = &(*at)->next;
    }
    message->next = *at;
    *at = message;
    lane->count++;
    lane->routine += message->routine;
}

static void
merge_overflow(struct slack_queue *queue, enum slack_lane lane, int64_t line, struct wall_time seen)
{
    struct slack_message *last = last_open(queue, lane);

    if (last == NULL || last->merged == 0) {
        last = slack_message_new(lane, line, seen);
        if (last == NULL) {
            return;
        }
        insert(queue, last);
    }
    last->merged++;
}

static bool is_full(const struct lane *lane, bool routine)
{
    return lane->count >= SLACK_LANE_MAX || (routine && lane->routine >= SLACK_ROUTINE_MAX);
}

enum slack_lane slack_queue_lane(const struct slack_queue *queue, enum slack_lane lane)
{
    return lane == SLACK_ACTIVITY && !queue->rooms[SLACK_ROOM_ACTIVITY].exists ? SLACK_CONTROL
                                                                               : lane;
}

bool slack_queue_add(
    struct slack_queue *queue, const struct slack_post *post, int64_t line, struct wall_time seen,
    uint32_t ticket)
{
    enum slack_lane lane = slack_queue_lane(queue, post->lane);
    struct slack_message *message;

    if (!queue->rooms[room_of(lane)].exists) {
        return false;
    }
    if (is_full(&queue->lanes[lane], post->routine)) {
        if (ticket == 0) {
            merge_overflow(queue, lane, line, seen);
        }
        return false;
    }
    message = slack_message_new(lane, line, seen);
    if (message == NULL || (message->text = strdup(post->text)) == NULL) {
        slack_message_free(message);
        return false;
    }
    message->routine = post->routine;
    message->ticket = ticket;
    insert(queue, message);
    return true;
}

/* How long a bulletin waits for more. */
static int64_t patience_ms(const struct slack_queue *queue, const struct alert *alert)
{
    bool is_known = queue->thread.outage.ms == alert->since.ms && alert->since.ms != 0;

    if (alert->kind == ALERT_OVER) {
        return 0;
    }
    return is_known && alert->kind != ALERT_FLEET ? SLACK_DETAILS_MS : SLACK_GATHER_MS;
}

void slack_queue_add_alert(
    struct slack_queue *queue, const struct alert *alert, int64_t line, struct now now)
{
    struct slack_message *last = last_open(queue, SLACK_STORAGE);
    struct slack_message *message;

    if (!queue->rooms[SLACK_ROOM_CONTROL].exists) {
        return;
    }
    if (last != NULL && last->bulletin != NULL && slack_bulletin_merge(last->bulletin, alert)) {
        return;
    }
    if (last != NULL) {
        last->not_before = (struct mono_time){0}; /* nothing more will join it */
    }
    if (is_full(&queue->lanes[SLACK_STORAGE], false)) {
        merge_overflow(queue, SLACK_STORAGE, line, alert->at);
        return;
    }
    message = slack_message_new(SLACK_STORAGE, line, alert->at);
    if (message == NULL || (message->bulletin = malloc(sizeof *message->bulletin)) == NULL) {
        slack_message_free(message);
        return;
    }
    slack_bulletin_begin(message->bulletin, alert);
    message->not_before.ms = now.mono.ms + patience_ms(queue, alert);
    insert(queue, message);
}

void slack_queue_grow(struct slack_queue *queue, struct wall_time outage, uint32_t machines)
{
    struct slack_message *last = last_open(queue, SLACK_STORAGE);

    if (last != NULL && last->bulletin != NULL && last->bulletin->has_fleet &&
        last->bulletin->outage.ms == outage.ms && machines > last->bulletin->main.count) {
        last->bulletin->main.count = machines;
    }
}

/* ---- sending ---- */

/* What needs a person's hand overtakes the rest. */
static struct slack_message *candidate(const struct slack_queue *queue, enum slack_room room)
{
    static const enum slack_lane order[] = {SLACK_CONTROL, SLACK_MACHINES, SLACK_RETURNS,
                                            SLACK_REBOOTS, SLACK_STORAGE,  SLACK_ACTIVITY,
                                            SLACK_OOPS};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (room_of(order[i]) == room && queue->lanes[order[i]].first != NULL) {
            return queue->lanes[order[i]].first;
        }
    }
    return NULL;
}

/* When the room's next message may leave; {0}: there is none. */
static struct mono_time room_due(const struct slack_queue *queue, enum slack_room room)
{
    const struct room *r = &queue->rooms[room];
    const struct slack_message *message = candidate(queue, room);
    int64_t due = 1;

    if (message == NULL || r->in_flight != NULL) {
        return (struct mono_time){0};
    }
    due = r->paced.ms - (SLACK_BURST - 1) * SLACK_PACE_MS;
    due = r->retry_at.ms > due ? r->retry_at.ms : due;
    due = queue->stopped_until.ms > due ? queue->stopped_until.ms : due;
    due = message->not_before.ms > due ? message->not_before.ms : due;
    return (struct mono_time){due < 1 ? 1 : due};
}

struct mono_time slack_queue_due(const struct slack_queue *queue, struct mono_time now)
{
    struct mono_time next = {0};

    for (enum slack_room room = 0; room < SLACK_ROOM_COUNT; room++) {
        next = mono_earlier(next, room_due(queue, room));
    }
    return next.ms != 0 && next.ms < now.ms ? now : next;
}

const struct slack_message *
slack_queue_take(struct slack_queue *queue, enum slack_room room, struct mono_time now)
{
    struct mono_time due = {0};
    struct room *r = NULL;

    if (room >= SLACK_ROOM_COUNT) {
        return NULL;
    }
    r = &queue->rooms[room];
    due = room_due(queue, room);
    if (due.ms == 0 || now.ms < due.ms) {
        return NULL;
    }
    r->in_flight = candidate(queue, room);
    if (r->in_flight == NULL) {
        return NULL;
    }
    r->paced.ms = (r->paced.ms > now.ms ? r->paced.ms : now.ms) + SLACK_PACE_MS;
    r->in_flight->tries++;
    return r->in_flight;
}

const char *
slack_queue_thread_of(const struct slack_queue *queue, const struct slack_message *message)
{
    bool is_same = message->bulletin != NULL && message->bulletin->outage.ms != 0 &&
                   message->bulletin->outage.ms == queue->thread.outage.ms;
    return is_same ? queue->thread.ts : "";
}

static void remember_thread(
    struct slack_queue *queue, const struct slack_message *message,
    const struct slack_outcome *outcome)
{
    if (message->bulletin == NULL || message->bulletin->outage.ms == 0 ||
        message->bulletin->outage.ms == queue->thread.outage.ms) {
        return;
    }
    queue->thread.outage = message->bulletin->outage;
    text_copy(queue->thread.ts, sizeof queue->thread.ts, outcome->ts);
}

/* Twice as long each time, and up to half of that more, so that clients do not come in step. */
static void back_off(struct room *room, struct mono_time now, unsigned jitter)
{
    int64_t wait_ms = SLACK_RETRY_MIN_MS;

    for (unsigned i = 0; i < room->failures && wait_ms < SLACK_RETRY_MAX_MS; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms > SLACK_RETRY_MAX_MS ? SLACK_RETRY_MAX_MS : wait_ms;
    room->failures++;
    room->retry_at.ms = now.ms + wait_ms + wait_ms * (int64_t)jitter / 2000;
}

bool slack_queue_settle(
    struct slack_queue *queue, enum slack_room room, const struct slack_outcome *outcome,
    struct mono_time now, unsigned jitter)
{
    struct room *r = &queue->rooms[room];
    struct slack_message *message = r->in_flight;
    bool leaves = false;

    if (message == NULL) {
        return false;
    }
    r->in_flight = NULL;
    switch (outcome->kind) {
    case SLACK_DELIVERED:
        r->failures = 0;
        r->retry_at = (struct mono_time){0};
        remember_thread(queue, message, outcome);
        leaves = true;
        break;
    case SLACK_REFUSED:
        back_off(r, now, jitter);
        leaves = true;
        break;
    case SLACK_RATE_LIMITED:
        queue->stopped_until.ms = now.ms + outcome->wait_ms + (int64_t)jitter / 4;
        break;
    case SLACK_DECLINED:
    case SLACK_FAILED:
        back_off(r, now, jitter);
        break;
    case SLACK_HOPELESS:
        back_off(r, now, jitter);
        leaves = message->tries >= SLACK_HOPELESS_TRIES;
        break;
    }
    if (leaves) {
        drop_first(&queue->lanes[message->lane]);
    }
    return leaves;
}

void slack_queue_forget(struct slack_queue *queue, struct wall_time from, struct wall_time until)
{
    for (enum slack_lane lane = 0; lane < SLACK_LANE_COUNT; lane++) {
        const struct slack_message *in_flight = queue->rooms[room_of(lane)].in_flight;
        struct lane *l = &queue->lanes[lane];
        while (l->first != NULL && l->first != in_flight &&
               (l->first->seen.ms < from.ms || l->first->seen.ms > until.ms)) {
            drop_first(l);
        }
    }
}

/* ---- what is remembered ---- */

int64_t slack_queue_position(const struct slack_queue *queue, enum slack_lane lane, int64_t newest)
{
    for (const struct slack_message *m = queue->lanes[lane].first; m != NULL; m = m->next) {
        newest = m->line <= newest ? m->line - 1 : newest;
    }
    return newest;
}

unsigned slack_queue_waiting(const struct slack_queue *queue, enum slack_lane lane)
{
    return queue->lanes[lane].count;
}

struct slack_thread *slack_queue_thread(struct slack_queue *queue)
{
    return &queue->thread;
}
