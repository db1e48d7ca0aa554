/* The controller's life: made, called when something is due, stopped; and what all of it publishes
 * by. */
#include "controller/daemon/controller.h"

#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"

#define PUBLISH_AGAIN_MS 1000
/* In the outbox. */
#define BEHIND_MESSAGES 64

void refresh_now(struct controller *controller)
{
    controller->now = controller->ports.host.now(controller->ports.host.context);
    lead_notice_standstill(controller);
}

int64_t microseconds(const struct controller *controller)
{
    const struct host_port *host = &controller->ports.host;

    return host->microseconds == NULL ? 0 : host->microseconds(host->context);
}

const char *prefix(const struct controller *controller)
{
    return controller->settings->controller.prefix;
}

struct origin origin_none(void)
{
    return (struct origin){0};
}

bool publish(
    struct controller *controller, enum topic_id id, const char *first, const char *second,
    const char *payload, size_t length)
{
    const struct topic_info *info = topic_info(id);
    const struct broker_port *broker = &controller->ports.broker;
    char topic[TOPIC_SIZE];
    bool is_own = id == TOPIC_CONTROLLER_STATUS || id == TOPIC_CONTROLLER_MARKER ||
                  (id == TOPIC_RESPONSE && controller->handover.waits);

    if (!is_own && !lease_may_speak(&controller->lease)) {
        return true; /* the leader speaks, and nobody else */
    }
    if (topic_build(topic, sizeof topic, prefix(controller), id, first, second) != STATUS_OK) {
        return false;
    }
    if (broker->publish(broker->context, topic, payload, length, info->qos, info->retained) !=
        STATUS_OK) {
        controller->counters.publishes_lost++;
        if (info->retained && controller->phase == PHASE_READY &&
            controller->retained_again.ms == 0) {
            controller->retained_again.ms = controller->now.mono.ms + PUBLISH_AGAIN_MS;
        }
        return false;
    }
    controller->counters.published[id]++;
    return true;
}

bool broker_is_behind(const struct controller *controller)
{
    const struct broker_port *broker = &controller->ports.broker;

    return broker->waiting != NULL && broker->waiting(broker->context) >= BEHIND_MESSAGES;
}

void publish_status(struct controller *controller, const char *status)
{
    const struct settings *settings = controller->settings;
    bool leads = strcmp(status, "running") == 0 && controller->lease.role != LEASE_STANDS_BY;
    TEXT_LOCAL(payload, 2048);
    struct json_out out = json_out(&payload);

    if (controller->lease.role == LEASE_IS_SILENT) {
        return; /* it is published when it may speak again */
    }
    if (controller->lease.has_stopped && strcmp(status, "stopped") != 0) {
        return; /* after the goodbye nobody would ever take it back */
    }
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "status", status);
    json_out_bool(&out, "leader", leads);
    json_out_integer(&out, "epoch", (int64_t)controller->lease.epoch);
    json_out_number(&out, "since", (double)controller->since.ms / 1000, 3);
    json_out_string(&out, "version", TAGOUT_VERSION);
    json_out_string(&out, "config", roster_fingerprint(controller->roster));
    json_out_string(&out, "redis", store_answers(controller) ? "up" : "down");
    if (controller->store_refusal[0] != '\0') {
        json_out_string(&out, "redis_refuses", controller->store_refusal);
    }
    json_out_string(&out, "watcher", watcher_watch_text(controller));
    json_out_close(&out, '}');
    publish(
        controller, TOPIC_CONTROLLER_STATUS, settings->controller.id, NULL, payload.data,
        payload.length);
}

void publish_status_again(struct controller *controller)
{
    if (controller->phase == PHASE_READY || controller->said_standby) {
        publish_status(controller, "running");
    }
}

static enum status add_machines(struct controller *controller)
{
    for (size_t i = 0; i < roster_machine_count(controller->roster); i++) {
        const struct roster_machine *config = roster_machine_at(controller->roster, i);
        struct machine *machine;
        enum status status = fleet_add(controller->fleet, config->name, &machine);
        if (status != STATUS_OK) {
            return status;
        }
        machine->config = config;
    }
    return STATUS_OK;
}

enum status controller_new(
    const struct settings *settings, struct roster *roster, const struct controller_ports *ports,
    struct controller **ret_controller)
{
    struct controller *controller = calloc(1, sizeof *controller);
    enum status status = STATUS_NO_MEMORY;

    if (controller == NULL) {
        return status;
    }
    controller->settings = settings;
    controller->roster = roster;
    controller->ports = *ports;
    status = fleet_new(&controller->fleet);
    if (status == STATUS_OK) {
        status = add_machines(controller);
    }
    if (status != STATUS_OK) {
        fleet_free(controller->fleet);
        free(controller);
        return status;
    }
    liveness_init(controller);
    controller->card_key_is_known =
        card_key_from_hex(&controller->card_key, settings->controller.card_key);
    if (!controller->card_key_is_known) {
        card_key_random(&controller->card_key);
    }
    refresh_now(controller);
    lead_init(controller);
    *ret_controller = controller;
    return STATUS_OK;
}

void controller_free(struct controller *controller)
{
    if (controller == NULL) {
        return;
    }
    restarts_drop(controller);
    saves_free(controller);
    block_keeping_free(controller);
    held_drop(controller);
    discovery_free(controller);
    fleet_free(controller->fleet);
    roster_free(controller->roster);
    card_key_forget(&controller->card_key);
    free(controller);
}

bool is_at_work(const struct controller *controller)
{
    return controller->phase == PHASE_READY && lease_may_speak(&controller->lease);
}

static void work(struct controller *controller)
{
    struct heap *deadlines = fleet_deadlines(controller->fleet);

    saves_tick(controller);
    block_keeping_tick(controller);
    republish_tick(controller);
    judge_tick(controller);
    discovery_tick(controller);
    while (heap_first(deadlines) != NULL &&
           heap_first(deadlines)->at.ms <= controller->now.mono.ms) {
        judge_due(controller, heap_first(deadlines)->owner);
    }
}

static struct mono_time machines_deadline(const struct controller *controller)
{
    const struct heap_item *first = heap_first(fleet_deadlines(controller->fleet));

    return first == NULL ? (struct mono_time){0} : first->at;
}

/* Of what goes on in each phase. */
static struct mono_time always_deadline(const struct controller *controller)
{
    struct mono_time next = start_deadline(controller);

    next = mono_earlier(next, lease_wake_at(&controller->lease));
    next = mono_earlier(next, controller->handover.until);
    next = mono_earlier(next, held_deadline(controller));
    return mono_earlier(next, watcher_watch_deadline(controller));
}

static struct mono_time work_deadline(const struct controller *controller)
{
    struct mono_time next = machines_deadline(controller);

    next = mono_earlier(next, saves_deadline(controller));
    next = mono_earlier(next, block_keeping_deadline(controller));
    next = mono_earlier(next, republish_deadline(controller));
    next = mono_earlier(next, judge_deadline(controller));
    return mono_earlier(next, discovery_deadline(controller));
}

struct mono_time controller_tick(struct controller *controller)
{
    refresh_now(controller);
    liveness_notice_stall(controller);
    start_tick(controller);
    lead_tick(controller);
    handover_tick(controller);
    held_tick(controller);
    watcher_watch_tick(controller);
    if (is_at_work(controller)) {
        work(controller);
    }
    controller->due_at = always_deadline(controller);
    if (is_at_work(controller)) {
        controller->due_at = mono_earlier(controller->due_at, work_deadline(controller));
    }
    return controller->due_at;
}

void controller_stop(struct controller *controller)
{
    refresh_now(controller);
    if (controller->phase == PHASE_READY) {
        restarts_stop(controller);
        saves_stop(controller);
        block_answers_stop(controller);
    }
    handover_stop(controller);
    lead_stop(controller);
    if (controller->said_ready) {
        publish_status(controller, "stopped");
    }
}

bool controller_is_ready(const struct controller *controller)
{
    return controller->said_ready;
}
