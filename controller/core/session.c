#include <string.h>

#include "controller/core/rules.h"

void core_copy(char *target, size_t size, const char *source)
{
    size_t length = strlen(source);

    if (length >= size) {
        length = size - 1;
    }
    memcpy(target, source, length);
    target[length] = '\0';
}

struct core_notice *core_notify(struct decision *decision, enum core_notice_type type)
{
    struct core_effects *effects = decision->effects;
    const struct core_state *state = decision->state;
    struct core_notice *notice = NULL;

    /* No path makes more than CORE_NOTICES_MAX; if one did, the last would be written over. */
    if (effects->notice_count < CORE_NOTICES_MAX) {
        effects->notice_count++;
    }
    notice = &effects->notices[effects->notice_count - 1];
    memset(notice, 0, sizeof *notice);
    notice->type = type;
    notice->source = decision->source;
    notice->has_user = state->has_user;
    if (state->has_user) {
        notice->user = state->user;
    }
    return notice;
}

struct core_notice *core_notify_holder(
    struct decision *decision, enum core_notice_type type, const struct core_holder *holder)
{
    struct core_notice *notice = core_notify(decision, type);

    notice->has_user = holder != NULL;
    if (holder != NULL) {
        notice->user = holder->user;
    }
    return notice;
}

void core_set_user(struct core_state *state, const struct core_holder *holder)
{
    char *last_user = state->watch.last_user;

    if (state->has_user) {
        core_copy(last_user, sizeof state->watch.last_user, state->user.name);
    }
    state->has_user = holder != NULL;
    if (holder != NULL) {
        core_copy(last_user, sizeof state->watch.last_user, holder->user.name);
        state->user = holder->user;
    } else {
        memset(&state->user, 0, sizeof state->user);
    }
}

void core_base(struct decision *decision)
{
    struct core_state *state = decision->state;

    if (state->oopsed) {
        state->mode = CORE_OOPS;
    } else if (state->locked_out) {
        state->mode = CORE_LOCKOUT;
    } else if (decision->config->always_enabled) {
        state->mode = CORE_ALWAYS_ON;
    } else {
        state->mode = CORE_IDLE;
    }
    core_set_user(state, NULL);
    state->card_spent = state->card[0] != '\0';
    decision->judge_second = true;
    decision->second_holder = NULL;
}

/* The session ended while nobody heard of the machine: some time after its last report. */
static bool ended_unheard(const struct decision *decision)
{
    return decision->event->type == CORE_EVENT_REPORT && decision->before->heard &&
           decision->before->watch.doubted;
}

/* C4.1: a reboot ended the session with the old boot's last report, whenever it is heard of. C8.2:
 * monotonic where this process saw the session begin, else by the wall clock. */
static void measure_session(
    const struct decision *decision, enum core_reason reason, struct core_notice *notice)
{
    const struct core_state *state = decision->state;
    bool unheard = ended_unheard(decision);
    bool at_last_report = reason == CORE_REASON_REBOOT || unheard;

    if (state->session_started.ms != 0) {
        struct mono_time end = at_last_report ? state->reported_at : decision->event->now.mono;

        notice->session_ms = end.ms - state->session_started.ms;
        notice->approximate = unheard && reason != CORE_REASON_REBOOT;
    } else {
        struct wall_time end = at_last_report ? state->last_report : decision->event->now.wall;

        notice->session_ms = state->session_since.ms != 0 ? end.ms - state->session_since.ms : 0;
        notice->approximate = true;
    }
    if (notice->session_ms < 0) {
        notice->session_ms = 0;
    }
}

bool core_end_session(struct decision *decision, enum core_reason reason)
{
    struct core_state *state = decision->state;
    struct core_notice *notice = NULL;

    if (!core_mode_is_session(state->mode)) {
        return false;
    }
    notice = core_notify(decision, CORE_NOTICE_LOGOUT);
    notice->reason = reason;
    notice->session = state->mode;
    measure_session(decision, reason, notice);
    core_clear_fault(decision, CORE_FAULT_USER_REVOKED);
    state->mode = CORE_IDLE;
    core_set_user(state, NULL);
    state->session_since = (struct wall_time){0};
    state->session_started = (struct mono_time){0};
    return true;
}

void core_open_session(
    struct decision *decision, enum core_mode mode, const struct core_holder *holder)
{
    struct core_state *state = decision->state;

    state->mode = mode;
    core_set_user(state, holder);
    state->session_since = decision->event->now.wall;
    state->session_started = decision->event->now.mono;
    decision->judge_second = true;
    decision->second_holder = holder;
}

void core_change_card(struct decision *decision)
{
    const char *card = decision->event->report.card;
    struct core_state *state = decision->state;

    decision->source = CORE_SOURCE_CARD;
    core_end_session(
        decision, card[0] == '\0' ? CORE_REASON_CARD_REMOVED : CORE_REASON_CARD_SWAPPED);
    core_base(decision);
    core_copy(state->card, sizeof state->card, card);
    state->card_spent = false;
}

void core_raise_fault(struct decision *decision, enum core_fault_index fault)
{
    if ((decision->state->faults & CORE_FAULT(fault)) == 0) {
        decision->state->faults |= CORE_FAULT(fault);
        core_notify(decision, CORE_NOTICE_FAULT)->fault = fault;
    }
}

void core_clear_fault(struct decision *decision, enum core_fault_index fault)
{
    if ((decision->state->faults & CORE_FAULT(fault)) != 0) {
        decision->state->faults &= ~CORE_FAULT(fault);
        core_notify(decision, CORE_NOTICE_FAULT_CLEARED)->fault = fault;
    }
}

bool core_holds_any(
    const struct core_holder *holder, const struct core_authorizations *authorizations_or)
{
    const struct core_authorizations *held = &holder->authorizations;

    if (authorizations_or->items == NULL || held->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < authorizations_or->count; i++) {
        for (size_t j = 0; j < held->count; j++) {
            if (authorizations_or->items[i] == held->items[j]) {
                return true;
            }
        }
    }
    return false;
}

bool core_may_use(
    const struct core_config *config, const struct core_holder *holder, bool *ret_warn_only)
{
    bool authorized = core_holds_any(holder, &config->authorizations_or);

    *ret_warn_only = !authorized && config->unauthorized_warn_only;
    return authorized || config->unauthorized_warn_only;
}
