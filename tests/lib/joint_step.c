#include "tests/lib/joint_step.h"

#include <string.h>

static const char *const event_texts[JOINT_EVENT_COUNT] = {
    "the member puts the card in",
    "a stranger puts a card in",
    "card out",
    "Oops pressed",
    "the button released",
    "time passes",
    "heartbeat",
    "no command for 30 s",
    "power cut at the device",
    "link up",
    "link down",
    "the first command arrives",
    "the second command arrives",
    "the first report arrives",
    "the second report arrives",
    "the first report arrives, of a device long booted",
    "the second report arrives, of a device long booted",
    "oops set from outside",
    "oops cleared",
    "locked out",
    "unlocked",
    "session ended from outside",
    "reload",
    "the controller restarts",
    "the controller loses its state",
};

const char *joint_event_text(enum joint_event event)
{
    return event_texts[event];
}

struct run {
    const struct joint_world *world;
    const struct joint *before;
    enum joint_event event;
    struct joint joint;
    struct joint_report sent_report;
    struct joint_command sent_command;
    bool dropped;
    bool refused;
};

static bool is_command(enum joint_event event)
{
    return event == JOINT_COMMAND_0 || event == JOINT_COMMAND_1;
}

static bool is_report(enum joint_event event)
{
    return event >= JOINT_REPORT_0 && event <= JOINT_REPORT_1_LATE;
}

static unsigned report_index(enum joint_event event)
{
    return (unsigned)(event - JOINT_REPORT_0) % JOINT_FLIGHT;
}

static bool can_report(const struct run *run)
{
    bool late = run->event >= JOINT_REPORT_0_LATE;

    return run->joint.reports[report_index(run->event)].seq != 0 &&
           (!late || (run->world->loss && !run->joint.core.known));
}

static bool can_happen(const struct run *run)
{
    const struct joint_device *device = &run->joint.device;
    const struct joint_world *world = run->world;

    switch (run->event) {
    case JOINT_MEMBER_IN:
        return world->member && device->card != JOINT_MEMBER;
    case JOINT_STRANGER_IN:
        return world->stranger && device->card != JOINT_STRANGER;
    case JOINT_CARD_OUT:
        return device->card != JOINT_NO_CARD;
    case JOINT_PRESS:
        return !device->button;
    case JOINT_RELEASE:
        return device->button;
    case JOINT_LINK_GONE:
        return world->emergency && !device->gone;
    case JOINT_LINK_UP:
        return !device->connected;
    case JOINT_LINK_DOWN:
        return world->offline && device->connected;
    case JOINT_HEARTBEAT:
        return device->connected;
    case JOINT_REPORT_0:
    case JOINT_REPORT_1:
    case JOINT_REPORT_0_LATE:
    case JOINT_REPORT_1_LATE:
        return can_report(run);
    case JOINT_COMMAND_0:
    case JOINT_COMMAND_1:
        return device->connected && run->joint.commands[run->event - JOINT_COMMAND_0].used;
    case JOINT_RELOAD:
        return world->always;
    case JOINT_CONTROLLER_LOSS:
        return world->loss;
    case JOINT_SET_LOCKOUT:
    case JOINT_CLEAR_LOCKOUT:
        return world->lockout;
    case JOINT_TIME:
    case JOINT_POWER_CUT:
    case JOINT_SET_OOPS:
    case JOINT_CLEAR_OOPS:
    case JOINT_END:
    case JOINT_CONTROLLER_RESTART:
        return true;
    case JOINT_EVENT_COUNT:
        break;
    }
    return false;
}

/* ---- the truth ---- */

/* A card went in or out: nobody knows of it yet. */
static void forget_card(struct joint *joint)
{
    joint->truth.core_knows_card = 0;
    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        joint->reports[i].tells_card = 0;
        joint->commands[i].knows_card = 0;
    }
}

static void press(struct joint *joint)
{
    joint->truth.inserted = 0;
    joint->truth.owed = 1;
    joint->truth.stopped = 1;
    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        joint->reports[i].tells_press = 0;
    }
}

static void cut_power(struct joint *joint)
{
    if (joint->core.boot == JOINT_BOOT) {
        joint->core.boot = JOINT_OLD_BOOT;
    }
    memset(joint->reports, 0, sizeof joint->reports);
    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        joint->commands[i].own = 0;
    }
    forget_card(joint);
    joint->truth.inserted = 0;
}

/* What is so, whatever device and controller make of the event. */
static void become_true(struct run *run)
{
    struct joint *joint = &run->joint;
    struct joint_truth *truth = &joint->truth;

    if (run->event == JOINT_MEMBER_IN || run->event == JOINT_STRANGER_IN) {
        forget_card(joint);
        truth->inserted = 1;
        truth->young = 1;
    } else if (run->event == JOINT_CARD_OUT) {
        forget_card(joint);
        truth->inserted = 0;
    } else if (run->event == JOINT_PRESS) {
        press(joint);
    } else if (run->event == JOINT_TIME) {
        truth->young = 0;
    } else if (run->event == JOINT_POWER_CUT) {
        cut_power(joint);
    } else if (run->event == JOINT_CLEAR_OOPS && !truth->owed) {
        truth->stopped = 0;
    } else if (run->event == JOINT_CONTROLLER_LOSS) {
        truth->core_knows_card = 0;
        truth->stopped = truth->owed;
    } else if (is_report(run->event)) {
        const struct joint_report *report = &joint->reports[report_index(run->event)];

        truth->core_knows_card = truth->core_knows_card || report->tells_card;
        truth->owed = truth->owed && !report->tells_press;
    }
}

/* ---- the two ends ---- */

static void step_device(struct run *run, struct joint_memo *memo)
{
    struct joint *joint = &run->joint;
    const struct joint_command *command =
        is_command(run->event) ? &joint->commands[run->event - JOINT_COMMAND_0] : NULL;
    const struct joint_device_step *step =
        joint_memo_device(memo, run->event, &joint->device, command);

    joint->device = step->after;
    run->refused = step->refused;
    run->sent_report = step->report;
    run->sent_report.tells_card = step->report.card != JOINT_NO_CARD;
    run->sent_report.tells_press = joint->truth.owed && step->report.oops;
}

static void step_core(struct run *run, struct joint_memo *memo)
{
    struct joint *joint = &run->joint;
    const struct joint_report *report =
        is_report(run->event) ? &joint->reports[report_index(run->event)] : NULL;
    const struct joint_core_step *step = joint_memo_core(memo, run->event, &joint->core, report);

    joint->core = step->after;
    run->dropped = step->dropped;
    run->sent_command = step->command;
    run->sent_command.knows_card = joint->truth.core_knows_card;
}

/* ---- what must hold ---- */

/* C7.2, by what is true and not by what the device remembers of it. */
static bool may_cut(const struct joint *before, const struct joint_command *command)
{
    const struct joint_device *device = &before->device;

    /* An "on" by the right of a card that has left, for a relay that was on without one. */
    if (command->relay) {
        return !device->needs_card && command->needs_card;
    }
    if (command->oops || command->lockout) {
        return true;
    }
    if (!command->own || (device->has_applied && command->version < device->applied)) {
        return false;
    }
    return device->card == JOINT_NO_CARD || command->knows_card;
}

static const char *broken_start(const struct run *run)
{
    const struct joint_device *before = &run->before->device, *after = &run->joint.device;

    if (after->on && after->needs_card && !run->joint.truth.inserted) {
        return JOINT_INSERTION;
    }
    if (!before->on && after->on && after->needs_card && after->card == JOINT_STRANGER &&
        !run->world->emergency) {
        return JOINT_STRANGERS;
    }
    if (!before->on && after->on && after->needs_card && !run->joint.truth.young) {
        return JOINT_WINDOW;
    }
    if (!before->on && after->on && !after->needs_card &&
        (run->event != JOINT_TIME || !before->starting)) {
        return JOINT_DELAY;
    }
    return NULL;
}

static const char *broken_press(const struct run *run)
{
    const struct joint *after = &run->joint;

    if (after->truth.owed && !after->device.press) {
        return JOINT_LATCH;
    }
    if (run->sent_report.seq != 0 && run->sent_report.oops != after->device.press) {
        return JOINT_LATCH;
    }
    if (is_report(run->event) &&
        (run->dropped ||
         (run->before->reports[report_index(run->event)].oops && !after->core.oopsed))) {
        return JOINT_HEARD;
    }
    if (after->device.on && after->truth.stopped && !run->world->override) {
        return JOINT_STOPPED;
    }
    return NULL;
}

static const char *broken(const struct run *run)
{
    const char *start = broken_start(run);

    if (start != NULL) {
        return start;
    }
    if (is_command(run->event) && run->before->device.on && !run->joint.device.on &&
        !may_cut(run->before, &run->before->commands[run->event - JOINT_COMMAND_0])) {
        return JOINT_STALE_OFF;
    }
    return broken_press(run);
}

/* What was sent takes a free place, or that of one before it, or none. */
static void emit(const struct run *run, struct joint_step *step)
{
    const struct joint *joint = &run->joint;
    unsigned first = 0, last = 0;

    if (run->sent_report.seq != 0) {
        first = joint->reports[0].seq == 0 ? 0 : 1;
        last = joint->reports[1].seq == 0 ? first : JOINT_FLIGHT;
    } else if (run->sent_command.used) {
        first = joint->commands[0].used ? 1 : 0;
        last = joint->commands[1].used ? JOINT_FLIGHT : first;
    }
    if (last == JOINT_FLIGHT) {
        first = 0;
    }
    for (unsigned place = first; place <= last; place++) {
        struct joint *after = &step->after[step->count++];

        *after = *joint;
        if (run->sent_report.seq != 0 && place < JOINT_FLIGHT) {
            after->reports[place] = run->sent_report;
        }
        if (run->sent_command.used && place < JOINT_FLIGHT) {
            after->commands[place] = run->sent_command;
        }
        joint_reduce(run->world, after);
    }
}

bool joint_step(
    const struct joint_world *world, struct joint_memo *memo, const struct joint *before,
    enum joint_event event, struct joint_step *ret_step)
{
    struct run run = {.world = world, .before = before, .event = event, .joint = *before};
    const struct joint_device *after = &run.joint.device;
    bool starts = false;

    ret_step->count = 0;
    if (!can_happen(&run)) {
        return false;
    }
    become_true(&run);
    if (event < JOINT_REPORT_0) {
        step_device(&run, memo);
    } else {
        step_core(&run, memo);
    }
    starts = !before->device.on && after->on;
    ret_step->broken = broken(&run);
    ret_step->started_by_card = starts && after->needs_card;
    ret_step->started_alone = starts && !after->needs_card;
    ret_step->refused = run.refused;
    emit(&run, ret_step);
    return true;
}

void joint_first(const struct joint_world *world, struct joint *ret_joint)
{
    struct joint_device_step step;

    memset(ret_joint, 0, sizeof *ret_joint);
    joint_device_step(world, JOINT_POWER_CUT, &ret_joint->device, NULL, &step);
    ret_joint->device = step.after;
    joint_reduce(world, ret_joint);
}
