#include "controller/watcher/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "controller/support/version.h"

#define BYTES_FIXED 16384
#define BYTES_A_MACHINE 1536
#define LINE_MAX_NUMBER ((uint64_t)1 << 53)

/* ---- printing ---- */

/* A moment of the monotonic clock; nothing for {0}. */
static void
print_moment(struct json_out *out, const char *key, struct mono_time moment, struct now now)
{
    if (moment.ms != 0) {
        struct wall_time wall = {now.wall.ms + moment.ms - now.mono.ms};
        json_out_wall(out, key, wall);
    }
}

static void print_machine(struct json_out *out, const struct watched *machine, struct now now)
{
    json_out_open(out, machine->name, '{');
    if (strcmp(machine->name, machine->display_name) != 0) {
        json_out_string(out, "display_name", machine->display_name);
    }
    if (machine->n > 0) {
        json_out_integer(out, "n", machine->n);
        if (machine->epoch > 0) {
            json_out_integer(out, "epoch", (int64_t)machine->epoch);
        }
        json_out_wall(out, "event_at", machine->event_at);
    }
    if (machine->timeouts > 0) {
        json_out_integer(out, "timeouts", machine->timeouts);
        json_out_wall(out, "timeouts_at", machine->timeouts_at);
    }
    if (machine->recent_count > 0) {
        json_out_open(out, "recent", '[');
        for (size_t i = 0; i < machine->recent_count; i++) {
            print_moment(out, NULL, machine->recent[i], now);
        }
        json_out_close(out, ']');
    }
    print_moment(out, "last_timeout", machine->last_timeout, now);
    print_moment(out, "quiet_until", machine->quiet_until, now);
    if (machine->down) {
        json_out_bool(out, "down", true);
    }
    json_out_close(out, '}');
}

static void print_outage(struct json_out *out, const struct save_timeouts *counting, struct now now)
{
    print_moment(out, "fleet_quiet_until", counting->fleet_quiet_until, now);
    if (!counting->open) {
        return;
    }
    json_out_open(out, "outage", '{');
    json_out_wall(out, "since", counting->since);
    print_moment(out, "began", counting->began, now);
    print_moment(out, "last_heard", counting->last_heard, now);
    print_moment(out, "clear_since", counting->clear_since, now);
    json_out_bool(out, "alerted", counting->alerted);
    json_out_bool(out, "fleet_alerted", counting->fleet_alerted);
    json_out_close(out, '}');
}

char *
snapshot_print(const struct snapshot *snapshot, int64_t base, struct now now, size_t *ret_length)
{
    struct watched_table *machines = snapshot->counting->machines;
    size_t size = BYTES_FIXED + watched_count(machines) * BYTES_A_MACHINE;
    char *bytes = malloc(size);
    struct text text;
    struct json_out out;
    int64_t from = snapshot->line;

    if (bytes == NULL) {
        return NULL;
    }
    text = text_over(bytes, size);
    out = json_out(&text);
    for (size_t i = 0; i < SLACK_LANE_COUNT; i++) {
        from = snapshot->lanes[i] < from ? snapshot->lanes[i] : from;
    }
    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "from", base + from < 0 ? 0 : base + from);
    json_out_integer(&out, "line", base + snapshot->line);
    json_out_open(&out, "lanes", '[');
    for (size_t i = 0; i < SLACK_LANE_COUNT; i++) {
        json_out_integer(&out, NULL, base + snapshot->lanes[i]);
    }
    json_out_close(&out, ']');
    if (snapshot->thread->outage.ms != 0) {
        json_out_open(&out, "thread", '{');
        json_out_wall(&out, "outage", snapshot->thread->outage);
        json_out_string(&out, "ts", snapshot->thread->ts);
        json_out_close(&out, '}');
    }
    print_outage(&out, snapshot->counting, now);
    snapshot_print_services(&out, snapshot->services);
    certificates_print(snapshot->certificates, &out);
    json_out_open(&out, "machines", '{');
    for (const struct watched *m = watched_first(machines); m != NULL; m = m->next) {
        print_machine(&out, m, now);
    }
    json_out_close(&out, '}');
    json_out_close(&out, '}');
    text_add(&text, "\n");
    if (text.cut) {
        free(bytes);
        return NULL;
    }
    *ret_length = text.length;
    return bytes;
}

/* ---- reading ---- */

/* A wall time as a moment of this process's clock, at most `ahead_ms` from now: the wall clock may
 * have been set meanwhile. {0} for {0}. */
static struct mono_time moment_of(struct wall_time wall, struct now now, int64_t ahead_ms)
{
    struct mono_time moment = {now.mono.ms + wall.ms - now.wall.ms};

    if (wall.ms == 0) {
        return (struct mono_time){0};
    }
    if (moment.ms > now.mono.ms + ahead_ms) {
        moment.ms = now.mono.ms + ahead_ms;
    }
    return moment.ms == 0 ? (struct mono_time){-1} : moment; /* 0 would be "never" */
}

static void read_timeouts(
    const struct json *object, struct now now, int64_t cooldown_ms, struct watched *machine)
{
    const struct json *recent = json_get(object, "recent");

    if (machine->recent_count > 0) {
        return; /* heard since the start */
    }
    for (const struct json *item = json_first(recent);
         item != NULL && machine->recent_count < WATCHED_RECENT; item = json_next(item)) {
        if (json_type(item) == JSON_NUMBER) {
            machine->recent[machine->recent_count++] =
                moment_of((struct wall_time){json_ms(item)}, now, 0);
        }
    }
    machine->last_timeout = moment_of(json_get_wall(object, "last_timeout"), now, 0);
    machine->quiet_until = moment_of(json_get_wall(object, "quiet_until"), now, cooldown_ms);
    machine->down = json_get_bool(object, "down");
}

static void read_machine(const struct json *object, struct now now, struct save_timeouts *counting)
{
    const char *name = json_key(object);
    const struct json *display = json_get(object, "display_name");
    uint32_t timeouts = (uint32_t)json_get_integer(object, "timeouts", UINT32_MAX);
    uint32_t n = (uint32_t)json_get_integer(object, "n", UINT32_MAX);
    struct watched *machine;

    if (!text_is_name(name, TOPIC_MACHINE_MAX)) {
        return;
    }
    machine = watched_touch(counting->machines, name);
    if (machine == NULL) {
        return;
    }
    machine->past = (struct event_place){
        n, json_get_integer(object, "epoch", VERSION_EPOCH_MAX), json_get_wall(object, "event_at")};
    if (machine->n == 0 && n > 0) {
        machine->n = n;
        machine->epoch = json_get_integer(object, "epoch", VERSION_EPOCH_MAX);
        machine->event_at = json_get_wall(object, "event_at");
        if (display != NULL && json_type(display) == JSON_STRING) {
            text_copy(machine->display_name, sizeof machine->display_name, json_string(display));
        }
    }
    if (timeouts > machine->timeouts) {
        if (machine->timeouts == 0) {
            machine->timeouts_at = json_get_wall(object, "timeouts_at");
        }
        machine->timeouts = timeouts;
    }
    read_timeouts(object, now, counting->limits.cooldown_ms, machine);
}

static void read_outage(const struct json *document, struct now now, struct save_timeouts *counting)
{
    const struct json *outage = json_get(document, "outage");

    if (counting->fleet_quiet_until.ms == 0) {
        counting->fleet_quiet_until = moment_of(
            json_get_wall(document, "fleet_quiet_until"), now, counting->limits.cooldown_ms);
    }
    if (outage == NULL || counting->open || json_get_wall(outage, "since").ms == 0) {
        return;
    }
    counting->open = true;
    counting->since = json_get_wall(outage, "since");
    counting->began = moment_of(json_get_wall(outage, "began"), now, 0);
    counting->last_heard = moment_of(json_get_wall(outage, "last_heard"), now, 0);
    counting->clear_since = moment_of(json_get_wall(outage, "clear_since"), now, 0);
    counting->alerted = json_get_bool(outage, "alerted");
    counting->fleet_alerted = json_get_bool(outage, "fleet_alerted");
}

static void read_thread(const struct json *document, struct slack_thread *ret_thread)
{
    const struct json *thread = json_get(document, "thread");

    if (thread != NULL && ret_thread->outage.ms == 0) {
        ret_thread->outage = json_get_wall(thread, "outage");
        text_copy(ret_thread->ts, sizeof ret_thread->ts, json_get_string(thread, "ts"));
    }
}

/* A line's number as the loop counts: what a crash of the host took off the disk is nobody's. */
static int64_t line_of(const struct json *node, int64_t base)
{
    int64_t line = 0;

    if (json_is_integer(node, 0, LINE_MAX_NUMBER)) {
        line = (int64_t)json_number(node) - base;
    }
    return line > 0 ? 0 : line;
}

enum status snapshot_read(
    const char *bytes, size_t length, int64_t base, struct now now, struct snapshot *snapshot)
{
    struct json *document = NULL;
    const struct json *lanes;
    const struct json *machines;
    const struct json *item;
    TEXT_LOCAL(why, 256);

    if (json_parse(bytes, length, &document, &why) != STATUS_OK) {
        return STATUS_INVALID;
    }
    lanes = json_get(document, "lanes");
    machines = json_get(document, "machines");
    if (lanes == NULL || json_count(lanes) > SLACK_LANE_COUNT || machines == NULL) {
        json_free(document);
        return STATUS_INVALID;
    }
    snapshot->line = line_of(json_get(document, "line"), base);
    item = json_first(lanes);
    for (size_t i = 0; i < SLACK_LANE_COUNT; i++) {
        /* An older version had fewer lanes: the others owe nothing. */
        snapshot->lanes[i] = item == NULL ? snapshot->line : line_of(item, base);
        item = item == NULL ? NULL : json_next(item);
    }
    read_thread(document, snapshot->thread);
    for (item = json_first(machines); item != NULL; item = json_next(item)) {
        read_machine(item, now, snapshot->counting);
    }
    read_outage(document, now, snapshot->counting);
    snapshot_read_services(document, snapshot->services);
    certificates_read(snapshot->certificates, document);
    json_free(document);
    return STATUS_OK;
}
