/* The floor: a client of libmosquitto that echoes each report to the command topic, and does
 * nothing else. */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/echo.h"

static void
on_message(struct mosquitto *client, void *context, const struct mosquitto_message *message)
{
    char topic[ECHO_TOPIC_SIZE];

    (void)context;
    if (echo_topic(topic, message->topic)) {
        mosquitto_publish(client, NULL, topic, message->payloadlen, message->payload, 1, true);
    }
}

static void
on_subscribed(struct mosquitto *client, void *context, int id, int count, const int *granted)
{
    (void)client;
    (void)context;
    (void)id;
    (void)count;
    (void)granted;
    echo_say_ready();
}

int main(int argc, char **argv)
{
    const struct echo_options options = echo_options(argc, argv);
    struct mosquitto *client;

    mosquitto_lib_init();
    client = mosquitto_new(options.client_id, true, NULL);
    if (client == NULL) {
        return EXIT_FAILURE;
    }
    mosquitto_message_callback_set(client, on_message);
    mosquitto_subscribe_callback_set(client, on_subscribed);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, 65535);
    if (mosquitto_connect(client, "127.0.0.1", options.port, 60) != MOSQ_ERR_SUCCESS ||
        mosquitto_subscribe(client, NULL, options.filter, 1) != MOSQ_ERR_SUCCESS) {
        return EXIT_FAILURE;
    }
    (void)mosquitto_loop_forever(client, -1, 1);
    mosquitto_destroy(client);
    return EXIT_FAILURE;
}
