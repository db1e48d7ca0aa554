/* C6 `restart`. Whether and when is the core's to say (C11.5); who asked, and the answers, are kept
 * here. */
#include <stdlib.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"
#include "topics/presence.h"

/* Who waits for a restart that is queued. One a machine. */
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
    struct json_out out = json_out(&data);

    controller->restart_id++;
    if (restart_print(controller->restart_id, force, &payload) == STATUS_OK) {
        publish(
            controller, TOPIC_RESTART, machine->record.machine, NULL, payload.data, payload.length);
    }
    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "id", controller->restart_id);
    json_out_close(&out, '}');
    answer(controller, account, "restart", RESPONSE_OK, data.data, NULL, transaction);
}

/* Why a restart is refused, as people say it; nothing for one that is not. */
static void add_refusal(struct text *why, const struct machine *machine, enum core_restart restart)
{
    const struct core_state *core = &machine->record.core;
    const char *name = machine->record.machine;

    switch (restart) {
    case CORE_RESTART_IN_USE:
        text_addf(
            why, "%s is in use by %s; restart it when_idle, or with force", name,
            core->has_user ? core->user.name : "an emergency card");
        break;
    case CORE_RESTART_ALWAYS_ON: /* C7.6: the device would refuse */
        text_addf(why, "%s is always on and never idle; restart it with force", name);
        break;
    case CORE_RESTART_PENDING:
        text_add(why, "a restart is waiting for it already");
        break;
    case CORE_RESTART_UNHEARD:
        text_addf(why, "%s is not there to be restarted (it was not heard yet)", name);
        break;
    case CORE_RESTART_SIGNED_OFF:
        text_addf(why, "%s is not there to be restarted (it signed off)", name);
        break;
    case CORE_RESTART_DEAD:
        text_addf(why, "%s does not answer: its box can only be restarted by hand", name);
        break;
    case CORE_RESTART_TOO_LATE:
        text_addf(why, "%s gave no sign of life within 60 s; it was not restarted", name);
        break;
    case CORE_RESTART_NONE:
    case CORE_RESTART_GO:
    case CORE_RESTART_QUEUED:
    case CORE_RESTART_COUNT:
        break;
    }
}

void do_restart(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    struct waiting_restart *waiting = malloc(sizeof *waiting);
    struct core_event event = {
        .type = CORE_EVENT_RESTART,
        .restart = {.force = request->force, .when_idle = request->when_idle},
    };
    struct core_effects effects;
    TEXT_LOCAL(by, 600);
    TEXT_LOCAL(why, 512);

    if (waiting == NULL) { /* before the core has taken it on */
        answer_error(controller, account, request, status_text(STATUS_NO_MEMORY));
        return;
    }
    describe_person(account, request, &by);
    judge_waiting(controller, machine);
    if (request->force) {
        restart_cancel(controller, machine, "a restart with force took its place");
    }
    judge(
        controller, machine, &event, &(struct origin){.source = "request", .by = by.data},
        &effects);
    add_refusal(&why, machine, effects.restart);
    if (effects.restart == CORE_RESTART_GO) {
        send_restart(controller, machine, account, request->transaction, effects.restart_force);
    } else if (effects.restart == CORE_RESTART_QUEUED && machine->waiting_restart == NULL) {
        text_copy(waiting->account, sizeof waiting->account, account);
        text_copy(waiting->transaction, sizeof waiting->transaction, request->transaction);
        machine->waiting_restart = waiting;
        waiting = NULL;
        answer(controller, account, "restart", RESPONSE_QUEUED, NULL, NULL, request->transaction);
    } else {
        answer_error(controller, account, request, why.data);
    }
    free(waiting);
}

void restart_heed(
    struct controller *controller, struct machine *machine, const struct core_effects *effects)
{
    struct waiting_restart *waiting = machine->waiting_restart;
    TEXT_LOCAL(why, 512);

    if (waiting == NULL || effects->restart == CORE_RESTART_NONE) {
        return;
    }
    if (effects->restart == CORE_RESTART_GO) {
        machine->waiting_restart = NULL;
        send_restart(
            controller, machine, waiting->account, waiting->transaction, effects->restart_force);
        free(waiting);
        return;
    }
    add_refusal(&why, machine, effects->restart);
    restart_cancel(controller, machine, why.data);
}

void restart_cancel(struct controller *controller, struct machine *machine, const char *why)
{
    struct waiting_restart *waiting = machine->waiting_restart;

    if (waiting == NULL) {
        return;
    }
    machine->waiting_restart = NULL;
    machine->record.core.watch.waiting = CORE_WAITING_NONE;
    answer(
        controller, waiting->account, "restart", RESPONSE_ERROR, NULL, why, waiting->transaction);
    free(waiting);
}

void restarts_stop(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        restart_cancel(controller, fleet_at(controller->fleet, i), "the controller stops");
    }
}

void restarts_drop(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        free(machine->waiting_restart);
        machine->waiting_restart = NULL;
    }
}
