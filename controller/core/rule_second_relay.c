/* C4.7: the second relay. Its verdict is made when a session opens and stands until that ends. */
#include "controller/core/rules.h"

static void set_second(struct core_state *state, enum core_second second)
{
    state->second = second;
    state->second_relay = core_second_is_on(second);
}

/* The one thing that can fail in here: a list that says it has items and has none. */
static bool is_broken(const struct core_authorizations *list)
{
    return list->count > 0 && list->items == NULL;
}

static enum core_second
judge(const struct core_second_relay_config *config, const struct core_holder *holder)
{
    if (config->always_enabled) {
        return CORE_SECOND_ALWAYS;
    }
    if (holder == NULL) {
        return CORE_SECOND_NONE;
    }
    if (is_broken(&config->authorizations_or) || is_broken(&holder->authorizations)) {
        return CORE_SECOND_DENIED;
    }
    if (core_holds_any(holder, &config->authorizations_or)) {
        return CORE_SECOND_GRANTED;
    }
    return config->unauthorized_warn_only ? CORE_SECOND_WARN : CORE_SECOND_DENIED;
}

/* An always enabled machine has no session whose beginning could be waited for: what
 * `always_enabled` of the second relay gives it gives with the next report that is judged, and
 * takes at once. */
static void follow_setting(struct decision *decision)
{
    struct core_state *state = decision->state;
    bool always_enabled = decision->config->second_relay.always_enabled;

    if (always_enabled && decision->accepted) {
        set_second(state, CORE_SECOND_ALWAYS);
    } else if (!always_enabled && state->second == CORE_SECOND_ALWAYS) {
        set_second(state, state->has_user ? CORE_SECOND_DENIED : CORE_SECOND_NONE);
    }
}

void core_rule_second_relay(struct decision *decision)
{
    const struct core_second_relay_config *config = &decision->config->second_relay;
    struct core_state *state = decision->state;

    if (!config->present || !core_mode_relay(state->mode)) {
        set_second(state, CORE_SECOND_NONE);
    } else if (decision->judge_second) {
        set_second(state, judge(config, decision->second_holder));
    } else if (state->mode == CORE_ALWAYS_ON) {
        follow_setting(decision);
    }
}
