/* C6: what people ask for. Each request has exactly one answer; one that changes a flag is
 * answered once it is known whether the change was saved. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/parts.h"
#include "controller/daemon/render.h"
#include "controller/support/json.h"
#include "controller/support/log.h"
#include "topics/state.h"

#define ANSWER_SMALL 1024
#define STATUS_OVERHEAD 65536 /* of the answer to `status`: brackets and the strangers */

void answer(
    struct controller *controller, const char *account, const char *verb,
    enum response_status status, const char *data, const char *error, const char *transaction)
{
    size_t size = ANSWER_SMALL + REQUEST_TRANSACTION_SIZE + (data == NULL ? 0 : strlen(data)) +
                  (error == NULL ? 0 : 2 * strlen(error));
    char *buffer = malloc(size);
    struct text payload;

    if (buffer == NULL) {
        log_error("no memory to answer a request");
        return;
    }
    payload = text_over(buffer, size);
    if (response_print(status, data, error, transaction, &payload) == STATUS_OK) {
        publish(controller, TOPIC_RESPONSE, account, verb, payload.data, payload.length);
    } else {
        log_error("the answer to \"%s\" did not fit", verb);
    }
    controller->counters.requests_refused += status == RESPONSE_ERROR;
    free(buffer);
}

void answer_change(
    struct controller *controller, const struct machine *machine, const char *account,
    enum request_verb verb, const char *transaction, bool changed, bool persisted)
{
    TEXT_LOCAL(data, 256);
    struct json_out out = json_out(&data);

    json_out_open(&out, NULL, '{');
    json_out_bool(&out, "changed", changed);
    json_out_bool(&out, "persisted", persisted);
    json_out_string(&out, "confirmed", core_observed_text(machine->record.core.confirmed));
    json_out_close(&out, '}');
    answer(controller, account, request_verb_text(verb), RESPONSE_OK, data.data, NULL, transaction);
}

void apply_set(
    struct controller *controller, struct machine *machine, enum core_event_type type, bool value,
    const struct origin *origin, struct core_effects *effects)
{
    struct core_event event = {.type = type, .set = {.value = value}};

    judge_waiting(controller, machine);
    judge(controller, machine, &event, origin, effects);
}

/* The account, and who says to be behind it. */
static void describe_person(const char *account, const struct request *request, struct text *by)
{
    text_add(by, account);
    if (request->by[0] != '\0') {
        text_addf(by, " (%s)", request->by);
    }
}

static void finish_change(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request, bool changed, bool saves)
{
    bool is_saved = version_compare(machine->saved, machine->record.core.version) >= 0;

    if (!saves && is_saved) {
        answer_change(
            controller, machine, account, request->verb, request->transaction, changed, true);
        return;
    }
    if (!saves) {
        /* Nothing new, but the last version is not safe yet either: the answer says how that
         * save ends. */
        saves_want(controller, machine);
    }
    saves_answer_later(controller, machine, account, request, changed);
}

static void do_set(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(by, 600);
    struct origin origin = {
        .source = "request",
        .reason = request->reason[0] == '\0' ? NULL : request->reason,
    };
    struct core_effects effects;

    describe_person(account, request, &by);
    origin.by = by.data;
    apply_set(
        controller, machine,
        request->verb == REQUEST_OOPS ? CORE_EVENT_SET_OOPS : CORE_EVENT_SET_LOCKOUT,
        request->value, &origin, &effects);
    finish_change(controller, machine, account, request, effects.flag_changed, effects.save);
}

static void do_clear(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(by, 600);
    struct origin origin = {
        .source = "request",
        .reason = request->reason[0] == '\0' ? NULL : request->reason,
    };
    struct core_effects oops = {0};
    struct core_effects lockout = {0};

    describe_person(account, request, &by);
    origin.by = by.data;
    if (machine->record.core.oopsed) {
        apply_set(controller, machine, CORE_EVENT_SET_OOPS, false, &origin, &oops);
    }
    if (machine->record.core.locked_out) {
        apply_set(controller, machine, CORE_EVENT_SET_LOCKOUT, false, &origin, &lockout);
    }
    finish_change(
        controller, machine, account, request, oops.flag_changed || lockout.flag_changed,
        oops.save || lockout.save);
}

static void do_end(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(by, 600);
    struct origin origin = {.source = "request"};
    struct core_event event = {.type = CORE_EVENT_END};
    struct core_effects effects;

    describe_person(account, request, &by);
    origin.by = by.data;
    judge_waiting(controller, machine);
    judge(controller, machine, &event, &origin, &effects);
    finish_change(controller, machine, account, request, effects.save, effects.save);
}

static bool
print_machine(const struct controller *controller, const struct machine *machine, struct text *out)
{
    struct state_payload state;
    char display[RENDER_DISPLAY_SIZE];

    render_state(controller->settings, machine, display, &state);
    return state_print(&state, out) == STATUS_OK;
}

static void print_strangers(const struct controller *controller, struct json_out *out)
{
    json_out_open(out, "strangers", '[');
    for (size_t i = 0; i < controller->strangers.count; i++) {
        const struct stranger *stranger = &controller->strangers.items[i];
        json_out_open(out, NULL, '{');
        json_out_string(out, "machine", stranger->name);
        json_out_integer(out, "messages", (int64_t)stranger->messages);
        json_out_wall(out, "last", stranger->last);
        json_out_close(out, '}');
    }
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        if (machine->config == NULL) {
            json_out_open(out, NULL, '{');
            json_out_string(out, "machine", machine->record.machine);
            json_out_bool(out, "oops", machine->record.core.oopsed);
            json_out_bool(out, "lockout", machine->record.core.locked_out);
            json_out_close(out, '}');
        }
    }
    json_out_close(out, ']');
}

static void
status_of_all(struct controller *controller, const char *account, const struct request *request)
{
    size_t count = fleet_count(controller->fleet);
    size_t size = STATUS_OVERHEAD + count * 2048;
    char *buffer = malloc(size);
    struct text data;
    struct json_out out;

    if (buffer == NULL) {
        answer(
            controller, account, "status", RESPONSE_ERROR, NULL, "out of memory",
            request->transaction);
        return;
    }
    data = text_over(buffer, size);
    out = json_out(&data);
    json_out_open(&out, NULL, '{');
    json_out_open(&out, "machines", '[');
    for (size_t i = 0; i < count; i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        TEXT_LOCAL(state, STATE_BYTES_MAX);
        if (machine->config != NULL && print_machine(controller, machine, &state)) {
            json_out_raw(&out, NULL, state.data);
        }
    }
    json_out_close(&out, ']');
    print_strangers(controller, &out);
    json_out_close(&out, '}');
    answer(
        controller, account, "status", data.cut ? RESPONSE_ERROR : RESPONSE_OK,
        data.cut ? NULL : data.data,
        data.cut ? "the answer would be too long; ask for one machine" : NULL,
        request->transaction);
    free(buffer);
}

static void do_status(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(data, STATE_BYTES_MAX);

    if (machine == NULL) {
        status_of_all(controller, account, request);
    } else if (print_machine(controller, machine, &data)) {
        answer(controller, account, "status", RESPONSE_OK, data.data, NULL, request->transaction);
    }
}

static void dispatch(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
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
    case REQUEST_RELOAD:
        reload_begin(controller, request->force, account, request->transaction);
        break;
    case REQUEST_STATUS:
        do_status(controller, machine, account, request);
        break;
    case REQUEST_VERB_COUNT:
        break;
    }
}

void controller_on_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained, bool overflow)
{
    struct topic_match match;
    struct request request = {0};
    struct machine *machine = NULL;
    TEXT_LOCAL(why, 512);

    refresh_now(controller);
    if (topic_parse(prefix(controller), topic, &match) != STATUS_OK || match.id != TOPIC_REQUEST) {
        controller->counters.bad_messages++;
        return;
    }
    if (retained) {
        controller->counters.retained_discarded++;
        return;
    }
    if (controller->phase != PHASE_READY) {
        return;
    }
    controller->counters.requests++;
    if (request_parse(match.second, payload, length, &request, &why) != STATUS_OK) {
        log_warning("request %s of account %s refused: %s", match.second, match.first, why.data);
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
    if (request.machine[0] != '\0') {
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
