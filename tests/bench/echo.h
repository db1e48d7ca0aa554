/* What the echoing clients share: `PROGRAM PORT PREFIX [QOS]`, and one line `ready`. Commands are
 * published as C2 has them, at QoS 1 and retained. */
#ifndef TAGOUT_BENCH_ECHO_H
#define TAGOUT_BENCH_ECHO_H

#include <stdbool.h>

#define ECHO_TOPIC_SIZE 256

struct echo_options {
    int port;
    int qos; /* of the subscription to reports */
    char client_id[64];
    char filter[ECHO_TOPIC_SIZE];
    char url[64]; /* mqtt:// */
};

/* Ends the program where they make no sense. */
struct echo_options echo_options(int argc, char **argv);

/* `.../report` becomes `.../command`; false for any other topic. */
bool echo_topic(char ret_topic[ECHO_TOPIC_SIZE], const char *report_topic);

void echo_say_ready(void);

#endif
