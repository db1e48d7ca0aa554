#include "controller/daemon/metrics.h"

#include <stdlib.h>

#include "controller/support/clock.h"
#include "controller/support/exposition.h"
#include "controller/support/health_page.h"
#include "controller/support/log.h"
#include "controller/support/mqtt_metrics.h"
#include "controller/support/process_metrics.h"

#define PAGES 3

struct metrics {
    struct metrics_sources sources;
    struct wall_time started;
    struct http_page pages[PAGES];
    struct http *http;
};

static void print_inboxes(const struct metrics_sources *sources, struct text *out)
{
    static const char waiting[] = "tagout_inbox_waiting";
    static const char high_water[] = "tagout_inbox_high_water";
    static const char *const of_messages[] = {"inbox", "messages", NULL};
    static const char *const of_requests[] = {"inbox", "requests", NULL};
    struct inbox_depth messages = inbox_depth(sources->inbox);
    struct inbox_depth requests = inbox_depth(sources->requests);

    exposition_family(out, EXPOSITION_GAUGE, waiting, "Messages that the loop has not taken");
    exposition_sample(out, waiting, of_messages, (double)messages.waiting);
    exposition_sample(out, waiting, of_requests, (double)requests.waiting);
    exposition_family(
        out, EXPOSITION_GAUGE, high_water, "The most that ever waited, since the start");
    exposition_sample(out, high_water, of_messages, (double)messages.high_water);
    exposition_sample(out, high_water, of_requests, (double)requests.high_water);
    exposition_counter(
        out, "tagout_inbox_dropped_total", "Messages lost to a full inbox",
        (double)inbox_dropped(sources->inbox));
    exposition_counter(
        out, "tagout_requests_dropped_total", "Requests lost to a full inbox",
        (double)inbox_dropped(sources->requests));
}

/* Of the process first, in one piece; the machines behind it. position[0] is one more than the
 * machines' own, so that 0 is the beginning. */
static bool write_metrics(void *context, struct http_reply *reply)
{
    const struct metrics *metrics = context;
    const struct metrics_sources *sources = &metrics->sources;
    size_t position[2] = {reply->position[0] - 1, reply->position[1]};
    bool more;

    if (reply->position[0] == 0) {
        reply->type = EXPOSITION_TYPE;
        process_metrics_print(metrics->started, reply->out);
        exposition_moment(
            reply->out, "app_start_timestamp", "When the controller started, in Unix seconds",
            metrics->started);
        controller_metrics(sources->controller, reply->out);
        mqtt_metrics_print(sources->mqtt, reply->out);
        print_inboxes(sources, reply->out);
        exposition_counter(
            reply->out, "tagout_log_dropped_total", "Log lines that nobody read",
            (double)log_dropped());
        reply->position[0] = 1;
        return true;
    }
    more = controller_machine_metrics(sources->controller, position, reply->out);
    reply->position[0] = position[0] + 1;
    reply->position[1] = position[1];
    return more;
}

static bool is_working(void *context, void (*say)(void *to, const char *what), void *to)
{
    const struct metrics *metrics = context;

    return controller_is_working(metrics->sources.controller, say, to);
}

static bool write_readiness(void *context, struct http_reply *reply)
{
    health_page_ready(reply, is_working, context);
    return false;
}

enum status metrics_new(
    struct event_base *base, const char *listen, const struct metrics_sources *sources,
    struct metrics **ret_metrics)
{
    struct metrics *metrics;
    struct http_options options = {
        .base = base,
        .listen = listen,
        .key = "[http] listen",
        .page_count = PAGES,
    };
    enum status status;

    if (listen[0] == '\0') {
        *ret_metrics = NULL;
        return STATUS_OK;
    }
    metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL) {
        return STATUS_NO_MEMORY;
    }
    metrics->sources = *sources;
    metrics->started = clock_now().wall;
    metrics->pages[0] = (struct http_page){"/metrics", write_metrics, metrics};
    metrics->pages[1] = (struct http_page){"/healthz", health_page_alive, metrics};
    metrics->pages[2] = (struct http_page){"/readyz", write_readiness, metrics};
    options.pages = metrics->pages;
    status = http_new(&options, &metrics->http);
    if (status != STATUS_OK) {
        free(metrics);
        return status;
    }
    *ret_metrics = metrics;
    return STATUS_OK;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics != NULL) {
        http_free(metrics->http);
        free(metrics);
    }
}
