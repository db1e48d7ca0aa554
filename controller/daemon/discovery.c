/* When Home Assistant is told of whom (C8.3), by the leader alone.
 *
 * Its own end of the bargain is fragile: while it takes in one message of a device it drops most
 * of the next one. So a device's messages are never less than five seconds apart, whatever is in
 * them. What it has forgotten by itself (somebody deleted the device there) is not pressed on it:
 * only a connect, a birth of Home Assistant or a change brings a message.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/daemon/discovery_message.h"
#include "controller/support/log.h"

#define APART_MS 5000
#define BIRTH_LEVEL "/status"
/* A birth is answered when Home Assistant has had time to subscribe, and not by all at once. */
#define BIRTH_MIN_MS 1000
#define BIRTH_SPREAD_MS 4000
/* Some 500 a second: whoever puts in a card meanwhile waits for one batch, not for a fleet. */
#define BATCH 10
#define BATCH_EACH_MS 20

static bool is_on(const struct controller *controller)
{
    return controller->settings->homeassistant.discovery;
}

static bool can_publish(const struct controller *controller)
{
    return is_on(controller) && controller->connected && is_at_work(controller);
}

/* FNV-1a; 0 stands for "no message". */
static uint64_t hash_of(const char *payload, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)payload[i]) * 0x100000001b3;
    }
    return length == 0 ? 0 : hash | 1;
}

static void want(
    struct controller *controller, struct announcement *announcement, struct machine *machine,
    bool again, int64_t delay_ms)
{
    struct heap *due = &controller->discovery.due;
    int64_t at = controller->now.mono.ms + delay_ms;

    if (!is_on(controller)) {
        return;
    }
    if (heap_reserve(due, fleet_count(controller->fleet) + 1) != STATUS_OK) {
        controller->counters.publishes_lost++; /* the next birth or connect brings it */
        return;
    }
    if (announcement->told_at.ms != 0 && at < announcement->told_at.ms + APART_MS) {
        at = announcement->told_at.ms + APART_MS;
    }
    if (announcement->due.place != 0 && announcement->due.at.ms < at) {
        at = announcement->due.at.ms;
    }
    announcement->again |= again;
    announcement->due.owner = announcement;
    announcement->machine = machine;
    heap_set(due, &announcement->due, (struct mono_time){at});
}

void discovery_want(struct controller *controller, struct machine *machine)
{
    want(controller, &machine->announcement, machine, false, 0);
}

void discovery_forget(struct controller *controller, const char *name)
{
    const struct broker_port *broker = &controller->ports.broker;
    struct machine *machine = fleet_find(controller->fleet, name);
    char topic[TOPIC_SIZE];

    if (machine != NULL) {
        want(controller, &machine->announcement, machine, true, 0);
    } else if (
        can_publish(controller) &&
        discovery_topic(controller->settings, name, topic) == STATUS_OK &&
        broker->publish(broker->context, topic, "", 0, 1, true) != STATUS_OK) {
        controller->counters.publishes_lost++;
    }
}

static void want_configured(struct controller *controller, int64_t delay_ms)
{
    want(controller, &controller->discovery.own, NULL, true, delay_ms);
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        if (machine->config != NULL) {
            want(controller, &machine->announcement, machine, true, delay_ms);
        }
    }
}

void discovery_publish_everything(struct controller *controller)
{
    want_configured(controller, 0);
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        /* A removal may have been lost with the connection. A machine of which nothing was ever
         * told from here was not configured at the start: it is left alone. */
        if (machine->config == NULL && machine->announcement.told_at.ms != 0) {
            want(controller, &machine->announcement, machine, true, 0);
        }
    }
}

enum status discovery_birth_filter(const struct controller *controller, char ret_filter[TOPIC_SIZE])
{
    struct text filter = text_over(ret_filter, TOPIC_SIZE);

    text_addf(&filter, "%s%s", controller->settings->homeassistant.discovery_prefix, BIRTH_LEVEL);
    return !is_on(controller) ? STATUS_NOT_FOUND : filter.cut ? STATUS_TOO_LONG : STATUS_OK;
}

/* Asked of every message, so without building anything. */
static bool is_birth_topic(const struct controller *controller, const char *topic)
{
    const char *discovery_prefix = controller->settings->homeassistant.discovery_prefix;
    size_t length = strlen(discovery_prefix);

    return is_on(controller) && strncmp(topic, discovery_prefix, length) == 0 &&
           strcmp(topic + length, BIRTH_LEVEL) == 0;
}

bool discovery_heard(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained)
{
    static const char birth[] = "online";

    if (!is_birth_topic(controller, topic)) {
        return false;
    }
    if (retained) {
        controller->counters.retained_discarded++; /* this connect has brought everything */
    } else if (
        controller->phase == PHASE_READY && length == strlen(birth) &&
        memcmp(payload, birth, length) == 0) {
        log_info("Home Assistant has started: telling it of all machines");
        want_configured(controller, BIRTH_MIN_MS + randombytes_uniform(BIRTH_SPREAD_MS + 1));
    }
    return true;
}

/* STATUS_OK with nothing written: the device is to be removed. */
static enum status
print(const struct controller *controller, const struct machine *machine, struct text *payload)
{
    if (machine == NULL) {
        return discovery_print_controller(controller->settings, payload);
    }
    if (machine->config == NULL) {
        return STATUS_OK;
    }
    return discovery_print_machine(
        controller->settings, machine->config, machine->record.fw == NULL ? "" : machine->record.fw,
        payload);
}

static void tell(struct controller *controller, struct announcement *announcement)
{
    const struct broker_port *broker = &controller->ports.broker;
    const struct machine *machine = announcement->machine;
    const char *name = machine == NULL ? NULL : machine->record.machine;
    bool again = announcement->again;
    char topic[TOPIC_SIZE];
    uint64_t hash;
    TEXT_LOCAL(payload, DISCOVERY_BYTES_MAX);

    announcement->again = false;
    heap_set(&controller->discovery.due, &announcement->due, (struct mono_time){0});
    if (discovery_topic(controller->settings, name, topic) != STATUS_OK ||
        print(controller, machine, &payload) != STATUS_OK) {
        log_error("%s: does not fit into a message to Home Assistant", name == NULL ? "" : name);
        return;
    }
    hash = hash_of(payload.data, payload.length);
    if (hash == announcement->told && !again) {
        return;
    }
    announcement->told_at = controller->now.mono;
    if (broker->publish(broker->context, topic, payload.data, payload.length, 1, true) !=
        STATUS_OK) {
        controller->counters.publishes_lost++;
        want(controller, announcement, announcement->machine, true, 0);
        return;
    }
    announcement->told = hash;
    controller->counters.announcements++;
}

void discovery_tick(struct controller *controller)
{
    struct discovery *discovery = &controller->discovery;

    if (!can_publish(controller) || controller->now.mono.ms < discovery->next_batch.ms) {
        return;
    }
    for (int i = 0; i < BATCH; i++) {
        const struct heap_item *first = heap_first(&discovery->due);
        if (first == NULL || first->at.ms > controller->now.mono.ms) {
            return;
        }
        tell(controller, first->owner);
    }
    discovery->next_batch.ms = controller->now.mono.ms + BATCH_EACH_MS;
}

struct mono_time discovery_deadline(const struct controller *controller)
{
    const struct discovery *discovery = &controller->discovery;
    const struct heap_item *first = heap_first(&discovery->due);

    if (first == NULL || !can_publish(controller)) {
        return (struct mono_time){0};
    }
    return first->at.ms < discovery->next_batch.ms ? discovery->next_batch : first->at;
}

void discovery_free(struct controller *controller)
{
    heap_free(&controller->discovery.due);
}
