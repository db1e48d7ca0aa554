#include "controller/daemon/fleet.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "controller/support/text.h"

struct entry {
    UT_hash_handle hh;
    struct machine machine;
};

struct fleet {
    struct entry *by_name;
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
    struct entry *entry;
    struct entry *next;

    if (fleet == NULL) {
        return;
    }
    HASH_ITER(hh, fleet->by_name, entry, next)
    {
        HASH_DEL(fleet->by_name, entry);
        free_waiting(&entry->machine);
        machine_record_clear(&entry->machine.record);
        free(entry);
    }
    heap_free(&fleet->deadlines);
    free(fleet->machines);
    free(fleet);
}

size_t fleet_count(const struct fleet *fleet)
{
    return fleet->count;
}

struct machine *fleet_at(const struct fleet *fleet, size_t index)
{
    return fleet->machines[index];
}

struct machine *fleet_find(const struct fleet *fleet, const char *name)
{
    struct entry *entry;

    HASH_FIND_STR(fleet->by_name, name, entry);
    return entry == NULL ? NULL : &entry->machine;
}

static enum status make_room(struct fleet *fleet)
{
    size_t room = fleet->room == 0 ? 16 : fleet->room * 2;
    struct machine **machines;

    if (fleet->count < fleet->room) {
        return STATUS_OK;
    }
    if (heap_reserve(&fleet->deadlines, room) != STATUS_OK) {
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
    struct entry *entry;

    if (machine != NULL) {
        *ret_machine = machine;
        return STATUS_OK;
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL || make_room(fleet) != STATUS_OK) {
        free(entry);
        return STATUS_NO_MEMORY;
    }
    machine = &entry->machine;
    text_copy(machine->record.machine, sizeof machine->record.machine, name);
    core_state_init(&machine->record.core);
    history_init(&machine->history);
    machine->deadline.owner = machine;
    machine->index = fleet->count;
    fleet->machines[fleet->count++] = machine;
    HASH_ADD_STR(fleet->by_name, machine.record.machine, entry);
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
}

struct heap *fleet_deadlines(struct fleet *fleet)
{
    return &fleet->deadlines;
}
