/* Services (C11.6): what is heard of them goes to the verdicts, and their news to the world. */
#include <string.h>

#include "controller/support/log.h"
#include "controller/watcher/watcher_inside.h"
#include "topics/member.h"

#define STATUS_BYTES_MAX 4096

void publish_service(
    struct watcher *watcher, const char *name, const char *status, const char *reason,
    struct wall_time since)
{
    TEXT_LOCAL(payload, 1024);
    struct json_out out = json_out(&payload);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "status", status);
    json_out_string(&out, "reason", reason[0] == '\0' ? NULL : reason);
    json_out_wall(&out, "since", since);
    if (strcmp(name, "watcher") == 0) {
        json_out_string(&out, "id", watcher->role.id);
    }
    json_out_close(&out, '}');
    watcher_publish(watcher, TOPIC_SERVICE, name, NULL, &payload);
}

/* ---- hearing ---- */

void hear_controller(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length)
{
    struct json *document = NULL;
    struct controller_status running = {.config = ""};
    const char *word = "";
    const char *redis = "up";
    TEXT_LOCAL(why, 256);
    struct members members;

    if (length == 0) {
        return; /* somebody removes one that is no more */
    }
    members = members_of(payload, length, STATUS_BYTES_MAX, &document, &why);
    member_string(&members, "status", REQUIRED, &word);
    member_bool(&members, "leader", OPTIONAL, &running.leader);
    member_string(&members, "redis", OPTIONAL, &redis);
    member_string(&members, "redis_refuses", OPTIONAL, &running.redis_refuses);
    member_string(&members, "config", OPTIONAL, &running.config);
    member_ms(&members, "since", OPTIONAL, &running.since.ms);
    if (members.failed) {
        hear_badly(watcher, "a controller's status", why.data);
    } else if (strcmp(word, "running") == 0) {
        running.redis_up = strcmp(redis, "down") != 0;
        services_on_running(&watcher->services, topic->first, &running, watcher->now);
    } else if (strcmp(word, "stopped") == 0) {
        services_on_stopped(&watcher->services, topic->first, watcher->now);
    } else if (strcmp(word, "lost") == 0) {
        services_on_lost(&watcher->services, topic->first, watcher->now);
    } else {
        hear_badly(watcher, "a controller's status", "/status: is no status");
    }
    json_free(document);
}

static void change_role(struct watcher *watcher, enum role_change change)
{
    struct role *role = &watcher->role;

    switch (change) {
    case ROLE_SAME:
        return;
    case ROLE_IS_SILENT:
        log_info("watcher %s speaks; this one is silent until it is gone", role->other);
        services_disown(&watcher->services);
        return;
    case ROLE_TAKES_OVER: {
        struct alert alert = {
            .kind = ALERT_SERVICE_ERROR, .service = "watcher", .at = watcher->now.wall};
        struct text reason = text_over(alert.reason, sizeof alert.reason);
        text_addf(&reason, "%s was lost without a goodbye", role->other);
        (void)watcher_raise(watcher, &alert, 0);
        audit_commit(watcher->audit);
        break;
    }
    case ROLE_SPEAKS:
        break;
    }
    if (role->connected) {
        publish_service(watcher, "watcher", "running", "", watcher->started);
        publish_slack(watcher);
    }
}

void hear_service(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length)
{
    struct json *document = NULL;
    const char *word = "";
    const char *reason = "";
    const char *id = "";
    struct wall_time since = {0};
    TEXT_LOCAL(why, 256);
    struct members members;

    if (length == 0) {
        return;
    }
    members = members_of(payload, length, STATUS_BYTES_MAX, &document, &why);
    member_string(&members, "status", REQUIRED, &word);
    member_string(&members, "reason", OPTIONAL, &reason);
    member_string(&members, "id", OPTIONAL, &id);
    member_ms(&members, "since", OPTIONAL, &since.ms);
    if (members.failed) {
        hear_badly(watcher, "a service's status", why.data);
    } else if (strcmp(topic->first, "watcher") == 0) {
        change_role(
            watcher, role_on_watcher(&watcher->role, service_status_of(word), id, watcher->now));
    } else {
        services_recall(
            &watcher->services, &(struct service_memory){
                                    .name = topic->first,
                                    .told = service_status_of(word),
                                    .reason = reason,
                                    .since = since,
                                    .heard = true,
                                });
    }
    json_free(document);
}

/* ---- telling ---- */

static void tell(struct watcher *watcher, const struct service_news *news)
{
    const struct service *service = news->publish;

    if (service != NULL) {
        publish_service(
            watcher, service->name, service_status_text(service->told), service->told_reason,
            service->since);
        log_info(
            "%s: %s%s%s", service->name, service_status_text(service->told),
            service->told_reason[0] == '\0' ? "" : ": ", service->told_reason);
    }
    if (news->has_alert) {
        (void)watcher_raise(watcher, &news->alert, 0);
        audit_commit(watcher->audit);
    }
    watcher->save_at_once = true;
}

struct mono_time tick_services(struct watcher *watcher)
{
    struct service_news news;
    struct mono_time due;

    change_role(watcher, role_tick(&watcher->role, watcher->now));
    due = services_tick(&watcher->services, watcher->now);
    if (role_may_speak(&watcher->role)) {
        while (services_next(&watcher->services, watcher->now, &news)) {
            tell(watcher, &news);
        }
        /* What was told is owed its end, at a time of its own. */
        due = services_tick(&watcher->services, watcher->now);
    }
    return mono_earlier(due, role_due(&watcher->role));
}
