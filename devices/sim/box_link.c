/* A box's connection: one client of the broker, made anew for each attempt, so that the device's
 * own delays are the only ones (C7.6). */
#include <string.h>

#include "devices/sim/box.h"

#define KEEP_ALIVE_S 15
#define SUBSCRIBED 1
#define LAST_WORDS_MS 1000
#define GOODBYE_MS 300
#define LEAVING_POLL_MS 5
#define FAILED_ATTEMPT_MS 300
#define FLAP_UP_MS 1500 /* a flapping link holds for less than that after it was back */

static void tell_rivals(const struct box_world *world)
{
    teller_fail(
        world->teller,
        "tagout-sim: its connections throw each other out: at %s the account %s is the client id "
        "of "
        "all of them. Use the broker's listener for people (--broker with port 1884, or 8884 for "
        "TLS), and an account for each machine",
        world->url, world->username);
}

void box_world_came(const struct box_world *world, const void *who, int64_t now_ms)
{
    if (world->username != NULL && rivals_came(world->rivals, who, now_ms)) {
        tell_rivals(world);
    }
}

void box_world_went(const struct box_world *world, const void *who, int64_t now_ms)
{
    if (world->username != NULL && rivals_went(world->rivals, who, now_ms)) {
        tell_rivals(world);
    }
}

void box_link_init(struct box_link *link)
{
    *link = (struct box_link){.back_ms = BOX_NEVER, .fail_ms = BOX_NEVER};
}

static enum status topic_of(const struct box *box, enum topic_id id, char topic[TOPIC_SIZE])
{
    return topic_build(topic, TOPIC_SIZE, box->world->prefix, id, box->name, NULL);
}

/* No attempt, no connection, nothing of it in the inbox. */
void box_link_drop(struct box *box)
{
    struct inbox_entry entry;
    bool was_up = box->link.up;

    mqtt_free(box->link.mqtt);
    box->link.mqtt = NULL;
    box->link.in = false;
    box->link.up = false;
    box->link.leave_ms = 0;
    box->link.fail_ms = BOX_NEVER;
    while (inbox_pop(box->link.inbox, &entry)) {
        /* Of a connection that is no more. */
    }
    if (was_up) {
        box->world->changed(box->world->context);
    }
}

static void fail(struct box *box, const char *reason)
{
    bool was_up = box->link.up;

    /* First, as the reason may live in the inbox. */
    if (was_up || !box->link.complained) {
        box_say(box, "link", TONE_WARN, "%s%s", was_up ? "connection lost: " : "", reason);
        box->link.complained = !was_up;
    }
    box_link_drop(box);
    box_step(box, (struct device_event){.type = DEVICE_EVENT_LINK_DOWN});
}

void box_link_connect(struct box *box)
{
    char will[TOPIC_SIZE];
    char client_id[TOPIC_PREFIX_MAX + TOPIC_MACHINE_MAX + 2];
    struct text id = text_over(client_id, sizeof client_id);
    TEXT_LOCAL(why, 256);
    const struct mqtt_options options = {
        .url = box->world->url,
        .client_id = client_id,
        .username = box->world->username,
        .password = box->world->password,
        .ca_file = box->world->ca_file,
        .keep_alive_s = KEEP_ALIVE_S,
        .will_topic = will,
        .will_payload = "lost",
        .inbox = box->link.inbox,
    };

    if (box->link.leave_ms != 0) {
        mqtt_stop(box->link.mqtt, GOODBYE_MS);
    }
    box_link_drop(box);
    if (box->link.cut) {
        box->link.fail_ms = box->now_ms + FAILED_ATTEMPT_MS;
        return;
    }
    text_addf(&id, "%s-%s", box->world->prefix, box->name);
    if (topic_of(box, TOPIC_LINK, will) != STATUS_OK ||
        mqtt_new(&options, &box->link.mqtt, &why) != STATUS_OK) {
        box_say(box, "link", TONE_BAD, "can't connect: %s", why.data);
        box->link.fail_ms = box->now_ms + FAILED_ATTEMPT_MS;
        return;
    }
    mqtt_start(box->link.mqtt, (struct mono_time){box->now_ms});
}

void box_link_leave(struct box *box)
{
    box->link.leave_ms = box->now_ms + LAST_WORDS_MS;
    box->link.up = false;
}

void box_link_publish(struct box *box, enum topic_id id, const char *payload, size_t length)
{
    const struct topic_info *info = topic_info(id);
    char topic[TOPIC_SIZE];

    if (box->link.mqtt == NULL || topic_of(box, id, topic) != STATUS_OK ||
        mqtt_publish(box->link.mqtt, topic, payload, length, info->qos, info->retained) !=
            STATUS_OK) {
        box_say(box, "link", TONE_BAD, "could not send a %s", info->name);
    }
}

static void subscribe(struct box *box)
{
    static const enum topic_id ids[] = {TOPIC_COMMAND, TOPIC_PROBE, TOPIC_RESTART};
    enum {
        COUNT = sizeof ids / sizeof ids[0]
    };
    char topics[COUNT][TOPIC_SIZE];
    const char *filters[COUNT];
    int qos[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        filters[i] = topics[i];
        qos[i] = topic_info(ids[i])->qos;
        if (topic_of(box, ids[i], topics[i]) != STATUS_OK) {
            return;
        }
    }
    if (mqtt_subscribe(box->link.mqtt, filters, qos, COUNT, SUBSCRIBED) != STATUS_OK) {
        fail(box, "can't subscribe");
    }
}

static void subscribed(struct box *box)
{
    box->link.up = true;
    box->link.complained = false;
    box_say(box, "link", TONE_DIM, "connected");
    box_step(box, (struct device_event){.type = DEVICE_EVENT_LINK_UP});
    box->world->changed(box->world->context);
}

static void take(struct box *box, const struct inbox_entry *entry)
{
    struct topic_match match;

    switch (entry->kind) {
    case INBOX_CONNECTED:
        mqtt_on_connected(box->link.mqtt);
        box->link.in = true;
        box_world_came(box->world, box, box->now_ms);
        subscribe(box);
        break;
    case INBOX_DISCONNECTED:
        if (box->link.in) {
            box_world_went(box->world, box, box->now_ms);
        }
        fail(box, entry->payload);
        break;
    case INBOX_SUBSCRIBED:
        subscribed(box);
        break;
    case INBOX_SUBSCRIBE_FAILED:
        fail(box, "the broker refused the subscription");
        break;
    case INBOX_MESSAGE:
        if (box->link.leave_ms == 0 &&
            topic_parse(box->world->prefix, entry->topic, &match) == STATUS_OK) {
            box_take_message(box, match.id, entry);
        }
        break;
    }
}

static void leave_when_done(struct box *box)
{
    const struct mqtt_counts counts = mqtt_counts(box->link.mqtt);

    if (counts.waiting + counts.in_flight == 0 || box->now_ms >= box->link.leave_ms) {
        mqtt_stop(box->link.mqtt, GOODBYE_MS);
        box_link_drop(box);
    }
}

/* Short losses: each is over by itself, and a flapping link is soon lost again. */
static void come_back(struct box *box)
{
    if (box->now_ms < box->link.back_ms) {
        return;
    }
    if (box->link.cut) {
        box->link.cut = false;
        box->link.back_ms = box->now_ms < box->link.flap_ms ? box->now_ms + FLAP_UP_MS : BOX_NEVER;
    } else {
        box->link.cut = true;
        box_link_drop(box);
        box->link.back_ms = box->now_ms + SCENARIO_ROAM_MS;
        box_step(box, (struct device_event){.type = DEVICE_EVENT_LINK_DOWN});
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t box_link_turn(struct box *box)
{
    struct inbox_entry entry;
    struct mono_time wanted = {0};

    while (inbox_pop(box->link.inbox, &entry)) {
        take(box, &entry);
    }
    come_back(box);
    if (box->now_ms >= box->link.fail_ms) {
        fail(box, "the link is cut");
    }
    if (box->link.mqtt != NULL) {
        wanted = mqtt_tick(box->link.mqtt, (struct mono_time){box->now_ms});
    }
    if (box->link.leave_ms != 0) {
        leave_when_done(box);
    }
    if (box->link.leave_ms != 0) {
        return box->now_ms + LEAVING_POLL_MS;
    }
    return earlier(
        earlier(box->link.back_ms, box->link.fail_ms), wanted.ms == 0 ? BOX_NEVER : wanted.ms);
}
