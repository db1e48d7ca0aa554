#include "controller/support/event_loop.h"

#include "controller/support/clock.h"

/* Only wakes the loop. */
static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    (void)argument;
}

enum status event_loop_open(struct event_loop *loop)
{
    *loop = (struct event_loop){.base = event_base_new()};
    if (loop->base != NULL) {
        loop->timer = evtimer_new(loop->base, on_timer, NULL);
    }
    return loop->timer == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

void event_loop_close(struct event_loop *loop)
{
    while (loop->count > 0) {
        event_free(loop->listeners[--loop->count]);
    }
    if (loop->timer != NULL) {
        event_free(loop->timer);
    }
    if (loop->base != NULL) {
        event_base_free(loop->base);
    }
    *loop = (struct event_loop){0};
}

enum status event_loop_listen(
    struct event_loop *loop, int fd, short what, event_callback_fn callback, void *context)
{
    struct event *event;

    if (loop->count == EVENT_LOOP_LISTENERS_MAX) {
        return STATUS_FULL;
    }
    event = event_new(loop->base, fd, (short)(what | EV_PERSIST), callback, context);
    if (event == NULL) {
        return STATUS_NO_MEMORY;
    }
    loop->listeners[loop->count++] = event;
    return event_add(event, NULL) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

bool event_loop_turn(struct event_loop *loop, struct mono_time a, struct mono_time b)
{
    struct mono_time next = mono_earlier(a, b);
    int64_t wait_ms = next.ms - clock_now().mono.ms;
    struct timeval wait;

    if (next.ms == 0) {
        event_del(loop->timer);
    } else {
        wait_ms = wait_ms < 0 ? 0 : wait_ms;
        wait = (struct timeval){.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
        event_add(loop->timer, &wait);
    }
    return event_base_loop(loop->base, EVLOOP_ONCE) >= 0;
}
