#include "tests/lib/mqtt_client.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "controller/support/clock.h"
#include "controller/support/text.h"

#define INBOX_BYTES (4 * 1024 * 1024)
#define SUBSCRIBE_TOKEN 77
#define ANSWER_MS 30000

/* LeakSanitizer asks for this by name. */
const char *__lsan_default_suppressions(void);

/* Paho MQTT C 1.3.12 leaks messages that it was given but has not begun to write when their client
 * is destroyed: MQTTAsync_destroy forgets their pointers before it frees their commands. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libpaho-mqtt3as.so\n";
}

int64_t monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note_slowest(struct client *client, int64_t since_us)
{
    int64_t took = monotonic_us() - since_us;

    client->stalls += took >= INBOX_WAIT_MS * 900;
    if (took > client->slowest_us) {
        client->slowest_us = took;
    }
}

void client_new(struct client *client, const struct mqtt_options *options)
{
    struct mqtt_options complete = *options;
    TEXT_LOCAL(why, 256);

    memset(client, 0, sizeof *client);
    assert_int_equal(
        inbox_new((struct inbox_limits){.bytes = INBOX_BYTES}, &client->inbox), STATUS_OK);
    complete.inbox = client->inbox;
    complete.keep_alive_s = options->keep_alive_s != 0 ? options->keep_alive_s : 10;
    if (mqtt_new(&complete, &client->mqtt, &why) != STATUS_OK) {
        fail_msg("mqtt_new: %s", why.data);
    }
}

void client_free(struct client *client)
{
    mqtt_free(client->mqtt);
    inbox_free(client->inbox);
}

void client_start(struct client *client)
{
    mqtt_start(client->mqtt, clock_now().mono);
}

void client_publish(struct client *client, const char *topic, const char *payload, bool retain)
{
    int64_t since = monotonic_us();

    assert_int_equal(
        mqtt_publish(client->mqtt, topic, payload, strlen(payload), 1, retain), STATUS_OK);
    note_slowest(client, since);
}

static void note_entry(struct client *client, const struct inbox_entry *entry)
{
    struct client_entry *kept;

    if (client->entry_count == CLIENT_ENTRIES_MAX) {
        client->entry_count--;
        memmove(
            client->entries, client->entries + 1, client->entry_count * sizeof *client->entries);
    }
    kept = &client->entries[client->entry_count++];
    kept->kind = entry->kind;
    text_copy(kept->topic, sizeof kept->topic, entry->topic);
    text_copy(kept->payload, sizeof kept->payload, entry->payload);
    kept->retained = entry->retained;
    kept->token = entry->token;
}

static void handle(struct client *client, const struct inbox_entry *entry)
{
    const int qos = 1;

    note_entry(client, entry);
    switch (entry->kind) {
    case INBOX_MESSAGE:
        client->messages++;
        if (client->on_message != NULL) {
            client->on_message(client, entry);
        }
        break;
    case INBOX_CONNECTED:
        client->connects++;
        mqtt_on_connected(client->mqtt);
        if (client->filter != NULL) {
            assert_int_equal(
                mqtt_subscribe(client->mqtt, &client->filter, &qos, 1, SUBSCRIBE_TOKEN), STATUS_OK);
        }
        break;
    case INBOX_DISCONNECTED:
        client->disconnects++;
        text_copy(client->reason, sizeof client->reason, entry->payload);
        mqtt_on_disconnected(client->mqtt, clock_now().mono);
        break;
    case INBOX_SUBSCRIBED:
    case INBOX_SUBSCRIBE_FAILED:
        break;
    }
}

void client_turn(struct client *client, int wait_ms)
{
    struct pollfd fds[] = {
        {.fd = inbox_fd(client->inbox), .events = POLLIN},
        {.fd = mqtt_fd(client->mqtt), .events = POLLIN}, /* -1 is passed over */
    };
    struct inbox_entry entry;
    int64_t since;

    if (client->wake.ms != 0) {
        int64_t left = client->wake.ms - clock_now().mono.ms;
        wait_ms = left < 0 ? 0 : left < wait_ms ? (int)left : wait_ms;
    }
    poll(fds, 2, wait_ms);
    since = monotonic_us();
    if (fds[1].revents != 0) {
        mqtt_read(client->mqtt, clock_now().mono);
        note_slowest(client, since);
        since = monotonic_us();
    }
    while (inbox_pop(client->inbox, &entry)) {
        handle(client, &entry);
        note_slowest(client, since);
        since = monotonic_us();
    }
    client->wake = mqtt_tick(client->mqtt, clock_now().mono);
    note_slowest(client, since);
}

void client_turn_for(struct client *client, int ms)
{
    int64_t end = clock_now().mono.ms + ms;
    int64_t left;

    while ((left = end - clock_now().mono.ms) > 0) {
        client_turn(client, (int)left);
    }
}

bool client_reaches(struct client *client, const size_t *value, size_t wanted, int timeout_ms)
{
    int64_t end = clock_now().mono.ms + timeout_ms;
    int64_t left;

    while (*value < wanted && (left = end - clock_now().mono.ms) > 0) {
        client_turn(client, (int)left);
    }
    return *value >= wanted;
}

void client_subscribe(struct client *client, const char *filter)
{
    const int qos = 1;
    int64_t end = clock_now().mono.ms + ANSWER_MS;
    size_t before = client_count(client, INBOX_SUBSCRIBED, NULL, NULL);

    assert_int_equal(mqtt_subscribe(client->mqtt, &filter, &qos, 1, SUBSCRIBE_TOKEN), STATUS_OK);
    while (client_count(client, INBOX_SUBSCRIBED, NULL, NULL) == before) {
        assert_true(clock_now().mono.ms < end);
        client_turn(client, 100);
    }
}

size_t client_count(
    const struct client *client, enum inbox_kind kind, const char *topic, const char *payload)
{
    size_t count = 0;

    for (size_t i = 0; i < client->entry_count; i++) {
        const struct client_entry *entry = &client->entries[i];
        count += entry->kind == kind && (topic == NULL || strcmp(entry->topic, topic) == 0) &&
                 (payload == NULL || strcmp(entry->payload, payload) == 0);
    }
    return count;
}
