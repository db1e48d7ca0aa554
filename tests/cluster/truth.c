/* What must hold of a box, by what is true and not by what it remembers: the properties that
 * tests/lib/joint.h explores for one controller, and that no take-over flips a relay. */
#include <string.h>

#include "tests/cluster/world.h"

void truth_end_session(struct box *box)
{
    box->truth.in_session = false;
}

static const char *broken_start(
    const struct world *world, const struct box *box, const struct device_event *event,
    const struct device *before)
{
    const struct truth *truth = &box->truth;
    const struct device_relay *was = &before->relays[0];
    bool needs_card = box->device.relays[0].needs_card;
    bool starts = box->outputs.relay[0] && !was->on;

    if (box->outputs.relay[0] && needs_card && !truth->inserted) {
        return "on without a card put in since the last boot, press and card-out";
    }
    if (starts && needs_card && box->card == CARD_STRANGER) {
        return "a stranger's card starts it";
    }
    if (starts && needs_card &&
        world->now - truth->inserted_at > (box->config.on_window_ms + 1) * MS) {
        return "it goes on later than on_window_s after the insertion";
    }
    if (starts && !needs_card &&
        (event->type != DEVICE_EVENT_TICK || was->start_ms == DEVICE_NEVER)) {
        return "it starts by itself without a delay";
    }
    return NULL;
}

/* C7.2: every "off" with oops or lockout is obeyed, one that the broker remembers of old, too. */
static bool is_old_stop(const struct device_event *event, const struct device *before)
{
    const struct device_command *command = &event->command;
    bool is_old = command->version.epoch < before->applied.epoch ||
                  (command->version.epoch == before->applied.epoch &&
                   command->version.rev < before->applied.rev);

    return event->type == DEVICE_EVENT_COMMAND && (command->oops_led || command->lockout) && is_old;
}

static const char *broken(
    const struct world *world, const struct box *box, const struct device_event *event,
    const struct device *before)
{
    const struct truth *truth = &box->truth;
    const char *start = broken_start(world, box, event, before);

    if (start != NULL) {
        return start;
    }
    if (box->outputs.relay[0] && truth->stopped) {
        return "on after a press that nobody has cleared";
    }
    if (event->type == DEVICE_EVENT_BUTTON_DOWN && !box->device.keep.press) {
        return "a press is not latched";
    }
    if (!box->outputs.relay[0] && truth->in_session && !is_old_stop(event, before)) {
        return "a relay that nobody switched off goes off";
    }
    if (box->outputs.relay[1]) {
        return "the second relay is on, and there is none";
    }
    return NULL;
}

void truth_check(
    struct world *world, struct box *box, const struct device_event *event,
    const struct device *before)
{
    const char *what = broken(world, box, event, before);

    if (what != NULL) {
        world_fail(world, "%s: %s", box->name, what);
    }
    if (box->outputs.relay[0] && !before->relays[0].on) {
        world_tell(world, "%s: ON", box->name);
        world->tally.starts++;
        box->truth.in_session =
            box->truth.asked_at == 0 || world->now - box->truth.asked_at > ASKED_FOR;
    } else if (!box->outputs.relay[0] && before->relays[0].on) {
        world_tell(world, "%s: OFF", box->name);
        truth_end_session(box);
    }
}
