#include "controller/daemon/metrics.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/log.h"

#define METRICS_BYTES_MAX 32768

struct metrics {
    struct evhttp *http;
    struct metrics_sources sources;
};

static void print_gauge(struct text *out, const char *name, const char *help, uint64_t value)
{
    text_addf(
        out, "# HELP tagout_%s %s\n# TYPE tagout_%s gauge\ntagout_%s %llu\n", name, help, name,
        name, (unsigned long long)value);
}

static void print_counter(struct text *out, const char *name, const char *help, uint64_t value)
{
    text_addf(
        out, "# HELP tagout_%s_total %s\n# TYPE tagout_%s_total counter\ntagout_%s_total %llu\n",
        name, help, name, name, (unsigned long long)value);
}

static void reply(struct evhttp_request *request, int code, const char *text)
{
    struct evbuffer *body = evhttp_request_get_output_buffer(request);

    evhttp_add_header(
        evhttp_request_get_output_headers(request), "Content-Type",
        "text/plain; version=0.0.4; charset=utf-8");
    evbuffer_add(body, text, strlen(text));
    evhttp_send_reply(request, code, NULL, NULL);
}

static void on_metrics(struct evhttp_request *request, void *context)
{
    const struct metrics *metrics = context;
    const struct metrics_sources *sources = &metrics->sources;
    struct mqtt_counts mqtt = mqtt_counts(sources->mqtt);
    static char buffer[METRICS_BYTES_MAX]; /* the loop's thread alone comes here */
    struct text out = text_over(buffer, sizeof buffer);

    controller_metrics(sources->controller, &out);
    print_counter(&out, "mqtt_connects", "Connections to the broker", mqtt.connects);
    print_counter(&out, "mqtt_published", "Messages handed to the broker", mqtt.published);
    print_counter(&out, "mqtt_merged", "Messages that a newer one replaced", mqtt.merged);
    print_counter(&out, "mqtt_dropped", "Messages lost to a full outbox", mqtt.dropped);
    print_gauge(&out, "mqtt_waiting", "Messages in the outbox", mqtt.waiting);
    print_counter(
        &out, "inbox_dropped", "Messages lost to a full inbox", inbox_dropped(sources->inbox));
    print_counter(
        &out, "requests_dropped", "Requests lost to a full inbox",
        inbox_dropped(sources->requests));
    print_counter(&out, "log_dropped", "Log lines that nobody read", log_dropped());
    reply(request, HTTP_OK, out.data);
}

static void on_health(struct evhttp_request *request, void *context)
{
    const struct metrics *metrics = context;

    if (controller_is_ready(metrics->sources.controller)) {
        reply(request, HTTP_OK, "ready\n");
    } else {
        reply(request, HTTP_SERVUNAVAIL, "starting\n");
    }
}

struct metrics *
metrics_new(struct event_base *base, const char *listen, const struct metrics_sources *sources)
{
    const char *colon = strrchr(listen, ':');
    struct metrics *metrics;
    char host[256];

    if (colon == NULL) {
        return NULL;
    }
    metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL) {
        return NULL;
    }
    metrics->sources = *sources;
    metrics->http = evhttp_new(base);
    if (metrics->http == NULL) {
        free(metrics);
        return NULL;
    }
    struct text name = text_over(host, sizeof host);
    size_t bracket = listen[0] == '[' ? 1 : 0; /* [::1]:9464 */
    text_add_bytes(&name, listen + bracket, (size_t)(colon - listen) - 2 * bracket);
    evhttp_set_allowed_methods(metrics->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_body_size(metrics->http, 0);
    evhttp_set_max_headers_size(metrics->http, 8192);
    evhttp_set_timeout(metrics->http, 10);
    evhttp_set_cb(metrics->http, "/metrics", on_metrics, metrics);
    evhttp_set_cb(metrics->http, "/health", on_health, metrics);
    if (evhttp_bind_socket(metrics->http, host, (ev_uint16_t)strtoul(colon + 1, NULL, 10)) != 0) {
        log_warning(
            "[http] listen: cannot listen on %s (%s); there are no metrics", listen,
            strerror(errno));
        metrics_free(metrics);
        return NULL;
    }
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics != NULL) {
        evhttp_free(metrics->http);
        free(metrics);
    }
}
