#include "controller/watcher/save_timeouts.h"

#include <string.h>

#include "controller/support/text.h"

/* ---- the outage ---- */

static void heard(struct save_timeouts *counting, struct now now)
{
    if (!counting->open) {
        counting->open = true;
        counting->alerted = false;
        counting->fleet_alerted = false;
        counting->since = now.wall;
        counting->began = now.mono;
        counting->clear_since = (struct mono_time){0};
    }
    counting->last_heard = now.mono;
}

static bool is_any_down(const struct save_timeouts *counting)
{
    const struct watched *machine = watched_first(counting->machines);

    while (machine != NULL && !machine->down) {
        machine = machine->next;
    }
    return machine != NULL;
}

void save_timeouts_mark(
    struct save_timeouts *counting, struct watched *machine, bool over, struct now now)
{
    bool was_down = machine->down;

    machine->down = !over;
    if (!over) {
        heard(counting, now);
        counting->clear_since = (struct mono_time){0};
    } else if (counting->open) {
        counting->last_heard = now.mono;
        if (was_down && !is_any_down(counting)) {
            counting->clear_since = now.mono;
        }
    }
}

/* How long nothing may be heard before the outage counts as over. */
static int64_t patience_ms(const struct save_timeouts *counting)
{
    if (is_any_down(counting)) {
        return SAVE_TIMEOUTS_LOST_MS;
    }
    return counting->limits.window_ms > 60000 ? counting->limits.window_ms : 60000;
}

struct mono_time save_timeouts_due(const struct save_timeouts *counting)
{
    if (!counting->open) {
        return (struct mono_time){0};
    }
    if (counting->clear_since.ms != 0) {
        return (struct mono_time){counting->clear_since.ms + SAVE_TIMEOUTS_SETTLE_MS};
    }
    return (struct mono_time){counting->last_heard.ms + patience_ms(counting)};
}

bool save_timeouts_tick(struct save_timeouts *counting, struct now now, struct alert *ret_alert)
{
    struct mono_time due = save_timeouts_due(counting);
    bool certain = counting->clear_since.ms != 0;
    struct mono_time ended = certain ? counting->clear_since : counting->last_heard;

    if (!counting->open || now.mono.ms < due.ms) {
        return false;
    }
    counting->open = false;
    for (struct watched *m = watched_first(counting->machines); m != NULL; m = m->next) {
        m->down = false;
    }
    if (!counting->alerted) {
        return false;
    }
    *ret_alert = (struct alert){
        .kind = ALERT_OVER,
        .lasted_ms = ended.ms - counting->began.ms,
        .certain = certain,
        .since = counting->since,
        .at = now.wall,
    };
    return true;
}

/* ---- counting ---- */

uint32_t save_timeouts_machines(const struct save_timeouts *counting, struct mono_time now)
{
    uint32_t count = 0;

    for (const struct watched *m = watched_first(counting->machines); m != NULL; m = m->next) {
        count +=
            m->last_timeout.ms != 0 && now.ms - m->last_timeout.ms <= counting->limits.window_ms;
    }
    return count;
}

static void note_recent(struct watched *machine, struct mono_time now)
{
    if (machine->recent_count == WATCHED_RECENT) {
        memmove(
            machine->recent, machine->recent + 1, (WATCHED_RECENT - 1) * sizeof machine->recent[0]);
        machine->recent_count--;
    }
    machine->recent[machine->recent_count++] = now;
    machine->last_timeout = now;
}

static struct alert *begin_alert(
    struct save_timeouts *counting, enum alert_kind kind, const struct watched *machine,
    struct now now, struct alert *alert)
{
    *alert = (struct alert){.kind = kind, .since = counting->since, .at = now.wall};
    if (machine != NULL) {
        text_copy(alert->machine, sizeof alert->machine, machine->name);
        text_copy(alert->display_name, sizeof alert->display_name, machine->display_name);
    }
    counting->alerted = true;
    return alert;
}

static bool fleet_is_due(const struct save_timeouts *counting, uint32_t machines, struct now now)
{
    return machines >= counting->limits.threshold &&
           (counting->fleet_quiet_until.ms == 0 || now.mono.ms >= counting->fleet_quiet_until.ms);
}

/* For the shop whose one machine never reaches the fleet's threshold; where the threshold is
 * reached, the fleet's alert tells of it, or did before it began to cool down. */
static bool repeated_is_due(
    const struct save_timeouts *counting, const struct watched *machine, uint32_t machines,
    struct now now)
{
    return machines < counting->limits.threshold && machine->recent_count == WATCHED_RECENT &&
           now.mono.ms - machine->recent[0].ms <= SAVE_TIMEOUTS_REPEATED_MS &&
           !counting->fleet_alerted &&
           (machine->quiet_until.ms == 0 || now.mono.ms >= machine->quiet_until.ms);
}

size_t save_timeouts_count(
    struct save_timeouts *counting, const struct save_timeout *timeout, struct now now,
    struct alert ret_alerts[SAVE_TIMEOUTS_ALERTS_MAX], bool *ret_is_new)
{
    struct watched *machine = watched_touch(counting->machines, timeout->machine);
    bool known = machine != NULL && machine->timeouts > 0;
    size_t alerts = 0;
    uint32_t machines;
    bool is_second;

    *ret_is_new = machine != NULL && (!known || timeout->count > machine->timeouts ||
                                      timeout->at.ms > machine->timeouts_at.ms);
    if (!*ret_is_new) {
        return 0;
    }
    /* Crossing two counts, so that a second one that was missed is told with the third, and a
     * controller that took over with an older count makes no second alert. Of a machine that was
     * never heard of before, a count above two tells of the past. */
    is_second = known ? machine->timeouts < 2 && timeout->count >= 2 : timeout->count == 2;
    if (timeout->count > machine->timeouts) {
        machine->timeouts = timeout->count;
    }
    machine->timeouts_at = timeout->at;
    heard(counting, now);
    note_recent(machine, now.mono);
    counting->clear_since = (struct mono_time){0};
    if (is_second) {
        struct alert *alert =
            begin_alert(counting, ALERT_MACHINE, machine, now, &ret_alerts[alerts++]);
        alert->count = timeout->count;
        alert->budget_ms = timeout->budget_ms;
    }
    machines = save_timeouts_machines(counting, now.mono);
    if (fleet_is_due(counting, machines, now)) {
        struct alert *alert = begin_alert(counting, ALERT_FLEET, NULL, now, &ret_alerts[alerts++]);
        alert->count = machines;
        alert->window_ms = counting->limits.window_ms;
        counting->fleet_alerted = true;
        counting->fleet_quiet_until.ms = now.mono.ms + counting->limits.cooldown_ms;
    } else if (alerts == 0 && repeated_is_due(counting, machine, machines, now)) {
        struct alert *alert =
            begin_alert(counting, ALERT_REPEATED, machine, now, &ret_alerts[alerts++]);
        alert->count = WATCHED_RECENT;
        alert->window_ms = SAVE_TIMEOUTS_REPEATED_MS;
        machine->quiet_until.ms = now.mono.ms + counting->limits.cooldown_ms;
        machine->recent_count = 0;
    }
    return alerts;
}
