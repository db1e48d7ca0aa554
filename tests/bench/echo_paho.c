/* The same echo as a bare client of Paho, which answers in its callback. What it shares with the
 * controller is TCP_NODELAY, without which it would be two hundred times slower. */
#include <MQTTAsync.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "controller/support/mqtt_socket.h"
#include "tests/bench/echo.h"

struct echo {
    struct echo_options options;
    MQTTAsync paho;
};

static int on_message(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct echo *echo = context;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    char command[ECHO_TOPIC_SIZE];

    (void)topic_length;
    if (echo_topic(command, topic)) {
        MQTTAsync_send(echo->paho, command, message->payloadlen, message->payload, 1, 1, &response);
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    (void)context;
    (void)data;
    echo_say_ready();
}

static void on_connected(void *context, MQTTAsync_successData *data)
{
    struct echo *echo = context;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;

    (void)data;
    mqtt_socket_prepare((uint16_t)echo->options.port);
    response.onSuccess = on_subscribed;
    MQTTAsync_subscribe(echo->paho, echo->options.filter, echo->options.qos, &response);
}

static void on_lost(void *context, char *cause)
{
    (void)context;
    (void)cause;
    _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    struct echo echo = {.options = echo_options(argc, argv)};
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer;
    const char *url = echo.options.url;

    if (MQTTAsync_create(
            &echo.paho, url, echo.options.client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
            MQTTASYNC_SUCCESS ||
        MQTTAsync_setCallbacks(echo.paho, &echo, on_lost, on_message, NULL) != MQTTASYNC_SUCCESS) {
        return EXIT_FAILURE;
    }
    connect.keepAliveInterval = 2; /* as the controller's */
    connect.cleansession = 1;
    connect.MQTTVersion = MQTTVERSION_3_1_1;
    connect.maxInflight = USHRT_MAX;
    connect.onSuccess = on_connected;
    connect.context = &echo;
    if (MQTTAsync_connect(echo.paho, &connect) != MQTTASYNC_SUCCESS) {
        return EXIT_FAILURE;
    }
    for (;;) {
        pause();
    }
}
