/* C6: what people ask for. Each request has exactly one answer, besides a `queued`. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

#define ANSWER_SMALL 1024

/* The verb's place in the counters: whatever a client makes up is one. */
static size_t verb_index(const char *verb)
{
    size_t index = 0;

    while (index < REQUEST_VERB_COUNT &&
           strcmp(request_verb_text((enum request_verb)index), verb) != 0) {
        index++;
    }
    return index;
}

void answer(
    struct controller *controller, const char *account, const char *verb,
    enum response_status status, const char *data, const char *error, const char *transaction)
{
    size_t size = ANSWER_SMALL + REQUEST_TRANSACTION_SIZE + (data == NULL ? 0 : strlen(data)) +
                  (error == NULL ? 0 : 2 * strlen(error));
    char *buffer = malloc(size);
    struct text payload;
    bool is_lost = false;

    if (buffer == NULL) {
        log_error("no memory to answer a request");
        return;
    }
    payload = text_over(buffer, size);
    if (response_print(status, data, error, transaction, &payload) == STATUS_OK) {
        is_lost = !publish(controller, TOPIC_RESPONSE, account, verb, payload.data, payload.length);
    } else {
        log_error("the answer to \"%s\" did not fit", verb);
    }
    free(buffer);
    if (is_lost && data != NULL) {
        /* As much as may wait does: whoever asked for it is told at least that. */
        controller->counters.requests_busy++;
        answer(controller, account, verb, RESPONSE_ERROR, NULL, "busy", transaction);
        return;
    }
    controller->counters.requests_refused += status == RESPONSE_ERROR;
    controller->counters.answers[verb_index(verb)][status]++;
}

void answer_error(
    struct controller *controller, const char *account, const struct request *request,
    const char *error)
{
    answer(
        controller, account, request_verb_text(request->verb), RESPONSE_ERROR, NULL, error,
        request->transaction);
}

/* The account, and who says to be behind it. */
void describe_person(const char *account, const struct request *request, struct text *by)
{
    text_add(by, account);
    if (request->by[0] != '\0') {
        text_addf(by, " (%s)", request->by);
    }
}

static void dispatch(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    bool needs_machine = request->verb == REQUEST_OOPS || request->verb == REQUEST_LOCKOUT ||
                         request->verb == REQUEST_CLEAR || request->verb == REQUEST_END ||
                         request->verb == REQUEST_CARD || request->verb == REQUEST_RESTART ||
                         request->verb == REQUEST_WHY;

    if (machine == NULL && needs_machine) {
        return; /* request_parse has refused it already */
    }
    switch (request->verb) {
    case REQUEST_OOPS:
    case REQUEST_LOCKOUT:
        do_set(controller, machine, account, request);
        break;
    case REQUEST_CLEAR:
        do_clear(controller, machine, account, request);
        break;
    case REQUEST_END:
        do_end(controller, machine, account, request);
        break;
    case REQUEST_BLOCK:
    case REQUEST_UNBLOCK:
        do_block(controller, account, request);
        break;
    case REQUEST_CARD:
        do_card(controller, machine, account, request);
        break;
    case REQUEST_RESTART:
        do_restart(controller, machine, account, request);
        break;
    case REQUEST_FORGET:
        do_forget(controller, account, request);
        break;
    case REQUEST_HANDOVER:
        do_handover(controller, account, request);
        break;
    case REQUEST_RELOAD:
        reload_begin(controller, request->force, account, request->transaction);
        break;
    case REQUEST_STATUS:
        do_status(controller, machine, account, request);
        break;
    case REQUEST_WHY:
        do_why(controller, machine, account, request);
        break;
    case REQUEST_TEST_ALERT: /* the watcher answers it */
    case REQUEST_VERB_COUNT:
        break;
    }
}

/* A standby answers nothing. It reloads when the leader does (C6), and forgets with it: what Redis
 * does not know any more would live on in its memory. */
static void follow_request(struct controller *controller, const struct request *request)
{
    struct machine *machine = fleet_find(controller->fleet, request->machine);

    if (request->verb == REQUEST_RELOAD && !controller->reload.running) {
        reload_begin(controller, request->force, NULL, NULL);
    } else if (request->verb == REQUEST_FORGET && machine != NULL && machine->config == NULL) {
        fleet_reset(machine);
    }
}

/* Who led before may have carried it out: nobody does it a second time (C12). Whoever asked gets no
 * answer. */
static bool is_anothers(const struct controller *controller)
{
    if (controller->phase == PHASE_TAKING) {
        return controller->others_led;
    }
    return controller->received_us != 0 &&
           controller->received_us / 1000 <= controller->took_over_at.ms;
}

/* It may not be answered now. A handover is not for whoever comes next. */
static void wait_or_follow(
    struct controller *controller, const char *topic, const char *verb, const char *payload,
    size_t length, bool overflow)
{
    struct request request = {0};
    bool parsed;
    TEXT_LOCAL(why, 512);

    parsed = request_parse(verb, payload, length, &request, &why) == STATUS_OK;
    if (controller->phase == PHASE_READY || controller->phase == PHASE_TAKING) {
        if (request.verb != REQUEST_HANDOVER && !is_anothers(controller)) {
            hold_request(controller, topic, payload, length, overflow);
        }
    } else if (controller->phase == PHASE_STANDBY && parsed) {
        follow_request(controller, &request);
    }
}

static void on_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained, bool overflow)
{
    struct topic_match match;

    refresh_now(controller);
    if (topic_parse(prefix(controller), topic, &match) != STATUS_OK || match.id != TOPIC_REQUEST) {
        controller->counters.bad_messages++;
        return;
    }
    if (retained) {
        controller->counters.retained_discarded++;
        return;
    }
    if (request_is_watchers(match.second)) {
        return;
    }
    if (held_must_wait(controller)) {
        wait_or_follow(controller, topic, match.second, payload, length, overflow);
    } else if (!is_anothers(controller)) {
        take_request(controller, topic, payload, length, overflow);
    }
}

void controller_on_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained, bool overflow)
{
    on_request(controller, topic, payload, length, retained, overflow);
    controller->received_us = 0;
}

void take_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool overflow)
{
    struct topic_match match;
    struct request request = {0};
    struct machine *machine = NULL;
    TEXT_LOCAL(why, 512);

    if (topic_parse(prefix(controller), topic, &match) != STATUS_OK) {
        return;
    }
    controller->counters.requests++;
    if (request_parse(match.second, payload, length, &request, &why) != STATUS_OK) {
        if (strangers_heard(&controller->bad_requesters, match.first, controller->now)) {
            log_warning(
                "request %s of account %s refused: %s", match.second, match.first, why.data);
        }
        answer(
            controller, match.first, match.second, RESPONSE_ERROR, NULL, why.data,
            request.transaction);
        return;
    }
    if (overflow) {
        controller->counters.requests_busy++;
        answer(
            controller, match.first, match.second, RESPONSE_ERROR, NULL, "busy",
            request.transaction);
        return;
    }
    if (request.machine[0] != '\0' && request.verb != REQUEST_FORGET) {
        const struct roster_machine *config =
            roster_machine_called(controller->roster, request.machine);
        machine = config == NULL ? NULL : fleet_find(controller->fleet, config->name);
        if (machine == NULL) {
            text_addf(&why, "no machine is called \"%s\"", request.machine);
            answer(
                controller, match.first, match.second, RESPONSE_ERROR, NULL, why.data,
                request.transaction);
            return;
        }
    }
    dispatch(controller, machine, match.first, &request);
}
