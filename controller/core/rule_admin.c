/* What comes from people and files and not from the machine: C4 "From outside", "Reload", and a
 * clean `offline`. */
#include "controller/core/rules.h"

struct flag_words {
    enum core_notice_type set;
    enum core_notice_type cleared;
    enum core_reason set_reason;
    enum core_reason cleared_reason;
};

static void set_flag(struct decision *decision, bool *flag, struct flag_words words)
{
    bool value = decision->event->set.value;
    bool changes = *flag != value;

    decision->effects->rule = CORE_RULE_OUTSIDE;
    decision->source = CORE_SOURCE_OUTSIDE;
    if (!changes && decision->state->mode != CORE_OVERRIDE) {
        return;
    }
    if (changes) {
        core_notify(decision, value ? words.set : words.cleared);
    }
    core_end_session(decision, value ? words.set_reason : words.cleared_reason);
    *flag = value;
    decision->effects->flag_changed = changes;
    core_base(decision);
}

void core_rule_set_oops(struct decision *decision)
{
    set_flag(
        decision, &decision->state->oopsed,
        (struct flag_words){
            .set = CORE_NOTICE_OOPS,
            .cleared = CORE_NOTICE_UNOOPS,
            .set_reason = CORE_REASON_OOPS,
            .cleared_reason = CORE_REASON_UNOOPS,
        });
}

void core_rule_set_lockout(struct decision *decision)
{
    set_flag(
        decision, &decision->state->locked_out,
        (struct flag_words){
            .set = CORE_NOTICE_LOCKOUT,
            .cleared = CORE_NOTICE_UNLOCK,
            .set_reason = CORE_REASON_LOCKOUT,
            .cleared_reason = CORE_REASON_UNLOCK,
        });
}

void core_rule_end(struct decision *decision)
{
    decision->effects->rule = CORE_RULE_OUTSIDE;
    decision->source = CORE_SOURCE_OUTSIDE;
    if (core_end_session(decision, CORE_REASON_ENDED)) {
        core_base(decision);
    }
}

static bool
may_stay(const struct core_config *config, enum core_mode mode, const struct core_holder *holder)
{
    bool warn_only = false;

    if (holder == NULL) {
        return false;
    }
    return mode == CORE_OVERRIDE ? holder->oops_override : core_may_use(config, holder, &warn_only);
}

/* Takes away what the configuration no longer gives, and gives nothing: whatever goes on does so
 * at a later report. The second relay's part is in C4.7. */
void core_rule_config(struct decision *decision)
{
    const struct core_state *state = decision->state;

    decision->source = CORE_SOURCE_CONFIG;
    if (state->mode == CORE_ALWAYS_ON && !decision->config->always_enabled) {
        core_base(decision);
    } else if (state->mode == CORE_IN_USE || state->mode == CORE_OVERRIDE) {
        if (may_stay(decision->config, state->mode, decision->event->reconfigured.holder)) {
            core_clear_fault(decision, CORE_FAULT_USER_REVOKED);
        } else {
            core_raise_fault(decision, CORE_FAULT_USER_REVOKED);
        }
    }
}

void core_rule_offline(struct decision *decision)
{
    if (decision->event->link.retained) {
        core_leave_retained(decision);
        return;
    }
    decision->effects->rule = CORE_RULE_OFFLINE;
    decision->source = CORE_SOURCE_LIVENESS;
    if (core_end_session(decision, CORE_REASON_OFFLINE)) {
        core_base(decision);
    }
    core_leave(decision);
}
