#include "controller/watcher/turn.h"

#include "controller/support/text.h"

static bool is_late(const struct watched *machine, const struct heard_event *event)
{
    bool knows_both = machine->epoch != 0 && event->epoch != 0;

    if (knows_both && event->epoch != machine->epoch) {
        return event->epoch < machine->epoch &&
               event->at.ms <= machine->event_at.ms + TURN_CLOCKS_APART_MS;
    }
    return event->n <= machine->n && event->at.ms <= machine->event_at.ms;
}

enum turn turn_of(const struct watched *machine, const struct heard_event *event)
{
    if (event->n == 0 || machine->n == 0) {
        return TURN_NEXT;
    }
    if (is_late(machine, event)) {
        return TURN_LATE;
    }
    if (event->n <= machine->n) {
        return TURN_ANEW;
    }
    return event->n == machine->n + 1 ? TURN_NEXT : TURN_GAP;
}

void turn_take(struct watched *machine, const struct heard_event *event)
{
    if (event->n != 0) {
        machine->n = event->n;
        machine->epoch = event->epoch;
        machine->event_at = event->at;
    }
    text_copy(machine->display_name, sizeof machine->display_name, event->display_name);
}
