/* A broker of the test's own: a real mosquitto on 127.0.0.1 and a free port, in a scratch folder,
 * that dies with the test.
 */
#ifndef TAGOUT_TESTS_MOSQUITTO_H
#define TAGOUT_TESTS_MOSQUITTO_H

#include <stdint.h>
#include <sys/types.h>

struct mosquitto {
    pid_t pid; /* 0 while it does not run */
    uint16_t port;
    char directory[64];
};

/* A folder and a free port; no broker yet. All of these end the test program on failure. */
void mosquitto_prepare(struct mosquitto *broker);

/* Starts it with these lines of configuration for its one listener, and waits until it accepts. */
void mosquitto_start(struct mosquitto *broker, const char *configuration);

/* Sends it a signal. After SIGKILL or SIGTERM, waits for its end. */
void mosquitto_signal(struct mosquitto *broker, int signal);

/* Kills it and removes its folder. */
void mosquitto_remove(struct mosquitto *broker);

/* Runs a program (as in execvp) and waits for it; it must succeed. Its output goes nowhere. */
void run_program(const char *const arguments[]);

#endif
