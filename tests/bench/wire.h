/* A connection to the broker for programs that make load: as little of MQTT 3.1.1 as they need, on
 * a socket that never blocks, so that the load costs little of what it measures.
 *
 * Packets to send gather in a buffer until wire_flush, one write for many. What can't go on ends
 * the program with a line on standard error: nothing would be left to measure.
 */
#ifndef TAGOUT_BENCH_WIRE_H
#define TAGOUT_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_bytes {
    unsigned char *data;
    size_t used;
    size_t room;
};

struct wire {
    int fd;
    struct wire_bytes out;
    struct wire_bytes in;
    uint16_t packet_id; /* of the last packet that had one */
    bool connected;     /* CONNACK has come */
    bool subscribed;    /* SUBACK has come */
    /* The topic ends with a NUL; the payload does not. */
    void (*on_publish)(void *context, const char *topic, const char *payload, size_t length);
    void *context;
};

struct wire_will {
    const char *topic;
    const char *payload; /* QoS 1, retained */
};

/* Connects to 127.0.0.1 and asks for a clean session. `will` may be NULL. */
void wire_open(
    struct wire *wire, uint16_t port, const char *client_id, const struct wire_will *will);

/* Cuts the connection without a goodbye. */
void wire_cut(struct wire *wire);

/* At QoS 1. */
void wire_subscribe(struct wire *wire, const char *filter);

/* At QoS 1. */
void wire_publish(
    struct wire *wire, const char *topic, const char *payload, size_t length, bool retain);

/* Writes what the socket takes; true when nothing is left. */
bool wire_flush(struct wire *wire);

/* Reads and handles all that is there. */
void wire_read(struct wire *wire);

/* Nanoseconds that only grow. */
int64_t wire_now_ns(void);

/* Prints the line and ends the program with status 1. */
_Noreturn void wire_fail(const char *what);

#endif
