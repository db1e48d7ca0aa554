/* The loop of the store in memory: each call that waits is carried out and answered in its turn. */
#include "persistence/memory.h"
#include "persistence/memory_inside.h"

static void carry_out(struct memory_store *store, struct call *call)
{
    struct text reason = text_over(call->reason, sizeof call->reason);

    switch (call->kind) {
    case CALL_LOAD:
        break; /* read when it is answered */
    case CALL_LEASE:
    case CALL_RELEASE:
        call->lease = memory_database_lease(store->database, call->verb, &call->claimed);
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
    call->lease = (struct store_lease_answer){.lease = STORE_LEASE_ERROR};
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
    case CALL_LEASE:
        events->on_lease(events->context, &call->lease);
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
    case CALL_RELEASE:
    case CALL_FORGET:
        answers = 0;
        break;
    }
    memory_call_free(call);
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
        store->events.on_down(store->events.context, STORE_AWAY, store->down_reason);
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
        store->events.on_down(store->events.context, STORE_AWAY, store->down_reason);
        answers++;
    }
    while (store->first != NULL) {
        answers += lose(store, take(store), store->carry_out_lost);
    }
    return answers;
}

size_t memory_store_run(struct store *store)
{
    struct memory_store *memory = (struct memory_store *)store;
    size_t answers = 0;

    while (memory->up && !memory->frozen) {
        if (!memory->told_up) {
            memory->told_up = true;
            memory->events.on_up(memory->events.context);
            answers++;
        } else if (memory->first != NULL) {
            answers += run_call(memory, take(memory));
        } else {
            return answers;
        }
    }
    return memory->up ? answers : answers + run_down(memory);
}
