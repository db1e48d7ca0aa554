#include "controller/watcher/watcher_http.h"

#include <stdlib.h>

#include "controller/support/clock.h"
#include "controller/support/exposition.h"
#include "controller/support/health_page.h"
#include "controller/support/log.h"
#include "controller/support/mqtt_metrics.h"
#include "controller/support/process_metrics.h"

#define PAGES 3

struct watcher_http {
    const struct watcher *watcher;
    const struct mqtt *mqtt;
    struct inbox *inbox;
    struct wall_time started;
    struct http_page pages[PAGES];
    struct http *server;
};

static bool write_metrics(void *context, struct http_reply *reply)
{
    const struct watcher_http *http = context;
    struct inbox_depth depth = inbox_depth(http->inbox);

    reply->type = EXPOSITION_TYPE;
    process_metrics_print(http->started, reply->out);
    watcher_metrics(http->watcher, reply->out);
    mqtt_metrics_print(http->mqtt, reply->out);
    exposition_gauge(
        reply->out, "tagout_watcher_inbox_waiting", "Messages that the loop has not taken",
        (double)depth.waiting);
    exposition_gauge(
        reply->out, "tagout_watcher_inbox_high_water", "The most that ever waited, since the start",
        (double)depth.high_water);
    exposition_counter(
        reply->out, "tagout_watcher_inbox_dropped_total", "Messages lost to a full inbox",
        (double)inbox_dropped(http->inbox));
    exposition_counter(
        reply->out, "tagout_log_dropped_total", "Log lines that nobody read",
        (double)log_dropped());
    return false;
}

static bool is_working(void *context, void (*say)(void *to, const char *what), void *to)
{
    const struct watcher_http *http = context;

    return watcher_is_working(http->watcher, say, to);
}

static bool write_readiness(void *context, struct http_reply *reply)
{
    health_page_ready(reply, is_working, context);
    return false;
}

enum status watcher_http_new(
    struct event_base *base, const char *listen, const struct watcher *watcher,
    const struct mqtt *mqtt, struct inbox *inbox, struct watcher_http **ret_http)
{
    struct watcher_http *http;
    struct http_options options = {
        .base = base,
        .listen = listen,
        .key = "[http] watcher_listen",
        .page_count = PAGES,
    };
    enum status status;

    if (listen[0] == '\0') {
        *ret_http = NULL;
        return STATUS_OK;
    }
    http = calloc(1, sizeof *http);
    if (http == NULL) {
        return STATUS_NO_MEMORY;
    }
    *http = (struct watcher_http){
        .watcher = watcher,
        .mqtt = mqtt,
        .inbox = inbox,
        .started = clock_now().wall,
        .pages =
            {
                {"/metrics", write_metrics, http},
                {"/healthz", health_page_alive, http},
                {"/readyz", write_readiness, http},
            },
    };
    options.pages = http->pages;
    status = http_new(&options, &http->server);
    if (status != STATUS_OK) {
        free(http);
        return status;
    }
    *ret_http = http;
    return STATUS_OK;
}

void watcher_http_free(struct watcher_http *http)
{
    if (http != NULL) {
        http_free(http->server);
        free(http);
    }
}
