/* What happens to Redis in a scenario. */
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/acts.h"

/* A version as it stands, or `+3`, `-3` from what is there. */
static bool read_offset(struct words *words, uint64_t *value)
{
    bool relative = words_peek(words)[0] == '+' || words_peek(words)[0] == '-';
    double number = 0;

    if (!words_number(words, &number)) {
        return false;
    }
    *value = (uint64_t)((relative ? (double)*value : 0) + number);
    return true;
}

static bool read_kept(struct record *record, struct words *words)
{
    uint64_t rev = record->core.version.rev;
    bool good = true;

    if (words_take(words, "oops")) {
        good = words_switch(words, &record->core.oopsed);
    } else if (words_take(words, "lockout")) {
        good = words_switch(words, &record->core.locked_out);
    } else if (words_take(words, "by")) {
        text_copy(record->lockout_by, sizeof record->lockout_by, words_peek(words));
        text_copy(record->oops_by, sizeof record->oops_by, words_next(words));
    } else if (words_take(words, "epoch")) {
        good = read_offset(words, &record->core.version.epoch);
    } else if (words_take(words, "rev")) {
        good = read_offset(words, &rev);
        record->core.version.rev = (uint32_t)rev;
    } else {
        return false;
    }
    return good;
}

/* Another controller's record: at base, with these flags. */
static void put_record(struct world *world, struct words *words)
{
    const char *machine = words_next(words);
    struct record record = {0};

    if (!memory_database_get(world->database, machine, &record)) {
        core_state_init(&record.core);
        text_copy(record.machine, sizeof record.machine, machine);
        record.core.version = (struct version){.epoch = 1, .rev = 1};
    }
    record.core.has_user = false;
    record.core.second_relay = false;
    record.core.second = CORE_SECOND_NONE;
    while (!words_end(words)) {
        if (!read_kept(&record, words)) {
            world_fail(world, "no record holds \"%s\"", words_peek(words));
            return;
        }
    }
    record.core.mode = record.core.oopsed       ? CORE_OOPS
                       : record.core.locked_out ? CORE_LOCKOUT
                                                : CORE_IDLE;
    if (memory_database_put(world->database, &record) != STATUS_OK) {
        abort();
    }
}

static void on_lease(void *context, const struct store_lease_answer *answer)
{
    (void)context;
    (void)answer;
}

static void on_nothing(void *context)
{
    (void)context;
}

static void on_down(void *context, enum store_down down, const char *reason)
{
    (void)context;
    (void)down;
    (void)reason;
}

/* Another process takes the lease over, under the controller's own id, since it need not wait then.
 */
static void depose(struct world *world)
{
    struct store_events events = {
        .context = world, .on_up = on_nothing, .on_down = on_down, .on_lease = on_lease};
    struct store_claim claim = {
        .id = "a",
        .token = "another",
        .duration_ms = 5000,
        .now = world_now(world).wall,
        .own_id_at_once = true,
    };
    struct store *store = NULL;

    if (memory_store_new(world->database, &events, &store) != STATUS_OK) {
        abort();
    }
    memory_store_up(store);
    memory_store_run(store);
    if (store->operations->take_lease(store, &claim) != STATUS_OK) {
        world_fail(world, "no lease for the other controller");
    }
    memory_store_run(store);
    store->operations->close(store);
}

static void freeze(struct world *world, bool frozen)
{
    world->redis_is_frozen = frozen;
    if (world->memory != NULL) {
        memory_store_freeze(world->memory, frozen);
    }
}

bool act_redis(struct world *world, struct words *words)
{
    if (words_take(words, "Redis goes down after the saves")) {
        world_redis(world, false, true);
    } else if (words_take(words, "Redis goes down")) {
        world_redis(world, false, false);
    } else if (words_take(words, "Redis is back")) {
        world_redis(world, true, false);
    } else if (words_take(words, "Redis freezes")) {
        freeze(world, true);
    } else if (words_take(words, "Redis thaws")) {
        freeze(world, false);
    } else if (words_take(words, "Redis is wiped")) {
        memory_database_wipe(world->database);
    } else if (words_take(words, "Redis refuses to save")) {
        world->redis_refuses_saves = true;
    } else if (words_take(words, "Redis saves again")) {
        world->redis_refuses_saves = false;
    } else if (words_take(words, "Redis refuses")) {
        world->redis_refuses = true;
    } else if (words_take(words, "Redis accepts")) {
        world->redis_refuses = false;
    } else if (words_take(words, "Redis holds")) {
        put_record(world, words);
    } else if (words_take(words, "another controller takes over")) {
        depose(world);
    } else {
        return false;
    }
    return true;
}
