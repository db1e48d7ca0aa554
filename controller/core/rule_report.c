/* A report: C3's duplicates and superseded boots, C9.4's acknowledgement, then C4.1 to 4 and 6 in
 * their order. */
#include <string.h>

#include "controller/core/rules.h"

#define FIRST_BOOT_S 60.0 /* C4.1: a first report ever that is younger is one of a boot */

bool core_is_past_boot(const struct core_state *state, const char *boot_id)
{
    if (boot_id[0] == '\0') {
        return false;
    }
    for (size_t i = 0; i < CORE_PAST_BOOTS; i++) {
        if (strcmp(state->past_boots[i], boot_id) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_duplicate(const struct core_state *state, const struct core_report *report)
{
    return state->known && report->boot_id[0] != '\0' && report->seq != 0 &&
           strcmp(state->boot_id, report->boot_id) == 0 && report->seq <= state->seq;
}

static bool is_reboot(const struct core_state *state, const struct core_report *report)
{
    if (!state->known) {
        return report->boot_id[0] != '\0' && report->uptime_s < FIRST_BOOT_S;
    }
    if (state->boot_id[0] != '\0' && report->boot_id[0] != '\0') {
        return strcmp(state->boot_id, report->boot_id) != 0;
    }
    return report->uptime_s < state->uptime_s;
}

/* C9.4: what the device obeyed last is newer than all that was loaded. Its oops and lockout are
 * then known from nowhere else; taking them over can only switch off. */
static void take_over_flags(struct decision *decision, const struct core_ack *ack)
{
    struct core_state *state = decision->state;
    bool oops = ack->oops && !state->oopsed;
    bool lockout = ack->lockout && !state->locked_out;

    if (!oops && !lockout) {
        return;
    }
    decision->effects->rule = CORE_RULE_ACK;
    decision->source = CORE_SOURCE_REBOOT;
    if (oops) {
        core_notify(decision, CORE_NOTICE_OOPS);
    }
    if (lockout) {
        core_notify(decision, CORE_NOTICE_LOCKOUT);
    }
    core_end_session(decision, oops ? CORE_REASON_OOPS : CORE_REASON_LOCKOUT);
    state->oopsed = state->oopsed || oops;
    state->locked_out = state->locked_out || lockout;
    core_base(decision);
}

/* Another controller led while this one was asleep, and what it has said is known from nowhere
 * else.
 */
static bool is_of_another(const struct decision *decision, const struct core_ack *ack)
{
    return ack->version.epoch > decision->event->epoch &&
           version_compare(ack->version, decision->state->version) > 0;
}

/* C12.3: the answer's version must be above the one that the device applied, or it would be taken
 * for an old one. */
static void heed_ack(struct decision *decision)
{
    const struct core_report *report = &decision->event->report;
    struct core_state *state = decision->state;

    /* The last epoch of all has no room above it for an answer: only a liar can name it. */
    if (!report->has_ack || report->ack.version.epoch > decision->event->epoch_ceiling ||
        report->ack.version.epoch >= VERSION_EPOCH_MAX) {
        return;
    }
    /* Not the present version: the epoch of a new start is above whatever was lost. */
    if ((!state->heard && version_compare(report->ack.version, decision->event->loaded) > 0) ||
        is_of_another(decision, &report->ack)) {
        take_over_flags(decision, &report->ack);
    }
    if (decision->event->lead_in_doubt && report->ack.version.epoch > decision->event->epoch) {
        return; /* it may be the answer of a controller that leads, and this one does not */
    }
    if (version_compare(report->ack.version, state->version) > 0) {
        state->version = report->ack.version;
    }
}

/* C4.1. The first report ever makes no notice: nobody knows of a boot before. */
static void start_boot(struct decision *decision)
{
    const struct core_report *report = &decision->event->report;
    struct core_state *state = decision->state;

    decision->effects->rule = CORE_RULE_REBOOT;
    decision->source = CORE_SOURCE_REBOOT;
    if (state->known) {
        core_notify(decision, CORE_NOTICE_REBOOT);
    }
    core_end_session(decision, CORE_REASON_REBOOT);
    core_copy(state->card, sizeof state->card, report->card);
    core_base(decision);
}

/* C4.2. Holding the button repeats nothing. A press while an override is open, or the same press
 * told again, ends the override. */
static void press_oops(struct decision *decision)
{
    struct core_state *state = decision->state;

    if (state->oopsed && !core_mode_is_session(state->mode)) {
        return;
    }
    decision->effects->rule = CORE_RULE_OOPS;
    decision->source = CORE_SOURCE_BUTTON;
    core_notify(decision, CORE_NOTICE_OOPS);
    core_end_session(decision, CORE_REASON_OOPS);
    state->oopsed = true;
    core_base(decision);
}

/* C4.3. A session that a reload found open is a session still, until its card leaves. */
static void run_always(struct decision *decision, bool card_changed)
{
    const struct core_report *report = &decision->event->report;
    struct core_state *state = decision->state;

    if (card_changed) {
        const struct core_holder *holder = core_ignores_cards(decision) ? NULL : report->holder;

        core_change_card(decision);
        core_set_user(state, holder);
        decision->second_holder = holder;
        if (report->card[0] != '\0' && report->holder == NULL && !core_ignores_cards(decision)) {
            core_count_stranger(decision);
        }
    } else if (core_mode_is_session(state->mode)) {
        return;
    } else if (state->mode != CORE_ALWAYS_ON) {
        core_base(decision);
    }
    decision->effects->rule = CORE_RULE_ALWAYS_ON;
}

/* C4.4. A spent card starts nothing: it was in at a reboot (I4), or its session was ended. */
static bool is_emergency(const struct decision *decision, bool card_changed)
{
    const struct core_report *report = &decision->event->report;

    return report->emergency && report->card[0] != '\0' && !core_is_flagged(decision->state) &&
           (card_changed || !decision->state->card_spent);
}

static void run_emergency(struct decision *decision, bool card_changed)
{
    decision->effects->rule = CORE_RULE_EMERGENCY;
    decision->source = CORE_SOURCE_CARD;
    if (card_changed) {
        core_change_card(decision);
    } else if (decision->state->mode == CORE_EMERGENCY) {
        return;
    } else {
        core_end_session(decision, CORE_REASON_ENDED);
    }
    core_open_session(decision, CORE_EMERGENCY, NULL);
    core_notify_holder(decision, CORE_NOTICE_EMERGENCY_LOGIN, decision->event->report.holder);
}

/* Of rules 3 to 6 the first that applies. */
static void judge_card(struct decision *decision)
{
    struct core_state *state = decision->state;
    bool card_changed = strcmp(state->card, decision->event->report.card) != 0;

    if (decision->config->always_enabled && !core_is_flagged(state)) {
        run_always(decision, card_changed);
    } else if (is_emergency(decision, card_changed)) {
        run_emergency(decision, card_changed);
    } else if (card_changed) {
        core_rule_card(decision);
    } else if (state->mode == CORE_ALWAYS_ON) {
        decision->effects->rule = CORE_RULE_ORPHAN;
        core_base(decision);
    }
}

static void supersede_boot(struct core_state *state)
{
    memmove(
        state->past_boots[1], state->past_boots[0],
        sizeof state->past_boots - sizeof state->past_boots[0]);
    memcpy(state->past_boots[0], state->boot_id, sizeof state->past_boots[0]);
}

/* An uptime that the wall clock can't hold tells nothing. */
static struct wall_time boot_time(struct wall_time now, double uptime_s)
{
    double uptime_ms = uptime_s * 1000.0;

    if (!(uptime_ms < (double)now.ms)) {
        return (struct wall_time){0};
    }
    return (struct wall_time){now.ms - (int64_t)uptime_ms};
}

static void remember(struct decision *decision, bool reboot)
{
    const struct core_report *report = &decision->event->report;
    const struct now *now = &decision->event->now;
    struct core_state *state = decision->state;

    /* Only a boot that this process heard itself: a store that was rolled back could name any. */
    if (reboot && state->heard && state->boot_id[0] != '\0') {
        supersede_boot(state);
    }
    if (reboot || !state->known) {
        state->booted_at = boot_time(now->wall, report->uptime_s);
    }
    state->heard = true;
    state->known = true;
    core_copy(state->boot_id, sizeof state->boot_id, report->boot_id);
    state->seq = report->seq;
    state->uptime_s = report->uptime_s;
    state->relay_seen = report->relay_seen;
    state->acked = report->has_ack ? report->ack.version : (struct version){0};
    state->reported_at = now->mono;
    state->last_report = now->wall;
    state->watch.doubted = false;
}

/* C3: of a boot that is over, or of a second device. */
static bool is_dropped(const struct decision *decision)
{
    return core_is_past_boot(decision->state, decision->event->report.boot_id) ||
           core_is_twin(decision);
}

void core_rule_report(struct decision *decision)
{
    const struct core_report *report = &decision->event->report;
    bool reboot = false;

    if (is_dropped(decision)) {
        decision->effects->rule = CORE_RULE_SUPERSEDED;
        decision->effects->dropped = true;
        core_count_drop(decision);
        return;
    }
    decision->effects->command = true;
    core_hear(decision);
    if (is_duplicate(decision->state, report)) {
        decision->effects->rule = CORE_RULE_DUPLICATE;
        if (report->oops) {
            press_oops(decision);
        }
        return;
    }
    decision->accepted = true;
    heed_ack(decision);
    reboot = is_reboot(decision->state, report);
    if (reboot) {
        start_boot(decision);
    }
    if (report->oops) {
        press_oops(decision);
    }
    /* The card of a boot's first report is known, not new (C4.1); start_boot's base was rule 3. */
    if (!reboot) {
        judge_card(decision);
    }
    remember(decision, reboot);
    if (reboot) {
        core_settle_boot(decision);
    }
    core_judge_faults(decision, reboot);
}
