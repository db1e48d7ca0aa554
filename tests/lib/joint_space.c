/* All states that can be reached, breadth first, so that what breaks a property is told in the
 * fewest steps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/joint_step.h"

#define NOBODY UINT32_MAX
#define ROOM_MIN ((size_t)1 << 16)

/* A state's place in the table: most that are not it differ in the tag, and are not looked at. */
struct slot {
    uint32_t number; /* its index + 1; 0 for a free slot */
    uint32_t tag;
};

/* In the order in which they were found, each with how it was found. */
struct space {
    struct joint *states;
    uint32_t *parents;
    uint8_t *events;
    struct slot *slots;
    size_t count;
    size_t room;
};

static uint64_t hash(const struct joint *joint)
{
    uint64_t words[(sizeof *joint + 7) / 8] = {0};
    uint64_t value = 0;

    memcpy(words, joint, sizeof *joint);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        value = (value ^ words[i]) * 0x9E3779B97F4A7C15u;
        value ^= value >> 29;
    }
    return value;
}

static struct slot *find(const struct space *space, const struct joint *joint, uint64_t value)
{
    size_t mask = space->room * 2 - 1;
    size_t place = (size_t)value & mask;
    uint32_t tag = (uint32_t)(value >> 32);

    for (;;) {
        struct slot *slot = &space->slots[place];

        if (slot->number == 0 ||
            (slot->tag == tag &&
             memcmp(&space->states[slot->number - 1], joint, sizeof *joint) == 0)) {
            slot->tag = tag;
            return slot;
        }
        place = (place + 1) & mask;
    }
}

static void *resize(void *memory, size_t count, size_t size)
{
    void *resized = reallocarray(memory, count, size);

    if (resized == NULL) {
        abort();
    }
    return resized;
}

static void grow(struct space *space)
{
    space->room = space->room == 0 ? ROOM_MIN : space->room * 2;
    space->states = resize(space->states, space->room, sizeof *space->states);
    space->parents = resize(space->parents, space->room, sizeof *space->parents);
    space->events = resize(space->events, space->room, sizeof *space->events);
    space->slots = resize(space->slots, space->room * 2, sizeof *space->slots);
    memset(space->slots, 0, space->room * 2 * sizeof *space->slots);
    for (size_t i = 0; i < space->count; i++) {
        const struct joint *joint = &space->states[i];

        find(space, joint, hash(joint))->number = (uint32_t)i + 1;
    }
}

static void add(struct space *space, const struct joint *joint, uint32_t parent, uint8_t event)
{
    struct slot *slot = NULL;

    if (space->count == space->room) {
        grow(space);
    }
    slot = find(space, joint, hash(joint));
    if (slot->number != 0) {
        return;
    }
    space->states[space->count] = *joint;
    space->parents[space->count] = parent;
    space->events[space->count] = event;
    slot->number = (uint32_t)++space->count;
}

static void print_path(const struct space *space, uint32_t index)
{
    if (space->parents[index] != NOBODY) {
        print_path(space, space->parents[index]);
        printf("  %s\n", joint_event_text((enum joint_event)space->events[index]));
    }
    joint_print(&space->states[index]);
}

static void take_findings(const struct joint_step *step, struct joint_findings *findings)
{
    findings->steps++;
    findings->started_by_card += step->started_by_card;
    findings->started_alone += step->started_alone;
    findings->refused += step->refused;
    findings->broken = step->broken;
}

static void follow(
    const struct joint_world *world, struct joint_memo *memo, struct space *space, uint32_t index,
    bool tell, struct joint_findings *findings)
{
    struct joint before = space->states[index];
    struct joint_step step;

    for (unsigned event = 0; event < JOINT_EVENT_COUNT && findings->broken == NULL; event++) {
        if (!joint_step(world, memo, &before, (enum joint_event)event, &step)) {
            continue;
        }
        for (unsigned i = 0; i < step.count; i++) {
            add(space, &step.after[i], index, (uint8_t)event);
        }
        take_findings(&step, findings);
        if (findings->broken != NULL && tell) {
            printf("broken: %s\n", findings->broken);
            print_path(space, index);
            printf("  %s\n", joint_event_text((enum joint_event)event));
            joint_print(&step.after[0]);
        }
    }
}

void joint_explore(const struct joint_world *world, bool tell, struct joint_findings *ret_findings)
{
    struct joint_memo *memo = joint_memo_new(world);
    struct space space = {.states = NULL};
    struct joint first;

    memset(ret_findings, 0, sizeof *ret_findings);
    joint_first(world, &first);
    add(&space, &first, NOBODY, 0);
    for (uint32_t i = 0; i < space.count && ret_findings->broken == NULL; i++) {
        follow(world, memo, &space, i, tell, ret_findings);
    }
    ret_findings->states = space.count;
    joint_memo_free(memo);
    free(space.states);
    free(space.parents);
    free(space.events);
    free(space.slots);
}
