/* Every retained topic of ours, from memory: at a take-over, 10 s after it (C12.1), after a
 * silence, and when one of them was lost.
 *
 * A fleet's are thousands. A bounded number goes out in one turn of the loop, and no more wait in
 * the outbox than leave it soon: what is decided meanwhile stands behind those alone. Commands go
 * first, and of them those of machines that are on or must stay off. Which of the two lists a
 * machine belongs to may change on the way; then its command has just gone out by itself. */
#include "controller/daemon/controller_inside.h"

#define MACHINES_A_TURN 64
/* Until it is looked at again; an acknowledgement of the broker comes sooner. */
#define FULL_PAUSE_MS 10

static bool is_urgent(const struct machine *machine)
{
    const struct core_state *core = &machine->record.core;

    return core_mode_relay(core->mode) || core->oopsed || core->locked_out;
}

static bool publish_one(struct controller *controller, const struct machine *machine)
{
    enum republish_step step = controller->republish.step;

    if (machine->config == NULL) {
        return false;
    }
    if (step == REPUBLISH_STATES) {
        publish_state(controller, machine);
        return true;
    }
    if (is_urgent(machine) != (step == REPUBLISH_URGENT)) {
        return false;
    }
    publish_command(controller, machine);
    return true;
}

/* What is said to no broker is lost, and all is said anew after the next connect. */
static bool is_under_way(const struct controller *controller)
{
    return controller->republish.step != REPUBLISH_NOTHING && controller->connected;
}

static void finish(struct controller *controller)
{
    controller->republish.step = REPUBLISH_NOTHING;
    block_keeping_publish(controller);
    discovery_publish_everything(controller);
}

/* Where a fleet fits into one turn, all of it goes out at once. */
void republish_tick(struct controller *controller)
{
    struct republish *republish = &controller->republish;
    size_t left = MACHINES_A_TURN;

    if (!is_under_way(controller) || broker_is_behind(controller)) {
        return;
    }
    while (republish->step != REPUBLISH_NOTHING && left > 0) {
        if (republish->next < fleet_count(controller->fleet)) {
            left -= publish_one(controller, fleet_at(controller->fleet, republish->next++));
        } else if (republish->step == REPUBLISH_STATES) {
            finish(controller);
        } else {
            republish->step++;
            republish->next = 0;
        }
    }
}

/* One that is under way begins again: what it has published may be of an older epoch. */
void publish_everything(struct controller *controller)
{
    controller->republish = (struct republish){.step = REPUBLISH_URGENT};
    publish_status(controller, "running"); /* whoever led stands down the sooner */
    republish_tick(controller);
}

struct mono_time republish_deadline(const struct controller *controller)
{
    if (!is_under_way(controller)) {
        return (struct mono_time){0};
    }
    return (struct mono_time){
        controller->now.mono.ms + (broker_is_behind(controller) ? FULL_PAUSE_MS : 0)};
}
