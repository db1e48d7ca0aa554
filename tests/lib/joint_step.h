/* One step of device, network and controller, and what must hold after it. */
#ifndef TAGOUT_TESTS_LIB_JOINT_STEP_H
#define TAGOUT_TESTS_LIB_JOINT_STEP_H

#include "tests/lib/joint.h"

/* What each end does is worked out once: few states of an end stand in many states of the whole. */
struct joint_memo;

struct joint_memo *joint_memo_new(const struct joint_world *world);
void joint_memo_free(struct joint_memo *memo);

const struct joint_device_step *joint_memo_device(
    struct joint_memo *memo, enum joint_event event, const struct joint_device *before,
    const struct joint_command *command);
const struct joint_core_step *joint_memo_core(
    struct joint_memo *memo, enum joint_event event, const struct joint_core *before,
    const struct joint_report *report);

#define JOINT_SUCCESSORS 3

struct joint_step {
    unsigned count;
    struct joint after[JOINT_SUCCESSORS];
    const char *broken; /* the property that the step breaks, or NULL */
    bool started_by_card;
    bool started_alone;
    bool refused;
};

/* Whether the event can happen, and what it leads to. */
bool joint_step(
    const struct joint_world *world, struct joint_memo *memo, const struct joint *before,
    enum joint_event event, struct joint_step *ret_step);

/* A device that has booted beside a controller that knows nothing. */
void joint_first(const struct joint_world *world, struct joint *ret_joint);

#endif
