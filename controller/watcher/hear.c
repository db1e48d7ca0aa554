/* What is heard: into the audit first, then counted and told. */
#include <string.h>

#include "controller/support/json.h"
#include "controller/support/log.h"
#include "controller/watcher/watcher_inside.h"
#include "topics/member.h"

#define BAD_LOG_MS 60000
#define LINE_SIZE (HEARD_EVENT_BYTES_MAX + 256)

void hear_badly(struct watcher *watcher, const char *topic, const char *why)
{
    watcher->bad_messages++;
    if (watcher->bad_logged.ms == 0 ||
        watcher->now.mono.ms - watcher->bad_logged.ms >= BAD_LOG_MS) {
        watcher->bad_logged = watcher->now.mono;
        log_warning(
            "%s: not understood (%llu so far): %s", topic,
            (unsigned long long)watcher->bad_messages, why);
    }
}

/* The members of an object, and all behind them. */
static void add_members(struct text *line, const char *object, size_t length)
{
    const char *members = memchr(object, '{', length);
    size_t start = line->length;

    text_add_bytes(line, members + 1, length - (size_t)(members + 1 - object));
    /* Line breaks stand only between the parts of an object, never inside a string. */
    for (size_t i = start; i < line->length; i++) {
        if (line->data[i] == '\n' || line->data[i] == '\r' || line->data[i] == '\t') {
            line->data[i] = ' ';
        }
    }
}

/* What stands in front of the members, audit_line_event reads. */
static int64_t
add(struct watcher *watcher, const char *kind, bool late, const char *object, size_t length)
{
    char buffer[LINE_SIZE];
    struct text line = text_over(buffer, sizeof buffer);
    struct json_out out = json_out(&line);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "kind", kind);
    json_out_wall(&out, "seen", watcher->now.wall);
    if (late) {
        json_out_bool(&out, "late", true);
    }
    text_add(&line, ",");
    add_members(&line, object, length);
    watcher->line = audit_add(watcher->audit, watcher->now.wall, line.data, line.length);
    return watcher->line;
}

int64_t add_line(struct watcher *watcher, const char *kind, const char *object, size_t length)
{
    return add(watcher, kind, false, object, length);
}

/* Keys that are put in front would stand twice. */
static bool is_addable(const struct json *object)
{
    return json_get(object, "kind") == NULL && json_get(object, "seen") == NULL &&
           json_get(object, "late") == NULL && json_get(object, "line") == NULL;
}

/* ---- Slack ---- */

void post_event(
    struct watcher *watcher, const struct heard_event *event, int64_t line, struct wall_time seen,
    const int64_t *delivered)
{
    struct slack_queue *queue = slack_queue_of(watcher->slack);
    struct slack_post posts[SLACK_POSTS_MAX];
    size_t count = slack_posts_of(event, posts);

    if (!event->late) {
        slack_crowds_hear(&watcher->crowds, event, watcher->now.mono);
    }
    for (size_t i = 0; i < count; i++) {
        enum slack_lane lane = slack_queue_lane(queue, posts[i].lane);
        if (delivered != NULL && line <= delivered[lane]) {
            continue;
        }
        if (slack_crowds_has(lane)) {
            slack_crowds_add(&watcher->crowds, &posts[i], event, line, seen, watcher->now.mono);
        } else {
            (void)slack_queue_add(queue, &posts[i], line, seen, 0);
        }
    }
}

/* Alerts about storage are gathered and give way; the others are messages like any. */
static bool is_about_storage(enum alert_kind kind)
{
    return kind == ALERT_MACHINE || kind == ALERT_REPEATED || kind == ALERT_FLEET ||
           kind == ALERT_OVER;
}

bool post_alert(
    struct watcher *watcher, const struct alert *alert, int64_t line, uint32_t ticket,
    const int64_t *delivered)
{
    struct slack_queue *queue = slack_queue_of(watcher->slack);
    struct slack_post post;
    TEXT_LOCAL(sentence, 1024);
    struct text text = text_over(post.text, sizeof post.text);

    if (is_about_storage(alert->kind)) {
        if (delivered == NULL || line > delivered[SLACK_STORAGE]) {
            slack_queue_add_alert(queue, alert, line, watcher->now);
        }
        return true;
    }
    if (delivered != NULL && line <= delivered[SLACK_CONTROL]) {
        return true;
    }
    post.lane = SLACK_CONTROL;
    post.routine = false;
    alert_text(alert, &sentence);
    slack_add_escaped(&text, sentence.data);
    return slack_queue_add(queue, &post, line, alert->at, ticket);
}

/* ---- events ---- */

void mark_gap(
    struct watcher *watcher, const struct watched *last, const struct heard_event *event,
    enum turn turn)
{
    TEXT_LOCAL(line, 256);
    struct json_out out = json_out(&line);

    if (turn != TURN_GAP && turn != TURN_ANEW) {
        return;
    }
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "machine", last->name);
    json_out_integer(&out, "after", last->n);
    json_out_integer(&out, "before", event->n);
    if (turn == TURN_ANEW) {
        json_out_bool(&out, "restarted", true);
    } else {
        json_out_integer(&out, "missing", (int64_t)event->n - last->n - 1);
    }
    json_out_close(&out, '}');
    (void)add_line(watcher, "gap", line.data, line.length);
    log_warning(
        "%s: event %u came after %u: %s", last->name, event->n, last->n,
        turn == TURN_ANEW ? "its counting began anew" : "those between were missed");
}

/* One without a number may be said twice on purpose. */
static bool was_heard(
    struct watcher *watcher, const struct heard_event *event, const char *payload, size_t length)
{
    char buffer[LINE_SIZE];
    struct text members = text_over(buffer, sizeof buffer);
    uint64_t print;

    add_members(&members, payload, length);
    print = heard_print(members.data, members.length);
    if ((event->n != 0 || watcher->hears_again) && heard_has(watcher->heard, print)) {
        return true;
    }
    heard_add(watcher->heard, print);
    return false;
}

static void
take_event(struct watcher *watcher, struct heard_event *event, const char *payload, size_t length)
{
    struct watched *machine = watched_touch(watcher->machines, event->machine);
    enum turn turn;
    int64_t line;

    if (machine == NULL || was_heard(watcher, event, payload, length)) {
        return;
    }
    turn = turn_of(machine, event);
    if (turn == TURN_LATE) {
        heard_event_mark_late(event, watcher->now.wall);
    } else {
        mark_gap(watcher, machine, event, turn);
        turn_take(machine, event);
    }
    if (!watcher->has_past && machine->first.n == 0) {
        machine->first = (struct event_place){event->n, event->epoch, event->at};
    }
    line = add(watcher, "event", event->late, payload, length);
    audit_commit(watcher->audit);
    if (strcmp(event->event_type, "save_timeout") == 0 && !event->late) {
        save_timeouts_mark(
            &watcher->counting, machine, strcmp(event->reason, "over") == 0, watcher->now);
    }
    post_event(watcher, event, line, watcher->now.wall, NULL);
}

void hear_event(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length)
{
    struct json *document = NULL;
    struct heard_event event;
    TEXT_LOCAL(why, 256);
    struct members members = members_of(payload, length, HEARD_EVENT_BYTES_MAX, &document, &why);

    if (!members.failed && heard_event_read(document, &event, &why) == STATUS_OK) {
        if (strcmp(event.machine, topic->first) != 0) {
            text_addf(&why, "/machine: is another than the topic's");
        } else if (!is_addable(document)) {
            text_add(&why, "/kind, /seen, /late, /line: are the audit's own");
        } else {
            watcher->events++;
            take_event(watcher, &event, payload, length);
        }
    }
    if (why.length > 0) {
        hear_badly(watcher, "an event", why.data);
    }
    json_free(document);
}

/* ---- save timeouts ---- */

static bool read_save_timeout(struct members *members, struct save_timeout *ret_timeout)
{
    uint64_t count = 0;
    uint64_t budget_ms = 0;

    *ret_timeout = (struct save_timeout){0};
    member_string(members, "machine", REQUIRED, &ret_timeout->machine);
    member_integer(members, "count", REQUIRED, 1, UINT32_MAX, &count);
    member_integer(members, "budget_ms", OPTIONAL, 0, INT32_MAX, &budget_ms);
    member_ms(members, "at", OPTIONAL, &ret_timeout->at.ms);
    if (!members->failed && !text_is_name(ret_timeout->machine, TOPIC_MACHINE_MAX)) {
        member_fail(members, "machine", "is no machine's name");
    }
    if (!members->failed && !is_addable(members->object)) {
        member_fail(members, "kind", "is the audit's own");
    }
    ret_timeout->count = (uint32_t)count;
    ret_timeout->budget_ms = (int64_t)budget_ms;
    return !members->failed;
}

void hear_save_timeout(struct watcher *watcher, const char *payload, size_t length)
{
    struct json *document = NULL;
    struct save_timeout timeout;
    struct alert alerts[SAVE_TIMEOUTS_ALERTS_MAX];
    bool is_new = false;
    size_t count;
    TEXT_LOCAL(why, 256);
    struct members members = members_of(payload, length, HEARD_EVENT_BYTES_MAX, &document, &why);

    if (!read_save_timeout(&members, &timeout)) {
        hear_badly(watcher, "fleet/save_timeout", why.data);
        json_free(document);
        return;
    }
    count = save_timeouts_count(&watcher->counting, &timeout, watcher->now, alerts, &is_new);
    if (is_new) {
        watcher->save_timeouts++;
        (void)add_line(watcher, "save_timeout", payload, length);
        for (size_t i = 0; i < count; i++) {
            (void)watcher_raise(watcher, &alerts[i], 0);
        }
        audit_commit(watcher->audit);
        slack_queue_grow(
            slack_queue_of(watcher->slack), watcher->counting.since,
            save_timeouts_machines(&watcher->counting, watcher->now.mono));
    }
    json_free(document);
}
