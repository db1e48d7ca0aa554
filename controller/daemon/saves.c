/* Saves: one in flight a machine, the newest state next, and a budget for every report (C9.2).
 *
 * All budgets are of the same length, so that their deadlines come in the order in which they
 * were opened: one ring, looked at from its front. Each report has a budget of its own, also when
 * its save joins one that is under way.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/parts.h"
#include "controller/support/json.h"
#include "controller/support/log.h"

/* A catch-up goes out in bounded batches, without a stall in the loop. */
#define IN_FLIGHT_MAX 256
#define REFUSED_PAUSE_MS 1000
#define REFUSED_LOG_MS 60000

struct answer {
    struct answer *next;
    struct version version;
    bool changed;
    enum request_verb verb;
    char account[TOPIC_MACHINE_MAX + 1];
    char transaction[REQUEST_TRANSACTION_SIZE];
};

static void drop_answers(struct machine *machine)
{
    while (machine->answers != NULL) {
        struct answer *next = machine->answers->next;
        free(machine->answers);
        machine->answers = next;
    }
}

void saves_free(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        restart_free(machine);
        drop_answers(machine);
    }
    free(controller->saves.budgets);
    controller->saves = (struct saves){0};
}

void saves_drop(struct controller *controller)
{
    controller->saves.count = 0;
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        drop_answers(machine);
        machine->save_late = false;
    }
}

/* Answers the requests whose version is `up_to` or older. */
static void answer_waiting(
    struct controller *controller, struct machine *machine, struct version up_to, bool persisted)
{
    struct answer **link = &machine->answers;

    while (*link != NULL) {
        struct answer *answer = *link;
        if (version_compare(answer->version, up_to) > 0) {
            link = &answer->next;
            continue;
        }
        *link = answer->next;
        answer_change(
            controller, machine, answer->account, answer->verb, answer->transaction,
            answer->changed, persisted);
        free(answer);
    }
}

static void want(struct controller *controller, struct machine *machine)
{
    struct saves *saves = &controller->saves;

    if (machine->save_wanted || machine->forgotten) {
        return;
    }
    machine->save_wanted = true;
    machine->save_next = NULL;
    if (saves->wanted_last != NULL) {
        saves->wanted_last->save_next = machine;
    } else {
        saves->wanted_first = machine;
    }
    saves->wanted_last = machine;
}

static struct machine *next_wanted(struct saves *saves)
{
    struct machine *machine = saves->wanted_first;

    saves->wanted_first = machine->save_next;
    if (saves->wanted_first == NULL) {
        saves->wanted_last = NULL;
    }
    machine->save_next = NULL;
    machine->save_wanted = false;
    return machine;
}

static enum status send(struct controller *controller, struct machine *machine)
{
    struct store *store = controller->ports.store;
    struct record record;

    machine_record_give(&machine->record, &record);
    return store->operations->save(store, &record, machine->index);
}

/* Sends what is wanted, as far as the limits let it. A machine whose save is under way is put back
 * by the answer to that save, one that Redis has not told of yet by saves_release: Redis may hold
 * an oops or a lockout that nobody here knows. */
static void pump(struct controller *controller)
{
    struct saves *saves = &controller->saves;
    struct store *store = controller->ports.store;

    if (controller->phase != PHASE_READY || !controller->lease.is_kept ||
        !store->operations->is_up(store) || controller->now.mono.ms < saves->pause_until.ms) {
        return;
    }
    while (saves->wanted_first != NULL && saves->in_flight < IN_FLIGHT_MAX) {
        struct machine *machine = next_wanted(saves);

        if (machine->save_in_flight || !machine->read || machine->forgotten) {
            continue;
        }
        if (send(controller, machine) != STATUS_OK) {
            want(controller, machine);
            saves->pause_until.ms = controller->now.mono.ms + REFUSED_PAUSE_MS;
            return;
        }
        machine->save_in_flight = true;
        machine->save_again = false;
        machine->sent = machine->record.core.version;
        machine->sent_us = microseconds(controller);
        controller->counters.saves_started++;
        saves->in_flight++;
    }
}

static bool open_budget(struct controller *controller, struct machine *machine, bool is_change)
{
    struct saves *saves = &controller->saves;

    if (saves->count == saves->room) {
        size_t room = saves->room == 0 ? 256 : saves->room * 2;
        struct budget *budgets = malloc(room * sizeof *budgets);
        if (budgets == NULL) {
            return false;
        }
        for (size_t i = 0; i < saves->count; i++) {
            budgets[i] = saves->budgets[(saves->first + i) % saves->room];
        }
        free(saves->budgets);
        saves->budgets = budgets;
        saves->first = 0;
        saves->room = room;
    }
    saves->budgets[(saves->first + saves->count) % saves->room] = (struct budget){
        .machine = machine,
        .is_change = is_change,
        .version = machine->record.core.version,
        .deadline = {.ms = controller->now.mono.ms + controller->settings->redis.save_timeout_ms},
    };
    saves->count++;
    return true;
}

static void want_in_budget(struct controller *controller, struct machine *machine, bool is_change)
{
    if (!open_budget(controller, machine, is_change)) {
        log_error("%s: no memory for a save's budget", machine->record.machine);
    }
    want(controller, machine);
    pump(controller);
}

void saves_want(struct controller *controller, struct machine *machine)
{
    want_in_budget(controller, machine, true);
}

void saves_follow(struct controller *controller, struct machine *machine)
{
    want_in_budget(controller, machine, false);
}

void saves_want_again(struct controller *controller, struct machine *machine)
{
    machine->save_again = machine->save_in_flight;
    want(controller, machine);
    pump(controller);
}

void saves_want_all(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        want(controller, fleet_at(controller->fleet, i));
    }
    pump(controller);
}

void saves_release(struct controller *controller, struct machine *machine)
{
    if (!machine->read) {
        machine->read = true;
        want(controller, machine);
        pump(controller);
    }
}

void saves_forget(struct controller *controller, struct machine *machine)
{
    answer_waiting(controller, machine, machine->record.core.version, false);
    machine->saved = machine->record.core.version; /* no budget is missed any more */
}

static void publish_timeout(struct controller *controller, const struct machine *machine)
{
    TEXT_LOCAL(payload, 512);
    struct json_out out = json_out(&payload);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "machine", machine->record.machine);
    json_out_integer(&out, "count", machine->record.save_timeouts);
    json_out_integer(&out, "budget_ms", controller->settings->redis.save_timeout_ms);
    json_out_string(&out, "controller", controller->settings->controller.id);
    json_out_wall(&out, "at", controller->now.wall);
    json_out_close(&out, '}');
    publish(controller, TOPIC_SAVE_TIMEOUT, NULL, NULL, payload.data, payload.length);
}

/* C8.2: the event stands at the start and at the end of an outage only. */
static void set_late(struct controller *controller, struct machine *machine, bool late)
{
    if (machine->save_late == late || machine->config == NULL) {
        return;
    }
    machine->save_late = late;
    publish_save_notice(controller, machine);
    publish_state(controller, machine);
    saves_want_again(controller, machine);
}

/* C9.3: counted for life, told to the fleet; nothing is lost, since the save is still wanted. The
 * count is part of the record. */
static void count_timeout(struct controller *controller, struct machine *machine)
{
    if (machine->record.save_timeouts < UINT32_MAX) {
        machine->record.save_timeouts++;
    }
    controller->counters.save_timeouts++;
    publish_timeout(controller, machine);
    set_late(controller, machine, true);
    saves_want_again(controller, machine);
}

static bool is_saved(const struct budget *budget)
{
    return version_compare(budget->machine->saved, budget->version) >= 0;
}

static void close_budgets(struct controller *controller)
{
    struct saves *saves = &controller->saves;

    while (saves->count > 0) {
        struct budget budget = saves->budgets[saves->first];
        bool in_time = is_saved(&budget);

        if (!in_time && controller->now.mono.ms < budget.deadline.ms) {
            break;
        }
        saves->first = (saves->first + 1) % saves->room;
        saves->count--;
        if (!in_time) {
            answer_waiting(controller, budget.machine, budget.version, false);
        }
        if (!in_time && budget.is_change) {
            count_timeout(controller, budget.machine);
        }
    }
}

void saves_tick(struct controller *controller)
{
    close_budgets(controller);
    pump(controller);
}

struct mono_time saves_deadline(const struct controller *controller)
{
    const struct saves *saves = &controller->saves;
    struct mono_time deadline = {0};

    if (saves->count > 0) {
        deadline = saves->budgets[saves->first].deadline;
    }
    if (saves->wanted_first != NULL && saves->pause_until.ms > controller->now.mono.ms) {
        deadline = mono_earlier(deadline, saves->pause_until);
    }
    return deadline;
}

static void saved(struct controller *controller, struct machine *machine)
{
    controller->counters.saves++;
    if (machine->sent_us != 0) {
        histogram_add(
            &controller->counters.save_times, microseconds(controller) - machine->sent_us);
    }
    controller->saves.refused_logged = (struct mono_time){0};
    if (version_compare(machine->sent, machine->saved) > 0) {
        machine->saved = machine->sent;
    }
    answer_waiting(controller, machine, machine->saved, true);
    if (version_compare(machine->record.core.version, machine->saved) <= 0) {
        set_late(controller, machine, false);
    }
}

void log_refused(
    const struct controller *controller, struct mono_time *logged, const char *what,
    const char *reason)
{
    if (logged->ms == 0 || controller->now.mono.ms - logged->ms >= REFUSED_LOG_MS) {
        *logged = controller->now.mono;
        log_warning("Redis refuses to save %s: %s", what, reason);
    }
}

void saves_on_answer(
    struct controller *controller, uint64_t token, enum store_saved result, const char *reason)
{
    struct machine *machine = fleet_at(controller->fleet, (size_t)token);
    struct saves *saves = &controller->saves;

    close_budgets(controller); /* an answer that comes too late comes too late */
    machine->save_in_flight = false;
    saves->in_flight--;
    if (controller->phase != PHASE_READY) {
        return; /* it stood down since: all is saved again if it leads again */
    }
    switch (result) {
    case STORE_SAVE_DONE:
        saved(controller, machine);
        break;
    case STORE_SAVE_STALE_EPOCH:
        lead_deposed(controller, reason);
        return;
    case STORE_SAVE_STALE_VERSION:
        /* Redis knows something newer, from before it was out of reach: learn it, then save. */
        if (strangers_heard(&controller->store_troubles, "newer", controller->now)) {
            log_warning("%s: Redis holds a newer version; reading it", machine->record.machine);
        }
        controller->load_wanted = true;
        start_load_if_wanted(controller);
        want(controller, machine);
        saves->pause_until.ms = controller->now.mono.ms + REFUSED_PAUSE_MS;
        break;
    case STORE_SAVE_REFUSED:
        controller->counters.saves_refused++;
        log_refused(controller, &saves->refused_logged, "states", reason);
        saves->pause_until.ms = controller->now.mono.ms + REFUSED_PAUSE_MS;
        want(controller, machine);
        break;
    case STORE_SAVE_LOST:
        controller->counters.saves_lost++;
        want(controller, machine);
        break;
    }
    if (machine->save_again || version_compare(machine->record.core.version, machine->saved) > 0) {
        want(controller, machine);
    }
    pump(controller);
}

void saves_stop(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        answer_waiting(controller, machine, machine->record.core.version, false);
    }
}

void saves_answer_later(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request, bool changed)
{
    struct answer *answer = malloc(sizeof *answer);

    if (answer == NULL) {
        answer_change(
            controller, machine, account, request->verb, request->transaction, changed, false);
        return;
    }
    *answer = (struct answer){
        .next = machine->answers,
        .version = machine->record.core.version,
        .changed = changed,
        .verb = request->verb,
    };
    text_copy(answer->account, sizeof answer->account, account);
    text_copy(answer->transaction, sizeof answer->transaction, request->transaction);
    machine->answers = answer;
}
