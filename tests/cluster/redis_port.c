/* The port `struct store`, as a controller sees it: everything takes its time. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/world.h"

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

    node_calls(&link->world->nodes[link->node]);
    if (!link->told_up) {
        return STATUS_DISCONNECTED;
    }
    if (kind != ASK_SAVE && is_answered && is_asked(link, kind)) {
        return STATUS_BUSY;
    }
    request = request_new(link, kind);
    if (is_answered) {
        request_expect(link, request);
    }
    if (link->is_up) {
        request_travel(link->world, request);
    } else {
        request->has_failed = true; /* the connection is broken, and nobody knows yet */
        if (!is_answered) {
            request->travels = true;
            world_plan(link->world, &request->due, node_time(&link->world->nodes[link->node]));
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

const struct store_operations *redis_port_operations(void)
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

    return &operations;
}
