#include "tests/cluster/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/log.h"

void *cluster_memory(void *memory)
{
    if (memory == NULL) {
        fputs("tagout-cluster: no memory\n", stderr);
        abort();
    }
    return memory;
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world_has_failed(world)) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(world->failure, sizeof world->failure, format, arguments);
    va_end(arguments);
    world->failed_at = world->step;
}

bool world_has_failed(const struct world *world)
{
    return world->failure[0] != '\0';
}

void world_tell(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->step < world->trace_from) {
        return;
    }
    printf("%8llu %10.3f  ", (unsigned long long)world->step, (double)world->now / (double)SECOND);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
}

/* ---- time ---- */

void world_plan(struct world *world, struct due *due, int64_t at)
{
    if (world->dues.count + 1 > world->due_room) {
        world->due_room = world->due_room == 0 ? 256 : 2 * world->due_room;
        if (heap_reserve(&world->dues, world->due_room) != STATUS_OK) {
            (void)cluster_memory(NULL);
        }
    }
    due->item.owner = due;
    heap_set(&world->dues, &due->item, (struct mono_time){at > world->now ? at : world->now});
}

bool due_is_planned(const struct due *due)
{
    return due->item.place != 0;
}

void world_plan_by(struct world *world, struct due *due, int64_t at)
{
    if (!due_is_planned(due) || due->item.at.ms > at) {
        world_plan(world, due, at);
    }
}

void world_cancel(struct world *world, struct due *due)
{
    if (due_is_planned(due)) {
        heap_set(&world->dues, &due->item, (struct mono_time){0});
    }
}

/* Mostly a local network; sometimes one that dawdles, now and then for so long that somebody counts
 * as cut off. */
int64_t world_delay(struct world *world)
{
    if (world->delays > 0 && dice_percent(&world->dice, world->delays)) {
        return dice_percent(&world->dice, 10) ? dice_between(&world->dice, 1, 3 * SECOND)
                                              : dice_between(&world->dice, 1, 300 * MS);
    }
    return dice_between(&world->dice, 100, 3 * MS);
}

/* ---- the whole ---- */

struct world *world_new(const char *folder, uint64_t seed, unsigned node_count, enum plant plant)
{
    struct world *world = cluster_memory(calloc(1, sizeof *world));

    world->seed = seed;
    world->plant = plant;
    world->node_count = node_count;
    world->trace_from = UINT64_MAX;
    world->now = SECOND;
    dice_seed(&world->dice, seed);
    cluster_log_to(world);
    redis_init(world);
    for (unsigned i = 0; i < CLIENTS; i++) {
        wire_init(world, i);
    }
    for (unsigned i = 0; i < node_count; i++) {
        node_init(world, i, folder);
    }
    for (unsigned i = 0; i < BOXES; i++) {
        box_init(world, i);
    }
    world->broker.returns.happen = broker_return;
    people_init(world);
    faults_init(world);
    return world;
}

/* Parcels and requests that travel are nobody else's. */
static void drop_dues(struct world *world)
{
    struct heap_item *item;

    while ((item = heap_first(&world->dues)) != NULL) {
        struct due *due = item->owner;
        world_cancel(world, due);
        (void)(wire_forget(due) || redis_forget(due));
    }
}

void world_free(struct world *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        node_kill(world, i);
        redis_link_close(world, i); /* a dead one's, too: Redis may hold what it asked last */
    }
    drop_dues(world);
    for (unsigned i = 0; i < CLIENTS; i++) {
        wire_free(&world->wires[i]);
    }
    redis_free(world);
    broker_free(&world->broker);
    heap_free(&world->dues);
    cluster_log_to(NULL);
    free(world);
}

bool world_run(struct world *world, uint64_t steps)
{
    uint64_t end = world->step + steps;

    while (world->step < end && !world_has_failed(world)) {
        struct heap_item *item = heap_first(&world->dues);
        struct due *due = item->owner;

        world->now = item->at.ms;
        world_cancel(world, due);
        due->happen(world, due);
    }
    return !world_has_failed(world);
}
