/* Saves: one in flight a machine, the newest state next (C9.2). */
#include <stdlib.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

/* A catch-up goes out in bounded batches, without a stall in the loop. */
#define IN_FLIGHT_MAX 256
#define REFUSED_PAUSE_MS 1000
#define REFUSED_LOG_MS 60000

void saves_free(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        save_answers_drop(fleet_at(controller->fleet, i));
    }
    free(controller->saves.budgets.items);
    controller->saves = (struct saves){0};
}

void saves_drop(struct controller *controller)
{
    controller->saves.budgets.count = 0;
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        save_answers_drop(machine);
        machine->save_late = false;
    }
}

static void want(struct controller *controller, struct machine *machine)
{
    struct saves *saves = &controller->saves;

    if (machine->save_wanted || machine->forgotten) {
        return;
    }
    machine->save_wanted = true;
    machine->save_next = NULL;
    if (saves->wanted_last != NULL) {
        saves->wanted_last->save_next = machine;
    } else {
        saves->wanted_first = machine;
    }
    saves->wanted_last = machine;
}

static struct machine *next_wanted(struct saves *saves)
{
    struct machine *machine = saves->wanted_first;

    saves->wanted_first = machine->save_next;
    if (saves->wanted_first == NULL) {
        saves->wanted_last = NULL;
    }
    machine->save_next = NULL;
    machine->save_wanted = false;
    return machine;
}

static enum status send(struct controller *controller, struct machine *machine)
{
    struct store *store = controller->ports.store;
    struct record record;

    machine_record_give(&machine->record, &record);
    return store->operations->save(store, &record, machine->index);
}

/* Sends what is wanted, as far as the limits let it. A machine whose save is under way is put back
 * by the answer to that save, one that Redis has not told of yet by saves_release: Redis may hold
 * an oops or a lockout that nobody here knows. */
static void pump(struct controller *controller)
{
    struct saves *saves = &controller->saves;
    struct store *store = controller->ports.store;

    if (controller->phase != PHASE_READY || !controller->lease.is_kept ||
        !store->operations->is_up(store) || controller->now.mono.ms < saves->pause_until.ms) {
        return;
    }
    while (saves->wanted_first != NULL && saves->in_flight < IN_FLIGHT_MAX) {
        struct machine *machine = next_wanted(saves);

        if (machine->save_in_flight || !machine->read || machine->forgotten) {
            continue;
        }
        if (send(controller, machine) != STATUS_OK) {
            want(controller, machine);
            saves->pause_until.ms = controller->now.mono.ms + REFUSED_PAUSE_MS;
            return;
        }
        machine->save_in_flight = true;
        machine->save_again = false;
        machine->sent = machine->record.core.version;
        machine->sent_us = microseconds(controller);
        controller->counters.saves_started++;
        saves->in_flight++;
    }
}

static void want_in_budget(struct controller *controller, struct machine *machine, bool is_change)
{
    if (!save_budgets_open(controller, machine, is_change)) {
        log_error("%s: no memory for a save's budget", machine->record.machine);
    }
    want(controller, machine);
    pump(controller);
}

void saves_want(struct controller *controller, struct machine *machine)
{
    want_in_budget(controller, machine, true);
}

void saves_follow(struct controller *controller, struct machine *machine)
{
    want_in_budget(controller, machine, false);
}

void saves_want_again(struct controller *controller, struct machine *machine)
{
    machine->save_again = machine->save_in_flight;
    want(controller, machine);
    pump(controller);
}

void saves_want_all(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        want(controller, fleet_at(controller->fleet, i));
    }
    pump(controller);
}

void saves_release(struct controller *controller, struct machine *machine)
{
    if (!machine->read) {
        machine->read = true;
        want(controller, machine);
        pump(controller);
    }
}

void saves_forget(struct controller *controller, struct machine *machine)
{
    save_answers_give(controller, machine, machine->record.core.version, false);
    machine->saved = machine->record.core.version; /* no budget is missed any more */
}

void saves_tick(struct controller *controller)
{
    save_budgets_close(controller);
    pump(controller);
}

struct mono_time saves_deadline(const struct controller *controller)
{
    const struct saves *saves = &controller->saves;
    struct mono_time deadline = save_budgets_deadline(controller);

    if (saves->wanted_first != NULL && saves->pause_until.ms > controller->now.mono.ms) {
        deadline = mono_earlier(deadline, saves->pause_until);
    }
    return deadline;
}

static void saved(struct controller *controller, struct machine *machine)
{
    controller->counters.saves++;
    if (machine->sent_us != 0) {
        histogram_add(
            &controller->counters.save_times, microseconds(controller) - machine->sent_us);
    }
    controller->saves.refused_logged = (struct mono_time){0};
    if (version_compare(machine->sent, machine->saved) > 0) {
        machine->saved = machine->sent;
    }
    save_answers_give(controller, machine, machine->saved, true);
    if (version_compare(machine->record.core.version, machine->saved) <= 0) {
        save_budgets_set_late(controller, machine, false);
    }
}

void log_refused(
    const struct controller *controller, struct mono_time *logged, const char *what,
    const char *reason)
{
    if (logged->ms == 0 || controller->now.mono.ms - logged->ms >= REFUSED_LOG_MS) {
        *logged = controller->now.mono;
        log_warning("Redis refuses to save %s: %s", what, reason);
    }
}

void saves_on_answer(
    struct controller *controller, uint64_t token, enum store_saved result, const char *reason)
{
    struct machine *machine = fleet_at(controller->fleet, (size_t)token);
    struct saves *saves = &controller->saves;

    save_budgets_close(controller); /* an answer that comes too late comes too late */
    machine->save_in_flight = false;
    saves->in_flight--;
    if (controller->phase != PHASE_READY) {
        return; /* it stood down since: all is saved again if it leads again */
    }
    switch (result) {
    case STORE_SAVE_DONE:
        saved(controller, machine);
        break;
    case STORE_SAVE_STALE_EPOCH:
        lead_deposed(controller, reason);
        return;
    case STORE_SAVE_STALE_VERSION:
        /* Redis knows something newer, from before it was out of reach: learn it, then save. */
        if (strangers_heard(&controller->store_troubles, "newer", controller->now)) {
            log_warning("%s: Redis holds a newer version; reading it", machine->record.machine);
        }
        controller->load_wanted = true;
        start_load_if_wanted(controller);
        want(controller, machine);
        saves->pause_until.ms = controller->now.mono.ms + REFUSED_PAUSE_MS;
        break;
    case STORE_SAVE_REFUSED:
        controller->counters.saves_refused++;
        log_refused(controller, &saves->refused_logged, "states", reason);
        saves->pause_until.ms = controller->now.mono.ms + REFUSED_PAUSE_MS;
        want(controller, machine);
        break;
    case STORE_SAVE_LOST:
        controller->counters.saves_lost++;
        want(controller, machine);
        break;
    }
    if (machine->save_again || version_compare(machine->record.core.version, machine->saved) > 0) {
        want(controller, machine);
    }
    pump(controller);
}

void saves_stop(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        save_answers_give(controller, machine, machine->record.core.version, false);
    }
}
