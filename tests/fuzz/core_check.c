#include <string.h>

#include "tests/fuzz/core_fuzz.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/core_same.h"

struct step {
    const struct play *play;
    const struct core_state *before;
    const struct core_state *after;
    const struct core_event *event;
    const struct core_effects *effects;
    bool judged;   /* a report that is neither a duplicate nor dropped */
    bool rebooted; /* the first of another boot */
};

static bool relay_on(const struct core_state *state)
{
    return state->mode == CORE_IN_USE || state->mode == CORE_OVERRIDE ||
           state->mode == CORE_EMERGENCY || state->mode == CORE_ALWAYS_ON;
}

static bool is_session(const struct core_state *state)
{
    return relay_on(state) && state->mode != CORE_ALWAYS_ON;
}

static bool runs_always(const struct step *step)
{
    return step->play->config.always_enabled && !step->after->oopsed && !step->after->locked_out;
}

static bool is_duplicate(const struct core_state *before, const struct core_report *report)
{
    return before->known && report->boot_id[0] != '\0' && report->seq != 0 &&
           strcmp(before->boot_id, report->boot_id) == 0 && report->seq <= before->seq;
}

/* C4.1 */
static bool is_reboot(const struct core_state *before, const struct core_report *report)
{
    if (!before->known) {
        return report->boot_id[0] != '\0' && report->uptime_s < 60;
    }
    if (before->boot_id[0] != '\0' && report->boot_id[0] != '\0') {
        return strcmp(before->boot_id, report->boot_id) != 0;
    }
    return report->uptime_s < before->uptime_s;
}

/* The letter of I1 to I4. */
static void check_state(const struct step *step)
{
    const struct core_state *after = step->after;

    FUZZ_CHECK(core_broken_invariant(&step->play->config, after) == 0);
    if (relay_on(after)) {
        FUZZ_CHECK((!after->oopsed && !after->locked_out) || after->mode == CORE_OVERRIDE);
        FUZZ_CHECK(
            runs_always(step) || after->mode == CORE_EMERGENCY ||
            (after->has_user && after->card[0] != '\0'));
        FUZZ_CHECK(is_session(after) ? step->play->put_in : runs_always(step));
    }
    FUZZ_CHECK(!after->second_relay || relay_on(after));
    FUZZ_CHECK(!after->second_relay || step->play->config.second_relay.present);
}

static bool holds(const struct core_holder *holder, const struct core_authorizations *wanted)
{
    for (size_t i = 0; holder != NULL && i < holder->authorizations.count; i++) {
        for (size_t j = 0; j < wanted->count; j++) {
            if (holder->authorizations.items[i] == wanted->items[j]) {
                return true;
            }
        }
    }
    return false;
}

/* C4.4, C4.5 and I5: who may open a session. */
static void check_opening(const struct step *step)
{
    const struct core_state *after = step->after;
    const struct core_report *report = &step->event->report;
    const struct core_config *config = &step->play->config;
    bool changed = strcmp(step->before->card, after->card) != 0;

    FUZZ_CHECK(step->judged && !step->rebooted && report->card[0] != '\0');
    FUZZ_CHECK(strcmp(after->card, report->card) == 0);
    if (after->mode == CORE_EMERGENCY) {
        FUZZ_CHECK(report->emergency && !after->oopsed && !after->locked_out);
        return;
    }
    FUZZ_CHECK(changed && report->holder != NULL);
    FUZZ_CHECK(strcmp(after->user.account_id, report->holder->user.account_id) == 0);
    if (after->mode == CORE_OVERRIDE) {
        FUZZ_CHECK(report->holder->oops_override && (after->oopsed || after->locked_out));
    } else {
        FUZZ_CHECK(!report->oops);
        FUZZ_CHECK(
            config->unauthorized_warn_only || holds(report->holder, &config->authorizations_or));
    }
}

/* I6: what may switch on at all. */
static void check_newly_on(const struct step *step)
{
    enum core_event_type type = step->event->type;
    bool lifted = (type == CORE_EVENT_SET_OOPS || type == CORE_EVENT_SET_LOCKOUT) &&
                  !step->event->set.value && runs_always(step);

    if (relay_on(step->after) && !relay_on(step->before)) {
        FUZZ_CHECK(step->judged || lifted);
        FUZZ_CHECK(!step->rebooted || runs_always(step));
    }
    /* To be without a session is also to run always (C4). */
    lifted = lifted || type == CORE_EVENT_END || type == CORE_EVENT_OFFLINE;
    if (step->after->second_relay && !step->before->second_relay) {
        FUZZ_CHECK(
            step->judged || (lifted && step->after->mode == CORE_ALWAYS_ON &&
                             step->play->config.second_relay.always_enabled));
    }
}

static size_t count(const struct step *step, enum core_notice_type type)
{
    size_t found = 0;

    for (size_t i = 0; i < step->effects->notice_count; i++) {
        found += step->effects->notices[i].type == type;
    }
    return found;
}

/* Who comes and who goes is told exactly once. */
static void check_sessions(const struct step *step)
{
    size_t logouts = count(step, CORE_NOTICE_LOGOUT);
    size_t logins = count(step, CORE_NOTICE_LOGIN) + count(step, CORE_NOTICE_OVERRIDE_LOGIN) +
                    count(step, CORE_NOTICE_EMERGENCY_LOGIN);

    FUZZ_CHECK(logouts <= 1 && logins <= 1);
    if (logins > 0 && is_session(step->after)) {
        check_opening(step);
    }
    /* A session that opens and ends at once: its relay was found stuck on (C11.7). */
    FUZZ_CHECK(logins == 0 || is_session(step->after) || count(step, CORE_NOTICE_LOCKOUT) == 1);
    FUZZ_CHECK(is_session(step->before) + logins == is_session(step->after) + logouts);
}

/* Oops and lockout are cleared by people and by nothing else. */
static void check_flags(const struct step *step)
{
    enum core_event_type type = step->event->type;
    bool press = type == CORE_EVENT_REPORT && step->event->report.oops && !step->effects->dropped;

    if (step->before->oopsed && !step->after->oopsed) {
        FUZZ_CHECK(type == CORE_EVENT_SET_OOPS && !step->event->set.value);
    }
    if (step->before->locked_out && !step->after->locked_out) {
        FUZZ_CHECK(type == CORE_EVENT_SET_LOCKOUT && !step->event->set.value);
    }
    FUZZ_CHECK(!press || step->after->oopsed);
    FUZZ_CHECK(type != CORE_EVENT_SET_OOPS || step->after->oopsed == step->event->set.value);
    FUZZ_CHECK(type != CORE_EVENT_SET_LOCKOUT || step->after->locked_out == step->event->set.value);
}

static void check_effects(const struct step *step)
{
    const struct core_effects *effects = step->effects;
    int moved = version_compare(step->after->version, step->before->version);
    bool switched = relay_on(step->after) != relay_on(step->before) ||
                    step->after->second_relay != step->before->second_relay ||
                    step->after->oopsed != step->before->oopsed ||
                    step->after->locked_out != step->before->locked_out;

    FUZZ_CHECK(effects->notice_count <= CORE_NOTICES_MAX);
    FUZZ_CHECK(!effects->repaired);
    FUZZ_CHECK(moved >= 0 && effects->save == (moved > 0));
    FUZZ_CHECK(!effects->save || effects->command);
    FUZZ_CHECK(!switched || (effects->save && effects->changed));
    FUZZ_CHECK(step->event->type != CORE_EVENT_REPORT || effects->command == !effects->dropped);
    /* Called in time it asks for a later one: else the loop would turn for ever. */
    FUZZ_CHECK(
        step->event->type != CORE_EVENT_WAKE || effects->wake_at.ms == 0 ||
        effects->wake_at.ms > step->event->now.mono.ms);
}

/* One that was queued has exactly one end. */
static void check_restart(struct play *play, const struct step *step)
{
    enum core_restart restart = step->effects->restart;

    if (step->event->type == CORE_EVENT_RESTART) {
        FUZZ_CHECK(restart != CORE_RESTART_NONE);
        FUZZ_CHECK(play->restart_waits == (restart == CORE_RESTART_PENDING));
        play->restart_waits = play->restart_waits || restart == CORE_RESTART_QUEUED;
    } else if (restart != CORE_RESTART_NONE) {
        FUZZ_CHECK(play->restart_waits && restart != CORE_RESTART_QUEUED);
        FUZZ_CHECK(restart != CORE_RESTART_PENDING);
        play->restart_waits = false;
    }
}

static void note_card(struct play *play, const struct step *step)
{
    const struct core_report *report = &step->event->report;

    if (!step->judged) {
        return;
    }
    FUZZ_CHECK(strcmp(step->after->card, report->card) == 0);
    if (step->rebooted) {
        play->put_in = false;
    } else if (strcmp(step->before->card, report->card) != 0) {
        play->put_in = report->card[0] != '\0';
    }
}

void core_play(struct play *play, const struct core_event *event)
{
    struct core_state before = play->state;
    struct core_state again = before;
    struct core_effects effects;
    struct core_effects effects_again;
    struct step step = {
        .play = play,
        .before = &before,
        .after = &play->state,
        .event = event,
        .effects = &effects,
    };

    core_decide(&play->config, &before, event, &play->state, &effects);
    core_decide(&play->config, &again, event, &again, &effects_again);
    FUZZ_CHECK(core_same_state(&play->state, &again));
    FUZZ_CHECK(core_same_watch(&play->state.watch, &again.watch));
    FUZZ_CHECK(core_same_effects(&effects, &effects_again));
    step.judged = event->type == CORE_EVENT_REPORT && !effects.dropped &&
                  !is_duplicate(&before, &event->report);
    step.rebooted = step.judged && is_reboot(&before, &event->report);
    note_card(play, &step);
    check_state(&step);
    check_newly_on(&step);
    check_sessions(&step);
    check_flags(&step);
    check_effects(&step);
    check_restart(play, &step);
    play->probe_id = effects.probe ? effects.probe_id : play->probe_id;
    play->wake_at = effects.wake_at;
}
