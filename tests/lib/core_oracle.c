#include "tests/lib/core_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/core_same.h"

static void fail_step(const struct step *step, const char *what, int line)
{
    const struct core_report *report = &step->event.report;

    print_error("broken: %s (line %d)\nafter:  %s", what, line, step->name);
    if (step->event.type == CORE_EVENT_REPORT) {
        print_error(
            " card=%s oops=%d emergency=%d boot=%s seq=%u uptime=%.0f ack=%d", report->card,
            report->oops, report->emergency, report->boot_id, report->seq, report->uptime_s,
            report->has_ack);
    }
    print_error("\nfrom:   %s\n", space_tell(step->before));
    print_error("to:     %s\n", space_tell(&step->after));
    fail();
}

#define MUST(step, condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_step(step, #condition, __LINE__);                                                 \
        }                                                                                          \
    } while (0)

static bool is_session(const struct core_state *state)
{
    return state->mode == CORE_IN_USE || state->mode == CORE_OVERRIDE ||
           state->mode == CORE_EMERGENCY;
}

static bool relay_on(const struct core_state *state)
{
    return is_session(state) || state->mode == CORE_ALWAYS_ON;
}

static bool has_card(const struct core_state *state)
{
    return state->card[0] != '\0';
}

static bool runs_always(const struct space_node *node)
{
    return node->config.always_enabled && !node->state.oopsed && !node->state.locked_out;
}

/* The letter of I1 to I5. I5 is judged where an override opens. */
static void check_invariants(const struct step *step)
{
    const struct space_node *node = &step->after;
    const struct core_state *state = &node->state;

    if (relay_on(state)) {
        MUST(step, (!state->oopsed && !state->locked_out) || state->mode == CORE_OVERRIDE);
        MUST(
            step, node->config.always_enabled || state->mode == CORE_EMERGENCY ||
                      (state->has_user && has_card(state)));
        /* I4, and more: not any card, but this one was put in. */
        MUST(step, node->put_in || runs_always(node));
        /* Nothing is orphaned: behind a relay is a session or the setting. */
        MUST(step, is_session(state) || runs_always(node));
    }
    if (state->second_relay && !is_session(state)) {
        MUST(step, state->has_user || node->config.second == SPACE_SECOND_ALWAYS);
    }
    MUST(step, !state->second_relay || relay_on(state));
    MUST(step, !state->second_relay || node->config.second != SPACE_SECOND_ABSENT);
}

static bool holds(const struct core_holder *holder, core_authorization authorization)
{
    for (size_t i = 0; holder != NULL && i < holder->authorizations.count; i++) {
        if (holder->authorizations.items[i] == authorization) {
            return true;
        }
    }
    return false;
}

/* A session opens by a card that is in, in a report that is not a boot's first, for whom C4.4 and
 * C4.5 let in. */
static void check_opening(const struct step *step)
{
    const struct core_state *after = &step->after.state;
    const struct core_report *report = &step->event.report;
    const struct core_holder *holder = report->holder;
    bool changed = strcmp(step->before->state.card, after->card) != 0;
    bool flagged = after->oopsed || after->locked_out;

    MUST(step, step->event.type == CORE_EVENT_REPORT && step->judged && !step->rebooted);
    MUST(step, has_card(after) && strcmp(after->card, report->card) == 0);
    if (after->mode == CORE_EMERGENCY) {
        MUST(step, report->emergency && !flagged && !after->has_user);
        return;
    }
    MUST(step, changed && (!report->oops || after->mode == CORE_OVERRIDE));
    MUST(step, holder != NULL && strcmp(after->user.account_id, holder->user.account_id) == 0);
    if (after->mode == CORE_OVERRIDE) {
        MUST(step, holder != NULL && holder->oops_override && flagged);
    } else {
        MUST(step, holds(holder, 1) || step->after.config.warn_only);
    }
}

/* C11.5: access is none of their business. */
static bool is_of_the_watch(enum core_event_type type)
{
    return type == CORE_EVENT_WAKE || type == CORE_EVENT_LINK || type == CORE_EVENT_PONG ||
           type == CORE_EVENT_CONNECTED || type == CORE_EVENT_DISCONNECTED ||
           type == CORE_EVENT_RESTART;
}

/* C4.7 for a second relay that goes on. */
static void check_second_on(const struct step *step)
{
    const struct core_state *after = &step->after.state;
    enum space_second second = step->after.config.second;

    MUST(step, step->event.type != CORE_EVENT_CONFIG && !is_of_the_watch(step->event.type));
    MUST(
        step, second == SPACE_SECOND_ALWAYS || (after->has_user && second == SPACE_SECOND_WARNS) ||
                  (after->has_user && holds(step->event.report.holder, 2)));
}

/* I6, as far as a pure function goes: what may switch on at all. */
static void check_nothing_newly_on(const struct step *step)
{
    const struct core_state *before = &step->before->state;
    const struct core_state *after = &step->after.state;

    if (relay_on(after) && !relay_on(before)) {
        bool lifted = (step->event.type == CORE_EVENT_SET_OOPS ||
                       step->event.type == CORE_EVENT_SET_LOCKOUT) &&
                      !step->event.set.value;

        MUST(step, step->judged || (lifted && runs_always(&step->after)));
        MUST(step, !step->rebooted || runs_always(&step->after));
    }
    if (after->second_relay && !before->second_relay) {
        check_second_on(step);
    }
}

static size_t count_notices(const struct step *step, enum core_notice_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < step->effects.notice_count; i++) {
        count += step->effects.notices[i].type == type;
    }
    return count;
}

/* Who comes and who goes is told exactly once. */
static void check_sessions(const struct step *step)
{
    const struct core_state *before = &step->before->state;
    const struct core_state *after = &step->after.state;
    bool goes_on =
        is_session(before) && is_session(after) && after->session_since.ms == SPACE_OPENED_MS;
    bool opened = is_session(after) && !goes_on;
    size_t logins = count_notices(step, CORE_NOTICE_LOGIN) +
                    count_notices(step, CORE_NOTICE_OVERRIDE_LOGIN) +
                    count_notices(step, CORE_NOTICE_EMERGENCY_LOGIN);

    MUST(step, count_notices(step, CORE_NOTICE_LOGOUT) == (is_session(before) && !goes_on));
    MUST(step, logins == opened);
    if (opened) {
        check_opening(step);
    }
    if (goes_on) {
        /* "As it was opened": nobody else's, nothing else's, and on with the card only. */
        MUST(step, after->mode == before->mode && strcmp(after->card, before->card) == 0);
        MUST(step, after->has_user == before->has_user);
        MUST(step, strcmp(after->user.account_id, before->user.account_id) == 0);
        MUST(step, !after->second_relay || before->second_relay);
    }
    MUST(step, after->faults == 0 || is_session(after));
}

/* C4 "From outside" and `offline`: what ends a session and what leaves it alone. */
static void check_outside(const struct step *step)
{
    const struct core_state *before = &step->before->state;
    const struct core_state *after = &step->after.state;
    enum core_event_type type = step->event.type;

    if (type == CORE_EVENT_END || type == CORE_EVENT_OFFLINE) {
        MUST(step, !is_session(after));
    } else if (type == CORE_EVENT_SET_OOPS || type == CORE_EVENT_SET_LOCKOUT) {
        bool flag = type == CORE_EVENT_SET_OOPS ? before->oopsed : before->locked_out;
        bool changes = flag != step->event.set.value;

        MUST(step, step->effects.flag_changed == changes);
        if (changes || before->mode == CORE_OVERRIDE) {
            MUST(step, !is_session(after) && step->effects.save);
        } else {
            MUST(step, core_same_state(before, after) && !step->effects.command);
        }
    } else if (is_of_the_watch(type)) {
        MUST(step, core_same_state(before, after) && step->effects.notice_count == 0);
    }
}

/* Oops and lockout move by C4.2, from outside and by C9.4, and by nothing else. */
static void check_flags(const struct step *step)
{
    const struct core_state *before = &step->before->state;
    const struct core_state *after = &step->after.state;
    const struct core_event *event = &step->event;
    bool press = event->type == CORE_EVENT_REPORT && event->report.oops && !step->effects.dropped;
    bool oops = before->oopsed || press || (step->flags_by_ack && event->report.ack.oops);
    bool lockout = before->locked_out || (step->flags_by_ack && event->report.ack.lockout);

    oops = event->type == CORE_EVENT_SET_OOPS ? event->set.value : oops;
    lockout = event->type == CORE_EVENT_SET_LOCKOUT ? event->set.value : lockout;
    MUST(step, after->oopsed == oops && after->locked_out == lockout);
    MUST(step, !press || !relay_on(after) || count_notices(step, CORE_NOTICE_OVERRIDE_LOGIN) == 1);
    MUST(
        step,
        count_notices(step, CORE_NOTICE_REBOOT) == (step->rebooted && step->before->state.known));
}

static void check_effects(const struct step *step)
{
    const struct core_state *before = &step->before->state;
    const struct core_state *after = &step->after.state;
    const struct core_effects *effects = &step->effects;
    int moved = version_compare(after->version, before->version);
    bool switched = relay_on(after) != relay_on(before) ||
                    after->second_relay != before->second_relay ||
                    after->oopsed != before->oopsed || after->locked_out != before->locked_out;

    MUST(step, effects->notice_count <= CORE_NOTICES_MAX);
    /* The last line of defence is for damage; from a sound state the rules alone must do. */
    MUST(step, !effects->repaired);
    MUST(step, moved >= 0 && effects->save == (moved > 0));
    MUST(step, step->judged ? effects->save : true);
    MUST(step, !effects->save || effects->command);
    MUST(step, !switched || (effects->save && effects->changed));
    MUST(
        step, effects->dropped ? core_same_state(before, after) && !effects->command
                               : effects->command || step->event.type != CORE_EVENT_REPORT);
}

static void note_card(struct step *step)
{
    const struct core_state *before = &step->before->state;
    const struct core_state *after = &step->after.state;

    step->after.put_in = step->before->put_in;
    if (step->rebooted) {
        step->after.put_in = false;
    } else if (step->judged && strcmp(before->card, step->event.report.card) != 0) {
        step->after.put_in = step->event.report.card[0] != '\0';
    }
    if (step->judged) {
        MUST(step, strcmp(after->card, step->event.report.card) == 0);
    }
}

void oracle_judge(struct step *step)
{
    struct core_config config;

    space_core_config(step->after.config, &config);
    note_card(step);
    check_invariants(step);
    MUST(step, core_broken_invariant(&config, &step->after.state) == 0);
    check_nothing_newly_on(step);
    check_sessions(step);
    check_outside(step);
    check_flags(step);
    check_effects(step);
}
