/* C6 `card`, `restart`, `forget`: what concerns a machine's box and not who may use it. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/parts.h"
#include "controller/support/json.h"
#include "controller/support/log.h"

#define UNKNOWN_CARD_MS 300000 /* C6: so long the last unknown card can be asked for */

/* ---- card ---- */

/* The number goes to whoever asked, to nobody else, and never into the log. */
void do_card(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    int64_t age_ms = controller->now.mono.ms - machine->unknown_card_at.ms;
    bool is_in = machine->raw_card[0] != '\0';
    bool is_recent = machine->unknown_card[0] != '\0' && age_ms < UNKNOWN_CARD_MS;
    TEXT_LOCAL(by, 600);
    TEXT_LOCAL(data, 256);
    struct json_out out = json_out(&data);

    describe_person(account, request, &by);
    log_info("%s: its card's number was asked for by %s", machine->record.machine, by.data);
    if (!is_in && !is_recent) {
        answer_error(
            controller, account, request,
            "no card is in, and no unknown one was put in within 5 min");
        return;
    }
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "fob", is_in ? machine->raw_card : machine->unknown_card);
    json_out_bool(&out, "in", is_in);
    json_out_close(&out, '}');
    answer(controller, account, "card", RESPONSE_OK, data.data, NULL, request->transaction);
}

/* ---- restart ---- */

/* A restart that waits until nobody uses the machine. One a machine. */
struct waiting_restart {
    char account[TOPIC_MACHINE_MAX + 1];
    char transaction[REQUEST_TRANSACTION_SIZE];
};

static void send_restart(
    struct controller *controller, const struct machine *machine, const char *account,
    const char *transaction, bool force)
{
    TEXT_LOCAL(payload, 64);
    TEXT_LOCAL(data, 64);
    struct json_out out = json_out(&payload);

    controller->restart_id++;
    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "id", controller->restart_id);
    json_out_bool(&out, "force", force);
    json_out_close(&out, '}');
    publish(controller, TOPIC_RESTART, machine->record.machine, NULL, payload.data, payload.length);
    out = json_out(&data);
    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "id", controller->restart_id);
    json_out_close(&out, '}');
    answer(controller, account, "restart", RESPONSE_OK, data.data, NULL, transaction);
}

static void queue_restart(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    struct waiting_restart *waiting;

    if (machine->waiting_restart != NULL) {
        answer_error(controller, account, request, "a restart is waiting for it already");
        return;
    }
    waiting = malloc(sizeof *waiting);
    if (waiting == NULL) {
        answer_error(controller, account, request, status_text(STATUS_NO_MEMORY));
        return;
    }
    text_copy(waiting->account, sizeof waiting->account, account);
    text_copy(waiting->transaction, sizeof waiting->transaction, request->transaction);
    machine->waiting_restart = waiting;
    answer(controller, account, "restart", RESPONSE_QUEUED, NULL, NULL, request->transaction);
}

void do_restart(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    const struct core_state *core = &machine->record.core;
    TEXT_LOCAL(why, 512);

    if (core->health != CORE_HEALTH_ONLINE) {
        text_addf(
            &why, "%s is not there to be restarted (%s)", machine->record.machine,
            core->health == CORE_HEALTH_OFFLINE ? "it signed off" : "it was not heard yet");
    } else if (core_mode_is_session(core->mode) && request->when_idle && !request->force) {
        queue_restart(controller, machine, account, request);
        return;
    } else if (core_mode_is_session(core->mode) && !request->force) {
        text_addf(
            &why, "%s is in use by %s; restart it when_idle, or with force",
            machine->record.machine, core->has_user ? core->user.name : "an emergency card");
    } else if (core_mode_relay(core->mode) && !request->force) {
        /* C7.6: the device would refuse. */
        text_addf(
            &why, "%s is always on and never idle; restart it with force", machine->record.machine);
    }
    if (why.length > 0) {
        answer_error(controller, account, request, why.data);
        return;
    }
    send_restart(controller, machine, account, request->transaction, request->force);
}

void restart_cancel(struct controller *controller, struct machine *machine, const char *why)
{
    struct waiting_restart *waiting = machine->waiting_restart;

    if (waiting == NULL) {
        return;
    }
    machine->waiting_restart = NULL;
    answer(
        controller, waiting->account, "restart", RESPONSE_ERROR, NULL, why, waiting->transaction);
    free(waiting);
}

void restart_if_idle(struct controller *controller, struct machine *machine)
{
    struct waiting_restart *waiting = machine->waiting_restart;
    const struct core_state *core = &machine->record.core;

    if (waiting == NULL) {
        return;
    }
    if (core->health != CORE_HEALTH_ONLINE) {
        restart_cancel(controller, machine, "it signed off before it was idle");
    } else if (!core_mode_is_session(core->mode)) {
        machine->waiting_restart = NULL;
        send_restart(controller, machine, waiting->account, waiting->transaction, false);
        free(waiting);
    }
}

void restarts_stop(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        restart_cancel(controller, fleet_at(controller->fleet, i), "the controller stops");
    }
}

void restart_free(struct machine *machine)
{
    free(machine->waiting_restart);
    machine->waiting_restart = NULL;
}

/* ---- forget ---- */

void do_forget(struct controller *controller, const char *account, const struct request *request)
{
    struct store *store = controller->ports.store;
    struct machine *machine = fleet_find(controller->fleet, request->machine);
    bool is_known = machine != NULL && !machine->forgotten;
    TEXT_LOCAL(by, 600);
    TEXT_LOCAL(why, 512);

    if (roster_machine_called(controller->roster, request->machine) != NULL) {
        text_addf(
            &why, "%s is configured; take it out of machines.json and reload first",
            request->machine);
    } else if (!text_is_name(request->machine, TOPIC_MACHINE_MAX)) {
        text_addf(&why, "\"%s\" is no machine's name", request->machine);
    } else if (store->operations->forget(store, request->machine) != STATUS_OK) {
        text_add(&why, "Redis is out of reach, and it would remember: try again later");
    }
    if (why.length > 0) {
        answer_error(controller, account, request, why.data);
        return;
    }
    if (machine != NULL) {
        saves_forget(controller, machine);
        fleet_reset(machine);
    }
    is_known |= strangers_forget(&controller->strangers, request->machine);
    publish(controller, TOPIC_COMMAND, request->machine, NULL, "", 0);
    publish(controller, TOPIC_STATE, request->machine, NULL, "", 0);
    describe_person(account, request, &by);
    log_info("%s was forgotten by %s", request->machine, by.data);
    if (!is_known) {
        /* A slip of the pen, most likely; what others may have kept under that name is gone. */
        text_addf(
            &why, "%s was never heard of: see the names in \"status --strangers\"",
            request->machine);
        answer_error(controller, account, request, why.data);
        return;
    }
    answer(controller, account, "forget", RESPONSE_OK, "{}", NULL, request->transaction);
}
