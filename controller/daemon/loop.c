/* Its life: put together, turned until a signal, a goodbye said, taken apart. */
#include "controller/daemon/loop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/daemon/connections.h"
#include "controller/daemon/loop_inside.h"
#include "controller/daemon/metrics.h"
#include "controller/support/arguments.h"
#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "topics/topic.h"

#define INBOX_BYTES ((size_t)8 << 20)
#define REQUESTS_BYTES ((size_t)1 << 20)
#define REQUESTS_SOFT 256 /* beyond them the answer is "busy" (C6) */
#define GOODBYE_MS 2000
#define LET_GO_MS 200 /* at least so long, when the goodbye took all its time */

/* What a person asks for, through Home Assistant too, stands behind no reports. */
static bool is_asked(const char *topic)
{
    return topic_is_request(topic) || strstr(topic, "/set/") != NULL;
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
        status = loop_listen_to_broker(loop);
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
    struct controller_ports ports = loop_ports(loop);
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
        status = loop_listen(loop);
    }
    if (status == STATUS_OK) {
        status = roster_reader_new(
            loop->events.base, loop->settings, loop_on_roster, loop, &loop->reader);
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
        struct mono_time wanted = mono_earlier(controller_wants, mqtt_wants);

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
