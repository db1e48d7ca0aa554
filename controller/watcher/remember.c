/* What survives a restart: how far Slack was told, and what was counted. */
#include <stdlib.h>
#include <string.h>

#include "controller/support/log.h"
#include "controller/watcher/watcher_inside.h"

/* The moment at which a line was written, on this process's clock. */
static struct now moment_of(const struct watcher *watcher, struct wall_time seen)
{
    struct now then = {.mono = watcher->now.mono, .wall = seen};

    if (seen.ms < watcher->now.wall.ms) {
        then.mono.ms -= watcher->now.wall.ms - seen.ms;
    }
    then.mono.ms -= then.mono.ms == 0; /* 0 would be "never" */
    return then;
}

/* Counts a line that was not counted in when the process ended. Alerts that follow from it stand
 * in lines of their own. */
static void count_again(
    struct watcher *watcher, const struct json *line, const char *kind, struct wall_time seen)
{
    struct now then = moment_of(watcher, seen);
    struct alert alerts[SAVE_TIMEOUTS_ALERTS_MAX];
    struct alert alert;
    bool is_new;

    (void)save_timeouts_tick(&watcher->counting, then, &alert);
    if (strcmp(kind, "save_timeout") == 0) {
        struct save_timeout timeout = {
            .machine = json_get_string(line, "machine"),
            .count = (uint32_t)json_get_integer(line, "count", UINT32_MAX),
            .at = json_get_wall(line, "at"),
        };
        if (text_is_name(timeout.machine, TOPIC_MACHINE_MAX)) {
            (void)save_timeouts_count(&watcher->counting, &timeout, then, alerts, &is_new);
        }
    } else if (
        strcmp(kind, "alert") == 0 && alert_read(line, &alert) == STATUS_OK &&
        alert.kind == ALERT_OVER && alert.since.ms == watcher->counting.since.ms) {
        watcher->counting.open = false;
    }
}

/* Where the disk was slow, later events have been heard before the past is known. */
static bool is_newer(const struct heard_event *event, const struct watched *machine)
{
    if (event->n != 0 && event->epoch != 0 && machine->epoch != 0 &&
        event->epoch != machine->epoch) {
        return event->epoch > machine->epoch;
    }
    return event->n == 0 || event->n > machine->n || event->at.ms > machine->event_at.ms;
}

static void recall_event(
    struct watcher *watcher, const struct json *document, int64_t line, bool is_counted,
    struct wall_time seen, const int64_t *delivered)
{
    struct heard_event event;
    struct watched *machine;
    TEXT_LOCAL(why, 256);

    if (heard_event_read(document, &event, &why) != STATUS_OK) {
        return;
    }
    if (json_get_bool(document, "late")) {
        heard_event_mark_late(&event, seen);
    }
    machine = is_counted ? NULL : watched_touch(watcher->machines, event.machine);
    if (machine != NULL && !event.late && event.n != 0) {
        machine->past = (struct event_place){event.n, event.epoch, event.at};
    }
    if (machine != NULL && !event.late && is_newer(&event, machine)) {
        turn_take(machine, &event);
        if (strcmp(event.event_type, "save_timeout") == 0) {
            save_timeouts_mark(
                &watcher->counting, machine, strcmp(event.reason, "over") == 0,
                moment_of(watcher, seen));
        }
    }
    post_event(watcher, &event, line, seen, delivered);
}

static void recall_line(
    struct watcher *watcher, const struct audit_past_line *item, const struct snapshot *snapshot)
{
    struct json *document = NULL;
    int64_t line = item->number - watcher->base;
    bool is_counted = line <= snapshot->line;
    struct wall_time seen;
    struct alert alert;
    const char *kind;
    TEXT_LOCAL(why, 256);

    if (json_parse(item->text, strlen(item->text), &document, &why) != STATUS_OK) {
        return;
    }
    kind = json_get_string(document, "kind");
    seen = json_get_wall(document, "seen");
    if (!is_counted) {
        count_again(watcher, document, kind, seen);
    }
    if (strcmp(kind, "event") == 0) {
        recall_event(watcher, document, line, is_counted, seen, snapshot->lanes);
    } else if (strcmp(kind, "alert") == 0 && alert_read(document, &alert) == STATUS_OK) {
        (void)post_alert(watcher, &alert, line, 0, snapshot->lanes);
    }
    json_free(document);
}

/* What came between the past and the first event heard without knowing it was missed. */
static void mark_gaps(struct watcher *watcher)
{
    for (struct watched *m = watched_first(watcher->machines); m != NULL; m = m->next) {
        struct watched last = {.n = m->past.n, .epoch = m->past.epoch, .event_at = m->past.at};
        struct heard_event first = {.n = m->first.n, .epoch = m->first.epoch, .at = m->first.at};

        text_copy(last.name, sizeof last.name, m->name);
        mark_gap(watcher, &last, &first, turn_of(&last, &first));
    }
    audit_commit(watcher->audit);
}

void watcher_on_past(struct watcher *watcher, struct audit_past *past)
{
    struct snapshot snapshot = {
        .counting = &watcher->counting,
        .thread = slack_queue_thread(slack_queue_of(watcher->slack)),
        .services = &watcher->services,
        .certificates = &watcher->certificates,
    };
    unsigned waiting = 0;

    watcher->base = past->base;
    watcher->has_past = true;
    for (size_t i = 0; i < past->heard_count; i++) {
        heard_add(watcher->heard, past->heard[i]);
    }
    if (past->state != NULL &&
        snapshot_read(past->state, past->state_length, past->base, watcher->now, &snapshot) !=
            STATUS_OK) {
        log_warning("audit: watcher.json is not used; what Slack was not told before stays so");
    } else if (past->state != NULL) {
        for (const struct audit_past_line *item = past->lines; item != NULL; item = item->next) {
            recall_line(watcher, item, &snapshot);
        }
    }
    mark_gaps(watcher);
    for (enum slack_lane lane = 0; lane < SLACK_LANE_COUNT; lane++) {
        waiting += slack_queue_waiting(slack_queue_of(watcher->slack), lane);
    }
    log_info(
        "the audit goes on behind line %lld; %zu machine%s known, %u message%s for Slack",
        (long long)past->base, watched_count(watcher->machines),
        text_plural(watched_count(watcher->machines)), waiting, waiting == 1 ? " waits" : "s wait");
    audit_past_free(past);
    watcher->save_at_once = true;
}

void remember_save(struct watcher *watcher)
{
    struct slack_queue *queue = slack_queue_of(watcher->slack);
    struct snapshot snapshot = {
        .counting = &watcher->counting,
        .thread = slack_queue_thread(queue),
        .services = &watcher->services,
        .certificates = &watcher->certificates,
        .line = watcher->line,
    };
    size_t length;
    char *bytes;

    if (!watcher->has_past) {
        return;
    }
    for (enum slack_lane lane = 0; lane < SLACK_LANE_COUNT; lane++) {
        snapshot.lanes[lane] = slack_queue_position(queue, lane, watcher->line);
        if (slack_crowds_has(lane)) {
            snapshot.lanes[lane] =
                slack_crowds_position(&watcher->crowds, lane, snapshot.lanes[lane]);
        }
    }
    bytes = snapshot_print(&snapshot, watcher->base, watcher->now, &length);
    if (bytes == NULL) {
        log_error("what is to be remembered did not fit");
        return;
    }
    audit_save(watcher->audit, bytes, length);
    free(bytes);
}
