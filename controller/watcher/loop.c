#include "controller/watcher/loop.h"

#include <signal.h>
#include <stdlib.h>

#include "controller/config/broker_options.h"
#include "controller/support/clock.h"
#include "controller/support/event_loop.h"
#include "controller/support/inbox.h"
#include "controller/support/log.h"
#include "controller/support/mqtt.h"
#include "controller/support/supervisor.h"
#include "controller/watcher/audit.h"
#include "controller/watcher/spool.h"
#include "controller/watcher/watcher.h"
#include "controller/watcher/watcher_http.h"
#include "topics/topic.h"

#define MESSAGES_A_TURN 4096
#define INBOX_BYTES ((size_t)8 << 20)
#define KEEP_ALIVE_S 3   /* its death is known within 5 s (C11.6) */
#define RETRY_MAX_MS 300 /* so that a broker that is back is seen before it counts as dead */
#define GOODBYE_MS 2000
#define SLACK_STOP_MS 2000
#define AUDIT_STOP_MS 3000
/* So long the start waits for the disk, so that nobody is paged twice for the same; then alerts
 * matter more. */
#define PAST_WAIT_MS 3000

struct loop {
    const struct settings *settings;
    struct event_loop events;
    struct inbox *inbox;
    struct mqtt *mqtt;
    struct audit *audit;
    struct watcher *watcher;
    struct spool *spool; /* NULL: there is no place for one */
    struct supervisor supervisor;
    struct watcher_http *http;
    struct mono_time past_until;
    bool connecting;
    bool stopping;
    bool said_ready;
};

/* ---- events ---- */

static void say_ready(struct loop *loop)
{
    if (!loop->said_ready) {
        loop->said_ready = true;
        log_info("ready: watching %s", loop->settings->controller.prefix);
        supervisor_ready(&loop->supervisor, clock_now().mono);
    }
}

static void on_message(struct loop *loop, const struct inbox_entry *entry)
{
    switch (entry->kind) {
    case INBOX_MESSAGE:
        watcher_on_message(
            loop->watcher, entry->topic, entry->payload, entry->payload_length, entry->retained);
        break;
    case INBOX_CONNECTED:
        mqtt_on_connected(loop->mqtt);
        watcher_on_connected(loop->watcher);
        break;
    case INBOX_DISCONNECTED:
        mqtt_on_disconnected(loop->mqtt, clock_now().mono);
        watcher_on_disconnected(loop->watcher, entry->payload);
        break;
    case INBOX_SUBSCRIBED:
    case INBOX_SUBSCRIBE_FAILED:
        if (watcher_on_subscribed(loop->watcher, entry->kind == INBOX_SUBSCRIBED)) {
            say_ready(loop);
        }
        break;
    }
}

static void on_inbox(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;
    struct inbox_entry entry;

    (void)fd;
    (void)what;
    for (int i = 0; i < MESSAGES_A_TURN && inbox_pop(loop->inbox, &entry); i++) {
        on_message(loop, &entry);
    }
}

static void connect_to_broker(struct loop *loop)
{
    loop->connecting = true;
    watcher_connect(loop->watcher, loop->mqtt);
    mqtt_start(loop->mqtt, clock_now().mono);
}

/* On Paho's thread. What is counted must not be lost once it was acknowledged. */
static void
keep(void *context, const char *topic, const char *payload, size_t length, bool retained)
{
    const struct loop *loop = context;
    struct topic_match match;

    if (!retained && topic_parse(loop->settings->controller.prefix, topic, &match) == STATUS_OK &&
        (match.id == TOPIC_EVENT || match.id == TOPIC_SAVE_TIMEOUT)) {
        spool_add(loop->spool, topic, payload, length);
    }
}

static void take_left(void *context, const char *topic, const char *payload, size_t length)
{
    watcher_on_left(context, topic, payload, length);
}

static void on_audit(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;
    struct audit_past *past = audit_take_past(loop->audit);

    (void)fd;
    (void)what;
    if (past != NULL) {
        watcher_on_past(loop->watcher, past);
        if (loop->spool != NULL) {
            spool_recall(loop->spool, take_left, loop->watcher);
        }
        if (!loop->connecting) {
            connect_to_broker(loop);
        }
    }
}

static void on_signal(evutil_socket_t signal_number, short what, void *argument)
{
    struct loop *loop = argument;

    (void)what;
    log_info("%s: stopping", signal_number == SIGINT ? "interrupted" : "terminated");
    loop->stopping = true;
}

/* ---- putting it together ---- */

static enum status start_events(struct loop *loop)
{
    static const int signals[] = {SIGTERM, SIGINT};
    enum status status =
        event_loop_listen(&loop->events, inbox_fd(loop->inbox), EV_READ, on_inbox, loop);

    if (status == STATUS_OK) {
        status = event_loop_listen(&loop->events, audit_fd(loop->audit), EV_READ, on_audit, loop);
    }
    for (size_t i = 0; status == STATUS_OK && i < sizeof signals / sizeof signals[0]; i++) {
        status = event_loop_listen(&loop->events, signals[i], EV_SIGNAL, on_signal, loop);
    }
    return status;
}

/* Without a place that outlives the process, what is on its way when it is killed is lost. */
static void open_spool(struct loop *loop)
{
    const char *directory = getenv("RUNTIME_DIRECTORY");
    TEXT_LOCAL(why, 512);

    if (directory == NULL || directory[0] == '\0') {
        return;
    }
    if (spool_open(directory, &loop->spool, &why) != STATUS_OK) {
        log_warning("a kill may lose what was just heard: %s", why.data);
    }
}

static enum status start_mqtt(struct loop *loop, struct text *why)
{
    const struct settings *settings = loop->settings;
    char will_topic[TOPIC_SIZE];
    TEXT_LOCAL(client_id, TOPIC_SIZE);
    TEXT_LOCAL(will, 256);
    struct mqtt_options options = broker_options(settings);
    enum status status = topic_build(
        will_topic, sizeof will_topic, settings->controller.prefix, TOPIC_SERVICE, "watcher", NULL);

    if (status != STATUS_OK) {
        text_add(why, "[controller] prefix: cannot be part of a topic");
        return status;
    }
    text_addf(&client_id, "%s-watcher-%s", settings->controller.prefix, settings->watcher.id);
    watcher_print_will(settings, &will);
    options.client_id = client_id.data;
    options.keep_alive_s = KEEP_ALIVE_S;
    options.persistent_session = true;
    options.retry_max_ms = RETRY_MAX_MS;
    options.may_doze = true;
    options.will_topic = will_topic;
    options.will_payload = will.data;
    options.inbox = loop->inbox;
    options.keep = loop->spool == NULL ? NULL : keep;
    options.keep_context = loop;
    return mqtt_new(&options, &loop->mqtt, why);
}

static enum status start(struct loop *loop, struct text *why)
{
    enum status status = event_loop_open(&loop->events);
    if (status == STATUS_OK) {
        status = inbox_new((struct inbox_limits){.bytes = INBOX_BYTES}, &loop->inbox);
    }
    open_spool(loop);
    if (status == STATUS_OK) {
        status = start_mqtt(loop, why);
    }
    if (status == STATUS_OK) {
        status = audit_start(
            loop->settings->audit.directory, loop->settings->audit.keep_days, &loop->audit);
    }
    if (status == STATUS_OK) {
        status = watcher_new(loop->events.base, loop->settings, loop->audit, &loop->watcher);
    }
    if (status == STATUS_OK) {
        status = start_events(loop);
    }
    if (status == STATUS_OK) {
        status = watcher_http_new(
            loop->events.base, loop->settings->http.watcher_listen, loop->watcher, loop->mqtt,
            loop->inbox, &loop->http);
    }
    if (status != STATUS_OK && why->length == 0) {
        text_add(why, status_text(status));
    }
    return status;
}

/* It was acknowledged, so the broker does not send it again. */
static void hear_rest(struct loop *loop)
{
    struct inbox_entry entry;

    watcher_connect(loop->watcher, NULL);
    while (inbox_pop(loop->inbox, &entry)) {
        if (entry.kind == INBOX_MESSAGE) {
            watcher_on_message(
                loop->watcher, entry.topic, entry.payload, entry.payload_length, entry.retained);
        }
    }
}

static void stop(struct loop *loop)
{
    watcher_http_free(loop->http);
    mqtt_free(loop->mqtt);
    mqtt_finish();
    if (loop->watcher != NULL) {
        hear_rest(loop);
    }
    watcher_free(loop->watcher);
    event_loop_close(&loop->events);
    if (audit_stop(loop->audit, AUDIT_STOP_MS) && loop->spool != NULL) {
        spool_clear(loop->spool);
    }
    spool_close(loop->spool);
    inbox_free(loop->inbox);
}

static struct mono_time tick_connection(struct loop *loop)
{
    struct mono_time now = clock_now().mono;

    if (!loop->connecting && now.ms < loop->past_until.ms) {
        return loop->past_until;
    }
    if (!loop->connecting) {
        log_error("audit: the disk does not answer; going on without what it knows");
        connect_to_broker(loop);
    }
    return mqtt_tick(loop->mqtt, now);
}

/* A request that is cut off is sent again by the next start, and people see it twice: lets those
 * that are under way come to their end. */
static void finish_slack(struct loop *loop)
{
    struct mono_time until = {clock_now().mono.ms + SLACK_STOP_MS};

    while (watcher_finish_slack(loop->watcher) && clock_now().mono.ms < until.ms) {
        if (!event_loop_turn(&loop->events, until, (struct mono_time){0})) {
            return;
        }
    }
}

static int run(struct loop *loop)
{
    loop->past_until.ms = clock_now().mono.ms + PAST_WAIT_MS;
    while (!loop->stopping) {
        struct mono_time watcher_wants = watcher_tick(loop->watcher);
        struct mono_time mqtt_wants = tick_connection(loop);
        struct mono_time wanted = mono_earlier(watcher_wants, mqtt_wants);

        if (!event_loop_turn(
                &loop->events, wanted, supervisor_tick(&loop->supervisor, clock_now().mono))) {
            log_error("the event loop broke");
            return EXIT_FAILURE;
        }
    }
    supervisor_stopping(&loop->supervisor);
    finish_slack(loop);
    on_inbox(-1, 0, loop);
    watcher_stop(loop->watcher);
    if (loop->connecting) {
        mqtt_stop(loop->mqtt, GOODBYE_MS);
    }
    log_info("stopped");
    return EXIT_SUCCESS;
}

int loop_run_watcher(const struct settings *settings)
{
    struct loop loop = {.settings = settings, .supervisor = supervisor_open()};
    int code = EXIT_FAILURE;
    TEXT_LOCAL(why, 512);

    if (start(&loop, &why) == STATUS_OK) {
        code = run(&loop);
    } else {
        log_error("cannot start: %s", why.data);
    }
    stop(&loop);
    return code;
}
