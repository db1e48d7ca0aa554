#include "controller/daemon/echo.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/log.h"
#include "controller/support/text.h"

#define WORD "echo "

enum status echo_init(struct echo *echo, const char *prefix, const char *id)
{
    *echo = (struct echo){0};
    return topic_build(echo->topic, sizeof echo->topic, prefix, TOPIC_CONTROLLER_MARKER, id, NULL);
}

void echo_listen(const struct echo *echo, struct mqtt *mqtt, int token)
{
    const char *const filters[] = {echo->topic};
    static const int qos[] = {0};

    if (mqtt_subscribe(mqtt, filters, qos, 1, token) != STATUS_OK) {
        log_debug("no echo is heard: the connection is lost");
    }
}

void echo_tick(struct echo *echo, struct mqtt *mqtt)
{
    TEXT_LOCAL(payload, 32);

    if (echo->waits) {
        text_addf(&payload, WORD "%u", (unsigned)echo->number);
        /* Disconnected: it is asked for anew after the next connect. */
        enum status status = mqtt_publish_first(mqtt, echo->topic, payload.data, payload.length);
        echo->waits = status != STATUS_OK && status != STATUS_DISCONNECTED;
    }
}

void echo_ask(struct echo *echo, struct mqtt *mqtt, uint32_t number)
{
    echo->number = number;
    echo->is_due = true;
    echo->waits = true;
    echo_tick(echo, mqtt);
}

void echo_discarded(struct echo *echo)
{
    echo->waits = echo->is_due;
}

bool echo_is(const struct echo *echo, const struct inbox_entry *message)
{
    return strncmp(message->payload, WORD, strlen(WORD)) == 0 &&
           strcmp(message->topic, echo->topic) == 0;
}

bool echo_take(struct echo *echo, const struct inbox_entry *message)
{
    bool is_last =
        !message->retained && strtoul(message->payload + strlen(WORD), NULL, 10) == echo->number;

    echo->is_due = echo->is_due && !is_last;
    return is_last;
}
