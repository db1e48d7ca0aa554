/* An exploration as a test. */
#ifndef TAGOUT_TESTS_LIB_JOINT_CHECK_H
#define TAGOUT_TESTS_LIB_JOINT_CHECK_H

#include "tests/lib/joint.h"

/* Fails unless every property holds in all states, and enough happens in them to be worth it. */
void joint_check_holds(const struct joint_world *world);

/* Fails unless the first property that is broken is this one. */
void joint_check_finds(const struct joint_world *world, const char *property);

#endif
