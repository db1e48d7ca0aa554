#include "persistence/memory.h"

#include <stdlib.h>
#include <string.h>

#include "persistence/memory_inside.h"

void memory_call_free(struct call *call)
{
    if (call != NULL) {
        free(call->machines);
        free(call->document);
        free(call);
    }
}

static bool is_waiting(const struct memory_store *store, enum call_kind kind)
{
    for (const struct call *call = store->first; call != NULL; call = call->next) {
        if (call->kind == kind) {
            return true;
        }
    }
    return false;
}

/* A new call for the queue, unless the store or the fault countdown is against it. */
static enum status new_call(struct memory_store *store, enum call_kind kind, struct call **ret_call)
{
    struct call *call = NULL;
    bool struck = false;

    if (!store->up) {
        return STATUS_DISCONNECTED;
    }
    if (kind != CALL_SAVE && kind != CALL_FORGET && kind != CALL_RELEASE &&
        is_waiting(store, kind)) {
        return STATUS_BUSY;
    }
    if (store->countdown > 0) {
        struck = --store->countdown == 0;
    }
    if (struck && store->fault == MEMORY_CALL_FAILS) {
        return STATUS_NO_MEMORY;
    }
    call = calloc(1, sizeof *call);
    if (call == NULL) {
        return STATUS_NO_MEMORY;
    }
    call->kind = kind;
    call->struck = struck;
    call->fault = store->fault;
    *ret_call = call;
    return STATUS_OK;
}

static void queue(struct memory_store *store, struct call *call)
{
    *store->last = call;
    store->last = &call->next;
    store->waiting++;
}

/* ---- the port's operations ---- */

static enum status memory_load(struct store *base, const char *const machines[], size_t count)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;
    enum status status = new_call(store, CALL_LOAD, &call);

    if (status != STATUS_OK) {
        return status;
    }
    call->machines = calloc(count + 1, sizeof call->machines[0]);
    if (call->machines == NULL) {
        memory_call_free(call);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        text_copy(call->machines[i], sizeof call->machines[i], machines[i]);
    }
    call->machine_count = count;
    queue(store, call);
    return STATUS_OK;
}

static enum status queue_lease(
    struct store *base, enum call_kind kind, enum lease_verb verb, const struct store_claim *claim)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;
    struct kept_claim *kept = NULL;
    enum status status;

    if (claim->heard > VERSION_EPOCH_HEARD_MAX) {
        return STATUS_INVALID;
    }
    status = new_call(store, kind, &call);
    if (status != STATUS_OK) {
        return status;
    }
    call->verb = verb;
    kept = &call->claimed;
    kept->claim = *claim;
    text_copy(kept->id, sizeof kept->id, claim->id);
    text_copy(kept->token, sizeof kept->token, claim->token);
    kept->claim.id = kept->id;
    kept->claim.token = kept->token;
    queue(store, call);
    return STATUS_OK;
}

static enum status memory_take_lease(struct store *base, const struct store_claim *claim)
{
    return queue_lease(base, CALL_LEASE, LEASE_TAKE, claim);
}

static enum status memory_renew_lease(struct store *base, const struct store_claim *claim)
{
    return queue_lease(base, CALL_LEASE, LEASE_RENEW, claim);
}

static enum status memory_release_lease(struct store *base, const struct store_claim *claim)
{
    return queue_lease(base, CALL_RELEASE, LEASE_RELEASE, claim);
}

static enum status memory_card_key(struct store *base, const char *offer_hex)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;

    if (strlen(offer_hex) != CARD_KEY_LENGTH ||
        strspn(offer_hex, "0123456789abcdefABCDEF") != CARD_KEY_LENGTH) {
        return STATUS_INVALID;
    }
    enum status status = new_call(store, CALL_CARD_KEY, &call);
    if (status == STATUS_OK) {
        text_copy(call->offer, sizeof call->offer, offer_hex);
        queue(store, call);
    }
    return status;
}

static enum status memory_save(struct store *base, const struct record *record, uint64_t token)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;

    if (store->up && store->save_bytes >= STORE_SAVE_BYTES_MAX) {
        return STATUS_BUSY;
    }
    enum status status = new_call(store, CALL_SAVE, &call);
    if (status == STATUS_OK) {
        call->record = *record;
        call->token = token;
        store->save_bytes += sizeof *call;
        queue(store, call);
    }
    return status;
}

static enum status memory_load_blocks(struct store *base)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;
    enum status status = new_call(store, CALL_LOAD_BLOCKS, &call);

    if (status == STATUS_OK) {
        queue(store, call);
    }
    return status;
}

static enum status memory_save_blocks(struct store *base, struct version version, const char *text)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;
    enum status status = new_call(store, CALL_SAVE_BLOCKS, &call);

    if (status != STATUS_OK) {
        return status;
    }
    call->version = version;
    call->document = strdup(text);
    if (call->document == NULL) {
        memory_call_free(call);
        return STATUS_NO_MEMORY;
    }
    queue(store, call);
    return STATUS_OK;
}

static enum status memory_forget(struct store *base, const char *machine)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;
    enum status status = new_call(store, CALL_FORGET, &call);

    if (status == STATUS_OK) {
        text_copy(call->record.machine, sizeof call->record.machine, machine);
        queue(store, call);
    }
    return status;
}

static bool memory_is_up(const struct store *base)
{
    return ((const struct memory_store *)base)->up;
}

static void memory_close(struct store *base)
{
    struct memory_store *store = (struct memory_store *)base;

    while (store->first != NULL) {
        struct call *call = store->first;
        store->first = call->next;
        memory_call_free(call);
    }
    free(store);
}

/* ---- what a test does to it ---- */

void memory_store_up(struct store *store)
{
    struct memory_store *memory = (struct memory_store *)store;

    (void)memory_store_run(store); /* a break that was not told of comes first */
    memory->up = true;
}

void memory_store_down(struct store *store, const char *reason, bool carried_out)
{
    struct memory_store *memory = (struct memory_store *)store;

    memory->up = false;
    memory->carry_out_lost = carried_out;
    text_copy(memory->down_reason, sizeof memory->down_reason, reason);
}

void memory_store_freeze(struct store *store, bool frozen)
{
    ((struct memory_store *)store)->frozen = frozen;
}

size_t memory_store_waiting(const struct store *store)
{
    return ((const struct memory_store *)store)->waiting;
}

void memory_store_fail(struct store *store, unsigned nth, enum memory_fault fault)
{
    struct memory_store *memory = (struct memory_store *)store;

    memory->countdown = nth;
    memory->fault = fault;
}

bool memory_store_fault_waits(const struct store *store)
{
    return ((const struct memory_store *)store)->countdown > 0;
}

enum status memory_store_new(
    struct memory_database *database, const struct store_events *events, struct store **ret_store)
{
    static const struct store_operations operations = {
        .close = memory_close,
        .load = memory_load,
        .take_lease = memory_take_lease,
        .renew_lease = memory_renew_lease,
        .release_lease = memory_release_lease,
        .card_key = memory_card_key,
        .save = memory_save,
        .load_blocks = memory_load_blocks,
        .save_blocks = memory_save_blocks,
        .forget = memory_forget,
        .is_up = memory_is_up,
    };
    struct memory_store *store = calloc(1, sizeof *store);

    if (store == NULL) {
        return STATUS_NO_MEMORY;
    }
    store->store.operations = &operations;
    store->database = database;
    store->events = *events;
    store->last = &store->first;
    *ret_store = &store->store;
    return STATUS_OK;
}
