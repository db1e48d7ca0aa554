#include "devices/sim/rivals.h"

#include <stddef.h>

static bool count(struct rivals *rivals, const void *victim)
{
    if (rivals->victim == NULL) {
        rivals->victim = victim;
        rivals->times = 0;
    }
    if (rivals->victim != victim) {
        return false; /* the other of the two: its turns are between */
    }
    rivals->times++;
    return rivals->times == RIVALS_TIMES;
}

bool rivals_came(struct rivals *rivals, const void *who, int64_t now_ms)
{
    const void *gone = rivals->gone;

    rivals->last = who;
    rivals->last_ms = now_ms;
    rivals->gone = NULL;
    if (who == rivals->victim) {
        rivals->victim_came_ms = now_ms;
    }
    /* The broker shuts the door on the one before it lets the other in. */
    return gone != NULL && gone != who && now_ms - rivals->gone_ms <= RIVALS_PAIR_MS &&
           count(rivals, gone);
}

bool rivals_went(struct rivals *rivals, const void *who, int64_t now_ms)
{
    bool thrown =
        rivals->last != NULL && rivals->last != who && now_ms - rivals->last_ms <= RIVALS_PAIR_MS;

    if (who == rivals->victim && now_ms - rivals->victim_came_ms >= RIVALS_HOLDS_MS) {
        rivals->victim = NULL;
    }
    rivals->gone = thrown ? NULL : who;
    rivals->gone_ms = now_ms;
    return thrown && count(rivals, who);
}
