#include "controller/daemon/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/text.h"

/* Where a name is found: the numbers of all machines, by the hashes of their names, in a table with
 * open addressing that is never over half full. Each report looks here first, and a large fleet is
 * in no cache: so it is small, and a name is looked at only where its whole hash is right. */
struct slot {
    uint32_t hash;
    uint32_t number; /* of the machine, from 1 on; 0: free */
};

struct fleet {
    struct slot *slots;
    size_t slot_count; /* a power of 2; 0 for none yet */
    struct machine **machines;
    size_t count;
    size_t room;
    struct heap deadlines;
};

enum status fleet_new(struct fleet **ret_fleet)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);

    if (fleet == NULL) {
        return STATUS_NO_MEMORY;
    }
    *ret_fleet = fleet;
    return STATUS_OK;
}

static void free_waiting(struct machine *machine)
{
    while (machine->waiting_first != NULL) {
        struct waiting_report *next = machine->waiting_first->next;
        free(machine->waiting_first);
        machine->waiting_first = next;
    }
}

void fleet_free(struct fleet *fleet)
{
    if (fleet == NULL) {
        return;
    }
    for (size_t i = 0; i < fleet->count; i++) {
        struct machine *machine = fleet->machines[i];
        free_waiting(machine);
        machine_record_clear(&machine->record);
        shown_clear(&machine->shown);
        free(machine);
    }
    heap_free(&fleet->deadlines);
    free(fleet->machines);
    free(fleet->slots);
    free(fleet);
}

void shown_clear(struct shown *shown)
{
    machine_record_note(&shown->oops_by, NULL);
    machine_record_note(&shown->lockout_by, NULL);
    machine_record_note(&shown->lockout_reason, NULL);
    *shown = (struct shown){0};
}

size_t fleet_count(const struct fleet *fleet)
{
    return fleet->count;
}

struct machine *fleet_at(const struct fleet *fleet, size_t index)
{
    return fleet->machines[index];
}

/* FNV-1a. */
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 0x811c9dc5;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 0x01000193;
    }
    return hash;
}

/* The slot with that name, or the free one where it belongs. There must be a table. */
static struct slot *find_slot(const struct fleet *fleet, const char *name, uint32_t hash)
{
    size_t mask = fleet->slot_count - 1;
    size_t at = hash & mask;

    while (fleet->slots[at].number != 0 &&
           (fleet->slots[at].hash != hash ||
            strcmp(fleet->machines[fleet->slots[at].number - 1]->record.machine, name) != 0)) {
        at = (at + 1) & mask;
    }
    return &fleet->slots[at];
}

struct machine *fleet_find(const struct fleet *fleet, const char *name)
{
    const struct slot *slot;

    if (fleet->slot_count == 0) {
        return NULL;
    }
    slot = find_slot(fleet, name, hash_of(name));
    return slot->number == 0 ? NULL : fleet->machines[slot->number - 1];
}

/* All names are different, and no slot is ever freed. */
static void move_slots(const struct fleet *fleet, struct slot *slots, size_t slot_count)
{
    for (size_t i = 0; i < fleet->slot_count; i++) {
        size_t at = fleet->slots[i].hash & (slot_count - 1);

        if (fleet->slots[i].number == 0) {
            continue;
        }
        while (slots[at].number != 0) {
            at = (at + 1) & (slot_count - 1);
        }
        slots[at] = fleet->slots[i];
    }
}

static enum status make_slots(struct fleet *fleet)
{
    size_t slot_count = fleet->slot_count == 0 ? 32 : fleet->slot_count * 2;
    struct slot *slots;

    if (fleet->count < fleet->slot_count / 2) {
        return STATUS_OK;
    }
    slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL) {
        return STATUS_NO_MEMORY;
    }
    move_slots(fleet, slots, slot_count);
    free(fleet->slots);
    fleet->slots = slots;
    fleet->slot_count = slot_count;
    return STATUS_OK;
}

static enum status make_room(struct fleet *fleet)
{
    size_t room = fleet->room == 0 ? 16 : fleet->room * 2;
    struct machine **machines;

    if (fleet->count < fleet->room) {
        return STATUS_OK;
    }
    if (fleet->count >= UINT32_MAX / 4 || heap_reserve(&fleet->deadlines, room) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    machines = realloc(fleet->machines, room * sizeof(struct machine *));
    if (machines == NULL) {
        return STATUS_NO_MEMORY;
    }
    fleet->machines = machines;
    fleet->room = room;
    return STATUS_OK;
}

enum status fleet_add(struct fleet *fleet, const char *name, struct machine **ret_machine)
{
    struct machine *machine = fleet_find(fleet, name);
    uint32_t hash = hash_of(name);

    if (machine != NULL) {
        *ret_machine = machine;
        return STATUS_OK;
    }
    machine = calloc(1, sizeof *machine);
    if (machine == NULL || make_room(fleet) != STATUS_OK || make_slots(fleet) != STATUS_OK) {
        free(machine);
        return STATUS_NO_MEMORY;
    }
    text_copy(machine->record.machine, sizeof machine->record.machine, name);
    core_state_init(&machine->record.core);
    history_init(&machine->history);
    machine->deadline.owner = machine;
    machine->index = fleet->count;
    fleet->machines[fleet->count++] = machine;
    *find_slot(fleet, name, hash) = (struct slot){hash, (uint32_t)fleet->count};
    *ret_machine = machine;
    return STATUS_OK;
}

void fleet_reset(struct machine *machine)
{
    struct record fresh = {0};

    text_copy(fresh.machine, sizeof fresh.machine, machine->record.machine);
    core_state_init(&fresh.core);
    fresh.core.version = machine->record.core.version;
    machine_record_take(&machine->record, &fresh);
    machine->forgotten = true;
    machine->raw_card[0] = '\0';
    machine->unknown_card[0] = '\0';
    machine->telemetry = (struct telemetry){0};
    history_init(&machine->history);
    machine->loaded = fresh.core.version;
    machine->loaded_oops = false;
    machine->loaded_lockout = false;
    shown_clear(&machine->shown);
}

struct heap *fleet_deadlines(struct fleet *fleet)
{
    return &fleet->deadlines;
}
