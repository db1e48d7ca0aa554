/* What is to be published and told: the difference between verdicts and what was told before. */
#include <string.h>

#include "controller/watcher/services.h"
#include "controller/watcher/services_inside.h"

static void publish(struct service *service, struct now now, struct service_news *news)
{
    if (service->verdict != service->told || service->since.ms == 0) {
        service->since = now.wall;
    }
    service->told = service->verdict;
    memcpy(service->told_reason, service->verdict_reason, sizeof service->told_reason);
    service->owned = true;
    service->published = true;
    news->publish = service;
}

/* Of the controller that leads, or led last; NULL when it is not known. */
static struct service *service_of_leader(struct services *services)
{
    struct service_controller *controller = services_controller(services, services->led_by);
    return controller == NULL ? NULL : &controller->service;
}

static struct alert *begin_alert(
    struct service_news *news, enum alert_kind kind, const struct service *service, struct now now)
{
    news->has_alert = true;
    news->alert = (struct alert){.kind = kind, .at = now.wall};
    text_copy(news->alert.service, sizeof news->alert.service, service->name);
    return &news->alert;
}

static void tell_death(
    struct services *services, struct service *service, struct now now, struct service_news *news)
{
    struct alert *alert = begin_alert(news, ALERT_SERVICE_ERROR, service, now);
    struct service *leader = &services->leader;

    text_copy(
        alert->reason, sizeof alert->reason,
        service->fell ? "it ended without a goodbye, and was back at once"
                      : service->verdict_reason);
    service->alerted = true;
    service->died = service->fell ? now.wall : service->ended;
    /* The leader's death is one message, not two. */
    if (service->verdict == SERVICE_ERROR && leader->verdict == SERVICE_ERROR && !leader->alerted &&
        service == service_of_leader(services)) {
        alert->leads = true;
        leader->alerted = true;
        leader->died = service->died;
    }
}

static void tell_recovery(
    struct services *services, struct service *service, struct now now, struct service_news *news)
{
    struct alert *alert = begin_alert(news, ALERT_SERVICE_RECOVERED, service, now);
    struct service *leader = &services->leader;

    alert->lasted_ms = service->ran_wall.ms - service->died.ms;
    alert->lasted_ms = alert->lasted_ms < 0 ? 0 : alert->lasted_ms;
    service->alerted = false;
    service->died = (struct wall_time){0};
    if (service == leader) {
        text_copy(alert->reason, sizeof alert->reason, service->verdict_reason);
    } else if (
        leader->alerted && leader->verdict == SERVICE_RUNNING &&
        service == service_of_leader(services)) {
        alert->leads = true;
        leader->alerted = false;
        leader->died = (struct wall_time){0};
    }
}

static bool report(
    struct services *services, struct service *service, struct now now, struct service_news *news)
{
    struct mono_time steady_at = {service->ran_at.ms + SERVICES_STEADY_MS};

    if (service->verdict == SERVICE_UNKNOWN) {
        return false;
    }
    if (service->verdict != service->told || !service->published ||
        strcmp(service->verdict_reason, service->told_reason) != 0) {
        publish(service, now, news);
    }
    /* A stop after a death is somebody at work on it; people still want to hear that it is back. */
    if (!service->alerted && (service->verdict == SERVICE_ERROR || service->fell)) {
        tell_death(services, service, now, news);
    } else if (
        service->alerted && service->verdict == SERVICE_RUNNING &&
        mono_is_past(steady_at, now.mono)) {
        tell_recovery(services, service, now, news);
    }
    service->fell = false;
    return news->publish != NULL || news->has_alert;
}

static void add_running(const struct services *services, struct text *out)
{
    for (size_t i = 0; i < services->controller_count; i++) {
        if (services->controllers[i].said == CONTROLLER_RUNNING) {
            text_addf(out, "%s%s", out->length == 0 ? "" : ", ", services->controllers[i].id);
        }
    }
}

static size_t running_count(const struct services *services)
{
    size_t count = 0;

    for (size_t i = 0; i < services->controller_count; i++) {
        count += services->controllers[i].said == CONTROLLER_RUNNING;
    }
    return count;
}

static bool report_configs(struct services *services, struct now now, struct service_news *news)
{
    bool differ = mono_is_past(services->config_at, now.mono);
    struct text names;

    if (!services->connected || differ == services->config_alerted ||
        (!differ && (services->config_at.ms != 0 || running_count(services) < 2))) {
        return false;
    }
    services->config_alerted = differ;
    news->has_alert = true;
    news->alert =
        (struct alert){.kind = differ ? ALERT_CONFIG_DIFFERS : ALERT_CONFIG_AGREES, .at = now.wall};
    names = text_over(news->alert.reason, sizeof news->alert.reason);
    add_running(services, &names);
    return true;
}

bool services_next(struct services *services, struct now now, struct service_news *ret_news)
{
    struct service_news news = {0};
    struct service *service;
    bool found = false;

    for (size_t i = 0; !found && (service = services_at(services, i)) != NULL; i++) {
        found = report(services, service, now, &news);
    }
    if (!found) {
        found = report_configs(services, now, &news);
    }
    if (found) {
        *ret_news = news;
    }
    return found;
}
