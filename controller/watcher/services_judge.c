/* The verdicts, and when to judge again. */
#include <string.h>

#include "controller/watcher/services.h"
#include "controller/watcher/services_inside.h"

static bool is_verdict(const struct service_controller *controller, enum service_status verdict)
{
    return controller->service.verdict == verdict;
}

static void
judge(struct service *service, enum service_status verdict, const char *reason, struct now now)
{
    if (verdict == SERVICE_RUNNING && service->verdict != SERVICE_RUNNING) {
        service->ran_at = now.mono;
        service->ran_wall = now.wall;
    }
    service->verdict = verdict;
    text_copy(service->verdict_reason, sizeof service->verdict_reason, reason);
}

/* Dead; the outage began `ago_ms` ago. */
static void judge_dead(struct service *service, const char *reason, struct now now, int64_t ago_ms)
{
    if (service->verdict != SERVICE_ERROR) {
        service->ended.ms = now.wall.ms - ago_ms;
    }
    judge(service, SERVICE_ERROR, reason, now);
}

static struct mono_time
judge_controller(struct services *services, struct service_controller *controller, struct now now)
{
    struct service *service = &controller->service;
    struct mono_time due = {0};

    switch (controller->said) {
    case CONTROLLER_RUNNING:
        judge(service, SERVICE_RUNNING, "", now);
        break;
    case CONTROLLER_STOPPED:
        judge(service, SERVICE_STOPPED, "stopped cleanly", now);
        break;
    case CONTROLLER_LOST:
        if (mono_is_past(controller->dead_at, now.mono)) {
            judge_dead(
                service, "it ended or was cut off without a goodbye", now, SERVICES_DOUBT_MS);
        } else {
            due = controller->dead_at;
        }
        break;
    case CONTROLLER_UNHEARD:
        if (service->told != SERVICE_RUNNING && service->verdict != SERVICE_RUNNING) {
            break;
        }
        if (mono_is_past(services->settled_at, now.mono)) {
            judge_dead(service, "it has not come back to the broker", now, services->settle_ms);
        } else {
            due = services->settled_at;
        }
        break;
    }
    return due;
}

static struct service_controller *leader_of(struct services *services)
{
    for (size_t i = 0; i < services->controller_count; i++) {
        struct service_controller *controller = &services->controllers[i];
        if (controller->said == CONTROLLER_RUNNING && controller->leader) {
            return controller;
        }
    }
    return NULL;
}

static bool any_runs(const struct services *services)
{
    for (size_t i = 0; i < services->controller_count; i++) {
        if (services->controllers[i].said == CONTROLLER_RUNNING) {
            return true;
        }
    }
    return false;
}

static void tell_why_none_leads(
    const struct services *services, const struct service_controller *last, struct text *out)
{
    if (last != NULL && is_verdict(last, SERVICE_ERROR)) {
        text_addf(out, "controller %s is gone, and no other has taken over", last->id);
    } else if (last != NULL && last->said == CONTROLLER_STOPPED) {
        text_addf(out, "controller %s was stopped, and none has come back", last->id);
    } else if (any_runs(services)) {
        text_add(out, "a controller runs, but does not lead");
    } else {
        text_add(out, "no controller has been heard");
    }
}

static struct mono_time judge_leader(struct services *services, struct now now)
{
    const struct service_controller *leader = leader_of(services);
    const struct service_controller *last = services_controller(services, services->led_by);
    TEXT_LOCAL(reason, SERVICE_REASON_SIZE);

    if (leader != NULL) {
        services->leader_dead_at = (struct mono_time){0};
        text_copy(services->led_by, sizeof services->led_by, leader->id);
        judge(&services->leader, SERVICE_RUNNING, leader->id, now);
        return services->leader_dead_at;
    }
    if (last != NULL && last->said == CONTROLLER_LOST && !is_verdict(last, SERVICE_ERROR)) {
        services->leader.ran_at = now.mono; /* in doubt with it */
        return services->leader_dead_at;
    }
    if (services->leader_dead_at.ms == 0) {
        services->leader_dead_at = in_ms(now, SERVICES_OUTAGE_MS);
    }
    tell_why_none_leads(services, last, &reason);
    if ((last != NULL && is_verdict(last, SERVICE_ERROR)) ||
        mono_is_past(services->leader_dead_at, now.mono)) {
        judge_dead(&services->leader, reason.data, now, 0);
        return (struct mono_time){0};
    }
    if (last != NULL && last->said == CONTROLLER_STOPPED) {
        judge(&services->leader, SERVICE_STOPPED, reason.data, now);
    }
    return services->leader_dead_at;
}

static struct mono_time judge_redis(struct services *services, struct now now)
{
    const struct service_controller *blind = NULL;
    struct mono_time dead_at;
    TEXT_LOCAL(reason, SERVICE_REASON_SIZE);

    for (size_t i = 0; blind == NULL && i < services->controller_count; i++) {
        const struct service_controller *controller = &services->controllers[i];
        if (controller->said == CONTROLLER_RUNNING && !controller->redis_up) {
            blind = controller;
        }
    }
    if (blind == NULL) {
        services->redis_down_at = (struct mono_time){0};
        if (any_runs(services)) {
            judge(&services->redis, SERVICE_RUNNING, "", now);
        }
        return services->redis_down_at;
    }
    if (services->redis_down_at.ms == 0) {
        services->redis_down_at = in_ms(now, 0);
    }
    dead_at.ms = services->redis_down_at.ms + SERVICES_OUTAGE_MS;
    if (!mono_is_past(dead_at, now.mono)) {
        return dead_at;
    }
    if (blind->redis_refuses[0] == '\0') {
        text_addf(&reason, "controller %s gets no answer from it", blind->id);
    } else {
        text_addf(&reason, "it refuses controller %s: %s", blind->id, blind->redis_refuses);
    }
    judge_dead(&services->redis, reason.data, now, SERVICES_OUTAGE_MS);
    return (struct mono_time){0};
}

static bool configs_differ(const struct services *services)
{
    const char *first = NULL;

    for (size_t i = 0; i < services->controller_count; i++) {
        const struct service_controller *controller = &services->controllers[i];
        if (controller->said != CONTROLLER_RUNNING || controller->config[0] == '\0') {
            continue;
        }
        if (first != NULL && strcmp(first, controller->config) != 0) {
            return true;
        }
        first = controller->config;
    }
    return false;
}

static struct mono_time judge_configs(struct services *services, struct now now)
{
    if (!configs_differ(services)) {
        services->config_at = (struct mono_time){0};
    } else if (services->config_at.ms == 0) {
        services->config_at = in_ms(now, SERVICES_CONFIG_MS);
    }
    return mono_is_past(services->config_at, now.mono) ? (struct mono_time){0}
                                                       : services->config_at;
}

static void give_back(struct mono_time *moment, int64_t late_ms)
{
    moment->ms += moment->ms == 0 ? 0 : late_ms;
}

/* Where this process stood still, what it waited for may have come and lie in the inbox. */
static void make_up_for_a_stall(struct services *services, struct now now)
{
    int64_t late_ms = services->due.ms == 0 ? 0 : now.mono.ms - services->due.ms;

    if (late_ms < SERVICES_STALL_MS) {
        return;
    }
    late_ms += SERVICES_STALL_MS;
    give_back(&services->settled_at, late_ms);
    give_back(&services->broker_dead_at, late_ms);
    give_back(&services->leader_dead_at, late_ms);
    give_back(&services->redis_down_at, late_ms);
    give_back(&services->config_at, late_ms);
    for (size_t i = 0; i < services->controller_count; i++) {
        give_back(&services->controllers[i].dead_at, late_ms);
    }
}

/* When the recoveries that people are owed are due. */
static struct mono_time recovery_due(struct services *services, struct now now)
{
    struct mono_time due = {0};
    const struct service *service;

    for (size_t i = 0; (service = services_at(services, i)) != NULL; i++) {
        struct mono_time steady_at = {service->ran_at.ms + SERVICES_STEADY_MS};
        if (service->alerted && service->verdict == SERVICE_RUNNING &&
            !mono_is_past(steady_at, now.mono)) {
            due = mono_earlier(due, steady_at);
        }
    }
    return due;
}

struct mono_time services_tick(struct services *services, struct now now)
{
    struct mono_time due = {0};

    make_up_for_a_stall(services, now);
    if (services->connected) {
        judge(&services->broker, SERVICE_RUNNING, "", now);
        for (size_t i = 0; i < services->controller_count; i++) {
            due = mono_earlier(due, judge_controller(services, &services->controllers[i], now));
        }
        due = mono_earlier(due, judge_leader(services, now));
        due = mono_earlier(due, judge_redis(services, now));
        due = mono_earlier(due, judge_configs(services, now));
    } else if (mono_is_past(services->broker_dead_at, now.mono)) {
        judge_dead(&services->broker, services->broker_reason, now, SERVICES_BROKER_MS);
    } else {
        due = mono_earlier(due, services->broker_dead_at);
    }
    due = mono_earlier(due, recovery_due(services, now));
    services->due = due;
    return due;
}
