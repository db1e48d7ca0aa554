/* Redis: the rules of the scripts (persistence/memory_database.c), its sleep and its losses; the
 * truth about the lease; and the bugs that are planted in its scripts. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/world.h"

static void new_database(struct redis *redis)
{
    memory_database_free(redis->database);
    if (memory_database_new(&redis->database) != STATUS_OK) {
        (void)cluster_memory(NULL);
    }
}

static void on_return(struct world *world, struct due *due)
{
    (void)due;
    world->redis.is_down = false;
    world_tell(world, "Redis is back");
}

void redis_init(struct world *world)
{
    new_database(&world->redis);
    world->redis.returns.happen = on_return;
    for (unsigned i = 0; i < NODES_MAX; i++) {
        redis_link_init(world, i);
    }
}

void redis_free(struct world *world)
{
    memory_database_free(world->redis.database);
}

/* ---- its life ---- */

void redis_keep_snapshot(struct world *world)
{
    struct redis *redis = &world->redis;
    struct snapshot *snapshot = &redis->snapshot;

    for (unsigned i = 0; i < BOXES; i++) {
        snapshot->has[i] =
            memory_database_get(redis->database, world->boxes[i].name, &snapshot->records[i]);
    }
    snapshot->epoch = memory_database_epoch(redis->database);
    text_copy(snapshot->card_key, sizeof snapshot->card_key, redis->card_key);
}

static void lose(struct world *world, enum memory_loss loss)
{
    struct redis *redis = &world->redis;
    const struct snapshot *snapshot = &redis->snapshot;

    if (loss == LOSS_NOTHING) {
        return;
    }
    world->tally.losses++;
    new_database(redis);
    redis->holder[0] = '\0';
    redis->card_key[0] = '\0';
    if (loss == LOSS_ALL || snapshot->epoch == 0) {
        return;
    }
    for (unsigned i = 0; i < BOXES; i++) {
        if (snapshot->has[i] &&
            memory_database_put(redis->database, &snapshot->records[i]) != STATUS_OK) {
            (void)cluster_memory(NULL);
        }
    }
    memory_database_set_epoch(redis->database, snapshot->epoch);
    if (snapshot->card_key[0] != '\0') {
        (void)memory_database_card_key(redis->database, snapshot->card_key);
        text_copy(redis->card_key, sizeof redis->card_key, snapshot->card_key);
    }
}

void redis_stop(struct world *world, enum memory_loss loss, int64_t back_at)
{
    struct redis *redis = &world->redis;

    world_tell(
        world, "Redis dies%s",
        loss == LOSS_ALL    ? ", and forgets all"
        : loss == LOSS_SOME ? ", and is rolled back"
                            : "");
    redis->is_down = true;
    redis->life++;
    for (unsigned i = 0; i < world->node_count; i++) {
        redis_link_break(world, i);
    }
    lose(world, loss);
    world_plan(world, &redis->returns, back_at);
}

void redis_freeze(struct world *world, bool frozen)
{
    world->redis.is_frozen = frozen;
    world_tell(world, "Redis %s", frozen ? "freezes" : "thaws");
    for (unsigned i = 0; !frozen && i < world->node_count; i++) {
        redis_link_go_on(world, i);
    }
}

/* ---- the lease, and the truth about it ---- */

static void note_grant(struct world *world, const struct request *request)
{
    struct redis *redis = &world->redis;
    const struct kept_claim *claimed = &request->claimed;
    bool is_held = redis->holder[0] != '\0' && world->now / MS < redis->lease_ends;
    bool is_his = strcmp(redis->holder, claimed->token) == 0 ||
                  (request->verb == LEASE_TAKE && claimed->claim.own_id_at_once &&
                   strcmp(redis->holder_id, claimed->id) == 0);

    if (is_held && !is_his) {
        world_fail(world, "C12: %s has the lease, and %s gets it", redis->holder_id, claimed->id);
    }
    if (request->verb == LEASE_TAKE && request->lease.epoch <= redis->greatest_epoch) {
        world_fail(
            world, "C12: epoch %llu is given out, and %llu was before",
            (unsigned long long)request->lease.epoch, (unsigned long long)redis->greatest_epoch);
    }
    if (request->lease.epoch > redis->greatest_epoch) {
        redis->greatest_epoch = request->lease.epoch;
    }
    text_copy(redis->holder, sizeof redis->holder, claimed->token);
    text_copy(redis->holder_id, sizeof redis->holder_id, claimed->id);
    redis->lease_ends = world->now / MS + claimed->claim.duration_ms;
}

static void do_lease(struct world *world, struct request *request)
{
    static const char *const verbs[] = {
        [LEASE_TAKE] = "take", [LEASE_RENEW] = "renew", [LEASE_RELEASE] = "release"};
    static const char *const answers[] = {
        [STORE_LEASE_OURS] = "its own",
        [STORE_LEASE_OTHER] = "another's",
        [STORE_LEASE_FREE] = "free",
        [STORE_LEASE_ERROR] = "error",
    };
    struct redis *redis = &world->redis;
    struct kept_claim claimed = request->claimed;
    bool is_owner = strcmp(redis->holder, claimed.token) == 0;

    claimed.claim.id = claimed.id;
    claimed.claim.token = claimed.token;
    if (world->plant == PLANT_RELEASE && request->verb == LEASE_RELEASE) {
        text_copy(claimed.token, sizeof claimed.token, redis->holder);
    }
    if (world->plant == PLANT_INCR && request->verb == LEASE_TAKE) {
        claimed.claim.heard = 0;
        claimed.claim.now = (struct wall_time){0};
    }
    memory_database_set_clock(redis->database, (struct mono_time){world->now / MS});
    request->lease = memory_database_lease(redis->database, request->verb, &claimed);
    world_tell(
        world, "Redis: %s to %s: %s, epoch %llu", request->claimed.id, verbs[request->verb],
        answers[request->lease.lease], (unsigned long long)request->lease.epoch);
    if (request->verb != LEASE_RELEASE && request->lease.lease == STORE_LEASE_OURS) {
        note_grant(world, request);
    } else if (request->verb == LEASE_RELEASE && is_owner) {
        redis->holder[0] = '\0';
    }
}

/* ---- the rest ---- */

static enum store_saved save_without_epoch(const struct redis *redis, const struct record *record)
{
    struct record kept;

    if (memory_database_get(redis->database, record->machine, &kept) &&
        version_compare(record->core.version, kept.core.version) < 0) {
        return STORE_SAVE_STALE_VERSION;
    }
    return memory_database_put(redis->database, record) == STATUS_OK ? STORE_SAVE_DONE
                                                                     : STORE_SAVE_REFUSED;
}

static void do_save(struct world *world, struct request *request)
{
    struct redis *redis = &world->redis;
    const struct record *record = request->records;
    TEXT_LOCAL(why, 128);

    request->saved = world->plant == PLANT_SAVE_EPOCH
                         ? save_without_epoch(redis, record)
                         : memory_database_save(redis->database, record, &why);
    if (request->saved == STORE_SAVE_DONE &&
        record->core.version.epoch < memory_database_epoch(redis->database)) {
        world_fail(
            world, "C9.1: %s saves under an older epoch than the lease's",
            world->nodes[request->node].id);
    }
    world_tell(
        world, "Redis: %s saves %s %llu.%u%s%s: %s", world->nodes[request->node].id,
        record->machine, (unsigned long long)record->core.version.epoch, record->core.version.rev,
        record->core.oopsed ? " oops" : "", record->core.locked_out ? " lockout" : "",
        request->saved == STORE_SAVE_DONE ? "done" : "refused");
}

static void do_load(struct world *world, struct request *request)
{
    request->records = cluster_memory(calloc(BOXES, sizeof *request->records));
    for (unsigned i = 0; i < BOXES; i++) {
        request->found[i] =
            memory_database_get(world->redis.database, world->boxes[i].name, &request->records[i]);
    }
}

void redis_do(struct world *world, struct request *request)
{
    struct redis *redis = &world->redis;
    const char *kept;
    TEXT_LOCAL(why, 128);

    world->step++;
    request->was_done = true;
    switch (request->kind) {
    case ASK_LOAD:
        do_load(world, request);
        break;
    case ASK_LEASE:
    case ASK_RELEASE:
        do_lease(world, request);
        break;
    case ASK_CARD_KEY:
        kept = memory_database_card_key(redis->database, request->text);
        text_copy(redis->card_key, sizeof redis->card_key, kept);
        text_copy(request->text, sizeof request->text, kept);
        break;
    case ASK_SAVE:
        do_save(world, request);
        break;
    case ASK_LOAD_BLOCKS:
        kept = memory_database_blocks(redis->database);
        request->document = kept == NULL ? NULL : cluster_memory(strdup(kept));
        break;
    case ASK_SAVE_BLOCKS:
        request->saved =
            memory_database_save_blocks(redis->database, request->version, request->document, &why);
        break;
    case ASK_FORGET:
        memory_database_forget(redis->database, request->text);
        break;
    case ASK_KINDS:
        break;
    }
}
