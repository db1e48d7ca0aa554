#include "controller/core/decide.h"

#include <stddef.h>
#include <string.h>

#include "controller/core/rules.h"

static void apply_rules(struct decision *decision)
{
    switch (decision->event->type) {
    case CORE_EVENT_REPORT:
        core_rule_report(decision);
        break;
    case CORE_EVENT_SET_OOPS:
        core_rule_set_oops(decision);
        break;
    case CORE_EVENT_SET_LOCKOUT:
        core_rule_set_lockout(decision);
        break;
    case CORE_EVENT_END:
        core_rule_end(decision);
        break;
    case CORE_EVENT_CONFIG:
        decision->effects->rule = CORE_RULE_RELOAD;
        core_rule_config(decision);
        break;
    case CORE_EVENT_OFFLINE:
        core_rule_offline(decision);
        break;
    case CORE_EVENT_LINK:
        core_rule_link(decision);
        break;
    case CORE_EVENT_PONG:
        core_rule_pong(decision);
        break;
    case CORE_EVENT_CONNECTED:
        core_rule_connected(decision);
        break;
    case CORE_EVENT_DISCONNECTED:
        core_rule_disconnected(decision);
        break;
    case CORE_EVENT_RESTART:
        core_rule_restart(decision);
        break;
    case CORE_EVENT_WAKE:
        decision->effects->rule = CORE_RULE_WAKE;
        break;
    case CORE_EVENT_COUNT:
        break;
    }
}

int core_broken_invariant(const struct core_config *config, const struct core_state *state)
{
    bool relay = core_mode_relay(state->mode);
    bool person = state->has_user && state->card[0] != '\0';

    if (relay && core_is_flagged(state) && state->mode != CORE_OVERRIDE) {
        return 1;
    }
    if (state->mode == CORE_OVERRIDE && !state->has_user) {
        return 5;
    }
    if ((state->mode == CORE_ALWAYS_ON && !config->always_enabled) ||
        (state->mode == CORE_EMERGENCY && state->card[0] == '\0') ||
        ((state->mode == CORE_IN_USE || state->mode == CORE_OVERRIDE) && !person)) {
        return 2;
    }
    if (state->second_relay && !relay) {
        return 3;
    }
    return 0;
}

/* Whether the parts of the state fit together. The rules keep it so; a state that was loaded may be
 * damaged. */
static bool is_sound(const struct core_config *config, const struct core_state *state)
{
    bool card = state->card[0] != '\0';

    if (core_broken_invariant(config, state) != 0 ||
        state->second_relay != core_second_is_on(state->second) ||
        (state->second_relay && !config->second_relay.present)) {
        return false;
    }
    switch (state->mode) {
    case CORE_IDLE:
        return !core_is_flagged(state) && !state->has_user;
    case CORE_DENIED:
    case CORE_UNKNOWN_FOB:
        return !core_is_flagged(state) && !state->has_user && card;
    case CORE_IN_USE:
        return true;
    case CORE_OVERRIDE:
        return core_is_flagged(state);
    case CORE_EMERGENCY:
        return !state->has_user;
    case CORE_ALWAYS_ON:
        return !state->has_user || card;
    case CORE_OOPS:
        return state->oopsed && !state->has_user;
    case CORE_LOCKOUT:
        return state->locked_out && !state->oopsed && !state->has_user;
    case CORE_MODE_COUNT:
        break;
    }
    return false;
}

/* The last line of defence (I6): whatever went wrong, base, with nothing newly on. */
static void make_safe(struct decision *decision)
{
    struct core_state *state = decision->state;

    if (is_sound(decision->config, state)) {
        return;
    }
    decision->effects->repaired = true;
    decision->source = CORE_SOURCE_CONFIG;
    core_end_session(decision, CORE_REASON_CONFIG);
    core_base(decision);
    if (core_mode_relay(state->mode) && !core_mode_relay(decision->before->mode)) {
        state->mode = CORE_IDLE;
    }
    state->second = CORE_SECOND_NONE;
    state->second_relay = false;
}

static bool is_same_user(const struct core_state *one, const struct core_state *other)
{
    return one->has_user == other->has_user &&
           (!one->has_user || (strcmp(one->user.account_id, other->user.account_id) == 0 &&
                               strcmp(one->user.name, other->user.name) == 0));
}

/* C8.1: what moves the last version that the device must have acknowledged. */
static bool is_switched(const struct core_state *one, const struct core_state *other)
{
    return core_mode_relay(one->mode) != core_mode_relay(other->mode) ||
           one->oopsed != other->oopsed || one->locked_out != other->locked_out;
}

/* C8.1 `last_update`. */
static bool is_updated(const struct core_state *one, const struct core_state *other)
{
    return is_switched(one, other) || strcmp(one->card, other->card) != 0 ||
           !is_same_user(one, other);
}

/* Faults of the session, and not of the machine: they belong to its version. */
#define VERSIONED_FAULTS CORE_FAULT(CORE_FAULT_USER_REVOKED)

/* Whether anything but the version differs that others see or a later decision needs. Health and
 * the other faults come and go within a version (C11.5). */
static bool is_changed(const struct core_state *one, const struct core_state *other)
{
    return is_updated(one, other) || one->mode != other->mode || one->second != other->second ||
           one->second_relay != other->second_relay || one->card_spent != other->card_spent ||
           (one->faults & VERSIONED_FAULTS) != (other->faults & VERSIONED_FAULTS) ||
           one->session_since.ms != other->session_since.ms ||
           one->booted_at.ms != other->booted_at.ms || strcmp(one->boot_id, other->boot_id) != 0;
}

/* C5: `rev` grows and never starts again, or a device would take new for old. */
static struct version next_version(struct version version, uint64_t epoch)
{
    if (version.rev == VERSION_REV_MAX) {
        version.epoch++;
        version.rev = 0;
    }
    version.rev++;
    if (version.epoch < epoch) {
        version.epoch = epoch;
    }
    return version;
}

/* C8.1 `confirmed`, and when it has to be taken back. */
static void confirm(struct decision *decision)
{
    struct core_state *state = decision->state;
    int64_t expires_ms = state->reported_at.ms + CORE_CONFIRM_MS;
    bool acknowledged = version_compare(state->acked, (struct version){0}) > 0 &&
                        version_compare(state->acked, state->switched) >= 0;

    state->confirmed = CORE_UNKNOWN;
    if (state->heard && acknowledged && decision->event->now.mono.ms < expires_ms) {
        state->confirmed = state->relay_seen;
    }
    if (state->confirmed != CORE_UNKNOWN) {
        decision->effects->wake_at.ms = expires_ms;
    }
}

static void settle(struct decision *decision)
{
    const struct core_state *before = decision->before;
    struct core_state *state = decision->state;
    struct core_effects *effects = decision->effects;
    bool changed = is_changed(before, state);
    bool health_changed = state->health != before->health || state->faults != before->faults;

    if (decision->accepted || changed) {
        state->version = next_version(state->version, decision->event->epoch);
        if (is_switched(before, state)) {
            state->switched = state->version;
        }
        if (is_updated(before, state)) {
            state->last_update = decision->event->now.wall;
        }
        effects->command = true;
        effects->save = true;
    }
    core_note_commands(decision);
    confirm(decision);
    effects->changed = changed || health_changed || state->confirmed != before->confirmed;
    effects->keep = health_changed && !effects->save;
}

void core_decide(
    const struct core_config *config, const struct core_state *before,
    const struct core_event *event, struct core_state *after, struct core_effects *effects)
{
    const struct core_state judged = *before;
    struct decision decision = {
        .config = config,
        .event = event,
        .before = &judged,
        .state = after,
        .effects = effects,
    };

    /* A notice is cleared when it is made. */
    memset(effects, 0, offsetof(struct core_effects, notices));
    *after = judged;
    apply_rules(&decision);
    if (!effects->dropped) {
        core_rule_second_relay(&decision);
        make_safe(&decision);
    }
    core_watch_over(&decision);
    core_run_restart(&decision);
    settle(&decision);
    core_ask_for_time(&decision);
}
