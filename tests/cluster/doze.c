/* A process that is stopped between two of its steps, wherever that is: after it has read the
 * clock, say, and before it writes what it decided by it.
 *
 * What is left of its turn is played at once, by the clock of the moment when it goes on; it leaves
 * the process then, too, if the connection still stands and the process still lives. */
#include "tests/cluster/world.h"

#define CALLS_MOST 80 /* of a turn of its loop, to what is around it */

int64_t node_time(const struct node *node)
{
    return node->dozes_until > node->world->now ? node->dozes_until : node->world->now;
}

bool node_dozes(const struct node *node)
{
    return node->dozes_until > node->world->now;
}

void node_doze_soon(struct world *world, unsigned index, int64_t until)
{
    struct node *node = &world->nodes[index];

    node->calls_to_doze = 1 + dice_below(&world->dice, CALLS_MOST);
    node->doze_ends = until;
}

void node_stay_awake(struct node *node)
{
    node->calls_to_doze = 0;
}

void node_calls(struct node *node)
{
    struct world *world = node->world;

    if (node->calls_to_doze == 0 || --node->calls_to_doze > 0 || node->is_frozen ||
        node->doze_ends <= world->now) {
        return;
    }
    node_freeze(world, node->index);
    node->dozes_until = node->doze_ends;
    world_tell(world, "%s: in mid-turn", node->id);
    world_plan(world, &node->thaws, node->dozes_until);
}
