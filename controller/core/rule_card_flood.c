/* Guessing at cards: over ten unknown ones in a minute, and none is read for a minute. Who holds a
 * box that makes up numbers gets a dozen tries in two minutes, and people hear of it. */
#include <string.h>

#include "controller/core/rules.h"

#define FLOOD_MS 60000
#define IGNORED_MS 60000

bool core_ignores_cards(const struct decision *decision)
{
    return decision->event->now.mono.ms < decision->state->cards_ignored_until.ms;
}

void core_count_stranger(struct decision *decision)
{
    struct core_state *state = decision->state;
    struct mono_time now = decision->event->now.mono;
    struct mono_time first = state->strangers[CORE_STRANGERS - 1];

    if (first.ms == 0 || now.ms - first.ms >= FLOOD_MS) {
        memmove(
            &state->strangers[1], &state->strangers[0],
            sizeof state->strangers - sizeof state->strangers[0]);
        state->strangers[0] = now;
        return;
    }
    memset(state->strangers, 0, sizeof state->strangers);
    state->cards_ignored_until.ms = now.ms + IGNORED_MS;
    core_raise_fault(decision, CORE_FAULT_CARD_FLOOD);
}
