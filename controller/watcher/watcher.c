#include "controller/watcher/watcher.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "controller/watcher/watcher_inside.h"

#define SAVE_MS 10000 /* between two times of remembering, where Slack was told nothing */
#define SUBSCRIBE_AGAIN_MS 5000
#define BEHIND_LOG_MS 60000
#define BEHIND_ALERT_MS 300000 /* a person has to look */
#define LOOK_MS 1000
#define SUBSCRIPTIONS 5
/* What the silent one of two keeps for Slack: longer than it takes to know that the other died. */
#define KEPT_MS 10000

void watcher_print_will(const struct settings *settings, struct text *out)
{
    text_addf(
        out, "{\"status\":\"error\",\"reason\":\"lost\",\"since\":null,\"id\":\"%s\"}",
        settings->watcher.id);
}

/* ---- telling ---- */

void watcher_publish(
    struct watcher *watcher, enum topic_id topic, const char *first, const char *second,
    const struct text *payload)
{
    const struct topic_info *info = topic_info(topic);
    const char *prefix = watcher->settings->controller.prefix;
    char name[TOPIC_SIZE];

    if (topic_build(name, sizeof name, prefix, topic, first, second) != STATUS_OK) {
        log_error("\"%s\" cannot be part of a topic", first == NULL ? "" : first);
    } else if (
        watcher->mqtt == NULL || payload->cut ||
        mqtt_publish(
            watcher->mqtt, name, payload->data, payload->length, info->qos, info->retained) !=
            STATUS_OK) {
        log_error("%s: could not be published", name);
    }
}

bool watcher_raise(struct watcher *watcher, const struct alert *alert, uint32_t ticket)
{
    int64_t line;
    TEXT_LOCAL(payload, ALERT_BYTES_MAX);
    TEXT_LOCAL(sentence, 1024);

    if (watcher->role.silent) {
        return true; /* the other one's to tell */
    }
    if (alert_print(alert, &payload) != STATUS_OK) {
        log_error("an alert did not fit and was not raised");
        return false;
    }
    watcher->alerts[alert->kind]++;
    alert_text(alert, &sentence);
    log_warning("alert: %s", sentence.data);
    watcher_publish(watcher, TOPIC_ALERT, NULL, NULL, &payload);
    line = add_line(watcher, "alert", payload.data, payload.length);
    return post_alert(watcher, alert, line, ticket, NULL);
}

void publish_slack(struct watcher *watcher)
{
    if (slack_is_configured(watcher->slack)) {
        publish_service(
            watcher, "slack", watcher->slack_works ? "running" : "error", watcher->slack_reason,
            watcher->slack_since);
    } else {
        publish_service(watcher, "slack", "stopped", "not configured", watcher->started);
    }
}

/* ---- what Slack tells ---- */

static void on_slack_health(void *context, bool works, const char *reason)
{
    struct watcher *watcher = context;

    if (works == watcher->slack_works && strcmp(reason, watcher->slack_reason) == 0) {
        return;
    }
    if (works != watcher->slack_works) {
        watcher->slack_since = watcher->now.wall;
        if (works) {
            log_info("Slack takes messages again");
        } else {
            log_error("Slack does not take messages: %s", reason);
        }
    }
    watcher->slack_works = works;
    text_copy(watcher->slack_reason, sizeof watcher->slack_reason, reason);
    if (watcher->mqtt != NULL && role_may_speak(&watcher->role)) {
        publish_slack(watcher);
    }
}

static void on_slack_ticket(void *context, uint32_t ticket, bool delivered, const char *reason)
{
    test_alert_settle(context, ticket, delivered, reason);
}

static void on_slack_progress(void *context)
{
    struct watcher *watcher = context;
    watcher->save_at_once = true;
    watcher->slack_done++;
}

/* ---- its life ---- */

enum status watcher_new(
    struct event_base *base, const struct settings *settings, struct audit *audit,
    struct watcher **ret_watcher)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    enum status status;

    if (watcher == NULL) {
        return STATUS_NO_MEMORY;
    }
    watcher->settings = settings;
    watcher->audit = audit;
    watcher->now = clock_now();
    watcher->started = watcher->now.wall;
    watcher->slack_works = true;
    watcher->slack_since = watcher->now.wall;
    watcher->role.id = settings->watcher.id;
    watch_certificates_begin(watcher);
    services_begin(
        &watcher->services, (int64_t)(settings->liveness.settle_s * 1000 + 0.5), watcher->now);
    watcher->machines = watched_new();
    watcher->heard = heard_new();
    watcher->counting.machines = watcher->machines;
    watcher->counting.limits = (struct save_timeouts_limits){
        .window_ms = (int64_t)(settings->watcher.window_s * 1000 + 0.5),
        .threshold = (uint32_t)settings->watcher.threshold,
        .cooldown_ms = (int64_t)(settings->watcher.cooldown_s * 1000 + 0.5),
    };
    status = watcher->machines == NULL || watcher->heard == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    if (status == STATUS_OK) {
        const struct slack_events events = {
            .context = watcher,
            .on_health = on_slack_health,
            .on_ticket = on_slack_ticket,
            .on_progress = on_slack_progress,
        };
        status = slack_new(base, settings, &events, &watcher->slack);
    }
    if (status != STATUS_OK) {
        watcher_free(watcher);
        return status;
    }
    *ret_watcher = watcher;
    return STATUS_OK;
}

void watcher_free(struct watcher *watcher)
{
    if (watcher == NULL) {
        return;
    }
    certificate_reading_free(watcher->reading);
    slack_free(watcher->slack);
    watched_free(watcher->machines);
    heard_free(watcher->heard);
    free(watcher);
}

void watcher_connect(struct watcher *watcher, struct mqtt *mqtt)
{
    watcher->mqtt = mqtt;
}

static void subscribe(struct watcher *watcher)
{
    /* Only the newest status counts: at QoS 0 none is kept while this client is away. */
    static const int qos[SUBSCRIPTIONS] = {1, 1, 1, 0, 0};
    const char *prefix = watcher->settings->controller.prefix;
    char names[SUBSCRIPTIONS][TOPIC_SIZE];
    const char *filters[SUBSCRIPTIONS] = {names[0], names[1], names[2], names[3], names[4]};
    struct text request = text_over(names[2], sizeof names[2]);

    text_addf(&request, "%s/request/+/%s", prefix, request_verb_text(REQUEST_TEST_ALERT));
    if (topic_filter(names[0], sizeof names[0], prefix, TOPIC_EVENT) != STATUS_OK ||
        topic_filter(names[1], sizeof names[1], prefix, TOPIC_SAVE_TIMEOUT) != STATUS_OK ||
        topic_filter(names[3], sizeof names[3], prefix, TOPIC_CONTROLLER_STATUS) != STATUS_OK ||
        topic_filter(names[4], sizeof names[4], prefix, TOPIC_SERVICE) != STATUS_OK ||
        mqtt_subscribe(watcher->mqtt, filters, qos, SUBSCRIPTIONS, 0) != STATUS_OK) {
        watcher->subscribe_at.ms = watcher->now.mono.ms + SUBSCRIBE_AGAIN_MS;
    }
}

void watcher_on_connected(struct watcher *watcher)
{
    watcher->now = clock_now();
    log_info("connected to the broker");
    watcher->away_reason[0] = '\0';
    services_on_connected(&watcher->services, watcher->now);
    role_on_listening(&watcher->role, watcher->now);
    subscribe(watcher);
}

void watcher_on_disconnected(struct watcher *watcher, const char *reason)
{
    watcher->now = clock_now();
    services_on_disconnected(&watcher->services, reason, watcher->now);
    role_on_disconnected(&watcher->role, watcher->now);
    watcher->subscribe_at = (struct mono_time){0};
    watcher->subscribed = false;
    /* It tries twice a second: one line for each cause. */
    if (strcmp(watcher->away_reason, reason) != 0) {
        text_copy(watcher->away_reason, sizeof watcher->away_reason, reason);
        log_warning("not connected to the broker: %s; trying again, for ever", reason);
    }
}

bool watcher_on_subscribed(struct watcher *watcher, bool granted)
{
    if (!granted) {
        log_error("the broker refuses the subscription; is this account the watcher's?");
        watcher->subscribe_at.ms = clock_now().mono.ms + SUBSCRIBE_AGAIN_MS;
    }
    watcher->subscribed = granted;
    return granted;
}

void watcher_on_message(
    struct watcher *watcher, const char *topic, const char *payload, size_t length, bool retained)
{
    struct topic_match match;

    watcher->now = clock_now();
    if (topic_parse(watcher->settings->controller.prefix, topic, &match) != STATUS_OK) {
        watcher->bad_messages++;
        return;
    }
    if (match.id == TOPIC_CONTROLLER_STATUS) {
        hear_controller(watcher, &match, payload, length);
    } else if (match.id == TOPIC_SERVICE) {
        hear_service(watcher, &match, payload, length);
    } else if (retained) {
        watcher->bad_messages++; /* C2: what comes retained is old, whoever kept it */
    } else if (match.id == TOPIC_EVENT) {
        hear_event(watcher, &match, payload, length);
    } else if (match.id == TOPIC_SAVE_TIMEOUT) {
        hear_save_timeout(watcher, payload, length);
    } else if (
        match.id == TOPIC_REQUEST && request_is_watchers(match.second) && !watcher->role.silent) {
        hear_test_alert(watcher, &match, payload, length);
    }
}

void watcher_on_left(struct watcher *watcher, const char *topic, const char *payload, size_t length)
{
    watcher->hears_again = true;
    watcher_on_message(watcher, topic, payload, length, false);
    watcher->hears_again = false;
}

/* Remembers at once what Slack was told, lest a restart tells it again, and all else in a while. */
static struct mono_time tick_memory(struct watcher *watcher)
{
    if (watcher->save_at_once || mono_is_past(watcher->save_at, watcher->now.mono)) {
        remember_save(watcher);
        watcher->save_at_once = false;
        watcher->save_at = (struct mono_time){0};
        watcher->saved_line = watcher->line;
    } else if (watcher->save_at.ms == 0 && watcher->line != watcher->saved_line) {
        watcher->save_at.ms = watcher->now.mono.ms + SAVE_MS;
    }
    return watcher->save_at;
}

static void raise_about_disk(struct watcher *watcher, enum alert_kind kind, int64_t behind_ms)
{
    const struct alert alert = {.kind = kind, .lasted_ms = behind_ms, .at = watcher->now.wall};

    watcher->audit_alerted = kind == ALERT_AUDIT_STOPPED;
    (void)watcher_raise(watcher, &alert, 0);
    audit_commit(watcher->audit);
}

/* A disk that hangs says nothing, so somebody else has to. Returns when to look again. */
static struct mono_time look_at_disk(struct watcher *watcher)
{
    int64_t behind_ms = audit_behind_ms(watcher->audit, watcher->now.mono);

    if (behind_ms >= WATCHER_BEHIND_MS &&
        (watcher->behind_logged.ms == 0 ||
         watcher->now.mono.ms - watcher->behind_logged.ms >= BEHIND_LOG_MS)) {
        watcher->behind_logged = watcher->now.mono;
        log_error(
            "audit: the disk has taken nothing for %lld s; events wait in memory",
            (long long)behind_ms / 1000);
    }
    if (behind_ms >= BEHIND_ALERT_MS && !watcher->audit_alerted) {
        raise_about_disk(watcher, ALERT_AUDIT_STOPPED, behind_ms);
    } else if (behind_ms == 0 && watcher->audit_alerted) {
        raise_about_disk(watcher, ALERT_AUDIT_RESUMED, 0);
    }
    return (struct mono_time){behind_ms == 0 ? 0 : watcher->now.mono.ms + LOOK_MS};
}

/* Machines that have gathered leave as one message. */
static struct mono_time tick_crowds(struct watcher *watcher)
{
    struct slack_post post;
    int64_t line;
    struct wall_time seen;

    while (slack_crowds_take(&watcher->crowds, watcher->now.mono, &post, &line, &seen)) {
        (void)slack_queue_add(slack_queue_of(watcher->slack), &post, line, seen, 0);
    }
    return slack_crowds_due(&watcher->crowds, watcher->now.mono);
}

static struct mono_time tick_slack(struct watcher *watcher)
{
    if (role_may_speak(&watcher->role)) {
        return slack_tick(watcher->slack, watcher->now);
    }
    if (watcher->role.silent) {
        slack_queue_forget(
            slack_queue_of(watcher->slack), (struct wall_time){watcher->now.wall.ms - KEPT_MS},
            watcher->now.wall);
    }
    return (struct mono_time){0};
}

struct mono_time watcher_tick(struct watcher *watcher)
{
    struct alert alert;
    struct mono_time next;

    watcher->now = clock_now();
    if (save_timeouts_tick(&watcher->counting, watcher->now, &alert)) {
        (void)watcher_raise(watcher, &alert, 0);
        audit_commit(watcher->audit);
    }
    if (mono_is_past(watcher->subscribe_at, watcher->now.mono)) {
        watcher->subscribe_at = (struct mono_time){0};
        subscribe(watcher);
    }
    next = save_timeouts_due(&watcher->counting);
    next = mono_earlier(next, watcher->subscribe_at);
    next = mono_earlier(next, tick_services(watcher));
    next = mono_earlier(next, tick_crowds(watcher));
    next = mono_earlier(next, tick_slack(watcher));
    next = mono_earlier(next, test_alert_tick(watcher));
    next = mono_earlier(next, tick_certificates(watcher));
    next = mono_earlier(next, tick_memory(watcher));
    return mono_earlier(next, look_at_disk(watcher));
}

bool watcher_finish_slack(struct watcher *watcher)
{
    return slack_finish(watcher->slack);
}

void watcher_stop(struct watcher *watcher)
{
    watcher->now = clock_now();
    remember_save(watcher);
    if (watcher->mqtt == NULL || !role_may_speak(&watcher->role)) {
        return;
    }
    if (slack_is_configured(watcher->slack)) {
        publish_service(watcher, "slack", "stopped", "the watcher stopped", watcher->now.wall);
    }
    publish_service(watcher, "watcher", "stopped", "", watcher->now.wall);
}
