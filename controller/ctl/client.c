/* The connection, and what arrives. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/broker_options.h"
#include "controller/ctl/client_inside.h"
#include "controller/support/clock.h"

#define INBOX_BYTES ((size_t)64 << 20) /* the states of a large fleet come at once */
#define KEEP_ALIVE_S 10
#define GOODBYE_MS 1000
#define REFUSED "refused:" /* how the adapter's reasons begin when the broker says no */

static enum status make_mqtt(struct client *client, struct text *why)
{
    uint32_t random = 0;
    TEXT_LOCAL(id, TOPIC_SIZE);
    struct mqtt_options options = broker_options(client->options.settings);

    client_random(&random, sizeof random);
    text_addf(&id, "%s-ctl-%ld-%08x", client->prefix, (long)getpid(), (unsigned)random);
    options.client_id = id.data;
    options.keep_alive_s = KEEP_ALIVE_S;
    options.inbox = client->inbox;
    return mqtt_new(&options, &client->mqtt, why);
}

static enum status choose_account(struct client *client, struct text *why)
{
    const char *account = client->options.account;
    char topic[TOPIC_SIZE];

    if (account == NULL || account[0] == '\0') {
        account = client->options.settings->mqtt.username;
    }
    if (account[0] == '\0') {
        account = "local";
    }
    if (strlen(account) > TOPIC_MACHINE_MAX ||
        topic_build(topic, sizeof topic, client->prefix, TOPIC_REQUEST, account, "status") !=
            STATUS_OK) {
        text_addf(why, "the account \"%s\" cannot be part of a topic", account);
        return STATUS_INVALID;
    }
    text_copy(client->account, sizeof client->account, account);
    return STATUS_OK;
}

enum status
client_new(const struct client_options *options, struct client **ret_client, struct text *why)
{
    struct client *client = calloc(1, sizeof *client);
    enum status status;

    if (client == NULL) {
        text_add(why, status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    client->options = *options;
    client->prefix = options->settings->controller.prefix;
    status = choose_account(client, why);
    if (status == STATUS_OK) {
        status = inbox_new((struct inbox_limits){.bytes = INBOX_BYTES}, &client->inbox);
    }
    if (status == STATUS_OK) {
        status = make_mqtt(client, why);
    }
    if (status == STATUS_OK) {
        status = client_listen(client, TOPIC_RESPONSE, client->account);
    }
    if (status != STATUS_OK) {
        if (why->length == 0) {
            text_add(why, status_text(status));
        }
        client_free(client);
        return status;
    }
    *ret_client = client;
    return STATUS_OK;
}

void client_free(struct client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->mqtt != NULL && mqtt_is_connected(client->mqtt)) {
        mqtt_stop(client->mqtt, GOODBYE_MS);
    }
    mqtt_free(client->mqtt);
    mqtt_finish();
    inbox_free(client->inbox);
    answer_copy_free(&client->answer);
    free(client);
}

void client_set_handler(struct client *client, client_taker on_message, void *context)
{
    client->options.on_message = on_message;
    client->options.context = context;
}

const char *client_account(const struct client *client)
{
    return client->account;
}

bool client_is_ready(const struct client *client)
{
    return client->ready;
}

const char *client_trouble(const struct client *client)
{
    return client->trouble;
}

bool client_is_refused(const struct client *client)
{
    return client->refused;
}

void client_start(struct client *client)
{
    mqtt_start(client->mqtt, clock_now().mono);
}

/* ---- listening ---- */

/* All filters at once, also those that the broker knows: retained messages come again. */
static void subscribe(struct client *client, size_t from)
{
    const char *filters[CLIENT_FILTERS_MAX];
    int qos[CLIENT_FILTERS_MAX];

    for (size_t i = from; i < client->filter_count; i++) {
        filters[i - from] = client->filters[i];
        qos[i - from] = client->qos[i];
    }
    client->token++;
    client->ready = false;
    if (mqtt_subscribe(client->mqtt, filters, qos, client->filter_count - from, client->token) !=
        STATUS_OK) {
        text_copy(client->trouble, sizeof client->trouble, "could not subscribe");
    }
}

enum status client_listen(struct client *client, enum topic_id topic, const char *first)
{
    char *filter;
    enum status status;

    if (client->filter_count == CLIENT_FILTERS_MAX) {
        return STATUS_FULL;
    }
    filter = client->filters[client->filter_count];
    status = first == NULL ? topic_filter(filter, TOPIC_SIZE, client->prefix, topic)
                           : topic_build(
                                 filter, TOPIC_SIZE, client->prefix, topic, first,
                                 topic == TOPIC_RESPONSE ? "any" : NULL);
    if (status != STATUS_OK) {
        return status;
    }
    if (topic == TOPIC_RESPONSE) {
        text_copy(strrchr(filter, '/') + 1, 2, "+");
    }
    /* At QoS 1 the broker's default queue drops most of what a large fleet has retained (C9.4). */
    client->qos[client->filter_count] = topic == TOPIC_RESPONSE || topic == TOPIC_EVENT;
    client->filter_count++;
    if (mqtt_is_connected(client->mqtt)) {
        subscribe(client, client->filter_count - 1);
    }
    return STATUS_OK;
}

/* ---- what arrives ---- */

static void take_message(struct client *client, const struct inbox_entry *entry)
{
    struct topic_match topic;

    if (topic_parse(client->prefix, entry->topic, &topic) != STATUS_OK) {
        return;
    }
    if (topic.id == TOPIC_RESPONSE) {
        if (!entry->retained) {
            client_take_response(client, entry->payload, entry->payload_length);
        }
    } else if (client->options.on_message != NULL) {
        client->options.on_message(
            client->options.context, &topic, entry->payload, entry->payload_length);
    }
}

static void take(struct client *client, const struct inbox_entry *entry)
{
    switch (entry->kind) {
    case INBOX_MESSAGE:
        take_message(client, entry);
        break;
    case INBOX_CONNECTED:
        mqtt_on_connected(client->mqtt);
        client->trouble[0] = '\0';
        subscribe(client, 0);
        break;
    case INBOX_DISCONNECTED:
        mqtt_on_disconnected(client->mqtt, clock_now().mono);
        client->ready = false;
        client->refused = strncmp(entry->payload, REFUSED, sizeof REFUSED - 1) == 0;
        text_copy(client->trouble, sizeof client->trouble, entry->payload);
        break;
    case INBOX_SUBSCRIBED:
        client->ready |= entry->token == client->token;
        break;
    case INBOX_SUBSCRIBE_FAILED:
        client->refused = true;
        text_copy(
            client->trouble, sizeof client->trouble,
            "refused: the account may not listen to the controller's answers");
        break;
    }
}

static int milliseconds_until(struct mono_time at, struct mono_time now)
{
    int64_t left = at.ms - now.ms;

    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

bool client_turn(struct client *client, int fd, struct mono_time until)
{
    struct now now = clock_now();
    struct mono_time next = mqtt_tick(client->mqtt, now.mono);
    struct pollfd watched[2] = {
        {.fd = inbox_fd(client->inbox), .events = POLLIN},
        {.fd = fd, .events = POLLIN},
    };
    struct inbox_entry entry;

    if (inbox_pop(client->inbox, &entry)) {
        take(client, &entry);
        return false;
    }
    if (next.ms == 0 || next.ms > until.ms) {
        next = until;
    }
    if (poll(watched, 2, milliseconds_until(next, now.mono)) < 0 && errno != EINTR) {
        return false;
    }
    return fd >= 0 && (watched[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

bool client_wait(
    struct client *client, bool (*condition)(const void *context), const void *context,
    int timeout_ms)
{
    struct mono_time until = {.ms = clock_now().mono.ms + timeout_ms};

    while (!condition(context)) {
        if (clock_now().mono.ms >= until.ms) {
            return false;
        }
        client_turn(client, -1, until);
    }
    return true;
}

static bool is_ready_or_refused(const void *context)
{
    const struct client *client = context;
    return client->ready || client->refused;
}

bool client_wait_ready(struct client *client, int timeout_ms)
{
    client_wait(client, is_ready_or_refused, client, timeout_ms);
    return client->ready;
}
