/* The decision: one machine, one event, one answer.
 *
 * A pure function. It reads no clock (time is in the event), does no I/O, allocates nothing and
 * logs nothing; the same arguments give the same result. `after` and `effects` are written whole;
 * `after` may be the same object as `before`.
 *
 * Whatever comes in, C4's invariants I1 to I5 hold for `after`; a failure in here can only leave
 * the relay as it was or switch it off (I6).
 */
#ifndef TAGOUT_CORE_DECIDE_H
#define TAGOUT_CORE_DECIDE_H

#include "controller/core/effect.h"
#include "controller/core/event.h"
#include "controller/core/machine.h"

/* C8.1: a report older than this confirms nothing. */
#define CORE_CONFIRM_MS 15000

void core_decide(
    const struct core_config *config, const struct core_state *before,
    const struct core_event *event, struct core_state *after, struct core_effects *effects);

/* Which of I1 to I5 the state breaks, 1 to 5; 0 for none. I4 needs history and isn't seen here. */
int core_broken_invariant(const struct core_config *config, const struct core_state *state);

#endif
