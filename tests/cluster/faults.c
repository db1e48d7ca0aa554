/* What breaks, and when all is calm.
 *
 * In the calm one controller, at least, is sound, and so are Redis, the broker and all boxes; the
 * other controllers may stay dead, asleep or cut off. Then every machine must have its answer
 * within ten seconds. */
#include "tests/cluster/world.h"

/* Ten seconds to take over, ten more till all is said a second time (C12.1), and some. */
#define CALM (22 * SECOND)

enum fault {
    FAULT_KILL,
    FAULT_STOP,
    FAULT_FREEZE,
    FAULT_CUT_FROM_BROKER,
    FAULT_CUT_FROM_REDIS,
    FAULT_REDIS_FREEZES,
    FAULT_REDIS_DIES,
    FAULT_BROKER_DIES,
    FAULT_BOX_LINK,
    FAULT_BOX_POWER,
    FAULT_CLOCK,
    FAULT_COUNT,
};

static int64_t later(struct world *world, int64_t least, int64_t most)
{
    return world->now + dice_between(&world->dice, least, most);
}

static void cut_wire(struct world *world, unsigned client, int64_t until)
{
    world_tell(
        world, "%s: cut off from the broker",
        client_is_node(client) ? world->nodes[client].id : world->boxes[client - NODES_MAX].name);
    wire_cut(world, client);
    world_plan(world, &world->wire_heals[client], until);
}

static void cut_redis(struct world *world, unsigned node, int64_t until)
{
    world_tell(world, "%s: cut off from Redis", world->nodes[node].id);
    redis_link_cut(world, node, true);
    world_plan(world, &world->redis_heals[node], until);
}

static void freeze(struct world *world, unsigned node, int64_t until)
{
    node_freeze(world, node);
    if (world->nodes[node].is_frozen) {
        world_plan(world, &world->nodes[node].thaws, until);
    }
}

/* Between two turns of its loop, or in the middle of one; till the calm, at most. */
static void stop_for_a_while(struct world *world, unsigned node)
{
    int64_t until = later(world, 100 * MS, 12 * SECOND);

    if (dice_percent(&world->dice, 50)) {
        freeze(world, node, until);
    } else {
        node_doze_soon(
            world, node, until < world->calm.item.at.ms ? until : world->calm.item.at.ms);
    }
}

static bool can_be_read(const struct world *world)
{
    bool can = !world->redis.is_down && !world->redis.is_frozen && !world->broker.is_down;

    for (unsigned i = 0; i < world->node_count; i++) {
        can = can && !world->nodes[i].redis.is_cut;
    }
    return can;
}

/* Nobody can remember what was lost with both copies. So one is lost only when the other one is
 * whole and can be read, and that one stays so until the first is filled again. */
static bool is_recovering(struct world *world)
{
    world->is_recovering = world->is_recovering && !check_copies_are_whole(world);
    return world->is_recovering;
}

static enum memory_loss choose_loss(struct world *world)
{
    if (!dice_percent(&world->dice, 60) || !can_be_read(world) || !check_copies_are_whole(world)) {
        return LOSS_NOTHING;
    }
    world->is_recovering = true;
    return dice_percent(&world->dice, 50) ? LOSS_ALL : LOSS_SOME;
}

static void strike_node(struct world *world, enum fault fault, unsigned node)
{
    if (fault == FAULT_KILL || fault == FAULT_STOP) {
        if (fault == FAULT_KILL) {
            node_kill(world, node);
        } else {
            node_stop(world, node);
        }
        world_plan_by(world, &world->nodes[node].starts, later(world, 50 * MS, 15 * SECOND));
    } else if (fault == FAULT_FREEZE) {
        stop_for_a_while(world, node);
    } else if (fault == FAULT_CUT_FROM_BROKER) {
        cut_wire(world, node, later(world, 200 * MS, 12 * SECOND));
    } else if (fault == FAULT_CUT_FROM_REDIS && !is_recovering(world)) {
        cut_redis(world, node, later(world, 200 * MS, 25 * SECOND));
    } else if (fault == FAULT_CLOCK) {
        world->nodes[node].wall_skew_ms = dice_between(&world->dice, -3000, 3000);
    }
}

static void strike_servers(struct world *world, enum fault fault)
{
    if (is_recovering(world)) {
        return;
    }
    if (fault == FAULT_REDIS_FREEZES && !world->redis.is_frozen) {
        redis_freeze(world, true);
        world_plan(world, &world->redis_thaws, later(world, 100 * MS, 10 * SECOND));
    } else if (fault == FAULT_REDIS_DIES && !world->redis.is_down) {
        redis_stop(world, choose_loss(world), later(world, 50 * MS, 12 * SECOND));
    } else if (fault == FAULT_BROKER_DIES && !world->broker.is_down) {
        broker_stop(world, choose_loss(world), later(world, 50 * MS, 5 * SECOND));
    }
}

static void strike_box(struct world *world, enum fault fault, unsigned index)
{
    struct box *box = &world->boxes[index];

    if (fault == FAULT_BOX_LINK) {
        cut_wire(world, NODES_MAX + index, later(world, 200 * MS, 40 * SECOND));
    } else if (fault == FAULT_BOX_POWER && box->runs) {
        box_power_off(world, box);
        world_plan(world, &box->boots_at, later(world, 200 * MS, 15 * SECOND));
    }
}

static void begin_chaos(struct world *world)
{
    world->is_calm = false;
    world_tell(world, "---- the calm is over");
    world->delays = dice_percent(&world->dice, 70) ? 1 + dice_below(&world->dice, 20) : 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        wire_heal(world, i);
        redis_link_cut(world, i, false);
        node_thaw(world, i);
        world_plan_by(world, &world->nodes[i].starts, later(world, 0, 5 * SECOND));
    }
    world_plan(world, &world->calm, later(world, 10 * SECOND, 60 * SECOND));
}

static void strike(struct world *world, struct due *due)
{
    enum fault fault = (enum fault)dice_below(&world->dice, FAULT_COUNT);

    if (world->is_calm) {
        begin_chaos(world);
    }
    world_plan(world, due, later(world, 200 * MS, 6 * SECOND));
    world->tally.faults++;
    if (dice_percent(&world->dice, 10)) {
        redis_keep_snapshot(world);
    }
    if (dice_percent(&world->dice, 10)) {
        broker_keep_copy(world);
    }
    strike_node(world, fault, dice_below(&world->dice, world->node_count));
    strike_servers(world, fault);
    strike_box(world, fault, dice_below(&world->dice, BOXES));
}

/* ---- the calm ---- */

static void heal_node(struct world *world, unsigned node)
{
    node_stay_awake(&world->nodes[node]);
    node_thaw(world, node);
    wire_heal(world, node);
    redis_link_cut(world, node, false);
    node_start(world, node);
}

/* Stays as it is, until the calm is over. */
static void leave_broken(struct world *world, unsigned node)
{
    switch (dice_below(&world->dice, 4)) {
    case 0:
        node_kill(world, node);
        world_cancel(world, &world->nodes[node].starts);
        break;
    case 1:
        node_freeze(world, node);
        world_cancel(world, &world->nodes[node].thaws);
        break;
    case 2:
        world_tell(world, "%s: cut off from the broker", world->nodes[node].id);
        wire_cut(world, node);
        world_cancel(world, &world->wire_heals[node]);
        break;
    default:
        world_tell(world, "%s: cut off from Redis", world->nodes[node].id);
        redis_link_cut(world, node, true);
        world_cancel(world, &world->redis_heals[node]);
        break;
    }
}

static void heal_servers(struct world *world)
{
    if (world->redis.is_frozen) {
        redis_freeze(world, false);
        world_cancel(world, &world->redis_thaws);
    }
    if (world->redis.is_down) {
        world->redis.returns.happen(world, &world->redis.returns);
        world_cancel(world, &world->redis.returns);
    }
    if (world->broker.is_down) {
        world->broker.returns.happen(world, &world->broker.returns);
        world_cancel(world, &world->broker.returns);
    }
}

static void begin_calm(struct world *world, struct due *due)
{
    (void)due;
    world->is_calm = true;
    world->calm_since = world->now;
    world->delays = 0;
    world->survivor = dice_below(&world->dice, world->node_count);
    world->tally.calms++;
    world_tell(world, "---- all is calm; %s is sound", world->nodes[world->survivor].id);
    heal_servers(world);
    for (unsigned i = 0; i < world->node_count; i++) {
        heal_node(world, i);
        if (i != world->survivor && dice_percent(&world->dice, 60)) {
            leave_broken(world, i);
        }
    }
    for (unsigned i = 0; i < BOXES; i++) {
        struct box *box = &world->boxes[i];
        wire_heal(world, NODES_MAX + i);
        box->truth.calm_seq = 0;
        box->truth.answered = false;
        if (!box->runs) {
            world_plan_by(world, &box->boots_at, world->now);
        }
    }
    world->is_answered = false;
    world_plan(world, &world->verdict, world->now + ANSWER_WITHIN);
    world_plan(world, &world->fault, world->now + CALM);
}

static void give_verdict(struct world *world, struct due *due)
{
    if (world->is_answered) {
        check_settled(world);
    } else {
        check_answered(world);
        world->is_answered = true;
        world_plan(world, due, world->calm_since + CALM - MS);
    }
}

static void on_wire_heal(struct world *world, struct due *due)
{
    wire_heal(world, (unsigned)(due - world->wire_heals));
}

static void on_redis_heal(struct world *world, struct due *due)
{
    redis_link_cut(world, (unsigned)(due - world->redis_heals), false);
}

static void on_redis_thaw(struct world *world, struct due *due)
{
    (void)due;
    redis_freeze(world, false);
}

void faults_init(struct world *world)
{
    world->fault.happen = strike;
    world->calm.happen = begin_calm;
    world->verdict.happen = give_verdict;
    world->redis_thaws.happen = on_redis_thaw;
    for (unsigned i = 0; i < CLIENTS; i++) {
        world->wire_heals[i].happen = on_wire_heal;
    }
    for (unsigned i = 0; i < NODES_MAX; i++) {
        world->redis_heals[i].happen = on_redis_heal;
    }
    world->delays = 5;
    world_plan(world, &world->fault, world->now + 20 * SECOND);
    world_plan(world, &world->calm, world->now + 60 * SECOND);
}
