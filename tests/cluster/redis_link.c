/* A controller's connection to Redis: the port `struct store`, with time between asking, doing and
 * answering. What was asked before the connection broke may be done long after. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/world.h"

/* ---- requests ---- */

static void arrive(struct world *world, struct due *due);

static void free_when_done(struct request *request)
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

static void travel(struct world *world, struct request *request)
{
    struct redis_link *link = link_of(world, request);
    int64_t *last = request->was_done ? &link->to_node : &link->to_redis;
    int64_t at = world->now + world_delay(world);

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
        free_when_done(request);
    }
    return is_request;
}

static void arrive_at_redis(struct world *world, struct request *request, bool is_current)
{
    struct redis_link *link = link_of(world, request);

    if (world->redis.is_down) {
        free_when_done(request);
    } else if (world->redis.is_frozen || (link->is_cut && is_current)) {
        request->travels = true;
        append(&link->held, request, true);
    } else {
        redis_do(world, request);
        if (is_current && request->in_asked && request->kind != ASK_RELEASE &&
            request->kind != ASK_FORGET) {
            travel(world, request);
        } else {
            free_when_done(request);
        }
    }
}

static void arrive(struct world *world, struct due *due)
{
    struct request *request = (struct request *)due;
    struct redis_link *link = link_of(world, request);
    bool is_current = link->is_up && request->connection == link->connection;

    request->travels = false;
    if (!request->was_done) {
        arrive_at_redis(world, request, is_current);
    } else if (!is_current) {
        free_when_done(request);
    } else if (link->is_cut) {
        request->travels = true;
        append(&link->held, request, true);
    } else {
        request->is_answered = true;
        node_wake(world, request->node);
    }
}

/* ---- the port ---- */

static bool is_asked(const struct redis_link *link, enum request_kind kind)
{
    for (const struct request *request = link->asked; request != NULL; request = request->next) {
        if (request->kind == kind) {
            return true;
        }
    }
    return false;
}

static enum status ask(struct store *store, enum request_kind kind, struct request **ret_request)
{
    struct redis_link *link = (struct redis_link *)store;
    struct request *request;
    bool is_answered = kind != ASK_RELEASE && kind != ASK_FORGET;

    if (!link->told_up) {
        return STATUS_DISCONNECTED;
    }
    if (kind != ASK_SAVE && is_answered && is_asked(link, kind)) {
        return STATUS_BUSY;
    }
    request = cluster_memory(calloc(1, sizeof *request));
    request->due.happen = arrive;
    request->node = link->node;
    request->kind = kind;
    request->connection = link->connection;
    if (is_answered) {
        request->in_asked = true;
        append(&link->asked, request, false);
    }
    if (link->is_up) {
        travel(link->world, request);
    } else {
        request->has_failed = true; /* the connection is broken, and nobody knows yet */
        if (!is_answered) {
            request->travels = true;
            world_plan(link->world, &request->due, link->world->now);
            request->connection = link->connection - 1;
        }
    }
    *ret_request = request;
    return STATUS_OK;
}

static enum status link_load(struct store *store, const char *const machines[], size_t count)
{
    struct request *request;

    (void)machines;
    (void)count;
    return ask(store, ASK_LOAD, &request);
}

static enum status
ask_lease(struct store *store, enum lease_verb verb, const struct store_claim *claim)
{
    struct request *request;
    enum status status = ask(store, verb == LEASE_RELEASE ? ASK_RELEASE : ASK_LEASE, &request);

    if (status == STATUS_OK) {
        request->verb = verb;
        request->claimed.claim = *claim;
        text_copy(request->claimed.id, sizeof request->claimed.id, claim->id);
        text_copy(request->claimed.token, sizeof request->claimed.token, claim->token);
    }
    return status;
}

static enum status link_take(struct store *store, const struct store_claim *claim)
{
    return ask_lease(store, LEASE_TAKE, claim);
}

static enum status link_renew(struct store *store, const struct store_claim *claim)
{
    return ask_lease(store, LEASE_RENEW, claim);
}

static enum status link_release(struct store *store, const struct store_claim *claim)
{
    return ask_lease(store, LEASE_RELEASE, claim);
}

static enum status link_card_key(struct store *store, const char *offer_hex)
{
    struct request *request;
    enum status status = ask(store, ASK_CARD_KEY, &request);

    if (status == STATUS_OK) {
        text_copy(request->text, sizeof request->text, offer_hex);
    }
    return status;
}

static enum status link_save(struct store *store, const struct record *record, uint64_t token)
{
    struct request *request;
    enum status status = ask(store, ASK_SAVE, &request);

    if (status == STATUS_OK) {
        request->records = cluster_memory(malloc(sizeof *record));
        *request->records = *record;
        request->token = token;
    }
    return status;
}

static enum status link_load_blocks(struct store *store)
{
    struct request *request;
    return ask(store, ASK_LOAD_BLOCKS, &request);
}

static enum status
link_save_blocks(struct store *store, struct version version, const char *document)
{
    struct request *request;
    enum status status = ask(store, ASK_SAVE_BLOCKS, &request);

    if (status == STATUS_OK) {
        request->version = version;
        request->document = cluster_memory(strdup(document));
    }
    return status;
}

static enum status link_forget(struct store *store, const char *machine)
{
    struct request *request;
    enum status status = ask(store, ASK_FORGET, &request);

    if (status == STATUS_OK) {
        text_copy(request->text, sizeof request->text, machine);
    }
    return status;
}

static bool link_is_up(const struct store *store)
{
    return ((const struct redis_link *)store)->told_up;
}

static void link_close(struct store *store)
{
    (void)store;
    abort(); /* the world closes it, nobody else */
}

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
        link->events.on_down(link->events.context, "the connection broke");
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
        free_when_done(first);
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

/* A part of what is on its way reaches Redis all the same, at its own time. */
void redis_link_break(struct world *world, unsigned node)
{
    struct redis_link *link = &world->nodes[node].redis;

    if (!link->is_up) {
        return;
    }
    world_tell(world, "%s: its connection to Redis breaks", world->nodes[node].id);
    world_cancel(world, &link->gives_up);
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
            travel(world, request);
        } else if (!request->was_done && dice_percent(&world->dice, 50)) {
            int64_t at = world->now + dice_between(&world->dice, 1, 3 * SECOND);
            world->redis.late_until = at > world->redis.late_until ? at : world->redis.late_until;
            world_plan(world, &request->due, at);
        } else {
            request->travels = false;
            free_when_done(request);
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
    static const struct store_operations operations = {
        .close = link_close,
        .load = link_load,
        .take_lease = link_take,
        .renew_lease = link_renew,
        .release_lease = link_release,
        .card_key = link_card_key,
        .save = link_save,
        .load_blocks = link_load_blocks,
        .save_blocks = link_save_blocks,
        .forget = link_forget,
        .is_up = link_is_up,
    };
    struct redis_link *link = &world->nodes[node].redis;

    link->store.operations = &operations;
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
        free_when_done(request);
    }
}
