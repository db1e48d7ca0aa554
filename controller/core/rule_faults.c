/* What is wrong with a machine that answers: relays that disobey (C11.7), a second device under its
 * name (C3), a reader that failed, boots that never end. */
#include <string.h>

#include "controller/core/rules.h"

#define STUCK_AFTER_MS 5000    /* C11.7: the first of the reports, after the ack */
#define CURRENT_AFTER_MS 30000 /* C11.7: likewise, for amps */
#define DISOBEYED_REPORTS 2
#define REFUSED_AFTER_MS 60000
#define TWIN_MS 60000 /* C3 */
#define BOOT_LOOP_MS 600000

static void push(struct mono_time times[], size_t count, struct mono_time now)
{
    memmove(&times[1], &times[0], (count - 1) * sizeof times[0]);
    times[0] = now;
}

static bool has_fault(const struct core_state *state, enum core_fault_index fault)
{
    return (state->faults & CORE_FAULT(fault)) != 0;
}

static void set_fault(struct decision *decision, enum core_fault_index fault, bool value)
{
    decision->source = CORE_SOURCE_LIVENESS;
    if (value) {
        core_raise_fault(decision, fault);
    } else {
        core_clear_fault(decision, fault);
    }
}

/* ---- C11.7 ---- */

static bool was_commanded(const struct core_state *state, size_t relay)
{
    return relay == 0 ? core_mode_relay(state->mode) : state->second_relay;
}

static enum core_observed was_seen(const struct core_report *report, size_t relay)
{
    return relay == 0 ? report->relay_seen : report->second_relay_seen;
}

static uint8_t one_more(uint8_t reports)
{
    return reports < DISOBEYED_REPORTS ? (uint8_t)(reports + 1) : reports;
}

static bool is_past(struct mono_time since, int64_t ms, struct mono_time now)
{
    return since.ms != 0 && now.ms - since.ms >= ms;
}

/* How one relay obeys what it was commanded before this report. */
static void follow_relay(struct decision *decision, size_t relay)
{
    const struct core_state *before = decision->before;
    const struct core_report *report = &decision->event->report;
    struct core_obedience *obedience = &decision->state->watch.relays[relay];
    struct mono_time now = decision->event->now.mono;
    enum core_observed seen = was_seen(report, relay);
    bool commanded = was_commanded(before, relay);

    if (obedience->acked_at.ms == 0 && report->has_ack &&
        version_compare(report->ack.version, obedience->commanded) >= 0 &&
        version_compare(report->ack.version, before->switched) >= 0) {
        obedience->acked_at = now;
    }
    if (!commanded && seen == CORE_ON && is_past(obedience->acked_at, STUCK_AFTER_MS, now)) {
        obedience->stuck_reports = one_more(obedience->stuck_reports);
    } else {
        obedience->stuck_reports = 0;
    }
    if (!commanded || seen == CORE_ON) {
        obedience->refused_from = (struct mono_time){0};
    } else if (seen == CORE_OFF && obedience->refused_from.ms == 0) {
        obedience->refused_from = now;
    }
}

static bool is_drawing(const struct decision *decision)
{
    const struct core_report *report = &decision->event->report;

    return decision->config->has_idle_amps && report->has_amps &&
           report->amps > decision->config->idle_amps;
}

static void follow_current(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;

    if (core_mode_relay(decision->before->mode) ||
        !is_past(watch->relays[0].acked_at, CURRENT_AFTER_MS, decision->event->now.mono)) {
        watch->amps_reports = 0;
    } else if (decision->event->report.has_amps) {
        watch->amps_reports = is_drawing(decision) ? one_more(watch->amps_reports) : 0;
    }
}

/* A person must lift it. Not in the middle of somebody's cut for the sake of the second relay: then
 * when the session is over. Once a fault: whoever lifts it knows. */
static void lock_out(struct decision *decision)
{
    struct core_state *state = decision->state;
    struct core_watch *watch = &state->watch;
    bool primary = watch->relays[0].stuck_reports >= DISOBEYED_REPORTS;

    if (!watch->lock_wanted || (core_mode_relay(state->mode) && !primary)) {
        return;
    }
    watch->lock_wanted = false;
    if (state->locked_out) {
        return;
    }
    decision->effects->rule = CORE_RULE_DISOBEYED;
    decision->source = CORE_SOURCE_LIVENESS;
    core_notify(decision, CORE_NOTICE_LOCKOUT);
    core_end_session(decision, CORE_REASON_LOCKOUT);
    state->locked_out = true;
    core_base(decision);
}

/* Off is what a report says outright; of a machine without `relay_state`, what its current says. */
static bool looks_off(const struct decision *decision)
{
    const struct core_report *report = &decision->event->report;
    bool idle = decision->config->has_idle_amps && report->has_amps && !is_drawing(decision);

    return !core_mode_relay(decision->before->mode) && report->relay_seen != CORE_ON &&
           (decision->before->second_relay || report->second_relay_seen != CORE_ON) &&
           !is_drawing(decision) && (report->relay_seen == CORE_OFF || idle);
}

static void judge_stuck(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;
    bool stuck = watch->relays[0].stuck_reports >= DISOBEYED_REPORTS ||
                 watch->relays[1].stuck_reports >= DISOBEYED_REPORTS;

    if (stuck || watch->amps_reports >= DISOBEYED_REPORTS) {
        watch->lock_wanted |= stuck && !has_fault(decision->state, CORE_FAULT_RELAY_STUCK_ON);
        set_fault(decision, CORE_FAULT_RELAY_STUCK_ON, true);
    } else if (looks_off(decision)) {
        watch->lock_wanted = false;
        set_fault(decision, CORE_FAULT_RELAY_STUCK_ON, false);
    }
    lock_out(decision);
}

static void judge_refused(struct decision *decision)
{
    const struct core_watch *watch = &decision->state->watch;
    bool refusing = false;
    bool refused = false;

    for (size_t relay = 0; relay < CORE_RELAYS; relay++) {
        const struct core_obedience *obedience = &watch->relays[relay];

        refusing |= obedience->refused_from.ms != 0;
        refused |= is_past(obedience->refused_from, REFUSED_AFTER_MS, decision->event->now.mono);
    }
    if (refused) {
        set_fault(decision, CORE_FAULT_RELAY_REFUSED, true);
    } else if (!refusing) {
        set_fault(decision, CORE_FAULT_RELAY_REFUSED, false);
    }
}

void core_note_commands(struct decision *decision)
{
    for (size_t relay = 0; relay < CORE_RELAYS; relay++) {
        if (was_commanded(decision->before, relay) != was_commanded(decision->state, relay)) {
            decision->state->watch.relays[relay] =
                (struct core_obedience){.commanded = decision->state->version};
        }
    }
}

/* ---- boots, reader ---- */

static void count_boot(struct decision *decision, bool asked_for)
{
    struct core_watch *watch = &decision->state->watch;
    struct mono_time now = decision->event->now.mono;
    const struct mono_time *first = &watch->boots[CORE_LOOP_BOOTS - 1];

    memset(watch->relays, 0, sizeof watch->relays);
    watch->amps_reports = 0;
    if (asked_for) {
        return;
    }
    push(watch->boots, CORE_LOOP_BOOTS, now);
    if (first->ms != 0 && now.ms - first->ms < BOOT_LOOP_MS) {
        set_fault(decision, CORE_FAULT_BOOT_LOOP, true);
    }
}

void core_judge_faults(struct decision *decision, bool reboot)
{
    const struct core_report *report = &decision->event->report;

    if (reboot) {
        count_boot(decision, decision->before->watch.restarting);
    }
    if (report->has_reader_ok) {
        set_fault(decision, CORE_FAULT_READER_FAILED, !report->reader_ok);
    }
    for (size_t relay = 0; !reboot && relay < CORE_RELAYS; relay++) {
        follow_relay(decision, relay);
    }
    if (!reboot) {
        follow_current(decision);
    }
    judge_refused(decision);
    judge_stuck(decision);
}

/* ---- C3: two devices with one name ---- */

/* From the drops alone: the fault is for people and comes and goes with the watch (C11.5). */
static bool shows_twin(const struct core_watch *watch, struct mono_time now)
{
    const struct mono_time *first = &watch->drops[CORE_TWIN_DROPS - 1];
    const struct mono_time *last = &watch->drops[0];

    return first->ms != 0 && last->ms - first->ms < TWIN_MS && now.ms - last->ms < TWIN_MS;
}

/* The boot whose session is open keeps the machine while it is heard. */
bool core_is_twin(const struct decision *decision)
{
    const struct core_state *state = decision->state;
    struct mono_time now = decision->event->now.mono;

    return shows_twin(&state->watch, now) && core_mode_is_session(state->mode) && state->heard &&
           state->boot_id[0] != '\0' &&
           strcmp(state->boot_id, decision->event->report.boot_id) != 0 &&
           now.ms - state->reported_at.ms < core_liveness_of(decision)->recent_report_ms;
}

void core_count_drop(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;
    struct mono_time now = decision->event->now.mono;

    push(watch->drops, CORE_TWIN_DROPS, now);
    if (shows_twin(watch, now)) {
        set_fault(decision, CORE_FAULT_TWIN, true);
    }
}

/* ---- faults that end with time ---- */

static int64_t twin_over_ms(const struct core_state *state)
{
    return state->watch.drops[0].ms + TWIN_MS;
}

static int64_t boot_loop_over_ms(const struct core_state *state)
{
    return state->watch.boots[0].ms + BOOT_LOOP_MS;
}

/* Loaded faults have no time of their own. */
void core_date_faults(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;
    struct mono_time now = decision->event->now.mono;

    if (watch->drops[0].ms == 0) {
        watch->drops[0] = has_fault(decision->state, CORE_FAULT_TWIN) ? now : watch->drops[0];
    }
    if (watch->boots[0].ms == 0) {
        watch->boots[0] = has_fault(decision->state, CORE_FAULT_BOOT_LOOP) ? now : watch->boots[0];
    }
}

void core_age_faults(struct decision *decision)
{
    const struct core_state *state = decision->state;
    int64_t now_ms = decision->event->now.mono.ms;

    if (now_ms >= twin_over_ms(state)) {
        set_fault(decision, CORE_FAULT_TWIN, false);
    }
    if (now_ms >= boot_loop_over_ms(state)) {
        set_fault(decision, CORE_FAULT_BOOT_LOOP, false);
    }
    if (now_ms >= state->cards_ignored_until.ms) {
        set_fault(decision, CORE_FAULT_CARD_FLOOD, false);
    }
}

int64_t core_faults_age_at(const struct core_state *state)
{
    const struct {
        enum core_fault_index fault;
        int64_t over_ms;
    } ends[] = {
        {CORE_FAULT_BOOT_LOOP, boot_loop_over_ms(state)},
        {CORE_FAULT_TWIN, twin_over_ms(state)},
        {CORE_FAULT_CARD_FLOOD, state->cards_ignored_until.ms},
    };
    int64_t at_ms = 0;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (has_fault(state, ends[i].fault) && (at_ms == 0 || ends[i].over_ms < at_ms)) {
            at_ms = ends[i].over_ms;
        }
    }
    return at_ms;
}
