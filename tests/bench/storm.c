/* A reconnect storm: so many devices, each on a connection of its own with a last will, all come at
 * once, say `online` and report, and wait for their command. Then all connections are cut without a
 * goodbye, so that all wills go out, and all devices come again. Prints one line of JSON: how long
 * it took until the last one had its command, the first time and again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/fleet.h"
#include "tests/bench/wire.h"

#define LIMIT_NS 60000000000
#define RESEND_NS 2000000000
#define WAIT_MS 100
#define EVENTS_MAX 256
/* The broker listens with a backlog of 100: beyond it the kernel lets a client wait for a second,
 * and the storm would measure that. */
#define CONNECTING_MAX 64

struct device {
    struct storm *storm;
    size_t index;
    struct wire wire;
    struct bench_machine machine;
    bool reported;
    char command_topic[BENCH_TOPIC_SIZE];
    char report_topic[BENCH_TOPIC_SIZE];
    char link_topic[BENCH_TOPIC_SIZE];
};

struct storm {
    uint16_t port;
    const char *prefix;
    size_t count;
    struct device *devices;
    size_t connecting; /* without a CONNACK yet */
    size_t answered;
    size_t resent;
    int epoll;
};

static void on_command(void *context, const char *topic, const char *payload, size_t length)
{
    struct device *device = context;

    (void)topic;
    if (device->machine.waiting && bench_answer(&device->machine, payload, length)) {
        device->machine.waiting = false;
        device->storm->answered++;
    }
}

static void report(struct device *device)
{
    char payload[BENCH_REPORT_SIZE];
    size_t length = bench_report(&device->machine, BENCH_HEARTBEATS, "", payload);

    device->machine.waiting = true;
    device->machine.sent_ns = wire_now_ns();
    wire_publish(&device->wire, device->report_topic, payload, length, false);
}

/* It asks to be told when it can write only while it has something to write. */
static void flush(struct device *device)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = device}};

    if (!wire_flush(&device->wire)) {
        event.events |= EPOLLOUT;
    }
    if (epoll_ctl(device->storm->epoll, EPOLL_CTL_MOD, device->wire.fd, &event) != 0) {
        wire_fail("epoll");
    }
}

static void come(struct device *device)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = device}};
    const struct wire_will will = {.topic = device->link_topic, .payload = "lost"};
    char client_id[BENCH_TOPIC_SIZE];

    (void)snprintf(client_id, sizeof client_id, "%s-m%05zu", device->storm->prefix, device->index);
    device->reported = false;
    device->wire.on_publish = on_command;
    device->wire.context = device;
    wire_open(&device->wire, device->storm->port, client_id, &will);
    wire_subscribe(&device->wire, device->command_topic);
    wire_publish(&device->wire, device->link_topic, "online", 6, true);
    if (epoll_ctl(device->storm->epoll, EPOLL_CTL_ADD, device->wire.fd, &event) != 0) {
        wire_fail("epoll");
    }
    flush(device);
}

static void resend(struct storm *storm)
{
    for (size_t i = 0; i < storm->count; i++) {
        struct device *device = &storm->devices[i];
        if (device->machine.waiting && wire_now_ns() - device->machine.sent_ns > RESEND_NS) {
            report(device);
            flush(device);
            storm->resent++;
        }
    }
}

static void heed(struct device *device)
{
    bool was_connected = device->wire.connected;

    wire_read(&device->wire);
    device->storm->connecting -= !was_connected && device->wire.connected;
    if (device->wire.subscribed && !device->reported) {
        device->reported = true;
        report(device);
    }
    flush(device);
}

/* Until each has its command; in seconds. */
static double all_come(struct storm *storm)
{
    const int64_t start_ns = wire_now_ns();
    int64_t looked_ns = start_ns;
    size_t begun = 0;
    struct epoll_event events[EVENTS_MAX];

    storm->answered = 0;
    while (storm->answered < storm->count) {
        while (begun < storm->count && storm->connecting < CONNECTING_MAX) {
            storm->connecting++;
            come(&storm->devices[begun++]);
        }
        int count = epoll_wait(storm->epoll, events, EVENTS_MAX, WAIT_MS);
        for (int i = 0; i < count; i++) {
            heed(events[i].data.ptr);
        }
        if (wire_now_ns() - looked_ns > RESEND_NS / 4) {
            looked_ns = wire_now_ns();
            resend(storm);
        }
        if (wire_now_ns() - start_ns > LIMIT_NS) {
            wire_fail("not all were answered in 60 s");
        }
    }
    return (double)(wire_now_ns() - start_ns) / 1e9;
}

int main(int argc, char **argv)
{
    struct storm storm = {.epoll = epoll_create1(EPOLL_CLOEXEC)};

    if (argc != 5) {
        wire_fail("usage: bench-storm PORT PREFIX DEVICES FIRST-SEQ");
    }
    storm.port = (uint16_t)strtoul(argv[1], NULL, 10);
    storm.prefix = argv[2];
    storm.count = strtoul(argv[3], NULL, 10);
    storm.devices = calloc(storm.count, sizeof *storm.devices);
    if (storm.devices == NULL || storm.epoll < 0) {
        wire_fail("no memory, or no epoll");
    }
    for (size_t i = 0; i < storm.count; i++) {
        struct device *device = &storm.devices[i];
        device->storm = &storm;
        device->index = i;
        device->machine.seq = (uint32_t)strtoul(argv[4], NULL, 10);
        bench_topic(device->command_topic, storm.prefix, i, "command");
        bench_topic(device->report_topic, storm.prefix, i, "report");
        bench_topic(device->link_topic, storm.prefix, i, "link");
    }
    double first_s = all_come(&storm);
    for (size_t i = 0; i < storm.count; i++) {
        wire_cut(&storm.devices[i].wire);
    }
    double again_s = all_come(&storm);
    (void)printf(
        "{\"devices\":%zu,\"first_s\":%.3f,\"again_s\":%.3f,\"resent\":%zu}\n", storm.count,
        first_s, again_s, storm.resent);
    return EXIT_SUCCESS;
}
