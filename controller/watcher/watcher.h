/* tagout-watcher without its surroundings: what is heard goes in, and alerts, answers, audit lines
 * and Slack's messages come out. Belongs to the loop; nothing in it waits.
 */
#ifndef TAGOUT_WATCHER_WATCHER_H
#define TAGOUT_WATCHER_WATCHER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "controller/config/settings.h"
#include "controller/support/mqtt.h"
#include "controller/support/status.h"
#include "controller/support/time.h"
#include "controller/watcher/audit.h"

/* The last will, on `service/watcher`. */
void watcher_print_will(const struct settings *settings, struct text *out);

struct watcher;

/* All are borrowed; `mqtt` comes later, by watcher_connect. */
MUST_USE enum status watcher_new(
    struct event_base *base, const struct settings *settings, struct audit *audit,
    struct watcher **ret_watcher);
/* Takes NULL. */
void watcher_free(struct watcher *watcher);

void watcher_connect(struct watcher *watcher, struct mqtt *mqtt);

/* What the disk knew; before watcher_connect, unless the disk is slow. Takes the past. */
void watcher_on_past(struct watcher *watcher, struct audit_past *past);

/* What the last process had heard, and the audit may have or not. Behind watcher_on_past. */
void watcher_on_left(
    struct watcher *watcher, const char *topic, const char *payload, size_t length);

void watcher_on_connected(struct watcher *watcher);
void watcher_on_disconnected(struct watcher *watcher, const char *reason);
/* True once it hears what it must. */
bool watcher_on_subscribed(struct watcher *watcher, bool granted);
void watcher_on_message(
    struct watcher *watcher, const char *topic, const char *payload, size_t length, bool retained);

/* Does what is due; called in every turn of the loop. Returns when it wants to be called again;
 * {0}: not by itself. */
struct mono_time watcher_tick(struct watcher *watcher);

/* Whether it hears what it must and can write the audit. What is missing, each as a sentence, goes
 * to `say`. */
bool watcher_is_working(
    const struct watcher *watcher, void (*say)(void *context, const char *what), void *context);

/* Metrics in Prometheus' text format, appended to `out`. */
void watcher_metrics(const struct watcher *watcher, struct text *out);

/* Starts no more requests to Slack; whether any is still under way. */
bool watcher_finish_slack(struct watcher *watcher);

/* The goodbye, and what is to be remembered. */
void watcher_stop(struct watcher *watcher);

#endif
