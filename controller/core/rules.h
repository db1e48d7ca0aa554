/* What the rule files share: one decision under way. For this room only; decide.h is its door. */
#ifndef TAGOUT_CORE_RULES_H
#define TAGOUT_CORE_RULES_H

#include "controller/core/effect.h"
#include "controller/core/event.h"
#include "controller/core/machine.h"

struct decision {
    const struct core_config *config;
    const struct core_event *event;
    const struct core_state *before;
    struct core_state *state; /* `before` at first, `after` at the end */
    struct core_effects *effects;
    enum core_source source; /* of the notices that the present rule makes */
    bool accepted;           /* a report that gets a version of its own (C5 `rev`) */
    /* Rule 7 has to judge anew, for this person; otherwise its verdict stands. */
    bool judge_second;
    const struct core_holder *second_holder;
};

/* ---- session.c: the moves that all rules are made of ---- */

/* Adds a notice about whoever uses the machine now. Never NULL. */
struct core_notice *core_notify(struct decision *decision, enum core_notice_type type);
/* The same about the holder of a card, NULL for a stranger. */
struct core_notice *core_notify_holder(
    struct decision *decision, enum core_notice_type type, const struct core_holder *holder);

/* C4's base, with the flags as they stand. A session must have been ended before. The card that is
 * in opens nothing from here on. */
void core_base(struct decision *decision);

/* Ends the session, if one is open, with its notices; core_base or a new session comes next. */
bool core_end_session(struct decision *decision, enum core_reason reason);

/* `holder` is copied; NULL in an emergency session. */
void core_open_session(
    struct decision *decision, enum core_mode mode, const struct core_holder *holder);

/* The first half of rule 5, which 3 and 4 share: the session ends, base, the new card is in. */
void core_change_card(struct decision *decision);

void core_set_user(struct core_state *state, const struct core_holder *holder);
void core_raise_fault(struct decision *decision, enum core_fault_index fault);
void core_clear_fault(struct decision *decision, enum core_fault_index fault);

/* Copies a string, cut if it must be. */
void core_copy(char *target, size_t size, const char *source);

/* ---- who may what ---- */

static inline bool core_is_flagged(const struct core_state *state)
{
    return state->oopsed || state->locked_out;
}

static inline bool core_second_is_on(enum core_second second)
{
    return second == CORE_SECOND_GRANTED || second == CORE_SECOND_WARN ||
           second == CORE_SECOND_ALWAYS;
}

bool core_holds_any(
    const struct core_holder *holder, const struct core_authorizations *authorizations_or);

/* Whether the holder may open a session, and whether only the setting lets them (C4.5.4). */
bool core_may_use(
    const struct core_config *config, const struct core_holder *holder, bool *ret_warn_only);

/* ---- the rules, by family ---- */

void core_rule_report(struct decision *decision);       /* rule_report.c: C3, C4.1 to 4 and 6 */
void core_rule_card(struct decision *decision);         /* rule_card.c: C4.5 */
void core_rule_second_relay(struct decision *decision); /* rule_second_relay.c: C4.7 */
void core_rule_set_oops(struct decision *decision);     /* rule_admin.c: from outside, reload, */
void core_rule_set_lockout(struct decision *decision);  /* a clean offline */
void core_rule_end(struct decision *decision);
void core_rule_config(struct decision *decision);
void core_rule_offline(struct decision *decision);

/* ---- rule_card_flood.c: too many unknown cards ---- */

bool core_ignores_cards(const struct decision *decision);
/* An unknown card was put in. */
void core_count_stranger(struct decision *decision);

/* ---- rule_liveness.c: C11.1 to 4 ---- */

const struct core_liveness *core_liveness_of(const struct decision *decision);
/* A sign of life. */
void core_hear(struct decision *decision);
/* The report is a boot's first. */
void core_settle_boot(struct decision *decision);
void core_rule_link(struct decision *decision);
void core_rule_pong(struct decision *decision);
void core_rule_connected(struct decision *decision);
void core_rule_disconnected(struct decision *decision);
/* A clean `offline`, heard live or kept by the broker. */
void core_leave(struct decision *decision);
void core_leave_retained(struct decision *decision);
/* After each event: what has become due. */
void core_watch_over(struct decision *decision);
/* Moves `wake_at` to the earliest time at which something becomes due. */
void core_ask_for_time(struct decision *decision);

/* ---- rule_restart.c: C6, C11.5 ---- */

void core_rule_restart(struct decision *decision);
/* After each event: a restart that waits. */
void core_run_restart(struct decision *decision);

/* ---- rule_faults.c: C11.7, C3's twin, boots, reader ---- */

void core_judge_faults(struct decision *decision, bool reboot);
/* The version is final: the relays obey this one from now on. */
void core_note_commands(struct decision *decision);
/* The report is of another box than the one whose session is open. */
bool core_is_twin(const struct decision *decision);
void core_count_drop(struct decision *decision);
void core_date_faults(struct decision *decision);
void core_age_faults(struct decision *decision);
/* When the first of the faults that time ends is over; 0 for never. */
int64_t core_faults_age_at(const struct core_state *state);

/* ---- rule_report.c ---- */

bool core_is_past_boot(const struct core_state *state, const char *boot_id);

#endif
