#include "controller/watcher/services.h"

#include <string.h>

#include "controller/watcher/services_inside.h"

#define PREFIX "controller-"

static const char *const words[] = {
    [SERVICE_UNKNOWN] = "unknown",
    [SERVICE_RUNNING] = "running",
    [SERVICE_STOPPED] = "stopped",
    [SERVICE_ERROR] = "error",
};

const char *service_status_text(enum service_status status)
{
    return words[status];
}

enum service_status service_status_of(const char *text)
{
    for (enum service_status status = SERVICE_RUNNING; status <= SERVICE_ERROR; status++) {
        if (strcmp(words[status], text) == 0) {
            return status;
        }
    }
    return SERVICE_UNKNOWN;
}

struct mono_time in_ms(struct now now, int64_t ms)
{
    int64_t moment = now.mono.ms + ms;
    return (struct mono_time){moment == 0 ? 1 : moment};
}

/* ---- who there is ---- */

static void name_service(struct service *service, const char *name, const char *id)
{
    struct text text = text_over(service->name, sizeof service->name);

    text_add(&text, name);
    text_add(&text, id);
}

void services_begin(struct services *services, int64_t settle_ms, struct now now)
{
    memset(services, 0, sizeof *services);
    services->settle_ms = settle_ms;
    name_service(&services->leader, "leader", "");
    name_service(&services->redis, "redis", "");
    name_service(&services->broker, "broker", "");
    /* At the start of a host all start together. */
    services->broker_dead_at = in_ms(now, settle_ms);
    text_copy(services->broker_reason, sizeof services->broker_reason, "not reached since a start");
}

struct service_controller *services_controller(struct services *services, const char *id)
{
    for (size_t i = 0; i < services->controller_count; i++) {
        if (strcmp(services->controllers[i].id, id) == 0) {
            return &services->controllers[i];
        }
    }
    return NULL;
}

/* NULL for one too many. */
static struct service_controller *find_or_add(struct services *services, const char *id)
{
    struct service_controller *controller = services_controller(services, id);

    if (controller != NULL || services->controller_count == SERVICES_CONTROLLERS_MAX ||
        strlen(id) > TOPIC_MACHINE_MAX) {
        return controller;
    }
    controller = &services->controllers[services->controller_count++];
    memset(controller, 0, sizeof *controller);
    text_copy(controller->id, sizeof controller->id, id);
    name_service(&controller->service, PREFIX, id);
    return controller;
}

const struct service *services_look(const struct services *services, size_t index)
{
    const struct service *others[] = {&services->leader, &services->redis, &services->broker};

    if (index < services->controller_count) {
        return &services->controllers[index].service;
    }
    index -= services->controller_count;
    return index < sizeof others / sizeof others[0] ? others[index] : NULL;
}

struct service *services_at(struct services *services, size_t index)
{
    struct service *others[] = {&services->leader, &services->redis, &services->broker};

    if (index < services->controller_count) {
        return &services->controllers[index].service;
    }
    index -= services->controller_count;
    return index < sizeof others / sizeof others[0] ? others[index] : NULL;
}

static struct service *find_service(struct services *services, const char *name)
{
    struct service *service;

    if (strncmp(name, PREFIX, strlen(PREFIX)) == 0) {
        struct service_controller *controller = find_or_add(services, name + strlen(PREFIX));
        return controller == NULL ? NULL : &controller->service;
    }
    for (size_t i = services->controller_count; (service = services_at(services, i)) != NULL; i++) {
        if (strcmp(service->name, name) == 0) {
            return service;
        }
    }
    return NULL;
}

void services_recall(struct services *services, const struct service_memory *memory)
{
    struct service *service =
        memory->told == SERVICE_UNKNOWN ? NULL : find_service(services, memory->name);

    if (service == NULL || service->owned) {
        return;
    }
    if (!memory->heard) {
        service->died = memory->died;
    } else if (memory->told == SERVICE_ERROR) {
        service->died = memory->since;
    } else if (service->told != memory->told) {
        service->died = (struct wall_time){0}; /* whoever told that it works tells the rest */
    }
    service->alerted = service->died.ms != 0;
    service->told = memory->told;
    text_copy(service->told_reason, sizeof service->told_reason, memory->reason);
    service->since = memory->since;
    if (service == &services->leader && memory->told == SERVICE_RUNNING &&
        services->led_by[0] == '\0') {
        text_copy(services->led_by, sizeof services->led_by, memory->reason);
    }
}

void services_disown(struct services *services)
{
    struct service *service;

    for (size_t i = 0; (service = services_at(services, i)) != NULL; i++) {
        service->owned = false;
    }
}

/* ---- what is heard ---- */

void services_on_connected(struct services *services, struct now now)
{
    struct service *service;

    services->connected = true;
    services->settled_at = in_ms(now, services->settle_ms);
    services->broker_dead_at = (struct mono_time){0};
    services->leader_dead_at = services->settled_at;
    services->redis_down_at = (struct mono_time){0};
    services->config_at = (struct mono_time){0};
    for (size_t i = 0; i < services->controller_count; i++) {
        services->controllers[i].said = CONTROLLER_UNHEARD;
        services->controllers[i].dead_at = (struct mono_time){0};
    }
    for (size_t i = 0; (service = services_at(services, i)) != NULL; i++) {
        service->published = false;
    }
}

void services_on_disconnected(struct services *services, const char *reason, struct now now)
{
    if (services->connected) {
        services->connected = false;
        services->broker_dead_at = in_ms(now, SERVICES_BROKER_MS);
    }
    text_copy(services->broker_reason, sizeof services->broker_reason, reason);
}

void services_on_running(
    struct services *services, const char *id, const struct controller_status *status,
    struct now now)
{
    struct service_controller *controller = find_or_add(services, id);
    struct service *service;

    if (controller == NULL) {
        return;
    }
    service = &controller->service;
    /* In doubt, and back as another process: it fell. As the same one, it lost its connection. */
    if (controller->said == CONTROLLER_LOST && service->verdict == SERVICE_RUNNING &&
        controller->since.ms != status->since.ms) {
        service->fell = true;
        service->ran_at = now.mono;
        service->ran_wall = now.wall;
    }
    controller->said = CONTROLLER_RUNNING;
    controller->dead_at = (struct mono_time){0};
    controller->leader = status->leader;
    controller->redis_up = status->redis_up;
    text_copy(
        controller->redis_refuses, sizeof controller->redis_refuses,
        status->redis_refuses == NULL ? "" : status->redis_refuses);
    controller->since = status->since;
    text_copy(controller->config, sizeof controller->config, status->config);
}

void services_on_stopped(struct services *services, const char *id, struct now now)
{
    struct service_controller *controller = find_or_add(services, id);

    if (controller == NULL) {
        return;
    }
    controller->said = CONTROLLER_STOPPED;
    if (strcmp(services->led_by, id) == 0 && !mono_is_past(services->leader_dead_at, now.mono)) {
        services->leader_dead_at = in_ms(now, services->settle_ms); /* none is missed */
    }
}

void services_on_lost(struct services *services, const char *id, struct now now)
{
    struct service_controller *controller = find_or_add(services, id);

    if (controller == NULL || controller->said == CONTROLLER_LOST ||
        controller->said == CONTROLLER_STOPPED) {
        return;
    }
    /* One that was not heard alive on this connection may come back like the broker itself. */
    controller->dead_at = controller->said == CONTROLLER_RUNNING ? in_ms(now, SERVICES_DOUBT_MS)
                                                                 : services->settled_at;
    controller->said = CONTROLLER_LOST;
    controller->service.ran_at = now.mono; /* not steady */
}
