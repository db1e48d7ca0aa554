/* A controller's connection to Redis: what it is told of it, and how it breaks. */
#include <stdlib.h>

#include "tests/cluster/world.h"

/* ---- answers ---- */

static void answer_load(struct redis_link *link, const struct request *request)
{
    for (unsigned i = 0; !request->has_failed && i < BOXES; i++) {
        if (request->found[i]) {
            link->events.on_record(link->events.context, &request->records[i]);
        }
    }
    link->events.on_loaded(link->events.context, !request->has_failed);
}

static void answer(struct redis_link *link, struct request *request)
{
    static const char lost[] = "the connection broke before the answer";
    const struct store_events *events = &link->events;
    bool ok = !request->has_failed;

    switch (request->kind) {
    case ASK_LOAD:
        answer_load(link, request);
        break;
    case ASK_LEASE:
        if (!ok) {
            request->lease = (struct store_lease_answer){.lease = STORE_LEASE_ERROR};
        }
        events->on_lease(events->context, &request->lease);
        break;
    case ASK_CARD_KEY:
        events->on_card_key(events->context, ok, ok ? request->text : NULL);
        break;
    case ASK_SAVE:
        events->on_saved(
            events->context, request->token, ok ? request->saved : STORE_SAVE_LOST, ok ? "" : lost);
        break;
    case ASK_LOAD_BLOCKS:
        events->on_blocks(events->context, ok, ok ? request->document : NULL);
        break;
    case ASK_SAVE_BLOCKS:
        events->on_blocks_saved(
            events->context, ok ? request->saved : STORE_SAVE_LOST, ok ? "" : lost);
        break;
    case ASK_RELEASE:
    case ASK_FORGET:
    case ASK_KINDS:
        break;
    }
}

static bool tell_news(struct redis_link *link)
{
    enum redis_news news = link->news[0];

    link->news[0] = link->news[1];
    link->news[1] = NEWS_NOTHING;
    if (news == NEWS_UP) {
        link->told_up = true;
        link->events.on_up(link->events.context);
    } else if (news == NEWS_DOWN) {
        link->told_up = false;
        link->events.on_down(link->events.context, STORE_AWAY, "the connection broke");
    }
    return news != NEWS_NOTHING;
}

/* What was asked of a connection that broke fails first, and only then the next one is told of. */
bool redis_link_turn(struct world *world, unsigned node)
{
    struct redis_link *link = &world->nodes[node].redis;
    struct request *first = link->asked;
    bool is_over = first != NULL && first->has_failed && !link->told_up;

    if (!is_over && (first == NULL || !first->is_answered) && link->news[0] == NEWS_NOTHING) {
        return false;
    }
    world->step++;
    if (first != NULL && (is_over || (first->is_answered && link->news[0] != NEWS_DOWN))) {
        link->asked = first->next;
        first->in_asked = false;
        answer(link, first);
        request_free_when_done(first);
        return true;
    }
    return tell_news(link);
}

/* ---- the connection ---- */

static void add_news(struct world *world, struct redis_link *link, enum redis_news news)
{
    if (link->news[0] == NEWS_NOTHING) {
        link->news[0] = news;
    } else {
        link->news[1] = news;
    }
    node_wake(world, link->node);
}

static void note_doze(struct world *world, unsigned node)
{
    struct redis_link *link = &world->nodes[node].redis;

    if (link->is_up && node_dozes(&world->nodes[node])) {
        link->dozed_connection = link->connection;
        link->dozed_at = world->now;
    }
}

/* A part of what is on its way reaches Redis all the same, at its own time. */
void redis_link_break(struct world *world, unsigned node)
{
    struct redis_link *link = &world->nodes[node].redis;

    if (!link->is_up) {
        return;
    }
    world_tell(world, "%s: its connection to Redis breaks", world->nodes[node].id);
    world_cancel(world, &link->gives_up);
    note_doze(world, node);
    link->is_up = false;
    for (struct request *request = link->asked; request != NULL; request = request->next) {
        request->has_failed = true;
        request->is_answered = false;
    }
    add_news(world, link, NEWS_DOWN);
    world_plan(world, &link->connects, world->now + dice_between(&world->dice, 100 * MS, SECOND));
    redis_link_go_on(world, node);
}

/* What is held may go on; of a connection that is over, with delay, and not all of it. */
void redis_link_go_on(struct world *world, unsigned node)
{
    struct redis_link *link = &world->nodes[node].redis;
    struct request *held = link->held;

    link->held = NULL;
    while (held != NULL) {
        struct request *request = held;
        bool is_current = link->is_up && request->connection == link->connection;

        held = request->next_held;
        if (is_current) {
            request_travel(world, request);
        } else if (!request->was_done && dice_percent(&world->dice, 50)) {
            int64_t at = world->now + dice_between(&world->dice, 1, 3 * SECOND);
            world_plan(world, &request->due, at);
        } else {
            request->travels = false;
            request_free_when_done(request);
        }
    }
}

void redis_link_cut(struct world *world, unsigned node, bool is_cut)
{
    struct redis_link *link = &world->nodes[node].redis;

    if (is_cut == link->is_cut) {
        return;
    }
    link->is_cut = is_cut;
    if (is_cut) {
        world_plan(
            world, &link->gives_up, world->now + dice_between(&world->dice, SECOND, 15 * SECOND));
    } else {
        world_cancel(world, &link->gives_up);
        redis_link_go_on(world, node);
    }
}

static struct redis_link *link_at(struct due *due, size_t offset)
{
    return (struct redis_link *)((char *)due - offset);
}

static void gives_up(struct world *world, struct due *due)
{
    redis_link_break(world, link_at(due, offsetof(struct redis_link, gives_up))->node);
}

static void connects(struct world *world, struct due *due)
{
    struct redis_link *link = link_at(due, offsetof(struct redis_link, connects));
    const struct node *node = &world->nodes[link->node];
    bool may =
        !link->is_cut && !world->redis.is_down && !node->is_frozen && link->news[1] == NEWS_NOTHING;

    if (node->controller == NULL || link->is_up) {
        return;
    }
    if (!may) {
        world_plan(world, due, world->now + dice_between(&world->dice, 200 * MS, SECOND));
        return;
    }
    link->connection++;
    link->is_up = true;
    add_news(world, link, NEWS_UP);
}

void redis_link_init(struct world *world, unsigned node)
{
    struct redis_link *link = &world->nodes[node].redis;

    link->store.operations = redis_port_operations();
    link->world = world;
    link->node = node;
    link->gives_up.happen = gives_up;
    link->connects.happen = connects;
}

void redis_link_open(struct world *world, unsigned node, const struct store_events *events)
{
    struct redis_link *link = &world->nodes[node].redis;

    link->events = *events;
    world_plan(world, &link->connects, world->now + dice_between(&world->dice, 1, 50 * MS));
}

void redis_link_close(struct world *world, unsigned node)
{
    struct redis_link *link = &world->nodes[node].redis;

    note_doze(world, node);
    link->is_up = false;
    link->told_up = false;
    link->connection++;
    link->news[0] = NEWS_NOTHING;
    link->news[1] = NEWS_NOTHING;
    world_cancel(world, &link->gives_up);
    world_cancel(world, &link->connects);
    redis_link_go_on(world, node);
    while (link->asked != NULL) {
        struct request *request = link->asked;
        link->asked = request->next;
        request->in_asked = false;
        request_free_when_done(request);
    }
}
