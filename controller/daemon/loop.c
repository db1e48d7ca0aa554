#include "controller/daemon/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/daemon/connections.h"
#include "controller/daemon/controller.h"
#include "controller/daemon/echo.h"
#include "controller/daemon/metrics.h"
#include "controller/daemon/roster_reader.h"
#include "controller/support/arguments.h"
#include "controller/support/clock.h"
#include "controller/support/event_loop.h"
#include "controller/support/inbox.h"
#include "controller/support/json.h"
#include "controller/support/log.h"
#include "controller/support/mqtt.h"
#include "controller/support/supervisor.h"
#include "topics/topic.h"

/* How much of the inboxes one turn of the loop takes: all that waits, within reason, so that
 * answers go out, and Redis and timers get their turn, in a storm too. */
#define MESSAGES_A_TURN 512
#define REQUESTS_A_TURN 64

#define INBOX_BYTES ((size_t)8 << 20)
#define REQUESTS_BYTES ((size_t)1 << 20)
#define REQUESTS_SOFT 256 /* beyond them the answer is "busy" (C6) */
#define GOODBYE_MS 2000
#define LET_GO_MS 200 /* at least so long, when the goodbye took all its time */
#define CLOCK_ASK_MS 1000
/* Of the subscription to what the controller says to itself; the controller's own are below. */
#define ECHO_TOKEN 1000

struct loop {
    const struct settings *settings;
    struct event_loop events;
    struct inbox *inbox;
    struct inbox *requests;
    struct mqtt *mqtt;
    struct store *store;
    struct roster_reader *reader;
    struct metrics *metrics;
    struct controller *controller;
    struct supervisor supervisor;
    struct echo echo;
    bool clock_is_synchronised;
    struct mono_time clock_asked;
    bool stopping;
    bool said_ready;
    struct mono_time end_by; /* once it stops */
};

/* ---- ports ---- */

static enum status broker_publish(
    void *context, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    struct loop *loop = context;
    return mqtt_publish(loop->mqtt, topic, payload, length, qos, retain);
}

static enum status broker_subscribe(
    void *context, const char *const filters[], const int qos[], size_t count, int token)
{
    struct loop *loop = context;
    return mqtt_subscribe(loop->mqtt, filters, qos, count, token);
}

static enum status broker_unsubscribe(void *context, const char *filter)
{
    struct loop *loop = context;
    return mqtt_unsubscribe(loop->mqtt, filter);
}

static void broker_echo(void *context, uint32_t number)
{
    struct loop *loop = context;
    echo_ask(&loop->echo, loop->mqtt, number);
}

static void broker_discard(void *context, bool events)
{
    struct loop *loop = context;
    mqtt_discard(loop->mqtt, events);
    echo_discarded(&loop->echo);
}

static size_t broker_waiting(void *context)
{
    struct loop *loop = context;
    return mqtt_counts(loop->mqtt).waiting;
}

static struct now host_now(void *context)
{
    (void)context;
    return clock_now();
}

static int64_t host_microseconds(void *context)
{
    (void)context;
    return clock_us();
}

/* It changes rarely, and each report wants to know: the kernel is asked once a second. */
static bool host_clock_is_synchronised(void *context)
{
    struct loop *loop = context;
    struct mono_time now = clock_now().mono;

    if (loop->clock_asked.ms == 0 || now.ms - loop->clock_asked.ms >= CLOCK_ASK_MS) {
        loop->clock_is_synchronised = clock_is_synchronised();
        loop->clock_asked = now;
    }
    return loop->clock_is_synchronised;
}

static enum status host_read_roster(void *context)
{
    struct loop *loop = context;
    return roster_reader_start(loop->reader);
}

/* ---- events ---- */

static void on_subscribed(struct loop *loop, const struct inbox_entry *entry)
{
    if (entry->token != ECHO_TOKEN) {
        controller_on_subscribed(loop->controller, entry->token, entry->kind == INBOX_SUBSCRIBED);
    }
}

static void on_message(struct loop *loop, const struct inbox_entry *entry)
{
    switch (entry->kind) {
    case INBOX_MESSAGE:
        if (echo_is(&loop->echo, entry)) {
            if (echo_take(&loop->echo, entry)) {
                controller_on_echo(loop->controller, loop->echo.number);
            }
            break;
        }
        controller_stamp(loop->controller, entry->received_us);
        controller_on_message(
            loop->controller, entry->topic, entry->payload, entry->payload_length, entry->retained);
        break;
    case INBOX_CONNECTED:
        mqtt_on_connected(loop->mqtt);
        echo_listen(&loop->echo, loop->mqtt, ECHO_TOKEN);
        controller_on_connected(loop->controller);
        break;
    case INBOX_DISCONNECTED:
        mqtt_on_disconnected(loop->mqtt, clock_now().mono);
        controller_on_disconnected(loop->controller, entry->payload);
        break;
    case INBOX_SUBSCRIBED:
    case INBOX_SUBSCRIBE_FAILED:
        on_subscribed(loop, entry);
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
    controller_flush(loop->controller);
}

static void on_broker(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;

    mqtt_read(loop->mqtt, clock_now().mono);
    on_inbox(fd, what, argument);
}

/* What a person asks for, through Home Assistant too, stands behind no reports. */
static bool is_asked(const char *topic)
{
    return topic_is_request(topic) || strstr(topic, "/set/") != NULL;
}

static void on_requests(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;
    struct inbox_entry entry;

    (void)fd;
    (void)what;
    for (int i = 0; i < REQUESTS_A_TURN && inbox_pop(loop->requests, &entry); i++) {
        if (topic_is_request(entry.topic)) {
            controller_on_request(
                loop->controller, entry.topic, entry.payload, entry.payload_length, entry.retained,
                entry.overflow);
        } else {
            controller_on_message(
                loop->controller, entry.topic, entry.payload, entry.payload_length, entry.retained);
        }
    }
}

static void on_roster(void *context, struct roster *roster, const char *why)
{
    struct loop *loop = context;
    controller_on_roster(loop->controller, roster, why);
}

static void on_signal(evutil_socket_t signal_number, short what, void *argument)
{
    struct loop *loop = argument;

    (void)what;
    if (signal_number == SIGHUP) {
        log_info("SIGHUP: reading users and machines again");
        controller_reload(loop->controller);
    } else {
        log_info("%s: stopping", signal_number == SIGINT ? "interrupted" : "terminated");
        loop->stopping = true;
    }
}

/* ---- putting it together ---- */

static enum status start_events(struct loop *loop)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    enum status status =
        event_loop_listen(&loop->events, inbox_fd(loop->inbox), EV_READ, on_inbox, loop);

    if (status == STATUS_OK) {
        status =
            event_loop_listen(&loop->events, inbox_fd(loop->requests), EV_READ, on_requests, loop);
    }
    for (size_t i = 0; status == STATUS_OK && i < sizeof signals / sizeof signals[0]; i++) {
        status = event_loop_listen(&loop->events, signals[i], EV_SIGNAL, on_signal, loop);
    }
    return status;
}

static enum status start_mqtt(struct loop *loop, struct text *why)
{
    const struct settings *settings = loop->settings;
    struct connection_names names;
    struct mqtt_options options;
    enum status status = connections_broker(settings, &names, &options, why);

    if (status == STATUS_OK) {
        status = echo_init(&loop->echo, settings->controller.prefix, settings->controller.id);
    }
    if (status != STATUS_OK) {
        return status;
    }
    options.inbox = loop->inbox;
    options.requests = loop->requests;
    options.is_request = is_asked;
    status = mqtt_new(&options, &loop->mqtt, why);
    if (status == STATUS_OK) {
        status = event_loop_listen(&loop->events, mqtt_fd(loop->mqtt), EV_READ, on_broker, loop);
    }
    return status;
}

static enum status start_store(struct loop *loop, struct text *why)
{
    struct redis_options options = connections_store(loop->settings, loop->events.base);
    struct store_events events = controller_store_events(loop->controller);

    return redis_store_new(&options, &events, &loop->store, why);
}

/* Takes the roster, also on failure. */
static enum status start_controller(struct loop *loop, struct roster *roster)
{
    struct controller_ports ports = {
        .broker =
            {
                .context = loop,
                .publish = broker_publish,
                .subscribe = broker_subscribe,
                .unsubscribe = broker_unsubscribe,
                .echo = broker_echo,
                .discard = broker_discard,
                .waiting = broker_waiting,
            },
        .host =
            {
                .context = loop,
                .now = host_now,
                .microseconds = host_microseconds,
                .clock_is_synchronised = host_clock_is_synchronised,
                .read_roster = host_read_roster,
            },
    };
    enum status status = controller_new(loop->settings, roster, &ports, &loop->controller);

    if (status != STATUS_OK) {
        roster_free(roster);
    }
    return status;
}

static enum status start(struct loop *loop, struct roster *roster, struct text *why)
{
    enum status status = start_controller(loop, roster);

    if (status == STATUS_OK) {
        status = event_loop_open(&loop->events);
    }
    if (status == STATUS_OK) {
        status = inbox_new((struct inbox_limits){.bytes = INBOX_BYTES}, &loop->inbox);
    }
    if (status == STATUS_OK) {
        status = inbox_new(
            (struct inbox_limits){.bytes = REQUESTS_BYTES, .soft = REQUESTS_SOFT}, &loop->requests);
    }
    if (status == STATUS_OK) {
        status = start_events(loop);
    }
    if (status == STATUS_OK) {
        status =
            roster_reader_new(loop->events.base, loop->settings, on_roster, loop, &loop->reader);
    }
    if (status == STATUS_OK) {
        status = start_mqtt(loop, why);
    }
    if (status == STATUS_OK) {
        status = start_store(loop, why);
    }
    if (status == STATUS_OK) {
        struct metrics_sources sources = {
            .controller = loop->controller,
            .mqtt = loop->mqtt,
            .inbox = loop->inbox,
            .requests = loop->requests,
        };
        status =
            metrics_new(loop->events.base, loop->settings->http.listen, &sources, &loop->metrics);
    }
    if (status != STATUS_OK && why->length == 0) {
        text_add(why, status_text(status));
    }
    return status;
}

static void stop(struct loop *loop)
{
    if (loop->store != NULL) {
        loop->store->operations->close(loop->store);
    }
    mqtt_free(loop->mqtt);
    metrics_free(loop->metrics);
    roster_reader_free(loop->reader);
    event_loop_close(&loop->events);
    inbox_free(loop->requests);
    inbox_free(loop->inbox);
    controller_free(loop->controller);
}

static void say_ready(struct loop *loop)
{
    if (!loop->said_ready && controller_is_ready(loop->controller)) {
        loop->said_ready = true;
        supervisor_ready(&loop->supervisor, clock_now().mono);
    }
}

static int run(struct loop *loop)
{
    controller_start(loop->controller, loop->store);
    mqtt_start(loop->mqtt, clock_now().mono);
    while (!loop->stopping && !controller_must_end(loop->controller)) {
        struct mono_time controller_wants = controller_tick(loop->controller);
        struct mono_time mqtt_wants = mqtt_tick(loop->mqtt, clock_now().mono);
        struct mono_time wanted = event_loop_earlier(controller_wants, mqtt_wants);

        say_ready(loop);
        echo_tick(&loop->echo, loop->mqtt);
        if (!event_loop_turn(
                &loop->events, wanted, supervisor_tick(&loop->supervisor, clock_now().mono))) {
            log_error("the event loop broke");
            return EXIT_FAILURE;
        }
    }
    supervisor_stopping(&loop->supervisor);
    controller_stop(loop->controller);
    /* The lease that was given back goes out. */
    (void)event_base_loop(loop->events.base, EVLOOP_NONBLOCK);
    loop->end_by.ms = clock_now().mono.ms + GOODBYE_MS;
    mqtt_stop(loop->mqtt, GOODBYE_MS);
    log_info("stopped");
    return controller_must_end(loop->controller) ? EXIT_USAGE : EXIT_SUCCESS;
}

/* An attempt to connect can't be called off: a silent broker holds it for seconds, a dead name
 * server for longer than a supervisor waits. Then its thread, and the memory that it uses, end with
 * the process. */
static void end_in_time(struct loop *loop, int code)
{
    int64_t left_ms = loop->end_by.ms - clock_now().mono.ms;

    if (!mqtt_let_go(loop->mqtt, left_ms > LET_GO_MS ? (int)left_ms : LET_GO_MS)) {
        log_warning("mqtt: ended while the broker was still awaited");
        log_stop();
        _exit(code);
    }
}

int loop_run(const struct settings *settings, struct roster *roster)
{
    struct loop loop = {.settings = settings, .supervisor = supervisor_open()};
    int code = EXIT_FAILURE;
    TEXT_LOCAL(why, 512);

    if (start(&loop, roster, &why) == STATUS_OK) {
        code = run(&loop);
        end_in_time(&loop, code);
    } else {
        log_error("cannot start: %s", why.data);
    }
    stop(&loop);
    return code;
}
