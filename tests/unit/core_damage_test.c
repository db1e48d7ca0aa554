/* I6: whatever a damaged store hands over, no event leaves an invariant broken, and nothing goes on
 * that an intact state would not let on. Every combination of the state's parts, most of them
 * contradictions, under every kind of event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/text.h"
#include "tests/lib/core_space.h"

static uint64_t transitions;

static bool is_legal_start(const struct core_event *event, const struct core_state *after)
{
    if (event->type == CORE_EVENT_REPORT) {
        return true;
    }
    return (event->type == CORE_EVENT_SET_OOPS || event->type == CORE_EVENT_SET_LOCKOUT) &&
           !event->set.value && after->mode == CORE_ALWAYS_ON;
}

static void check(
    const struct space_node *before, const struct core_config *config,
    const struct core_event *event, const struct core_state *after)
{
    bool relay = core_mode_relay(after->mode);
    bool session = core_mode_is_session(after->mode);
    bool flagged = after->oopsed || after->locked_out;
    bool sound = !relay || !flagged || after->mode == CORE_OVERRIDE;

    sound = sound && (!relay || session || config->always_enabled);
    sound = sound && (!session || after->card[0] != '\0');
    sound = sound && (!session || after->mode == CORE_EMERGENCY || after->has_user);
    sound = sound && (!after->second_relay || (relay && config->second_relay.present));
    sound = sound && after->mode < CORE_MODE_COUNT;
    sound = sound && core_broken_invariant(config, after) == 0;
    if (relay && !core_mode_relay(before->state.mode)) {
        sound = sound && is_legal_start(event, after);
    }
    if (!sound) {
        struct space_node node = {.config = before->config, .state = *after};

        print_error("broken by event %d\nfrom: %s\n", (int)event->type, space_tell(before));
        print_error("to:   %s\n", space_tell(&node));
        fail();
    }
}

static void decide(const struct space_node *node, struct core_event event)
{
    struct core_config config;
    struct core_state after;
    struct core_effects effects;

    event.now = (struct now){{1000000}, {1000000}};
    event.epoch = SPACE_EPOCH;
    event.epoch_ceiling = SPACE_EPOCH;
    event.loaded = node->state.version;
    space_core_config(node->config, &config);
    core_decide(&config, &node->state, &event, &after, &effects);
    transitions++;
    check(node, &config, &event, &after);
}

static void all_reports(const struct space_node *node)
{
    static const enum space_card cards[] = {NO_CARD, MEMBER, MAINTAINER};
    static const char *const boots[] = {SPACE_BOOT, "new"};

    for (unsigned i = 0; i < 3 * 2 * 2 * 2; i++) {
        enum space_card card = cards[i / 8];

        decide(
            node, (struct core_event){
                      .type = CORE_EVENT_REPORT,
                      .report =
                          {
                              .oops = i % 2 != 0,
                              .emergency = i / 2 % 2 != 0,
                              .card = space_card_text(card),
                              .holder = space_holder(node->config.users, card),
                              .uptime_s = SPACE_UPTIME_S + 1,
                              .boot_id = boots[i / 4 % 2],
                              .seq = SPACE_SEQ + 1,
                          },
                  });
    }
}

static void all_events(const struct space_node *node)
{
    const struct core_holder *holder = space_holder_of(node->config.users, &node->state);

    all_reports(node);
    for (unsigned i = 0; i < 2; i++) {
        decide(node, (struct core_event){.type = CORE_EVENT_SET_OOPS, .set = {i != 0}});
        decide(node, (struct core_event){.type = CORE_EVENT_SET_LOCKOUT, .set = {i != 0}});
    }
    decide(node, (struct core_event){.type = CORE_EVENT_CONFIG, .reconfigured = {holder}});
    decide(node, (struct core_event){.type = CORE_EVENT_END});
    decide(node, (struct core_event){.type = CORE_EVENT_OFFLINE});
    decide(node, (struct core_event){.type = CORE_EVENT_WAKE});
}

static void all_states(struct space_config config)
{
    struct space_node node = {.config = config};

    for (unsigned i = 0; i < (CORE_MODE_COUNT + 1) * CORE_SECOND_COUNT * 128; i++) {
        struct core_state *state = &node.state;
        unsigned bits = i % 128;

        core_state_init(state);
        state->mode = (enum core_mode)(i / 128 / CORE_SECOND_COUNT);
        state->second = (enum core_second)(i / 128 % CORE_SECOND_COUNT);
        state->second_relay = (bits & 1) != 0;
        state->oopsed = (bits & 2) != 0;
        state->locked_out = (bits & 4) != 0;
        state->card_spent = (bits & 8) != 0;
        text_copy(state->card, sizeof state->card, (bits & 16) != 0 ? space_card_text(MEMBER) : "");
        state->has_user = (bits & 32) != 0;
        text_copy(state->user.account_id, sizeof state->user.account_id, "1");
        state->faults = (bits & 64) != 0 ? CORE_FAULT(CORE_FAULT_USER_REVOKED) : 0;
        state->known = true;
        text_copy(state->boot_id, sizeof state->boot_id, SPACE_BOOT);
        state->seq = SPACE_SEQ;
        state->uptime_s = SPACE_UPTIME_S;
        all_events(&node);
    }
}

static void I6_no_damaged_state_breaks_an_invariant_or_switches_on(void **unused)
{
    (void)unused;
    for (unsigned second = 0; second < SPACE_SECONDS; second++) {
        for (unsigned always_enabled = 0; always_enabled < 2; always_enabled++) {
            all_states((struct space_config){
                .always_enabled = always_enabled != 0,
                .second = (enum space_second)second,
            });
        }
    }
    print_message("note: %llu transitions from damaged states\n", (unsigned long long)transitions);
    assert_true(transitions > 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(I6_no_damaged_state_breaks_an_invariant_or_switches_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
