/* The controller's ports in a scenario, each with a fault to order. */
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/check.h"
#include "tests/scenario/world.h"

static enum status fake_publish(
    void *context, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    struct world *world = context;

    if (world_strikes(world, FAULT_PUBLISH)) {
        return STATUS_FULL;
    }
    broker_take(&world->broker, topic, payload, length, qos, retain, world->act);
    if (world->broker.connected) {
        check_published(world, topic, payload, length);
    }
    return STATUS_OK;
}

/* A SUBSCRIBE that cannot be sent means that the connection is lost; it is made again. */
static enum status
fake_subscribe(void *context, const char *const filters[], const int qos[], size_t count, int token)
{
    struct world *world = context;

    (void)qos;
    if (world_strikes(world, FAULT_SUBSCRIBE)) {
        broker_disconnect(&world->broker);
        broker_connect(&world->broker, world->act);
        return STATUS_DISCONNECTED;
    }
    if (!world->broker.connected) {
        return STATUS_DISCONNECTED;
    }
    broker_subscribe(&world->broker, filters, count, token);
    return STATUS_OK;
}

static enum status fake_unsubscribe(void *context, const char *filter)
{
    struct world *world = context;

    if (!world->broker.connected || world_strikes(world, FAULT_UNSUBSCRIBE)) {
        return STATUS_DISCONNECTED;
    }
    broker_unsubscribe(&world->broker, filter);
    return STATUS_OK;
}

static void fake_echo(void *context, uint32_t number)
{
    struct world *world = context;
    broker_echo(&world->broker, number);
}

static void fake_discard(void *context, bool events)
{
    struct world *world = context;
    if (events) {
        broker_discard(&world->broker);
    }
}

static struct now fake_now(void *context)
{
    return world_now(context);
}

static bool fake_clock_is_synchronised(void *context)
{
    const struct world *world = context;

    return !world->clock_is_free;
}

static enum status fake_read_roster(void *context)
{
    struct world *world = context;

    if (world_strikes(world, FAULT_ROSTER_CALL)) {
        return STATUS_NO_MEMORY;
    }
    world->roster_wanted = true;
    return STATUS_OK;
}

struct controller_ports world_ports(struct world *world)
{
    return (struct controller_ports){
        .broker =
            {
                .context = world,
                .publish = fake_publish,
                .subscribe = fake_subscribe,
                .unsubscribe = fake_unsubscribe,
                .echo = fake_echo,
                .discard = fake_discard,
            },
        .host =
            {
                .context = world,
                .now = fake_now,
                .clock_is_synchronised = fake_clock_is_synchronised,
                .read_roster = fake_read_roster,
            },
    };
}

/* ---- the store ---- */

/* The real store behind the spy, with the next call spoilt if its turn has come. */
static struct store *behind(struct store *store, enum fault_port port)
{
    struct world *world = ((struct spy *)store)->world;

    if (world_strikes(world, port)) {
        memory_store_fail(world->memory, 1, world->fault.memory);
    } else if (world->redis_refuses || (port == FAULT_SAVE && world->redis_refuses_saves)) {
        memory_store_fail(world->memory, 1, MEMORY_REFUSED);
    }
    return world->memory;
}

static void spy_close(struct store *store)
{
    (void)store;
    abort(); /* the world closes the store, nobody else */
}

static enum status spy_load(struct store *store, const char *const machines[], size_t count)
{
    struct store *memory = behind(store, FAULT_LOAD);
    return memory->operations->load(memory, machines, count);
}

static enum status spy_take_lease(struct store *store, const struct store_claim *claim)
{
    struct store *memory = behind(store, FAULT_LEASE);
    return memory->operations->take_lease(memory, claim);
}

/* Not counted: there are as many of them as the scenario has seconds. */
static enum status spy_renew_lease(struct store *store, const struct store_claim *claim)
{
    struct world *world = ((struct spy *)store)->world;
    if (world->redis_refuses) {
        memory_store_fail(world->memory, 1, MEMORY_REFUSED);
    }
    return world->memory->operations->renew_lease(world->memory, claim);
}

static enum status spy_release_lease(struct store *store, const struct store_claim *claim)
{
    struct store *memory = ((struct spy *)store)->world->memory;
    return memory->operations->release_lease(memory, claim);
}

static enum status spy_card_key(struct store *store, const char *offer_hex)
{
    struct store *memory = behind(store, FAULT_CARD_KEY);
    return memory->operations->card_key(memory, offer_hex);
}

static enum status spy_save(struct store *store, const struct record *record, uint64_t token)
{
    struct store *memory = behind(store, FAULT_SAVE);
    return memory->operations->save(memory, record, token);
}

static enum status spy_load_blocks(struct store *store)
{
    struct store *memory = behind(store, FAULT_LOAD_BLOCKS);
    return memory->operations->load_blocks(memory);
}

static enum status spy_save_blocks(struct store *store, struct version version, const char *text)
{
    struct store *memory = behind(store, FAULT_SAVE_BLOCKS);
    return memory->operations->save_blocks(memory, version, text);
}

static enum status spy_forget(struct store *store, const char *machine)
{
    struct store *memory = behind(store, FAULT_FORGET);
    return memory->operations->forget(memory, machine);
}

static bool spy_is_up(const struct store *store)
{
    const struct store *memory = ((const struct spy *)store)->world->memory;
    return memory->operations->is_up(memory);
}

static const struct store_operations spy_operations = {
    .close = spy_close,
    .load = spy_load,
    .take_lease = spy_take_lease,
    .renew_lease = spy_renew_lease,
    .release_lease = spy_release_lease,
    .card_key = spy_card_key,
    .save = spy_save,
    .load_blocks = spy_load_blocks,
    .save_blocks = spy_save_blocks,
    .forget = spy_forget,
    .is_up = spy_is_up,
};

void spy_init(struct spy *spy, struct world *world)
{
    spy->store.operations = &spy_operations;
    spy->world = world;
}
