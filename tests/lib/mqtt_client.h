/* A loop of its own around one `struct mqtt`, as small as a loop can be, for tests. */
#ifndef TAGOUT_TESTS_MQTT_CLIENT_H
#define TAGOUT_TESTS_MQTT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/inbox.h"
#include "controller/support/mqtt.h"

/* The newest entries are kept. */
#define CLIENT_ENTRIES_MAX 256

struct client_entry {
    enum inbox_kind kind;
    char topic[64];
    char payload[256];
    bool retained;
    int token;
};

struct client {
    struct mqtt *mqtt;
    struct inbox *inbox;
    struct client_entry entries[CLIENT_ENTRIES_MAX];
    size_t entry_count;
    size_t messages;
    size_t connects;
    size_t disconnects;
    char reason[256];      /* of the last disconnect */
    int64_t slowest_us;    /* call of the adapter so far */
    size_t stalls;         /* calls that took as long as a push waits */
    struct mono_time wake; /* what mqtt_tick asked for */
    const char *filter;    /* subscribed at QoS 1 first thing after each connect, if set */
    /* Called for each message, if set. */
    void (*on_message)(struct client *client, const struct inbox_entry *entry);
    void *context;
};

int64_t monotonic_us(void);

/* The inbox is added to the options. Fails the test where the options are refused. */
void client_new(struct client *client, const struct mqtt_options *options);
void client_free(struct client *client);
void client_start(struct client *client);
void client_publish(struct client *client, const char *topic, const char *payload, bool retain);

/* Waits at most so long for something to do, and does it. */
void client_turn(struct client *client, int wait_ms);
void client_turn_for(struct client *client, int ms);

/* Turns until the value is at least what is wanted; false when it isn't in time. */
bool client_reaches(struct client *client, const size_t *value, size_t wanted, int timeout_ms);

/* Subscribes one filter at QoS 1 and turns until the answer is there. */
void client_subscribe(struct client *client, const char *filter);

/* How many entries there are of that kind (and topic, and payload, unless NULL). */
size_t client_count(
    const struct client *client, enum inbox_kind kind, const char *topic, const char *payload);

#endif
