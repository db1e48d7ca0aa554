/* The invariants of C4 by exhaustion: from a machine of which nothing is known, every reachable
 * combination of what decides, under every event and every change of configuration.
 *
 * What must hold is written down here once more, from the contract and not from the core.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/core_same.h"
#include "tests/lib/core_space.h"

#define NOW_MS 1000000
#define CEILING (SPACE_EPOCH + 5)

static struct space_set found;
static uint64_t transitions;

/* One step as the test sees it. */
struct step {
    const char *name;
    const struct space_node *before;
    struct space_node after;
    struct core_event event;
    struct core_effects effects;
    bool rebooted;     /* the report is the first of another boot */
    bool judged;       /* a report that is neither a duplicate nor superseded */
    bool flags_by_ack; /* the first report after a load, with an ack above it */
};

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
        MUST(step, holder->oops_override && flagged);
    } else {
        MUST(step, holds(holder, 1) || step->after.config.warn_only);
    }
}

/* C4.7 for a second relay that goes on. */
static void check_second_on(const struct step *step)
{
    const struct core_state *after = &step->after.state;
    enum space_second second = step->after.config.second;

    MUST(step, step->event.type != CORE_EVENT_CONFIG && step->event.type != CORE_EVENT_WAKE);
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

static void decide(struct step *step, struct space_config config_after)
{
    struct core_config config;

    space_core_config(config_after, &config);
    step->after.config = config_after;
    step->event.now = (struct now){{NOW_MS}, {NOW_MS}};
    step->event.epoch = SPACE_EPOCH;
    step->event.epoch_ceiling = CEILING;
    core_decide(&config, &step->before->state, &step->event, &step->after.state, &step->effects);
    transitions++;
    note_card(step);
    check_invariants(step);
    MUST(step, core_broken_invariant(&config, &step->after.state) == 0);
    check_nothing_newly_on(step);
    check_sessions(step);
    check_flags(step);
    check_effects(step);
    space_set_add(&found, space_pack(&step->after));
}

/* ---- every report ---- */

struct boot {
    const char *name;
    const char *boot_id; /* NULL: the present one, if there is one */
    double uptime_s;
    uint32_t seq;
};

static const struct boot later_boots[] = {
    {"report", NULL, SPACE_UPTIME_S + 1, SPACE_SEQ + 1},
    {"report of a new boot", "new", 5, 1},
    {"report of a boot that has run for long", "new", SPACE_UPTIME_S + 1, 1},
    {"report without boot_id", "", SPACE_UPTIME_S + 1, 0},
    {"report without boot_id, lower uptime", "", SPACE_UPTIME_S - 1, 0},
};

static const struct boot first_boots[] = {
    {"first report, young boot", "now", 59.9, 1},
    {"first report, old boot", "now", 60, 1},
    {"first report without boot_id", "", 5, 0},
};

static const struct core_ack acks[] = {
    {{SPACE_EPOCH, SPACE_REV + 1}, false, false},
    {{SPACE_EPOCH, SPACE_REV + 1}, true, false},
    {{CEILING, 1}, false, true},
    {{CEILING, 1}, true, true},
    {{SPACE_EPOCH, SPACE_REV}, true, true},
    {{CEILING + 1, 1}, true, true},
};

#define ACKS (sizeof acks / sizeof acks[0])
#define ACKS_HEEDED 4

static bool is_reboot(const struct core_state *state, const struct boot *boot, const char *boot_id)
{
    if (!state->known) {
        return boot_id[0] != '\0' && boot->uptime_s < 60;
    }
    if (state->boot_id[0] != '\0' && boot_id[0] != '\0') {
        return boot->boot_id != NULL;
    }
    return boot->uptime_s < SPACE_UPTIME_S;
}

/* `ack` counts from 1; 0 is none. `what`: bit 0 oops, bit 1 emergency. */
static void report(
    const struct space_node *node, const struct boot *boot, enum space_card card, unsigned what,
    size_t ack)
{
    const char *boot_id = boot->boot_id != NULL ? boot->boot_id : node->state.boot_id;
    struct step step = {
        .name = boot->name,
        .before = node,
        .event =
            {
                .type = CORE_EVENT_REPORT,
                .report =
                    {
                        .oops = (what & 1) != 0,
                        .emergency = (what & 2) != 0,
                        .card = space_card_text(card),
                        .holder = space_holder(node->config.users, card),
                        .uptime_s = boot->uptime_s,
                        .boot_id = boot_id,
                        .seq = boot_id[0] != '\0' ? boot->seq : 0,
                        .has_ack = ack != 0,
                    },
            },
        .judged = true,
        .rebooted = is_reboot(&node->state, boot, boot_id),
        .flags_by_ack = ack != 0 && ack <= ACKS_HEEDED && !node->state.heard,
    };

    if (ack != 0) {
        step.event.report.ack = acks[ack - 1];
    }
    decide(&step, node->config);
}

static void all_reports(const struct space_node *node)
{
    const struct boot *boots = node->state.known ? later_boots : first_boots;
    size_t boot_count = node->state.known ? 5 : 3;

    for (size_t boot = 0; boot < boot_count; boot++) {
        for (unsigned card = 0; card < SPACE_CARDS; card++) {
            for (unsigned what = 0; what < 4; what++) {
                report(node, &boots[boot], (enum space_card)card, what, 0);
                /* Once heard, an ack only moves the version: tried with the plain report. */
                for (size_t ack = 1; ack <= ACKS && (!node->state.heard || boot == 0); ack++) {
                    report(node, &boots[boot], (enum space_card)card, what, ack);
                }
            }
        }
    }
}

static void unjudged_report(
    const struct space_node *node, const char *name, const char *boot_id, enum space_card card,
    bool oops)
{
    struct step step = {
        .name = name,
        .before = node,
        .event =
            {
                .type = CORE_EVENT_REPORT,
                .report =
                    {
                        .oops = oops,
                        .emergency = true,
                        .card = space_card_text(card),
                        .holder = space_holder(node->config.users, card),
                        .uptime_s = SPACE_UPTIME_S + 1,
                        .boot_id = boot_id,
                        .seq = SPACE_SEQ,
                        .has_ack = true,
                        .ack = acks[ACKS_HEEDED - 1],
                    },
            },
    };

    decide(&step, node->config);
}

static void all_unjudged_reports(const struct space_node *node)
{
    for (unsigned card = 0; card < SPACE_CARDS; card++) {
        for (unsigned oops = 0; oops < 2; oops++) {
            if (node->state.boot_id[0] != '\0') {
                unjudged_report(node, "duplicate", SPACE_BOOT, (enum space_card)card, oops != 0);
            }
            if (node->state.heard) {
                unjudged_report(
                    node, "superseded", SPACE_PAST_BOOT, (enum space_card)card, oops != 0);
            }
        }
    }
}

/* ---- everything else ---- */

static void
simple(const struct space_node *node, const char *name, enum core_event_type type, bool value)
{
    struct step step = {.name = name, .before = node, .event = {.type = type}};

    if (type == CORE_EVENT_SET_OOPS || type == CORE_EVENT_SET_LOCKOUT) {
        step.event.set.value = value;
    }
    decide(&step, node->config);
}

static void all_reloads(const struct space_node *node)
{
    for (unsigned i = 0; i < SPACE_CONFIGS; i++) {
        struct space_config config = space_config_at(i);
        struct step step = {
            .name = "reload",
            .before = node,
            .event =
                {
                    .type = CORE_EVENT_CONFIG,
                    .reconfigured = {.holder = space_holder_of(config.users, &node->state)},
                },
        };

        decide(&step, config);
    }
}

/* The controller starts again, with its state or without. */
static void all_restarts(const struct space_node *node)
{
    struct space_node restarted = *node;

    restarted.state.heard = false;
    space_set_add(&found, space_pack(&restarted));
    core_state_init(&restarted.state);
    restarted.put_in = false;
    space_set_add(&found, space_pack(&restarted));
}

static void visit(const struct space_node *node)
{
    all_reports(node);
    all_unjudged_reports(node);
    simple(node, "oops from outside", CORE_EVENT_SET_OOPS, true);
    simple(node, "unoops", CORE_EVENT_SET_OOPS, false);
    simple(node, "lockout", CORE_EVENT_SET_LOCKOUT, true);
    simple(node, "unlock", CORE_EVENT_SET_LOCKOUT, false);
    simple(node, "end", CORE_EVENT_END, false);
    simple(node, "offline", CORE_EVENT_OFFLINE, false);
    simple(node, "wake", CORE_EVENT_WAKE, false);
    all_reloads(node);
    all_restarts(node);
}

static void I1_to_I5_hold_in_every_reachable_state_after_every_event(void **unused)
{
    struct space_node node;
    size_t on = 0;

    (void)unused;
    for (unsigned i = 0; i < SPACE_CONFIGS; i++) {
        node = (struct space_node){.config = space_config_at(i)};
        core_state_init(&node.state);
        space_set_add(&found, space_pack(&node));
    }
    for (size_t i = 0; i < found.count; i++) {
        space_unpack(found.keys[i], &node);
        visit(&node);
        on += relay_on(&node.state);
    }
    print_message(
        "note: %zu reachable states (the relay is on in %zu), %llu transitions, %d "
        "configurations\n",
        found.count, on, (unsigned long long)transitions, SPACE_CONFIGS);
    /* A walk that stopped early would pass as well. */
    assert_true(found.count > 10000 && on > 1000 && transitions > 1000000);
    space_set_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(I1_to_I5_hold_in_every_reachable_state_after_every_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
