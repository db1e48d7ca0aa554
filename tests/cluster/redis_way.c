/* What is asked of Redis, on its way there and back. What was asked before the connection broke may
 * be done long after. */
#include <stdlib.h>

#include "tests/cluster/world.h"

static void arrive(struct world *world, struct due *due);

void request_free_when_done(struct request *request)
{
    if (!request->in_asked && !request->travels) {
        free(request->records);
        free(request->document);
        free(request);
    }
}

static struct redis_link *link_of(struct world *world, const struct request *request)
{
    return &world->nodes[request->node].redis;
}

static void append(struct request **list, struct request *request, bool held)
{
    while (*list != NULL) {
        list = held ? &(*list)->next_held : &(*list)->next;
    }
    if (held) {
        request->next_held = NULL;
    } else {
        request->next = NULL;
    }
    *list = request;
}

void request_travel(struct world *world, struct request *request)
{
    struct redis_link *link = link_of(world, request);
    int64_t *last = request->was_done ? &link->to_node : &link->to_redis;
    int64_t now = request->was_done ? world->now : node_time(&world->nodes[request->node]);
    int64_t at = now + world_delay(world);

    if (!request->was_done) {
        request->sent_at = now;
    }
    *last = at > *last ? at : *last + 1;
    request->travels = true;
    world_plan(world, &request->due, *last);
}

bool redis_forget(struct due *due)
{
    bool is_request = due->happen == arrive;

    if (is_request) {
        struct request *request = (struct request *)due;
        request->travels = false;
        request_free_when_done(request);
    }
    return is_request;
}

static void arrive_at_redis(struct world *world, struct request *request, bool is_current)
{
    struct redis_link *link = link_of(world, request);

    if (world->redis.is_down || request->to_life != world->redis.life) {
        request_free_when_done(request);
    } else if (world->redis.is_frozen || (link->is_cut && is_current)) {
        request->travels = true;
        append(&link->held, request, true);
    } else {
        redis_do(world, request);
        if (is_current && request->in_asked && request->kind != ASK_RELEASE &&
            request->kind != ASK_FORGET) {
            request_travel(world, request);
        } else {
            request_free_when_done(request);
        }
    }
}

/* Its sender stood still in mid-turn till after the connection was gone. */
static bool was_never_sent(const struct redis_link *link, const struct request *request)
{
    return request->connection == link->dozed_connection && request->sent_at > link->dozed_at;
}

static void arrive(struct world *world, struct due *due)
{
    struct request *request = (struct request *)due;
    struct redis_link *link = link_of(world, request);
    bool is_current = link->is_up && request->connection == link->connection;

    request->travels = false;
    if (!request->was_done && (is_current || !was_never_sent(link, request))) {
        arrive_at_redis(world, request, is_current);
    } else if (!is_current) {
        request_free_when_done(request);
    } else if (link->is_cut) {
        request->travels = true;
        append(&link->held, request, true);
    } else {
        request->is_answered = true;
        node_wake(world, request->node);
    }
}

struct request *request_new(struct redis_link *link, enum request_kind kind)
{
    struct request *request = cluster_memory(calloc(1, sizeof *request));

    request->due.happen = arrive;
    request->node = link->node;
    request->kind = kind;
    request->connection = link->connection;
    request->to_life = link->world->redis.life;
    return request;
}

void request_expect(struct redis_link *link, struct request *request)
{
    request->in_asked = true;
    append(&link->asked, request, false);
}
