/* The same echo through the controller's own adapter, inbox and loop: what a controller could reach
 * that decides nothing. */
#include <stdlib.h>

#include "controller/support/clock.h"
#include "controller/support/event_loop.h"
#include "controller/support/inbox.h"
#include "controller/support/mqtt.h"
#include "tests/bench/echo.h"

#define INBOX_BYTES ((size_t)8 << 20)
#define MESSAGES_A_TURN 4096

struct echo {
    struct echo_options options;
    struct event_loop events;
    struct inbox *inbox;
    struct mqtt *mqtt;
};

static void on_message(struct echo *echo, const struct inbox_entry *entry)
{
    char topic[ECHO_TOPIC_SIZE];

    if (echo_topic(topic, entry->topic) &&
        mqtt_publish(echo->mqtt, topic, entry->payload, entry->payload_length, 1, true) !=
            STATUS_OK) {
        exit(EXIT_FAILURE);
    }
}

static void on_entry(struct echo *echo, const struct inbox_entry *entry)
{
    const char *const filters[] = {echo->options.filter};

    switch (entry->kind) {
    case INBOX_MESSAGE:
        on_message(echo, entry);
        break;
    case INBOX_CONNECTED:
        mqtt_on_connected(echo->mqtt);
        if (mqtt_subscribe(echo->mqtt, filters, &echo->options.qos, 1, 1) != STATUS_OK) {
            exit(EXIT_FAILURE);
        }
        break;
    case INBOX_SUBSCRIBED:
        echo_say_ready();
        break;
    case INBOX_DISCONNECTED:
    case INBOX_SUBSCRIBE_FAILED:
        exit(EXIT_FAILURE);
    }
}

static void on_inbox(evutil_socket_t fd, short what, void *argument)
{
    struct echo *echo = argument;
    struct inbox_entry entry;

    (void)fd;
    (void)what;
    for (int i = 0; i < MESSAGES_A_TURN && inbox_pop(echo->inbox, &entry); i++) {
        on_entry(echo, &entry);
    }
}

static void on_broker(evutil_socket_t fd, short what, void *argument)
{
    struct echo *echo = argument;

    mqtt_read(echo->mqtt, clock_now().mono);
    on_inbox(fd, what, argument);
}

int main(int argc, char **argv)
{
    struct echo echo = {.options = echo_options(argc, argv)};
    struct mqtt_options options = {
        .url = echo.options.url,
        .client_id = echo.options.client_id,
        .keep_alive_s = 2,
        .direct = true};
    TEXT_LOCAL(why, 256);

    if (event_loop_open(&echo.events) != STATUS_OK ||
        inbox_new((struct inbox_limits){.bytes = INBOX_BYTES}, &echo.inbox) != STATUS_OK ||
        event_loop_listen(&echo.events, inbox_fd(echo.inbox), EV_READ, on_inbox, &echo) !=
            STATUS_OK) {
        return EXIT_FAILURE;
    }
    options.inbox = echo.inbox;
    if (mqtt_new(&options, &echo.mqtt, &why) != STATUS_OK ||
        event_loop_listen(&echo.events, mqtt_fd(echo.mqtt), EV_READ, on_broker, &echo) !=
            STATUS_OK) {
        return EXIT_FAILURE;
    }
    mqtt_start(echo.mqtt, clock_now().mono);
    for (;;) {
        struct mono_time wants = mqtt_tick(echo.mqtt, clock_now().mono);
        if (!event_loop_turn(&echo.events, wants, (struct mono_time){0})) {
            return EXIT_FAILURE;
        }
    }
}
