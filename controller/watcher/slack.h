/* Slack, put together: what is to be told goes in, requests go out, and what became of them is told
 * back. All calls are the loop's and none waits.
 */
#ifndef TAGOUT_WATCHER_SLACK_H
#define TAGOUT_WATCHER_SLACK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller/config/settings.h"
#include "controller/support/status.h"
#include "controller/support/time.h"
#include "controller/watcher/slack_queue.h"

struct slack_events {
    void *context;
    /* Whether it works, each time that changes; `reason` is "" when it does. */
    void (*on_health)(void *context, bool works, const char *reason);
    /* What became of the message with that ticket. */
    void (*on_ticket)(void *context, uint32_t ticket, bool delivered, const char *reason);
    /* A message has left the queue. */
    void (*on_progress)(void *context);
};

struct slack;

/* Both are borrowed. Without any channel in the settings it takes nothing and sends nothing. */
MUST_USE enum status slack_new(
    struct event_base *base, const struct settings *settings, const struct slack_events *events,
    struct slack **ret_slack);
/* Takes NULL. */
void slack_free(struct slack *slack);

bool slack_is_configured(const struct slack *slack);

/* Where messages wait. */
struct slack_queue *slack_queue_of(struct slack *slack);

/* Sends what is due. Returns when it wants to be called again; {0}: not by itself. */
struct mono_time slack_tick(struct slack *slack, struct now now);

/* Sends nothing from now on; whether a request is still under way. */
bool slack_finish(struct slack *slack);

/* Says where messages go, or what the settings lack, one line each; for --check and the log. */
void slack_describe(const struct settings *settings, struct text *out);

#endif
