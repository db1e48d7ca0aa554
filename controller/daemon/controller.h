/* The controller: reports in, commands out, state kept. No socket, thread or clock of its own.
 *
 * Whoever drives it (loop.c, or a test) tells it what happened through the functions below, and
 * calls controller_tick when the moment that it named has come. It acts through its ports only.
 * Everything happens in one thread.
 *
 * A start goes through C9.4: collect what the broker retained, load what Redis kept, merge, take
 * the lease and with it an epoch, publish, and only then subscribe to reports. From then on it is
 * ready; so it is while another leads, and it stands by (C12).
 */
#ifndef TAGOUT_DAEMON_CONTROLLER_H
#define TAGOUT_DAEMON_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/config/config.h"
#include "controller/daemon/ports.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

struct controller;

/* `settings` is borrowed; `roster` becomes the controller's. The store in `ports` is made after
 * the controller (it wants controller_store_events) and handed over by controller_start. */
MUST_USE enum status controller_new(
    const struct settings *settings, struct roster *roster, const struct controller_ports *ports,
    struct controller **ret_controller);
void controller_free(struct controller *controller);

/* The callbacks to make a store with. */
struct store_events controller_store_events(struct controller *controller);

void controller_start(struct controller *controller, struct store *store);

void controller_on_connected(struct controller *controller);
void controller_on_disconnected(struct controller *controller, const char *reason);
void controller_on_subscribed(struct controller *controller, int token, bool granted);
void controller_on_echo(struct controller *controller, uint32_t number);

/* When the message or request that comes next was received, in the host's microseconds. */
void controller_stamp(struct controller *controller, int64_t received_us);

/* A message from the broker. Reports wait and are merged machine by machine until
 * controller_flush judges them: call it when the inbox is empty. */
void controller_on_message(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained);
void controller_flush(struct controller *controller);

/* A request (C6). `overflow`: there are too many, answer "busy". */
void controller_on_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained, bool overflow);

/* SIGHUP: the same as a request to reload, without an answer. */
void controller_reload(struct controller *controller);

/* What read_roster found: a roster, which becomes the controller's, or NULL and the reason. */
void controller_on_roster(struct controller *controller, struct roster *roster, const char *why);

/* Does what is due; returns when it wants to be called again ({0}: nothing is waiting). */
struct mono_time controller_tick(struct controller *controller);

/* Answers whoever waits, and publishes the goodbye (C2: `stopped`). */
void controller_stop(struct controller *controller);

bool controller_is_ready(const struct controller *controller);

/* Another process runs under the same id, so that this one must end: the broker throws each out for
 * the other, and neither is heard. */
bool controller_must_end(const struct controller *controller);

/* Whether it is ready now (C12: leads, or stands by and follows). What is missing, each as a
 * sentence, goes to `say`. */
bool controller_is_working(
    const struct controller *controller, void (*say)(void *context, const char *what),
    void *context);

/* C10 `[http]`: metrics in Prometheus' text format, appended to `out`: first those of the whole. */
void controller_metrics(const struct controller *controller, struct text *out);
/* Then those of the machines, as many as fit; only the leader has any. `position` is zero at first
 * and tells where the next piece goes on. True: there is more. */
bool controller_machine_metrics(
    const struct controller *controller, size_t position[2], struct text *out);

#endif
