#include "devices/sim/observer.h"

#include <string.h>
#include <sys/random.h>

#define INBOX_BYTES (1024 * 1024)
#define KEEP_ALIVE_S 15
#define NUDGE_OFTEN_MS 20
#define NUDGE_MS 500

enum token {
    TOKEN_LINKS = 1,
    TOKEN_REST,
};

enum status observer_init(
    struct observer *observer, const struct box_world *world, const char *account,
    const struct observer_events *events, int64_t now_ms, struct text *why)
{
    uint32_t random = 0;
    TEXT_LOCAL(client_id, TOPIC_PREFIX_MAX + 32);
    struct mqtt_options options = {
        .url = world->url,
        .client_id = client_id.data,
        .username = world->username,
        .password = world->password,
        .ca_file = world->ca_file,
        .keep_alive_s = KEEP_ALIVE_S,
    };
    enum status status;

    *observer = (struct observer){.world = world, .account = account, .events = *events};
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = (uint32_t)now_ms;
    }
    text_addf(&client_id, "%s-sim-%08x", world->prefix, random);
    status = inbox_new((struct inbox_limits){.bytes = INBOX_BYTES}, &observer->inbox);
    if (status != STATUS_OK) {
        text_add(why, status_text(status));
        return status;
    }
    options.inbox = observer->inbox;
    status = mqtt_new(&options, &observer->mqtt, why);
    if (status == STATUS_OK) {
        mqtt_start(observer->mqtt, (struct mono_time){now_ms});
    }
    return status;
}

void observer_free(struct observer *observer)
{
    mqtt_free(observer->mqtt);
    inbox_free(observer->inbox);
}

int observer_fd(const struct observer *observer)
{
    return inbox_fd(observer->inbox);
}

/* A connection that has broken by now is about to say so, and comes back. */
static bool is_sent(enum status status)
{
    return status == STATUS_OK || status == STATUS_DISCONNECTED;
}

/* At QoS 0 and before all else: the broker then sends every retained `link` before it so much as
 * reads the second subscription, whose SUBACK tells that there are no more. */
static bool subscribe_links(struct observer *observer)
{
    char filter[TOPIC_SIZE];
    const char *const filters[] = {filter};
    const int qos[] = {0};

    return topic_filter(filter, sizeof filter, observer->world->prefix, TOPIC_LINK) == STATUS_OK &&
           is_sent(mqtt_subscribe(observer->mqtt, filters, qos, 1, TOKEN_LINKS));
}

static bool subscribe_rest(struct observer *observer)
{
    char state[TOPIC_SIZE];
    char event[TOPIC_SIZE];
    char answer[TOPIC_SIZE];
    char alert[TOPIC_SIZE];
    const char *const filters[] = {state, event, answer, alert};
    const int qos[] = {0, 0, 0, 0};
    const char *prefix = observer->world->prefix;

    return topic_filter(state, sizeof state, prefix, TOPIC_STATE) == STATUS_OK &&
           topic_filter(event, sizeof event, prefix, TOPIC_EVENT) == STATUS_OK &&
           topic_build(answer, sizeof answer, prefix, TOPIC_RESPONSE, observer->account, "x") ==
               STATUS_OK &&
           (answer[strlen(answer) - 1] = '+') != '\0' &&
           topic_filter(alert, sizeof alert, prefix, TOPIC_ALERT) == STATUS_OK &&
           is_sent(mqtt_subscribe(observer->mqtt, filters, qos, 4, TOKEN_REST));
}

static void connected(struct observer *observer, int64_t now_ms)
{
    mqtt_on_connected(observer->mqtt);
    box_world_came(observer->world, observer, now_ms);
    observer->complained = false;
    if (!subscribe_links(observer) || !subscribe_rest(observer)) {
        teller_fail(observer->world->teller, "can't subscribe");
    }
}

static void disconnected(struct observer *observer, const char *reason, int64_t now_ms)
{
    if (!observer->complained) {
        observer->complained = true;
        teller_say(
            observer->world->teller, "-", "broker", TONE_WARN, "no broker at %s: %s",
            observer->world->url, reason);
    }
    if (mqtt_is_connected(observer->mqtt)) {
        box_world_went(observer->world, observer, now_ms);
    }
    mqtt_on_disconnected(observer->mqtt, (struct mono_time){now_ms});
}

static void message(struct observer *observer, const struct inbox_entry *entry)
{
    const struct observer_events *events = &observer->events;
    struct topic_match match;

    if (topic_parse(observer->world->prefix, entry->topic, &match) != STATUS_OK) {
        return;
    }
    if (match.id == TOPIC_LINK) {
        events->link(events->context, match.first, strcmp(entry->payload, "online") == 0);
    } else if (match.id == TOPIC_STATE) {
        events->state(events->context, match.first, entry->payload, entry->payload_length);
    } else if (match.id == TOPIC_EVENT) {
        events->event(events->context, match.first, entry->payload, entry->payload_length);
    } else if (match.id == TOPIC_RESPONSE) {
        events->answer(events->context, entry->payload, entry->payload_length);
    } else if (match.id == TOPIC_ALERT) {
        events->alert(events->context, entry->payload, entry->payload_length);
    }
}

static void take(struct observer *observer, const struct inbox_entry *entry, int64_t now_ms)
{
    switch (entry->kind) {
    case INBOX_CONNECTED:
        connected(observer, now_ms);
        break;
    case INBOX_DISCONNECTED:
        disconnected(observer, entry->payload, now_ms);
        break;
    case INBOX_SUBSCRIBED:
        if (entry->token == TOKEN_REST && !observer->checked) {
            observer->checked = true;
            observer->events.checked(observer->events.context);
        }
        break;
    case INBOX_SUBSCRIBE_FAILED:
        teller_fail(
            observer->world->teller, "the broker refuses to say %s",
            entry->token == TOKEN_LINKS ? "which names are taken"
                                        : "what the controller says: expectations of it will fail");
        if (entry->token == TOKEN_REST && !observer->checked) {
            observer->checked = true;
            observer->events.checked(observer->events.context);
        }
        break;
    case INBOX_MESSAGE:
        message(observer, entry);
        break;
    }
}

int64_t observer_nudge(struct observer *observer, bool often, int64_t now_ms)
{
    char filter[TOPIC_SIZE];
    int64_t after_ms = often ? NUDGE_OFTEN_MS : NUDGE_MS;

    if (!mqtt_is_connected(observer->mqtt)) {
        return BOX_NEVER;
    }
    if (now_ms >= observer->nudged_ms + after_ms) {
        observer->nudged_ms = now_ms;
        /* Nothing is subscribed there: the broker says so and does nothing else. */
        if (topic_filter(filter, sizeof filter, observer->world->prefix, TOPIC_CONTROLLER_MARKER) ==
                STATUS_OK &&
            mqtt_unsubscribe(observer->mqtt, filter) != STATUS_OK) {
            return BOX_NEVER; /* it will be told that the connection is gone */
        }
    }
    return observer->nudged_ms + after_ms;
}

int64_t observer_turn(struct observer *observer, int64_t now_ms)
{
    struct inbox_entry entry;
    struct mono_time wanted;

    while (inbox_pop(observer->inbox, &entry)) {
        take(observer, &entry, now_ms);
    }
    wanted = mqtt_tick(observer->mqtt, (struct mono_time){now_ms});
    return wanted.ms == 0 ? BOX_NEVER : wanted.ms;
}

enum status observer_request(struct observer *observer, const char *verb, const char *body)
{
    char topic[TOPIC_SIZE];
    enum status status = topic_build(
        topic, sizeof topic, observer->world->prefix, TOPIC_REQUEST, observer->account, verb);

    if (status == STATUS_OK && !mqtt_is_connected(observer->mqtt)) {
        status = STATUS_DISCONNECTED;
    }
    return status == STATUS_OK ? mqtt_publish(observer->mqtt, topic, body, strlen(body), 1, false)
                               : status;
}
