#include "persistence/memory.h"

#include <stdlib.h>
#include <string.h>

#include "persistence/memory_database.h"

#define CARD_KEY_LENGTH 64

enum call_kind {
    CALL_LOAD,
    CALL_EPOCH,
    CALL_CARD_KEY,
    CALL_SAVE,
    CALL_LOAD_BLOCKS,
    CALL_SAVE_BLOCKS,
    CALL_FORGET,
};

/* A call that waits for memory_store_run. */
struct call {
    struct call *next;
    enum call_kind kind;
    bool struck; /* `fault` is its fate */
    enum memory_fault fault;
    char (*machines)[65]; /* load */
    size_t machine_count;
    uint64_t heard; /* epoch */
    struct wall_time now;
    char offer[CARD_KEY_LENGTH + 1]; /* card key */
    struct record record;            /* save */
    uint64_t token;
    struct version version; /* blocks */
    char *document;
    /* What came of it. */
    bool failed;
    uint64_t epoch;
    const char *key;
    enum store_saved saved;
    char reason[128];
};

struct memory_store {
    struct store store; /* first: a store is its memory_store */
    struct memory_database *database;
    struct store_events events;
    bool up;
    bool told_up; /* what the events said last */
    bool frozen;
    bool carry_out_lost;
    char down_reason[256];
    struct call *first;
    struct call **last;
    size_t waiting;
    size_t save_bytes;
    unsigned countdown; /* to the call that `fault` strikes; 0: none */
    enum memory_fault fault;
};

static void free_call(struct call *call)
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
    if (kind != CALL_SAVE && kind != CALL_FORGET && is_waiting(store, kind)) {
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
        free_call(call);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        text_copy(call->machines[i], sizeof call->machines[i], machines[i]);
    }
    call->machine_count = count;
    queue(store, call);
    return STATUS_OK;
}

static enum status memory_take_epoch(struct store *base, uint64_t heard, struct wall_time now)
{
    struct memory_store *store = (struct memory_store *)base;
    struct call *call = NULL;

    if (heard >= VERSION_EPOCH_MAX) {
        return STATUS_INVALID;
    }
    enum status status = new_call(store, CALL_EPOCH, &call);
    if (status == STATUS_OK) {
        call->heard = heard;
        call->now = now;
        queue(store, call);
    }
    return status;
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
        free_call(call);
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
        free_call(call);
    }
    free(store);
}

/* ---- carrying out, and answering ---- */

static void carry_out(struct memory_store *store, struct call *call)
{
    struct text reason = text_over(call->reason, sizeof call->reason);

    switch (call->kind) {
    case CALL_LOAD:
        break; /* read when it is answered */
    case CALL_EPOCH:
        call->epoch = memory_database_take_epoch(store->database, call->heard, call->now);
        break;
    case CALL_CARD_KEY:
        call->key = memory_database_card_key(store->database, call->offer);
        break;
    case CALL_SAVE:
        call->saved = memory_database_save(store->database, &call->record, &reason);
        break;
    case CALL_LOAD_BLOCKS:
        break; /* read when it is answered */
    case CALL_SAVE_BLOCKS:
        call->saved =
            memory_database_save_blocks(store->database, call->version, call->document, &reason);
        break;
    case CALL_FORGET:
        memory_database_forget(store->database, call->record.machine);
        break;
    }
}

static void fail(struct call *call, enum store_saved saved, const char *reason)
{
    call->failed = true;
    call->saved = saved;
    text_copy(call->reason, sizeof call->reason, reason);
}

static size_t answer_load(const struct memory_store *store, const struct call *call)
{
    size_t answers = 1;

    for (size_t i = 0; !call->failed && i < call->machine_count; i++) {
        struct record record;
        bool found = false;
        TEXT_LOCAL(why, 512);
        enum record_verdict verdict =
            memory_database_read(store->database, call->machines[i], &found, &record, &why);

        if (!found) {
            continue;
        }
        answers++;
        if (verdict != RECORD_GOOD && store->events.on_bad_record != NULL) {
            store->events.on_bad_record(store->events.context, call->machines[i], why.data);
        }
        if (verdict != RECORD_REFUSED) {
            store->events.on_record(store->events.context, &record);
        }
    }
    store->events.on_loaded(store->events.context, !call->failed);
    return answers;
}

/* Tells the owner and frees the call. Returns how many callbacks that were. */
static size_t answer(struct memory_store *store, struct call *call)
{
    const struct store_events *events = &store->events;
    bool ok = !call->failed;
    size_t answers = 1;

    if (!ok && call->kind != CALL_SAVE && call->kind != CALL_SAVE_BLOCKS &&
        events->on_trouble != NULL) {
        events->on_trouble(events->context, call->reason);
    }
    switch (call->kind) {
    case CALL_LOAD:
        answers = answer_load(store, call);
        break;
    case CALL_EPOCH:
        events->on_epoch(events->context, ok, ok ? call->epoch : 0);
        break;
    case CALL_CARD_KEY:
        events->on_card_key(events->context, ok, ok ? call->key : NULL);
        break;
    case CALL_SAVE:
        store->save_bytes -= sizeof *call;
        events->on_saved(events->context, call->token, call->saved, call->reason);
        break;
    case CALL_LOAD_BLOCKS:
        events->on_blocks(events->context, ok, ok ? memory_database_blocks(store->database) : NULL);
        break;
    case CALL_SAVE_BLOCKS:
        events->on_blocks_saved(events->context, call->saved, call->reason);
        break;
    case CALL_FORGET:
        answers = 0;
        break;
    }
    free_call(call);
    return answers;
}

static size_t lose(struct memory_store *store, struct call *call, bool carried_out)
{
    if (carried_out) {
        carry_out(store, call);
    }
    fail(call, STORE_SAVE_LOST, "the connection broke before the answer");
    return answer(store, call);
}

static struct call *take(struct memory_store *store)
{
    struct call *call = store->first;

    store->first = call->next;
    if (store->first == NULL) {
        store->last = &store->first;
    }
    store->waiting--;
    return call;
}

/* The call's turn has come. */
static size_t run_call(struct memory_store *store, struct call *call)
{
    if (call->struck && call->fault != MEMORY_REFUSED) {
        memory_store_down(&store->store, "ordered to break", false);
        store->told_up = false;
        store->events.on_down(store->events.context, store->down_reason);
        return 1 + lose(store, call, call->fault == MEMORY_ANSWER_LOST);
    }
    if (call->struck) {
        fail(call, STORE_SAVE_REFUSED, "ERR ordered to fail");
    } else {
        carry_out(store, call);
    }
    return answer(store, call);
}

/* Down: what waits is lost, after on_down as with Redis. What callbacks ask for meanwhile is
 * refused. */
static size_t run_down(struct memory_store *store)
{
    size_t answers = 0;

    if (store->told_up) {
        store->told_up = false;
        store->events.on_down(store->events.context, store->down_reason);
        answers++;
    }
    while (store->first != NULL) {
        answers += lose(store, take(store), store->carry_out_lost);
    }
    return answers;
}

size_t memory_store_run(struct store *base)
{
    struct memory_store *store = (struct memory_store *)base;
    size_t answers = 0;

    while (store->up && !store->frozen) {
        if (!store->told_up) {
            store->told_up = true;
            store->events.on_up(store->events.context);
            answers++;
        } else if (store->first != NULL) {
            answers += run_call(store, take(store));
        } else {
            return answers;
        }
    }
    return store->up ? answers : answers + run_down(store);
}

/* ---- what a test does to it ---- */

void memory_store_up(struct store *base)
{
    struct memory_store *store = (struct memory_store *)base;

    (void)memory_store_run(base); /* a break that was not told of comes first */
    store->up = true;
}

void memory_store_down(struct store *base, const char *reason, bool carried_out)
{
    struct memory_store *store = (struct memory_store *)base;

    store->up = false;
    store->carry_out_lost = carried_out;
    text_copy(store->down_reason, sizeof store->down_reason, reason);
}

void memory_store_freeze(struct store *base, bool frozen)
{
    ((struct memory_store *)base)->frozen = frozen;
}

size_t memory_store_waiting(const struct store *base)
{
    return ((const struct memory_store *)base)->waiting;
}

void memory_store_fail(struct store *base, unsigned nth, enum memory_fault fault)
{
    struct memory_store *store = (struct memory_store *)base;

    store->countdown = nth;
    store->fault = fault;
}

bool memory_store_fault_waits(const struct store *base)
{
    return ((const struct memory_store *)base)->countdown > 0;
}

enum status memory_store_new(
    struct memory_database *database, const struct store_events *events, struct store **ret_store)
{
    static const struct store_operations operations = {
        .close = memory_close,
        .load = memory_load,
        .take_epoch = memory_take_epoch,
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
