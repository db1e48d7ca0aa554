/* libevent's loop as each daemon turns it: what happens wakes it, a deadline at the latest, and
 * what is due is done in every turn. The only place that knows how libevent wants this said.
 */
#ifndef TAGOUT_SUPPORT_EVENT_LOOP_H
#define TAGOUT_SUPPORT_EVENT_LOOP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/time.h"

#define EVENT_LOOP_LISTENERS_MAX 8

struct event_loop {
    struct event_base *base;
    struct event *timer;
    struct event *listeners[EVENT_LOOP_LISTENERS_MAX];
    size_t count;
};

MUST_USE enum status event_loop_open(struct event_loop *loop);
/* Before what is listened to is closed; harmless for {0}. */
void event_loop_close(struct event_loop *loop);

/* Calls back each time that `fd` is readable (EV_READ), or that signal comes (EV_SIGNAL). */
MUST_USE enum status event_loop_listen(
    struct event_loop *loop, int fd, short what, event_callback_fn callback, void *context);

/* One turn: waits for something to happen, until the earlier of two moments ({0}: none) at most,
 * and calls back. False when the loop is broken. */
bool event_loop_turn(struct event_loop *loop, struct mono_time a, struct mono_time b);

#endif
