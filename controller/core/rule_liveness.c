/* C11.1 to 4: signs of life, `link`, the controller's own connection, and what follows from the
 * verdict. None of it touches access (C11.5). */
#include <string.h>

#include "controller/core/liveness.h"
#include "controller/core/rules.h"

const struct core_liveness *core_liveness_of(const struct decision *decision)
{
    const struct core_liveness *liveness = decision->event->liveness;

    return liveness != NULL ? liveness : &core_liveness_default;
}

/* A notice of C11, with what people ask first: since when, and who was there last. */
static void notify(struct decision *decision, enum core_notice_type type)
{
    const struct core_state *state = decision->state;
    struct core_notice *notice = NULL;

    decision->source = CORE_SOURCE_LIVENESS;
    if (decision->effects->rule == CORE_RULE_NOTHING || decision->effects->rule == CORE_RULE_WAKE) {
        decision->effects->rule = CORE_RULE_LIVENESS;
    }
    notice = core_notify(decision, type);
    notice->since = state->watch.heard_wall.ms != 0 ? state->watch.heard_wall : state->last_report;
    core_copy(
        notice->last_user, sizeof notice->last_user,
        state->has_user ? state->user.name : state->watch.last_user);
}

static void clear_link_lost(struct decision *decision)
{
    decision->source = CORE_SOURCE_LIVENESS;
    core_clear_fault(decision, CORE_FAULT_LINK_LOST);
}

/* ---- what is heard ---- */

void core_hear(struct decision *decision)
{
    struct core_state *state = decision->state;
    struct core_watch *watch = &state->watch;
    const struct now *now = &decision->event->now;

    if (state->health == CORE_HEALTH_ERROR) {
        notify(decision, CORE_NOTICE_MACHINE_RECOVERED);
    }
    state->health = CORE_HEALTH_ONLINE;
    watch->lost = false;
    watch->probes = 0;
    watch->heard_at = now->mono;
    watch->heard_wall = now->wall;
    watch->quiet_until.ms = now->mono.ms + core_liveness_of(decision)->recent_report_ms;
}

/* C11.1: a machine that is not live becomes so by a report alone. */
static bool may_wake_up(const struct core_state *state)
{
    return core_is_live(state) || state->health == CORE_HEALTH_ERROR;
}

void core_rule_link(struct decision *decision)
{
    struct core_state *state = decision->state;
    const struct core_link *link = &decision->event->link;

    decision->effects->rule = CORE_RULE_LIVENESS;
    if (link->retained) {
        return;
    }
    if (!link->lost) {
        if (may_wake_up(state)) {
            core_hear(decision);
        }
    } else if (core_is_live(state) && !state->watch.lost) {
        state->watch.lost = true;
        state->watch.lost_at = decision->event->now.mono;
    }
}

/* Only an answer to a probe of this cycle says that the machine is there now; what another boot
 * answers says so as well, unless that boot is over. */
void core_rule_pong(struct decision *decision)
{
    struct core_state *state = decision->state;
    const struct core_pong *pong = &decision->event->pong;
    uint32_t age = state->watch.probe_id - pong->id;

    decision->effects->rule = CORE_RULE_LIVENESS;
    if (may_wake_up(state) && age < state->watch.probes &&
        !core_is_past_boot(state, pong->boot_id)) {
        core_hear(decision);
    }
}

/* C11.2: a young boot may be silent for a while. Its age is the device's word. */
void core_settle_boot(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;
    int64_t settle_ms = core_liveness_of(decision)->settle_ms;
    double left_ms = (double)settle_ms - decision->event->report.uptime_s * 1000.0;

    watch->restarting = false;
    watch->settle_until = (struct mono_time){0};
    if (left_ms > 0) {
        watch->settle_until.ms = decision->event->now.mono.ms + (int64_t)left_ms;
    }
}

/* ---- a clean `offline` ---- */

static void sign_off(struct decision *decision)
{
    struct core_state *state = decision->state;
    bool was_there = may_wake_up(state);

    state->health = CORE_HEALTH_OFFLINE;
    if (was_there) {
        notify(decision, CORE_NOTICE_MACHINE_OFFLINE);
    }
    clear_link_lost(decision);
}

/* It is silent from now on, and said so: a doubt within the settle window. */
static void expect_boot(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;
    int64_t now_ms = decision->event->now.mono.ms;

    if (!watch->restarting || watch->settle_until.ms <= now_ms) {
        watch->settle_until.ms = now_ms + core_liveness_of(decision)->settle_ms;
    }
    watch->quiet_until.ms = now_ms;
    watch->lost = false;
    watch->probes = 0;
    decision->state->health = CORE_HEALTH_SETTLING;
}

static bool is_announced(const struct decision *decision)
{
    const struct core_watch *watch = &decision->state->watch;

    return decision->event->link.restarting ||
           (watch->restarting && decision->event->now.mono.ms < watch->settle_until.ms);
}

void core_leave(struct decision *decision)
{
    /* The dead do not say goodbye. */
    if (decision->state->health == CORE_HEALTH_ERROR) {
        core_hear(decision);
    }
    if (is_announced(decision) && core_is_live(decision->state)) {
        expect_boot(decision);
    } else {
        sign_off(decision);
    }
}

/* It signed off while nobody listened. What was heard since the broker is there is newer. (The
 * broker may send what it kept before it confirms the subscription, which is what we call to be
 * connected.) */
void core_leave_retained(struct decision *decision)
{
    const struct core_watch *watch = &decision->state->watch;

    decision->effects->rule = CORE_RULE_LIVENESS;
    if (core_is_live(decision->state) &&
        (!watch->connected || watch->heard_at.ms <= watch->connected_at.ms)) {
        sign_off(decision);
    }
}

/* ---- the controller's own connection ---- */

/* C11.1: all silences count anew. Of a machine that this process has never heard it knows only
 * what was loaded: it gets the settle window's time to be heard. */
void core_rule_connected(struct decision *decision)
{
    const struct core_liveness *liveness = core_liveness_of(decision);
    struct core_watch *watch = &decision->state->watch;
    int64_t now_ms = decision->event->now.mono.ms;

    decision->effects->rule = CORE_RULE_LIVENESS;
    watch->connected = true;
    watch->connected_at.ms = now_ms;
    watch->lost = false;
    watch->probes = 0;
    watch->quiet_until.ms = now_ms + liveness->recent_report_ms;
    if (watch->heard_at.ms == 0) {
        watch->quiet_until.ms = now_ms + liveness->settle_ms;
    }
    core_date_faults(decision);
}

void core_rule_disconnected(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;

    decision->effects->rule = CORE_RULE_LIVENESS;
    watch->connected = false;
    watch->lost = false;
    watch->probes = 0;
    watch->doubted = true;
}

/* ---- what follows from the verdict ---- */

static void send_probe(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;

    watch->probes++;
    watch->probe_id++;
    watch->probed_at = decision->event->now.mono;
    decision->effects->probe = true;
    decision->effects->probe_id = watch->probe_id;
}

static void doubt(struct decision *decision, const struct core_judgement *judgement)
{
    struct core_state *state = decision->state;
    struct core_watch *watch = &state->watch;

    watch->doubted = true;
    state->health = judgement->settling ? CORE_HEALTH_SETTLING : CORE_HEALTH_SUSPECT;
    if (judgement->probe) {
        send_probe(decision);
    }
    /* A machine whose mains is switched loses its link every evening. */
    if (watch->lost && !judgement->settling && !decision->config->mains_switched &&
        (state->faults & CORE_FAULT(CORE_FAULT_LINK_LOST)) == 0) {
        state->faults |= CORE_FAULT(CORE_FAULT_LINK_LOST);
        notify(decision, CORE_NOTICE_LINK_LOST);
    }
}

static void bury(struct decision *decision)
{
    if (decision->config->mains_switched) {
        sign_off(decision);
        return;
    }
    decision->state->health = CORE_HEALTH_ERROR;
    notify(decision, CORE_NOTICE_MACHINE_ERROR);
}

/* A link that flaps is one fault: it has to hold for a while before that is over. */
static int64_t link_holds_from_ms(const struct decision *decision)
{
    const struct core_watch *watch = &decision->state->watch;

    return watch->lost_at.ms == 0
               ? 0
               : watch->lost_at.ms + core_liveness_of(decision)->recent_report_ms;
}

static bool is_link_back(const struct core_state *state)
{
    return (state->faults & CORE_FAULT(CORE_FAULT_LINK_LOST)) != 0 && !state->watch.lost &&
           state->health == CORE_HEALTH_ONLINE && state->watch.heard_at.ms != 0 &&
           state->watch.heard_at.ms >= state->watch.lost_at.ms;
}

void core_watch_over(struct decision *decision)
{
    struct core_state *state = decision->state;
    struct mono_time now = decision->event->now.mono;
    struct core_judgement judgement;

    if (!state->watch.connected || !core_is_live(state)) {
        return;
    }
    judgement = core_verdict(core_liveness_of(decision), &state->watch, now);
    if (judgement.verdict == CORE_BUSY) {
        doubt(decision, &judgement);
    } else if (judgement.verdict == CORE_DEAD) {
        bury(decision);
    }
    if (is_link_back(state) && now.ms >= link_holds_from_ms(decision)) {
        clear_link_lost(decision);
    }
    core_age_faults(decision);
}

/* ---- the next time to look ---- */

static void want(struct mono_time *wake_at, int64_t ms)
{
    if (ms != 0 && (wake_at->ms == 0 || ms < wake_at->ms)) {
        wake_at->ms = ms;
    }
}

void core_ask_for_time(struct decision *decision)
{
    const struct core_state *state = decision->state;
    struct mono_time *wake_at = &decision->effects->wake_at;
    struct core_judgement judgement;

    if (state->watch.waiting == CORE_WAITING_LIFE) {
        want(wake_at, state->watch.waiting_until.ms);
    }
    if (!state->watch.connected || !core_is_live(state)) {
        return;
    }
    judgement = core_verdict(core_liveness_of(decision), &state->watch, decision->event->now.mono);
    want(wake_at, judgement.again.ms);
    if (is_link_back(state)) {
        want(wake_at, link_holds_from_ms(decision));
    }
    want(wake_at, core_faults_age_at(state));
}
