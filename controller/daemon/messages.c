/* What the broker brings, but for requests: told apart by its topic and handed on. */
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

static void on_report(
    struct controller *controller, struct machine *machine, const char *payload, size_t length)
{
    struct report report;
    enum member_flaw flaw = MEMBER_FLAW_NONE;
    TEXT_LOCAL(why, 256);

    if (report_parse_flaw(payload, length, &report, &why, &flaw) != STATUS_OK) {
        controller->counters.bad_reports[flaw]++;
        if (strangers_heard(&controller->bad_reporters, machine->record.machine, controller->now)) {
            log_warning("%s: bad report, ignored: %s", machine->record.machine, why.data);
        }
        return;
    }
    if (controller->phase == PHASE_STANDBY) {
        controller->received_us = 0; /* the leader answers it, and times itself */
        judge_keep_newest(controller, machine, &report);
    } else {
        judge_enqueue(controller, machine, &report);
    }
}

/* `set/oops` and `set/lockout` (C8.3): whoever may only set may not clear. */
static void on_set(
    struct controller *controller, struct machine *machine, enum core_event_type type,
    const char *payload, size_t length)
{
    struct origin origin = {.source = "set", .by = "Home Assistant"};
    struct core_effects effects;
    bool on = length == 2 && memcmp(payload, "ON", 2) == 0;

    if (!on && !(length == 3 && memcmp(payload, "OFF", 3) == 0)) {
        controller->counters.bad_messages++;
        if (strangers_heard(&controller->bad_reporters, machine->record.machine, controller->now)) {
            log_warning("%s: set: neither ON nor OFF, ignored", machine->record.machine);
        }
        return;
    }
    if (!on && !controller->settings->homeassistant.may_clear) {
        if (strangers_heard(&controller->refused_sets, machine->record.machine, controller->now)) {
            log_warning(
                "%s: set: OFF refused, since [homeassistant] may_clear is not set",
                machine->record.machine);
        }
        return;
    }
    apply_set(controller, machine, type, on, &origin, &effects);
}

static void on_machine_message(
    struct controller *controller, const struct topic_match *match, const char *payload,
    size_t length, bool retained)
{
    struct machine *machine = fleet_find(controller->fleet, match->first);

    if (machine == NULL || machine->config == NULL) {
        if (retained) {
            return; /* a box that was there once, and may be long gone */
        }
        controller->counters.stranger_messages++;
        if (strangers_heard(&controller->strangers, match->first, controller->now)) {
            log_warning("%s is not configured: it gets no command", match->first);
        }
        return;
    }
    if (match->id == TOPIC_REPORT) {
        on_report(controller, machine, payload, length);
    } else if (match->id == TOPIC_LINK) {
        liveness_on_link(controller, machine, payload, length, retained);
    } else if (match->id == TOPIC_PONG) {
        liveness_on_pong(controller, machine, payload, length);
    } else {
        on_set(
            controller, machine,
            match->id == TOPIC_SET_OOPS ? CORE_EVENT_SET_OOPS : CORE_EVENT_SET_LOCKOUT, payload,
            length);
    }
}

void take_machine_message(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained)
{
    struct topic_match match;

    if (topic_parse(prefix(controller), topic, &match) == STATUS_OK) {
        on_machine_message(controller, &match, payload, length, retained);
    }
}

/* C2: what may arrive retained; all else would be somebody's `mosquitto_pub -r`, come back. */
static bool may_be_retained(enum topic_id id)
{
    return id == TOPIC_LINK || id == TOPIC_STATE || id == TOPIC_BLOCKS ||
           id == TOPIC_CONTROLLER_STATUS || id == TOPIC_SERVICE;
}

static bool is_said_of_machine(enum topic_id id)
{
    return id == TOPIC_REPORT || id == TOPIC_LINK || id == TOPIC_PONG || id == TOPIC_SET_OOPS ||
           id == TOPIC_SET_LOCKOUT;
}

/* The leader acts upon it, at once or when it may; a standby keeps the last report. */
static void hear_machine(
    struct controller *controller, const struct topic_match *match, const char *topic,
    const char *payload, size_t length, bool retained)
{
    bool is_leader = controller->phase == PHASE_READY || controller->phase == PHASE_TAKING;
    bool is_kept = controller->phase == PHASE_STANDBY && match->id == TOPIC_REPORT;

    if (is_leader && held_must_wait(controller)) {
        hold_message(controller, topic, payload, length, retained);
    } else if (is_leader || is_kept) {
        on_machine_message(controller, match, payload, length, retained);
    }
}

void controller_stamp(struct controller *controller, int64_t received_us)
{
    controller->received_us = received_us;
}

static struct mono_time received_at(const struct controller *controller)
{
    return controller->received_us == 0 ? controller->now.mono
                                        : (struct mono_time){controller->received_us / 1000};
}

static void take_message(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained)
{
    struct topic_match match;

    refresh_now(controller);
    lease_touch(&controller->lease, controller->now.mono, received_at(controller));
    if (discovery_heard(controller, topic, payload, length, retained)) {
        return;
    }
    if (topic_parse(prefix(controller), topic, &match) != STATUS_OK) {
        controller->counters.bad_messages++;
        return;
    }
    if (retained && !may_be_retained(match.id)) {
        controller->counters.retained_discarded++;
        return;
    }
    /* Everything but reports, links and sets is for the start alone, or not ours to read. */
    if (match.id == TOPIC_STATE) {
        start_retained_state(controller, match.first, payload, length);
    } else if (match.id == TOPIC_CONTROLLER_STATUS) {
        start_controller_status(controller, match.first, payload, length);
    } else if (match.id == TOPIC_BLOCKS) {
        block_keeping_on_retained(controller, payload, length);
    } else if (match.id == TOPIC_CONTROLLER_MARKER) {
        start_collected(controller, payload, length);
    } else if (match.id == TOPIC_SERVICE) {
        watcher_watch_heard(controller, payload, length);
    } else if (is_said_of_machine(match.id)) {
        hear_machine(controller, &match, topic, payload, length, retained);
    }
}

void controller_on_message(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained)
{
    take_message(controller, topic, payload, length, retained);
    controller->received_us = 0;
}
