#include "controller/core/machine.h"

#include <string.h>

void core_state_init(struct core_state *state)
{
    memset(state, 0, sizeof *state);
}

bool core_mode_relay(enum core_mode mode)
{
    return core_mode_is_session(mode) || mode == CORE_ALWAYS_ON;
}

bool core_mode_is_session(enum core_mode mode)
{
    return mode == CORE_IN_USE || mode == CORE_OVERRIDE || mode == CORE_EMERGENCY;
}

bool core_is_live(const struct core_state *state)
{
    return state->health == CORE_HEALTH_ONLINE || state->health == CORE_HEALTH_SETTLING ||
           state->health == CORE_HEALTH_SUSPECT;
}

bool core_needs_card(const struct core_state *state)
{
    return state->mode != CORE_ALWAYS_ON;
}

/* An always enabled second relay behind a session is on because of the session as well: it goes on
 * with the card, without the delay of C7.5, and off with it. */
bool core_second_needs_card(const struct core_state *state)
{
    return state->mode != CORE_ALWAYS_ON || state->second != CORE_SECOND_ALWAYS;
}
