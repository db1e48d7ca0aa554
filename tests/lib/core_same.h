/* Whether two states, or the effects of two decisions, are the same in every field. The watch of a
 * state is compared apart: what decides about access does not depend on it (C11.5). */
#ifndef TAGOUT_TESTS_CORE_SAME_H
#define TAGOUT_TESTS_CORE_SAME_H

#include "controller/core/effect.h"

bool core_same_state(const struct core_state *one, const struct core_state *other);
bool core_same_watch(const struct core_watch *one, const struct core_watch *other);
bool core_same_effects(const struct core_effects *one, const struct core_effects *other);

#endif
