/* Effects, in their order: command, then state and events, then save, then counters. Nothing that
 * a person waits for stands behind storage. */
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/daemon/render.h"
#include "controller/support/log.h"
#include "topics/command.h"
#include "topics/notice.h"
#include "topics/state.h"

void publish_command(struct controller *controller, const struct machine *machine)
{
    struct command command;
    TEXT_LOCAL(payload, COMMAND_BYTES_MAX + 1);

    render_command(controller->settings, &machine->record.core, &command);
    if (command_print(&command, &payload) != STATUS_OK) {
        log_error("%s: a command did not fit and was not published", machine->record.machine);
        return;
    }
    publish(controller, TOPIC_COMMAND, machine->record.machine, NULL, payload.data, payload.length);
    controller->counters.commands++;
    if (controller->answering_us != 0) {
        histogram_add(
            &controller->counters.decisions, microseconds(controller) - controller->answering_us);
        controller->answering_us = 0;
    }
}

void publish_farewell(struct controller *controller, const struct machine *machine)
{
    const struct core_state *core = &machine->record.core;
    struct command command = {
        .oops_led = core->oopsed,
        .lockout = true,
        .needs_card = true,
        .second_needs_card = true,
        .seq = core->seq,
        .version = core->version,
    };
    TEXT_LOCAL(display, COMMAND_DISPLAY_SIZE * 2);
    TEXT_LOCAL(payload, COMMAND_BYTES_MAX + 1);

    text_addf(&display, "Not set up:\n%s", machine->record.machine);
    command_cut_display(command.display, display.data);
    text_copy(command.boot_id, sizeof command.boot_id, core->boot_id);
    if (command_print(&command, &payload) == STATUS_OK) {
        publish(
            controller, TOPIC_COMMAND, machine->record.machine, NULL, payload.data, payload.length);
    }
    publish(controller, TOPIC_STATE, machine->record.machine, NULL, "", 0);
}

void publish_state(struct controller *controller, const struct machine *machine)
{
    struct state_payload state;
    char display[RENDER_DISPLAY_SIZE];
    TEXT_LOCAL(payload, STATE_BYTES_MAX);

    render_state(controller->settings, machine, display, &state);
    if (state_print(&state, &payload) != STATUS_OK) {
        log_error("%s: a state did not fit and was not published", machine->record.machine);
        return;
    }
    publish(controller, TOPIC_STATE, machine->record.machine, NULL, payload.data, payload.length);
    controller->counters.states++;
}

/* C3: why the box started, where it says so. */
static const char *reset_reason_of(const struct core_notice *notice, const struct origin *origin)
{
    bool is_of_boot = notice->type == CORE_NOTICE_REBOOT ||
                      (notice->type == CORE_NOTICE_FAULT && notice->fault == CORE_FAULT_BOOT_LOOP);
    return is_of_boot ? origin->reset_reason : NULL;
}

static bool is_from_outside(enum core_notice_type type)
{
    return type == CORE_NOTICE_OOPS || type == CORE_NOTICE_UNOOPS || type == CORE_NOTICE_LOCKOUT ||
           type == CORE_NOTICE_UNLOCK;
}

/* `kind` is the event's place in the counters. */
static void publish_event(
    struct controller *controller, const struct machine *machine, struct notice_payload *event,
    size_t kind)
{
    const struct host_port *host = &controller->ports.host;
    TEXT_LOCAL(payload, NOTICE_BYTES_MAX);

    event->clock_is_free = !host->clock_is_synchronised(host->context);
    if (notice_print(event, &payload) != STATUS_OK) {
        log_error("%s: an event did not fit and was not published", machine->record.machine);
        return;
    }
    publish(controller, TOPIC_EVENT, machine->record.machine, NULL, payload.data, payload.length);
    controller->counters.events[kind]++;
}

void publish_save_notice(struct controller *controller, struct machine *machine)
{
    const char *name =
        machine->config == NULL ? machine->record.machine : machine->config->display_name;
    struct notice_payload event = {
        .event_type = "save_timeout",
        .n = ++machine->record.event_n,
        .machine = machine->record.machine,
        .display_name = name,
        .source = core_source_text(CORE_SOURCE_LIVENESS),
        .reason = machine->save_late ? "started" : "over",
        .version = machine->record.core.version,
        .at = controller->now.wall,
    };
    TEXT_LOCAL(sentence, 512);

    text_addf(
        &sentence, "%s: %s", name,
        machine->save_late ? RENDER_SAVE_LATE : "its state is saved again");
    event.text = sentence.data;
    publish_event(controller, machine, &event, CORE_NOTICE_COUNT);
}

static void publish_notice(
    struct controller *controller, struct machine *machine, const struct core_notice *notice,
    const struct origin *origin)
{
    const char *machine_name = machine->record.machine;
    bool is_logout = notice->type == CORE_NOTICE_LOGOUT;
    bool outside = notice->source == CORE_SOURCE_OUTSIDE;
    bool is_own_lockout =
        notice->type == CORE_NOTICE_LOCKOUT && notice->source == CORE_SOURCE_LIVENESS; /* C11.7 */
    const char *reason = is_own_lockout                  ? LIVENESS_LOCKOUT_REASON
                         : is_from_outside(notice->type) ? origin->reason
                                                         : NULL;
    struct notice_payload event = {
        .event_type = core_notice_text(notice->type),
        .n = ++machine->record.event_n,
        .machine = machine_name,
        .display_name = machine->config == NULL ? machine_name : machine->config->display_name,
        .user = notice->has_user ? notice->user.name : NULL,
        .account_id = notice->has_user ? notice->user.account_id : NULL,
        .source =
            outside && origin->source != NULL ? origin->source : core_source_text(notice->source),
        .reason = is_logout ? core_reason_text(notice->reason) : reason,
        .by = outside ? origin->by : NULL,
        .fault = notice->type == CORE_NOTICE_FAULT || notice->type == CORE_NOTICE_FAULT_CLEARED
                     ? core_fault_text(notice->fault)
                     : NULL,
        .reset_reason = reset_reason_of(notice, origin),
        .warn_only = notice->warn_only,
        .has_session = is_logout,
        .session_ms = notice->session_ms,
        .approximate = notice->approximate,
        .since = notice->since,
        .last_user = notice->last_user[0] == '\0' ? NULL : notice->last_user,
        .version = machine->record.core.version,
        .at = controller->now.wall,
    };
    const struct sentence_words words = {
        .machine = event.display_name,
        .by = is_own_lockout ? LIVENESS_BY : event.by,
        .reason = reason,
        .reset_reason = event.reset_reason,
        .now = controller->now.wall,
    };
    TEXT_LOCAL(sentence, 1024);

    render_sentence(notice, &words, &sentence);
    event.text = sentence.data;
    publish_event(controller, machine, &event, notice->type);
}

/* The audit line: machine, decision, why. */
static void log_decision(
    const struct machine *machine, const struct core_effects *effects, const char *sentence_source)
{
    const struct core_state *core = &machine->record.core;
    TEXT_LOCAL(notices, 128);

    for (size_t i = 0; i < effects->notice_count; i++) {
        text_addf(&notices, " %s", core_notice_text(effects->notices[i].type));
    }
    log_info(
        "%s: relay %s, second %s, mode %s, user %s, by %s (%s):%s", machine->record.machine,
        core_mode_relay(core->mode) ? "on" : "off", core->second_relay ? "on" : "off",
        core_mode_text(core->mode), core->has_user ? core->user.account_id : "-", sentence_source,
        core_rule_text(effects->rule), notices.data);
}

void perform(
    struct controller *controller, struct machine *machine, const struct core_event *event,
    const struct core_effects *effects, const struct origin *origin)
{
    bool is_told = machine->config != NULL; /* C2: to others it has left */

    if (effects->command && is_told) {
        publish_command(controller, machine);
    }
    if (effects->probe && is_told) {
        publish_probe(controller, machine, effects->probe_id);
    }
    for (size_t i = 0; i < effects->notice_count; i++) {
        enum core_notice_type type = effects->notices[i].type;

        /* Nothing else finds out that a machine is gone without being told. */
        controller->counters.probes_failed +=
            event->type == CORE_EVENT_WAKE &&
            (type == CORE_NOTICE_MACHINE_ERROR || type == CORE_NOTICE_MACHINE_OFFLINE);
        publish_notice(controller, machine, &effects->notices[i], origin);
    }
    if ((effects->changed || machine->notes_changed) && is_told) {
        publish_state(controller, machine);
    }
    machine->notes_changed = false;
    if (effects->save) {
        saves_want(controller, machine);
    } else if (effects->keep) {
        saves_want_again(controller, machine);
    }
    if (effects->notice_count > 0) {
        log_decision(
            machine, effects,
            event->type == CORE_EVENT_REPORT ? "report"
                                             : (origin->by == NULL ? "controller" : origin->by));
    }
}
