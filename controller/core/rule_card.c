/* C4.5: the card changed. */
#include "controller/core/rules.h"

static void read_unknown(struct decision *decision)
{
    core_count_stranger(decision);
    decision->effects->rule = CORE_RULE_UNKNOWN;
    if (core_is_flagged(decision->state)) {
        core_notify_holder(decision, CORE_NOTICE_REFUSED, NULL);
        return;
    }
    decision->state->mode = CORE_UNKNOWN_FOB;
    core_notify_holder(decision, CORE_NOTICE_UNKNOWN_FOB, NULL);
}

/* Oopsed or locked out: only a holder with `oops_override` gets in (I5). */
static void read_while_flagged(struct decision *decision, const struct core_holder *holder)
{
    if (holder->oops_override) {
        decision->effects->rule = CORE_RULE_OVERRIDE;
        core_open_session(decision, CORE_OVERRIDE, holder);
        core_notify_holder(decision, CORE_NOTICE_OVERRIDE_LOGIN, holder);
    } else {
        decision->effects->rule = CORE_RULE_REFUSED;
        core_notify_holder(decision, CORE_NOTICE_REFUSED, holder);
    }
}

static void read_known(struct decision *decision, const struct core_holder *holder)
{
    bool warn_only = false;

    if (core_may_use(decision->config, holder, &warn_only)) {
        decision->effects->rule = CORE_RULE_WELCOME;
        core_open_session(decision, CORE_IN_USE, holder);
        core_notify_holder(decision, CORE_NOTICE_LOGIN, holder)->warn_only = warn_only;
    } else {
        decision->effects->rule = CORE_RULE_DENIED;
        decision->state->mode = CORE_DENIED;
        core_notify_holder(decision, CORE_NOTICE_DENIED, holder);
    }
}

void core_rule_card(struct decision *decision)
{
    const struct core_report *report = &decision->event->report;

    core_change_card(decision);
    if (report->card[0] == '\0') {
        /* In a press's own report the press is what people will ask about. */
        if (decision->effects->rule != CORE_RULE_OOPS) {
            decision->effects->rule = CORE_RULE_CARD_OUT;
        }
    } else if (core_ignores_cards(decision)) {
        decision->effects->rule = CORE_RULE_CARD_FLOOD;
        decision->state->card_spent = true;
    } else if (report->holder == NULL) {
        read_unknown(decision);
    } else if (core_is_flagged(decision->state)) {
        read_while_flagged(decision, report->holder);
    } else {
        read_known(decision, report->holder);
    }
}
