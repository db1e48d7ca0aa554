/* Users and machines read again, all or nothing (C4 "Reload", C6 `reload`). The files are read and
 * checked off the loop; what arrives here is one finished roster. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"
#include "controller/support/log.h"

#define ENERGISED_NAMES_MAX 1000 /* that the answer lists */

static void finish(struct controller *controller)
{
    bool again = controller->reload.wanted;

    controller->reload = (struct reload){0};
    if (again) {
        controller_reload(controller);
    }
}

static void refuse(struct controller *controller, const char *why)
{
    struct reload *reload = &controller->reload;

    controller->counters.reloads_failed++;
    log_error("reload refused, everything stays as it was: %s", why);
    if (reload->answers) {
        answer(
            controller, reload->account, "reload", RESPONSE_ERROR, NULL, why, reload->transaction);
    }
    finish(controller);
}

void reload_begin(
    struct controller *controller, bool force, const char *account, const char *transaction)
{
    struct reload *reload = &controller->reload;
    const struct host_port *host = &controller->ports.host;
    enum status status;

    if (reload->running) {
        answer(
            controller, account, "reload", RESPONSE_ERROR, NULL, "a reload is under way already",
            transaction);
        return;
    }
    *reload = (struct reload){.running = true, .force = force, .answers = account != NULL};
    if (account != NULL) {
        text_copy(reload->account, sizeof reload->account, account);
        text_copy(reload->transaction, sizeof reload->transaction, transaction);
    }
    status = host->read_roster(host->context);
    if (status != STATUS_OK) {
        refuse(controller, status_text(status));
    }
}

void controller_reload(struct controller *controller)
{
    bool may = controller->phase == PHASE_READY || controller->phase == PHASE_STANDBY;

    refresh_now(controller);
    if (!may || controller->reload.running) {
        /* Before the states are known nothing may be judged; and the files may have changed since
         * a reading of them began. */
        controller->reload.wanted = true;
        return;
    }
    reload_begin(controller, false, NULL, NULL);
}

void reload_if_wanted(struct controller *controller)
{
    if (controller->reload.wanted) {
        controller->reload.wanted = false;
        controller_reload(controller);
    }
}

/* Why a machine must not vanish without `force`; NULL when it may. */
static const char *reason_to_keep(const struct machine *machine)
{
    const struct core_state *core = &machine->record.core;

    if (core->oopsed) {
        return "is oopsed";
    } else if (core->locked_out) {
        return "is locked out";
    } else if (core_mode_is_session(core->mode)) {
        return "is in use";
    }
    return NULL;
}

/* C6's guards. True when the roster may be taken. */
static bool is_allowed(
    const struct controller *controller, const struct roster *roster,
    const struct roster_change *change, struct text *why)
{
    size_t users = roster_user_count(controller->roster);
    size_t machines = roster_machine_count(controller->roster);

    if (controller->reload.force) {
        return true;
    }
    if (change->users.removed * 2 > users || change->machines.removed * 2 > machines) {
        text_addf(
            why,
            "it would remove %zu of %zu user%s and %zu of %zu machine%s; "
            "if that is meant, reload with force",
            change->users.removed, users, text_plural(users), change->machines.removed, machines,
            text_plural(machines));
        return false;
    }
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        const char *reason = reason_to_keep(machine);
        if (machine->config != NULL && reason != NULL &&
            roster_machine(roster, machine->config->name) == NULL) {
            text_addf(
                why, "it would remove %s, which %s; if that is meant, reload with force",
                machine->config->name, reason);
            return false;
        }
    }
    return true;
}

/* A machine that leaves is switched off and told so; its record stays (C2). */
static void remove_machine(struct controller *controller, struct machine *machine)
{
    struct core_event event = {.type = CORE_EVENT_END};
    struct origin origin = {.source = "config"};
    struct core_effects effects;

    if (controller->phase != PHASE_READY) {
        machine->config = NULL; /* the leader has told it */
        return;
    }
    restart_cancel(controller, machine, "it was taken out of the configuration");
    judge_waiting(controller, machine);
    judge(controller, machine, &event, &origin, &effects);
    machine->config = NULL;
    judge_config(controller, machine);
    discovery_forget(controller, machine->record.machine);
    publish_farewell(controller, machine);
    log_info("%s is no longer configured: it is off and says so", machine->record.machine);
}

/* Whether the machine's next report switches on what is off now (C6 `energises`). */
static bool will_energise(const struct machine *machine, const struct core_config *config)
{
    const struct core_state *core = &machine->record.core;
    bool was_on = core_mode_relay(core->mode);

    if (core->oopsed || core->locked_out) {
        return false;
    }
    return (config->always_enabled && !was_on) ||
           (config->second_relay.present && config->second_relay.always_enabled &&
            (config->always_enabled || was_on) && !core->second_relay);
}

/* Names of thousands help nobody, and commands would stand behind them: the rest is counted. */
static void
add_energised(struct controller *controller, const struct roster *roster, struct json_out *out)
{
    size_t count = 0;

    json_out_open(out, "energises", '[');
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        const struct roster_machine *config = roster_machine(roster, machine->record.machine);
        if (config != NULL && will_energise(machine, &config->config) &&
            ++count <= ENERGISED_NAMES_MAX) {
            json_out_string(out, NULL, machine->record.machine);
        }
    }
    json_out_close(out, ']');
    if (count > ENERGISED_NAMES_MAX) {
        json_out_integer(out, "energises_more", (int64_t)(count - ENERGISED_NAMES_MAX));
    }
}

static void add_delta(struct json_out *out, const char *key, const struct roster_delta *delta)
{
    json_out_open(out, key, '{');
    json_out_integer(out, "added", (int64_t)delta->added);
    json_out_integer(out, "updated", (int64_t)delta->updated);
    json_out_integer(out, "removed", (int64_t)delta->removed);
    json_out_close(out, '}');
}

/* Every new machine must have its place before anything is changed: all or nothing. */
static bool make_places(struct controller *controller, const struct roster *roster)
{
    for (size_t i = 0; i < roster_machine_count(roster); i++) {
        struct machine *machine;
        if (fleet_add(controller->fleet, roster_machine_at(roster, i)->name, &machine) !=
            STATUS_OK) {
            return false;
        }
    }
    return true;
}

static void take_over_machine(
    struct controller *controller, struct machine *machine, const struct roster_machine *config)
{
    bool is_new = machine->config == NULL;
    bool renamed = !is_new && strcmp(machine->config->display_name, config->display_name) != 0;

    if (is_new || machine->config->hash != config->hash) {
        discovery_want(controller, machine);
    }
    machine->config = config;
    if (controller->phase != PHASE_READY) {
        machine->forgotten &= !is_new;
        return; /* the leader judges; open_shop does, should the lead become ours */
    }
    if (is_new) {
        machine->forgotten = false;
        (void)strangers_forget(&controller->strangers, machine->record.machine);
        adopt_epoch(controller, machine);
        controller->load_wanted = true;
    }
    machine->notes_changed = is_new || renamed;
    judge_config(controller, machine);
    if (is_new) {
        publish_command(controller, machine);
    }
}

static void take_over(struct controller *controller, struct roster *roster)
{
    struct roster *old = controller->roster;

    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        if (machine->config != NULL && roster_machine(roster, machine->record.machine) == NULL) {
            remove_machine(controller, machine);
        }
    }
    controller->roster = roster;
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        const struct roster_machine *config = roster_machine(roster, machine->record.machine);
        if (config != NULL) {
            take_over_machine(controller, machine, config);
        }
    }
    roster_free(old);
    if (controller->phase != PHASE_READY) {
        return;
    }
    block_keeping_settle(controller);
    start_load_if_wanted(controller);
}

/* The answer's data. Freed by the caller; NULL without memory. */
static char *describe_change(
    struct controller *controller, const struct roster *roster, const struct roster_change *change)
{
    size_t size = 512 + (size_t)ENERGISED_NAMES_MAX * (TOPIC_MACHINE_MAX + 4);
    char *buffer = malloc(size);
    struct text data;
    struct json_out out;

    if (buffer == NULL) {
        return NULL;
    }
    data = text_over(buffer, size);
    out = json_out(&data);
    json_out_open(&out, NULL, '{');
    add_delta(&out, "users", &change->users);
    add_delta(&out, "machines", &change->machines);
    add_energised(controller, roster, &out);
    json_out_close(&out, '}');
    return buffer;
}

static void warn_of_expired(const struct controller *controller)
{
    char today[ROSTER_DATE_SIZE];
    TEXT_LOCAL(expired, 2048);

    roster_date(controller->now.wall, today);
    roster_expired(controller->roster, today, &expired);
    if (expired.length > 0) {
        log_warning("%s", expired.data);
    }
}

void controller_on_roster(struct controller *controller, struct roster *roster, const char *why)
{
    struct reload *reload = &controller->reload;
    struct roster_change change;
    char *data = NULL;
    TEXT_LOCAL(reason, 512);

    refresh_now(controller);
    if (roster == NULL) {
        refuse(controller, why);
        return;
    }
    if (is_at_work(controller)) {
        judge_all(controller);
    }
    change = roster_compare(controller->roster, roster);
    if (!is_allowed(controller, roster, &change, &reason)) {
        goto refused;
    }
    /* Places first: what is new and always on is told as well. */
    if (make_places(controller, roster)) {
        data = describe_change(controller, roster, &change);
    }
    if (data == NULL) {
        text_add(&reason, status_text(STATUS_NO_MEMORY));
        goto refused;
    }
    take_over(controller, roster);
    controller->counters.reloads++;
    log_info("reloaded: %s", data);
    warn_of_expired(controller);
    publish_status(controller, "running");
    if (reload->answers) {
        answer(controller, reload->account, "reload", RESPONSE_OK, data, NULL, reload->transaction);
    }
    free(data);
    finish(controller);
    return;

refused:
    refuse(controller, reason.data);
    roster_free(roster);
    free(data);
}
