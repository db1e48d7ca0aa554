/* Metrics and health of the watcher over HTTP (`[http] watcher_listen`):
 *
 *   /metrics  Prometheus' text format
 *   /healthz  200 as long as the loop turns
 *   /readyz   200 while it hears what it must and can write the audit; else 503; reasons in JSON
 */
#ifndef TAGOUT_WATCHER_HTTP_H
#define TAGOUT_WATCHER_HTTP_H

#include "controller/support/inbox.h"
#include "controller/support/mqtt.h"
#include "controller/support/status.h"
#include "controller/watcher/watcher.h"

struct watcher_http;

/* `listen` is host:port, "" for none: then `ret_http` is NULL. An address that is taken is
 * logged and tried again. All else is borrowed. */
MUST_USE enum status watcher_http_new(
    struct event_base *base, const char *listen, const struct watcher *watcher,
    const struct mqtt *mqtt, struct inbox *inbox, struct watcher_http **ret_http);
/* Takes NULL. */
void watcher_http_free(struct watcher_http *http);

#endif
