/* The invariants of C4 by exhaustion: from a machine of which nothing is known, every reachable
 * combination of what decides, under every event and every change of configuration. What must hold
 * is in tests/lib/core_oracle.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/core_oracle.h"

#define NOW_MS 1000000
#define CEILING (SPACE_EPOCH + 5)

static struct space_set found;
static uint64_t transitions;
static struct core_state decided; /* by the last transition */

static void decide(struct step *step, struct space_config config_after)
{
    struct core_config config;

    space_core_config(config_after, &config);
    step->after.config = config_after;
    step->event.now = (struct now){{NOW_MS}, {NOW_MS}};
    step->event.epoch = SPACE_EPOCH;
    step->event.epoch_ceiling = CEILING;
    step->event.loaded = step->before->state.version;
    core_decide(&config, &step->before->state, &step->event, &step->after.state, &step->effects);
    transitions++;
    decided = step->after.state;
    oracle_judge(step);
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
        .flags_by_ack = ack != 0 && ack <= ACKS_HEEDED &&
                        (!node->state.heard || acks[ack - 1].version.epoch > SPACE_EPOCH),
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
                /* Once heard, an ack moves the version, and one of another's epoch the flags: tried
                 * with the plain report. */
                for (size_t ack = 1; ack <= ACKS && (!node->state.heard || boot == 0); ack++) {
                    report(node, &boots[boot], (enum space_card)card, what, ack);
                }
            }
        }
    }
}

/* After too many unknown cards none opens anything, whoever holds it. */
static void all_ignored_cards(const struct space_node *node)
{
    struct space_node before = *node;

    before.state.cards_ignored_until.ms = NOW_MS + 1;
    for (unsigned card = 1; node->state.known && card < SPACE_CARDS; card++) {
        const char *text = space_card_text((enum space_card)card);

        report(&before, &later_boots[0], (enum space_card)card, 0, 0);
        if (strcmp(node->state.card, text) == 0) {
            continue;
        }
        assert_true(!core_mode_relay(decided.mode) || decided.mode == CORE_ALWAYS_ON);
        assert_true(decided.second != CORE_SECOND_GRANTED && !decided.has_user);
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

    if (type == CORE_EVENT_PONG) {
        step.event.pong.boot_id = SPACE_BOOT;
    } else if (type == CORE_EVENT_SET_OOPS || type == CORE_EVENT_SET_LOCKOUT) {
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
    all_ignored_cards(node);
    all_unjudged_reports(node);
    simple(node, "oops from outside", CORE_EVENT_SET_OOPS, true);
    simple(node, "unoops", CORE_EVENT_SET_OOPS, false);
    simple(node, "lockout", CORE_EVENT_SET_LOCKOUT, true);
    simple(node, "unlock", CORE_EVENT_SET_LOCKOUT, false);
    simple(node, "end", CORE_EVENT_END, false);
    simple(node, "offline", CORE_EVENT_OFFLINE, false);
    simple(node, "wake", CORE_EVENT_WAKE, false);
    simple(node, "link online", CORE_EVENT_LINK, false);
    simple(node, "pong", CORE_EVENT_PONG, false);
    simple(node, "connected", CORE_EVENT_CONNECTED, false);
    simple(node, "disconnected", CORE_EVENT_DISCONNECTED, false);
    simple(node, "restart asked", CORE_EVENT_RESTART, false);
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
        on += core_mode_relay(node.state.mode);
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
