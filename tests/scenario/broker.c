#include "tests/scenario/broker.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/text.h"
#include "tests/scenario/script.h"

static struct message *new_message(
    enum delivery_kind kind, const char *topic, const char *payload, size_t length, bool retained)
{
    struct message *message = scenario_memory(calloc(1, sizeof *message));

    message->kind = kind;
    text_copy(message->topic, sizeof message->topic, topic);
    message->payload = scenario_memory(calloc(1, length + 1));
    memcpy(message->payload, payload, length);
    message->length = length;
    message->retained = retained;
    return message;
}

void message_free(struct message *message)
{
    if (message != NULL) {
        free(message->payload);
        free(message);
    }
}

static void free_list(struct message **list)
{
    while (*list != NULL) {
        struct message *next = (*list)->next;
        message_free(*list);
        *list = next;
    }
}

static void enqueue(struct broker *broker, struct message *message)
{
    if (broker->last != NULL) {
        broker->last->next = message;
    } else {
        broker->first = message;
    }
    broker->last = message;
}

struct message *broker_next(struct broker *broker)
{
    struct message *message = broker->first;

    if (message != NULL) {
        broker->first = message->next;
        if (broker->first == NULL) {
            broker->last = NULL;
        }
        message->next = NULL;
    }
    return message;
}

void broker_drop_client(struct broker *broker)
{
    free_list(&broker->first);
    broker->last = NULL;
    free_list(&broker->outbox);
    broker->filter_count = 0;
    broker->connected = false;
}

void broker_free(struct broker *broker)
{
    broker_drop_client(broker);
    free_list(&broker->retained);
    free_list(&broker->copy);
    for (size_t i = 0; i < broker->published_count; i++) {
        free(broker->published[i].payload);
    }
    free(broker->published);
    *broker = (struct broker){0};
}

/* Clean sessions: subscriptions and what was under way are gone. */
void broker_disconnect(struct broker *broker)
{
    static const char reason[] = "the broker closed the connection";
    struct message *outbox = broker->outbox;

    if (!broker->connected) {
        return;
    }
    broker->outbox = NULL;
    broker_drop_client(broker);
    broker->outbox = outbox;
    enqueue(broker, new_message(DELIVER_DISCONNECTED, "", reason, sizeof reason - 1, false));
}

/* Filters of ours are levels and `+`. */
static bool fits(const char *filter, const char *topic)
{
    while (*filter != '\0' && *topic != '\0') {
        if (*filter == '+') {
            topic += strcspn(topic, "/");
            filter++;
        } else if (*filter++ != *topic++) {
            return false;
        }
    }
    return *filter == '\0' && *topic == '\0';
}

static struct message **find_retained(struct broker *broker, const char *topic)
{
    struct message **link = &broker->retained;

    while (*link != NULL && strcmp((*link)->topic, topic) != 0) {
        link = &(*link)->next;
    }
    return link;
}

const struct message *broker_retained(const struct broker *broker, const char *topic)
{
    const struct message *message = broker->retained;

    while (message != NULL && strcmp(message->topic, topic) != 0) {
        message = message->next;
    }
    return message;
}

static void retain(struct broker *broker, const char *topic, const char *payload, size_t length)
{
    struct message **link = find_retained(broker, topic);
    struct message *old = *link;

    if (old != NULL) {
        *link = old->next;
        message_free(old);
    }
    if (length > 0) {
        struct message *message = new_message(DELIVER_MESSAGE, topic, payload, length, true);
        message->next = broker->retained;
        broker->retained = message;
    }
}

void broker_send(
    struct broker *broker, const char *topic, const char *payload, size_t length, bool retained,
    bool overflow)
{
    if (retained) {
        retain(broker, topic, payload, length);
    }
    for (size_t i = 0; i < broker->filter_count; i++) {
        if (fits(broker->filters[i], topic)) {
            struct message *message = new_message(DELIVER_MESSAGE, topic, payload, length, false);
            message->overflow = overflow;
            enqueue(broker, message);
            return;
        }
    }
}

static void write_down(
    struct broker *broker, const char *topic, const char *payload, size_t length, bool retained,
    unsigned act)
{
    size_t size = (broker->published_count + 1) * sizeof *broker->published;
    struct published *published;

    broker->published = scenario_memory(realloc(broker->published, size));
    published = &broker->published[broker->published_count++];
    *published = (struct published){.length = length, .retain = retained, .act = act};
    if (topic_parse(BROKER_PREFIX, topic, &published->match) != STATUS_OK) {
        published->match.id = TOPIC_COUNT;
    }
    text_copy(published->topic, sizeof published->topic, topic);
    published->payload = scenario_memory(calloc(1, length + 1));
    memcpy(published->payload, payload, length);
    broker_send(broker, topic, payload, length, retained, false);
}

void broker_take(
    struct broker *broker, const char *topic, const char *payload, size_t length, int qos,
    bool retained, unsigned act)
{
    if (broker->connected) {
        write_down(broker, topic, payload, length, retained, act);
    } else if (!retained && qos > 0) {
        struct message *message = new_message(DELIVER_MESSAGE, topic, payload, length, false);
        message->next = broker->outbox;
        broker->outbox = message;
    }
}

void broker_connect(struct broker *broker, unsigned act)
{
    struct message *oldest_first = NULL;

    broker->connected = true;
    enqueue(broker, new_message(DELIVER_CONNECTED, "", "", 0, false));
    while (broker->outbox != NULL) {
        struct message *message = broker->outbox;
        broker->outbox = message->next;
        message->next = oldest_first;
        oldest_first = message;
    }
    while (oldest_first != NULL) {
        struct message *message = oldest_first;
        oldest_first = message->next;
        write_down(broker, message->topic, message->payload, message->length, false, act);
        message_free(message);
    }
}

void broker_subscribe(struct broker *broker, const char *const filters[], size_t count, int token)
{
    struct message *granted = new_message(DELIVER_SUBACK, "", "", 0, false);

    granted->token = token;
    enqueue(broker, granted);
    for (size_t i = 0; i < count; i++) {
        broker_unsubscribe(broker, filters[i]);
        text_copy(broker->filters[broker->filter_count], TOPIC_SIZE, filters[i]);
        broker->filter_count++;
        for (const struct message *m = broker->retained; m != NULL; m = m->next) {
            if (fits(filters[i], m->topic)) {
                enqueue(
                    broker, new_message(DELIVER_MESSAGE, m->topic, m->payload, m->length, true));
            }
        }
    }
}

void broker_unsubscribe(struct broker *broker, const char *filter)
{
    for (size_t i = 0; i < broker->filter_count; i++) {
        if (strcmp(broker->filters[i], filter) == 0) {
            size_t rest = broker->filter_count - i - 1;
            memmove(broker->filters[i], broker->filters[i + 1], rest * TOPIC_SIZE);
            broker->filter_count--;
            return;
        }
    }
}

void broker_echo(struct broker *broker, uint32_t number)
{
    struct message *echo;

    if (broker->connected) {
        echo = new_message(DELIVER_ECHO, "", "", 0, false);
        echo->number = number;
        enqueue(broker, echo);
    }
}

void broker_discard(struct broker *broker)
{
    free_list(&broker->outbox);
}

void broker_forget(struct broker *broker)
{
    free_list(&broker->retained);
}

static struct message *copy_list(const struct message *list)
{
    struct message *copy = NULL;

    for (const struct message *m = list; m != NULL; m = m->next) {
        struct message *message =
            new_message(DELIVER_MESSAGE, m->topic, m->payload, m->length, true);
        message->next = copy;
        copy = message;
    }
    return copy;
}

void broker_keep_copy(struct broker *broker)
{
    free_list(&broker->copy);
    broker->copy = copy_list(broker->retained);
}

void broker_restore_copy(struct broker *broker)
{
    free_list(&broker->retained);
    broker->retained = copy_list(broker->copy);
}
