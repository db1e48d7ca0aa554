/* What arrives: the broker's messages and what becomes of the connection, by way of the inboxes;
 * signals; users and machines that were read. */
#include <signal.h>

#include "controller/daemon/loop_inside.h"
#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "topics/topic.h"

/* How much of the inboxes one turn of the loop takes: all that waits, within reason, so that
 * answers go out, and Redis and timers get their turn, in a storm too. */
#define MESSAGES_A_TURN 512
#define REQUESTS_A_TURN 64

static void on_subscribed(struct loop *loop, const struct inbox_entry *entry)
{
    if (entry->token != ECHO_TOKEN) {
        controller_on_subscribed(loop->controller, entry->token, entry->kind == INBOX_SUBSCRIBED);
    }
}

static void on_message(struct loop *loop, const struct inbox_entry *entry)
{
    switch (entry->kind) {
    case INBOX_MESSAGE:
        if (echo_is(&loop->echo, entry)) {
            if (echo_take(&loop->echo, entry)) {
                controller_on_echo(loop->controller, loop->echo.number);
            }
            break;
        }
        controller_stamp(loop->controller, entry->received_us);
        controller_on_message(
            loop->controller, entry->topic, entry->payload, entry->payload_length, entry->retained);
        break;
    case INBOX_CONNECTED:
        mqtt_on_connected(loop->mqtt);
        echo_listen(&loop->echo, loop->mqtt, ECHO_TOKEN);
        controller_on_connected(loop->controller);
        break;
    case INBOX_DISCONNECTED:
        mqtt_on_disconnected(loop->mqtt, clock_now().mono);
        controller_on_disconnected(loop->controller, entry->payload);
        break;
    case INBOX_SUBSCRIBED:
    case INBOX_SUBSCRIBE_FAILED:
        on_subscribed(loop, entry);
        break;
    }
}

static void on_inbox(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;
    struct inbox_entry entry;

    (void)fd;
    (void)what;
    for (int i = 0; i < MESSAGES_A_TURN && inbox_pop(loop->inbox, &entry); i++) {
        on_message(loop, &entry);
    }
    controller_flush(loop->controller);
}

static void on_broker(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;

    mqtt_read(loop->mqtt, clock_now().mono);
    on_inbox(fd, what, argument);
}

static void on_requests(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;
    struct inbox_entry entry;

    (void)fd;
    (void)what;
    for (int i = 0; i < REQUESTS_A_TURN && inbox_pop(loop->requests, &entry); i++) {
        if (topic_is_request(entry.topic)) {
            controller_stamp(loop->controller, entry.received_us);
            controller_on_request(
                loop->controller, entry.topic, entry.payload, entry.payload_length, entry.retained,
                entry.overflow);
        } else {
            controller_on_message(
                loop->controller, entry.topic, entry.payload, entry.payload_length, entry.retained);
        }
    }
}

void loop_on_roster(void *context, struct roster *roster, const char *why)
{
    struct loop *loop = context;
    controller_on_roster(loop->controller, roster, why);
}

static void on_signal(evutil_socket_t signal_number, short what, void *argument)
{
    struct loop *loop = argument;

    (void)what;
    if (signal_number == SIGHUP) {
        log_info("SIGHUP: reading users and machines again");
        controller_reload(loop->controller);
    } else {
        log_info("%s: stopping", signal_number == SIGINT ? "interrupted" : "terminated");
        loop->stopping = true;
    }
}

enum status loop_listen(struct loop *loop)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    enum status status =
        event_loop_listen(&loop->events, inbox_fd(loop->inbox), EV_READ, on_inbox, loop);

    if (status == STATUS_OK) {
        status =
            event_loop_listen(&loop->events, inbox_fd(loop->requests), EV_READ, on_requests, loop);
    }
    for (size_t i = 0; status == STATUS_OK && i < sizeof signals / sizeof signals[0]; i++) {
        status = event_loop_listen(&loop->events, signals[i], EV_SIGNAL, on_signal, loop);
    }
    return status;
}

enum status loop_listen_to_broker(struct loop *loop)
{
    return event_loop_listen(&loop->events, mqtt_fd(loop->mqtt), EV_READ, on_broker, loop);
}
