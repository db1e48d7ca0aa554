#include "tests/bench/echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct echo_options echo_options(int argc, char **argv)
{
    struct echo_options options = {.qos = 1};

    if (argc < 3 || argc > 4 || strlen(argv[2]) > 32) {
        (void)fprintf(stderr, "usage: %s PORT PREFIX [QOS]\n", argv[0]);
        exit(EXIT_FAILURE);
    }
    options.port = (int)strtol(argv[1], NULL, 10);
    if (argc == 4) {
        options.qos = argv[3][0] == '0' ? 0 : 1;
    }
    (void)snprintf(options.client_id, sizeof options.client_id, "echo-%s", argv[2]);
    (void)snprintf(options.filter, sizeof options.filter, "%s/machine/+/report", argv[2]);
    (void)snprintf(options.url, sizeof options.url, "mqtt://127.0.0.1:%d", options.port);
    return options;
}

bool echo_topic(char ret_topic[ECHO_TOPIC_SIZE], const char *report_topic)
{
    static const char from[] = "/report";
    static const char to[] = "/command";
    size_t length = strlen(report_topic);
    size_t head = length - (sizeof from - 1);

    if (length < sizeof from || length + sizeof to > ECHO_TOPIC_SIZE ||
        strcmp(report_topic + head, from) != 0) {
        return false;
    }
    memcpy(ret_topic, report_topic, head);
    memcpy(ret_topic + head, to, sizeof to);
    return true;
}

void echo_say_ready(void)
{
    (void)puts("ready");
    (void)fflush(stdout);
}
