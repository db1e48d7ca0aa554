/* What another leader told that the present one does not come from (C12).
 *
 * Where one leader follows another, it goes on from all that the last one told, and `rev` grows on.
 * But two may lead at once for a moment, one of them asleep, or cut off from Redis or the broker:
 * then both go on from the same past. The newer epoch wins (C9.4), yet an oops or a lockout that
 * the other one has shown must not be lost with the rest. The revs tell: a copy of an older epoch
 * whose rev is not below that of the newest copy is not part of its past. What is set in such a
 * copy is taken over; nothing is ever cleared for one.
 *
 * A leader goes on hearing `state` for a while after it has opened the shop or come back to the
 * broker: for such copies, and because a newer epoch in one tells that it was replaced. */
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "persistence/record.h"

#define STATES_HEARD_MS LEASE_MS

/* ---- copies ---- */

/* Of two with the same rev the older epoch says more: the newer one may come from it. */
static bool says_more(struct version one, struct version other)
{
    return other.epoch == 0 || one.rev > other.rev ||
           (one.rev == other.rev && one.epoch < other.epoch);
}

void beside_note(struct shown *shown, const struct record *record)
{
    if (!says_more(record->core.version, shown->version)) {
        return;
    }
    shown->version = record->core.version;
    shown->oopsed = record->core.oopsed;
    shown->oops_at = record->oops_at;
    shown->locked_out = record->core.locked_out;
    shown->lockout_at = record->lockout_at;
    machine_record_note(&shown->oops_by, record->oops_by);
    machine_record_note(&shown->lockout_by, record->lockout_by);
    machine_record_note(&shown->lockout_reason, record->lockout_reason);
}

void beside_note_own(struct machine *machine)
{
    struct record record;

    if (says_more(machine->record.core.version, machine->shown.version)) {
        machine_record_give(&machine->record, &record);
        beside_note(&machine->shown, &record);
    }
}

static void set_flags(struct machine_record *record, const struct shown *shown)
{
    if (shown->oopsed && !record->core.oopsed) {
        record->core.oopsed = true;
        record->oops_at = shown->oops_at;
        machine_record_note(&record->oops_by, shown->oops_by);
    }
    if (shown->locked_out && !record->core.locked_out) {
        record->core.locked_out = true;
        record->lockout_at = shown->lockout_at;
        machine_record_note(&record->lockout_by, shown->lockout_by);
        machine_record_note(&record->lockout_reason, shown->lockout_reason);
    }
    record_settle(&record->core);
}

void beside_settle(struct machine *machine)
{
    struct core_state *core = &machine->record.core;
    struct version shown = machine->shown.version;

    if (shown.epoch < core->version.epoch && shown.rev >= core->version.rev) {
        set_flags(&machine->record, &machine->shown);
        core->version.rev = shown.rev; /* from now on it comes from both */
    }
    shown_clear(&machine->shown);
    machine->loaded = core->version;
    machine->loaded_oops = core->oopsed;
    machine->loaded_lockout = core->locked_out;
}

/* ---- while it leads ---- */

void beside_set(
    struct controller *controller, struct machine *machine, const struct shown *shown,
    const char *reason)
{
    struct machine_record *record = &machine->record;
    struct version *version = &record->core.version;
    bool oops = shown->oopsed && !record->core.oopsed;
    bool lockout = shown->locked_out && !record->core.locked_out;
    struct origin origin = {.source = "config", .reason = reason};
    struct core_effects effects;

    if (machine->config == NULL) {
        set_flags(record, shown);
        return;
    }
    if ((oops || lockout) && version->rev < shown->version.rev) {
        version->rev = shown->version.rev;
    }
    if (oops) {
        origin.by = shown->oops_by;
        apply_set(controller, machine, CORE_EVENT_SET_OOPS, true, &origin, &effects);
    }
    if (lockout) {
        origin.by = shown->lockout_by;
        origin.reason = shown->lockout_reason;
        apply_set(controller, machine, CORE_EVENT_SET_LOCKOUT, true, &origin, &effects);
    }
}

/* A `state` is published for every oops and lockout that comes or goes, but not for every rev: what
 * was loaded may have a lower one than the rest of its own past. */
bool beside_is_unknown(const struct machine *machine, const struct record *found)
{
    struct version version = found->core.version;

    return version.epoch < machine->record.core.version.epoch &&
           version.rev >= machine->loaded.rev &&
           ((found->core.oopsed && !machine->loaded_oops) ||
            (found->core.locked_out && !machine->loaded_lockout));
}

void beside_learn(
    struct controller *controller, struct machine *machine, struct shown *shown, const char *reason)
{
    if (version_compare(shown->version, machine->loaded) > 0) {
        machine->loaded = shown->version;
    }
    machine->loaded.rev = shown->version.rev;
    shown->oopsed &= !machine->loaded_oops;
    shown->locked_out &= !machine->loaded_lockout;
    machine->loaded_oops |= shown->oopsed;
    machine->loaded_lockout |= shown->locked_out;
    beside_set(controller, machine, shown, reason);
}

/* In a silence it only waits. */
static void act(struct controller *controller)
{
    if (!controller->beside_waits || !is_at_work(controller)) {
        return;
    }
    controller->beside_waits = false;
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        struct shown shown = machine->shown;

        if (shown.version.epoch != 0) {
            machine->shown = (struct shown){0};
            beside_learn(controller, machine, &shown, "shown by another controller");
            shown_clear(&shown);
        }
    }
}

void beside_hear(struct controller *controller, struct machine *machine, const struct record *found)
{
    if (beside_is_unknown(machine, found)) {
        beside_note(&machine->shown, found);
        controller->beside_waits = true;
        act(controller);
    }
}

void beside_listen(struct controller *controller)
{
    controller->states_until.ms = controller->now.mono.ms + STATES_HEARD_MS;
}

static bool is_due(const struct controller *controller)
{
    return controller->states_until.ms != 0 && is_at_work(controller);
}

void beside_tick(struct controller *controller)
{
    act(controller);
    if (is_due(controller) && controller->now.mono.ms >= controller->states_until.ms) {
        controller->states_until = (struct mono_time){0};
        unsubscribe_retained(controller);
    }
}

struct mono_time beside_deadline(const struct controller *controller)
{
    return is_due(controller) ? controller->states_until : (struct mono_time){0};
}
