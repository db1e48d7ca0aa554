#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* MQTT 3.1.1, section 2.2.1. */
#define CONNECT 0x10
#define CONNACK 0x20
#define PUBLISH 0x30
#define PUBACK 0x40
#define SUBSCRIBE 0x82
#define SUBACK 0x90
#define KIND 0xf0
#define QOS_1 0x02
#define QOS_BITS 0x06
#define RETAIN 0x01
#define CLEAN_SESSION 0x02
#define WILL_QOS_1_RETAINED 0x2c

#define READ_AT_ONCE 65536
#define LENGTH_BYTES_MAX 4

_Noreturn void wire_fail(const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

int64_t wire_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static unsigned char *grow(struct wire_bytes *bytes, size_t count)
{
    if (bytes->used + count > bytes->room) {
        size_t room = (bytes->used + count) * 2;
        unsigned char *data = realloc(bytes->data, room);
        if (data == NULL) {
            wire_fail("no memory");
        }
        bytes->data = data;
        bytes->room = room;
    }
    return bytes->data + bytes->used;
}

static void add(struct wire *wire, const void *data, size_t count)
{
    if (count > 0) {
        memcpy(grow(&wire->out, count), data, count);
        wire->out.used += count;
    }
}

static void add_byte(struct wire *wire, unsigned value)
{
    const unsigned char byte = (unsigned char)value;
    add(wire, &byte, 1);
}

static void add_number(struct wire *wire, unsigned value)
{
    add_byte(wire, value >> 8);
    add_byte(wire, value & 0xff);
}

static void add_string(struct wire *wire, const char *string)
{
    size_t length = strlen(string);

    add_number(wire, (unsigned)length);
    add(wire, string, length);
}

static void add_head(struct wire *wire, unsigned kind, size_t length)
{
    add_byte(wire, kind);
    do {
        unsigned digit = length % 128;
        length /= 128;
        add_byte(wire, length > 0 ? digit | 0x80 : digit);
    } while (length > 0);
}

static unsigned next_packet_id(struct wire *wire)
{
    wire->packet_id = (uint16_t)(wire->packet_id == UINT16_MAX ? 1 : wire->packet_id + 1);
    return wire->packet_id;
}

void wire_open(
    struct wire *wire, uint16_t port, const char *client_id, const struct wire_will *will)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    size_t length = 10 + 2 + strlen(client_id);

    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (wire->fd < 0 || connect(wire->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        fcntl(wire->fd, F_SETFL, O_NONBLOCK) != 0) {
        wire_fail("can't connect to the broker");
    }
    wire->connected = wire->subscribed = false;
    wire->in.used = wire->out.used = 0;
    if (will != NULL) {
        length += 4 + strlen(will->topic) + strlen(will->payload);
    }
    add_head(wire, CONNECT, length);
    add_string(wire, "MQTT");
    add_byte(wire, 4);
    add_byte(wire, CLEAN_SESSION | (will == NULL ? 0 : WILL_QOS_1_RETAINED));
    add_number(wire, 0); /* no keep-alive */
    add_string(wire, client_id);
    if (will != NULL) {
        add_string(wire, will->topic);
        add_string(wire, will->payload);
    }
}

void wire_cut(struct wire *wire)
{
    close(wire->fd);
    wire->fd = -1;
}

void wire_subscribe(struct wire *wire, const char *filter)
{
    add_head(wire, SUBSCRIBE, 2 + 2 + strlen(filter) + 1);
    add_number(wire, next_packet_id(wire));
    add_string(wire, filter);
    add_byte(wire, 1);
}

void wire_publish(
    struct wire *wire, const char *topic, const char *payload, size_t length, bool retain)
{
    add_head(wire, PUBLISH | QOS_1 | (retain ? RETAIN : 0), 2 + strlen(topic) + 2 + length);
    add_string(wire, topic);
    add_number(wire, next_packet_id(wire));
    add(wire, payload, length);
}

bool wire_flush(struct wire *wire)
{
    ssize_t written;

    if (wire->out.used == 0) {
        return true;
    }
    written = send(wire->fd, wire->out.data, wire->out.used, MSG_NOSIGNAL);
    if (written < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return false;
        }
        wire_fail("the broker closed the connection");
    }
    wire->out.used -= (size_t)written;
    memmove(wire->out.data, wire->out.data + written, wire->out.used);
    return wire->out.used == 0;
}

static unsigned number_at(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* `body` is that of a PUBLISH. */
static void take_publish(struct wire *wire, unsigned flags, unsigned char *body, size_t length)
{
    size_t topic_length = number_at(body);
    size_t head = 2 + topic_length;
    char *topic = (char *)body + 1;

    if ((flags & QOS_BITS) != 0) {
        add_head(wire, PUBACK, 2);
        add(wire, body + head, 2);
        head += 2;
    }
    /* One byte to the front, over the length that was read, there is room for the NUL. */
    memmove(topic, body + 2, topic_length);
    topic[topic_length] = '\0';
    wire->on_publish(wire->context, topic, (const char *)body + head, length - head);
}

static void take(struct wire *wire, unsigned first, unsigned char *body, size_t length)
{
    switch (first & KIND) {
    case CONNACK:
        wire->connected = body[1] == 0;
        break;
    case SUBACK:
        wire->subscribed = true;
        break;
    case PUBLISH:
        take_publish(wire, first, body, length);
        break;
    case PUBACK:
        break;
    default:
        wire_fail("a packet that nobody asked for");
    }
}

/* How many bytes of the buffer are whole packets, which it handles. */
static size_t take_packets(struct wire *wire)
{
    size_t start = 0;

    for (;;) {
        unsigned char *at = wire->in.data + start;
        size_t rest = wire->in.used - start;
        size_t length = 0;
        size_t head = 1;
        unsigned shift = 0;

        do {
            if (head >= rest || head > LENGTH_BYTES_MAX) {
                return start;
            }
            length |= (size_t)(at[head] & 0x7f) << shift;
            shift += 7;
        } while ((at[head++] & 0x80) != 0);
        if (rest < head + length) {
            return start;
        }
        take(wire, at[0], at + head, length);
        start += head + length;
    }
}

void wire_read(struct wire *wire)
{
    for (;;) {
        unsigned char *room = grow(&wire->in, READ_AT_ONCE);
        ssize_t got = recv(wire->fd, room, READ_AT_ONCE, 0);
        size_t taken;

        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0) {
            wire_fail("the broker closed the connection");
        }
        wire->in.used += (size_t)got;
        taken = take_packets(wire);
        wire->in.used -= taken;
        memmove(wire->in.data, wire->in.data + taken, wire->in.used);
        if (got < READ_AT_ONCE) {
            return;
        }
    }
}
