#include "tests/scenario/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL_START_MS 1767636000000 /* a Monday evening */
#define TURNS_MAX 10000
#define READY_WITHIN_MS 60000

struct world *world_new(const char *folder)
{
    struct world *world = scenario_memory(calloc(1, sizeof *world));

    text_copy(world->shop.folder, sizeof world->shop.folder, folder);
    world->broker_is_up = true;
    world->redis_is_up = true;
    world->clock_ms = 1000;
    if (memory_database_new(&world->database) != STATUS_OK) {
        abort();
    }
    return world;
}

static void drop_controller(struct world *world)
{
    if (world->memory != NULL) {
        world->memory->operations->close(world->memory);
        world->memory = NULL;
    }
    controller_free(world->controller);
    world->controller = NULL;
    settings_free(world->settings);
    world->settings = NULL;
    world->roster_wanted = false;
    broker_drop_client(&world->broker);
}

void world_free(struct world *world)
{
    drop_controller(world);
    broker_free(&world->broker);
    memory_database_free(world->database);
    free(world);
}

void world_fail(struct world *world, const char *format, ...)
{
    struct text text = text_over(world->failure, sizeof world->failure);
    char reason[3500];
    va_list arguments;

    if (world_has_failed(world)) {
        text.length = strlen(world->failure);
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    text_addf(&text, "%s:%u: %s", world->line->file, world->line->number, reason);
}

bool world_has_failed(const struct world *world)
{
    return world->failure[0] != '\0';
}

struct now world_now(const struct world *world)
{
    return (struct now){
        .mono = {world->mono_base_ms + world->clock_ms},
        .wall = {WALL_START_MS + world->clock_ms + world->wall_jump_ms},
    };
}

struct device *world_find_device(struct world *world, const char *name)
{
    for (size_t i = 0; i < world->device_count; i++) {
        if (strcmp(world->devices[i].name, name) == 0) {
            return &world->devices[i];
        }
    }
    return NULL;
}

struct device *world_device(struct world *world, const char *name)
{
    struct device *device = world_find_device(world, name);

    if (device == NULL) {
        if (world->device_count == WORLD_MACHINES_MAX) {
            fputs("tagout-scenario: too many machines\n", stderr);
            abort();
        }
        device = &world->devices[world->device_count++];
        text_copy(device->name, sizeof device->name, name);
    }
    return device;
}

bool world_strikes(struct world *world, enum fault_port port)
{
    struct fault *fault = &world->fault;

    world->trace.calls[port]++;
    if (fault->nth == 0 || fault->port != port || fault->struck || ++fault->calls != fault->nth) {
        return false;
    }
    fault->struck = true;
    return true;
}

/* ---- the controller's life ---- */

static bool read_configuration(struct world *world, struct roster **ret_roster)
{
    char ini[600];
    TEXT_LOCAL(why, 1024);

    shop_write(&world->shop);
    shop_path(&world->shop, "tagout.ini", ini);
    if (settings_load(ini, &world->settings, &why) != STATUS_OK ||
        roster_load(
            world->settings->controller.machines, world->settings->controller.users, ret_roster,
            &why) != STATUS_OK) {
        world_fail(world, "the configuration is refused: %s", why.data);
        settings_free(world->settings);
        world->settings = NULL;
        return false;
    }
    return true;
}

bool world_start(struct world *world)
{
    struct controller_ports ports = world_ports(world);
    struct store_events events;
    struct roster *roster = NULL;

    if (world->controller != NULL) {
        world_fail(world, "the controller runs already");
        return false;
    }
    if (!read_configuration(world, &roster)) {
        return false;
    }
    /* Monotonic time means nothing outside a process. */
    world->starts++;
    world->mono_base_ms = 5000 + 1000 * (int64_t)world->starts - world->clock_ms;
    if (controller_new(world->settings, roster, &ports, &world->controller) != STATUS_OK) {
        abort();
    }
    events = controller_store_events(world->controller);
    if (memory_store_new(world->database, &events, &world->memory) != STATUS_OK) {
        abort();
    }
    memory_store_freeze(world->memory, world->redis_is_frozen);
    world->redis_back_ms = 0;
    if (world->redis_is_up) {
        memory_store_up(world->memory);
    }
    spy_init(&world->spy, world);
    controller_start(world->controller, &world->spy.store);
    if (world->broker_is_up) {
        broker_connect(&world->broker, world->act);
    }
    return true;
}

void world_kill(struct world *world)
{
    static const char will[] = "{\"status\":\"lost\"}";
    bool connected = world->broker.connected;

    drop_controller(world);
    if (connected) {
        broker_send(
            &world->broker, "tagout/controller/a/status", will, sizeof will - 1, true, false);
    }
}

void world_stop(struct world *world)
{
    controller_stop(world->controller);
    drop_controller(world);
}

/* ---- time and turns ---- */

static void deliver(struct world *world, const struct message *message)
{
    struct controller *controller = world->controller;

    switch (message->kind) {
    case DELIVER_CONNECTED:
        controller_on_connected(controller);
        break;
    case DELIVER_DISCONNECTED:
        controller_on_disconnected(controller, message->payload);
        break;
    case DELIVER_SUBACK:
        controller_on_subscribed(controller, message->token, !world->broker_says_no);
        break;
    case DELIVER_ECHO:
        controller_on_echo(controller, message->number);
        break;
    case DELIVER_MESSAGE:
        if (topic_is_request(message->topic)) {
            controller_on_request(
                controller, message->topic, message->payload, message->length, message->retained,
                message->overflow);
        } else {
            controller_on_message(
                controller, message->topic, message->payload, message->length, message->retained);
        }
        break;
    }
}

static bool deliver_all(struct world *world)
{
    struct message *message;
    bool any = false;

    while ((message = broker_next(&world->broker)) != NULL) {
        deliver(world, message);
        message_free(message);
        any = true;
    }
    controller_flush(world->controller);
    return any;
}

static bool read_files(struct world *world)
{
    const struct settings *settings = world->settings;
    struct roster *roster = NULL;
    TEXT_LOCAL(why, 1024);

    if (!world->roster_wanted || world->files_are_slow) {
        return false;
    }
    world->roster_wanted = false;
    if (world_strikes(world, FAULT_ROSTER_FILE)) {
        controller_on_roster(world->controller, NULL, "users.json: it cannot be read");
        return true;
    }
    shop_write(&world->shop);
    if (roster_load(settings->controller.machines, settings->controller.users, &roster, &why) !=
        STATUS_OK) {
        roster = NULL;
    }
    controller_on_roster(world->controller, roster, why.data);
    return true;
}

static bool run_store(struct world *world)
{
    bool any = memory_store_run(world->memory) > 0;

    if (world->redis_is_up && !world->memory->operations->is_up(world->memory) &&
        world->redis_back_ms == 0 && !world->redis_is_frozen) {
        world->redis_back_ms = world->clock_ms + WORLD_RECONNECT_MS;
    }
    if (world->redis_back_ms != 0 && world->clock_ms >= world->redis_back_ms) {
        world->redis_back_ms = 0;
        memory_store_up(world->memory);
        any = true;
    }
    return any;
}

/* Returns when, on the scenario's clock, the controller wants to be called; 0 for never. */
static int64_t settle(struct world *world)
{
    struct mono_time next;
    bool any = true;

    memory_database_set_clock(world->database, (struct mono_time){world->clock_ms});
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        any = deliver_all(world);
        any |= run_store(world);
        any |= read_files(world);
        next = controller_tick(world->controller);
        if (!any && world->broker.first == NULL &&
            (next.ms == 0 || next.ms > world_now(world).mono.ms)) {
            return next.ms == 0 ? 0 : next.ms - world->mono_base_ms;
        }
    }
    world_fail(world, "the controller does not come to rest");
    return 0;
}

void world_settle(struct world *world)
{
    if (world->controller != NULL && !world->at_once) {
        (void)settle(world);
    }
}

void world_pass(struct world *world, int64_t ms)
{
    int64_t end = world->clock_ms + ms;

    while (world->controller != NULL && !world_has_failed(world)) {
        int64_t next = settle(world);
        if (world->redis_back_ms != 0 && (next == 0 || world->redis_back_ms < next)) {
            next = world->redis_back_ms;
        }
        if (life_next(world) != 0 && (next == 0 || life_next(world) < next)) {
            next = life_next(world);
        }
        if (next == 0 || next >= end) {
            break;
        }
        world->clock_ms = next > world->clock_ms ? next : world->clock_ms;
        life_turn(world);
    }
    world->clock_ms = end;
    life_turn(world);
    world_settle(world);
}

static bool is_ready(const struct world *world)
{
    return world->controller != NULL && controller_is_ready(world->controller);
}

void world_await_ready(struct world *world)
{
    int64_t end = world->clock_ms + READY_WITHIN_MS;

    world_settle(world);
    while (!is_ready(world) && world->clock_ms < end) {
        world_pass(world, 50);
    }
    if (!is_ready(world)) {
        world_fail(world, "the controller is not ready after %d s", READY_WITHIN_MS / 1000);
    }
}

void world_redis(struct world *world, bool up, bool carried_out)
{
    world->redis_is_up = up;
    world->redis_back_ms = 0;
    if (world->memory == NULL) {
        return;
    }
    if (up) {
        memory_store_up(world->memory);
    } else {
        memory_store_down(world->memory, "connection refused", carried_out);
    }
}
