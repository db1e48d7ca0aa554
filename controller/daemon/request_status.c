/* C6 `status`: the state of one machine or all, and what was heard and is not configured. */
#include <stdlib.h>

#include "controller/daemon/parts.h"
#include "controller/daemon/render.h"
#include "controller/support/json.h"
#include "controller/support/mqtt.h"
#include "topics/state.h"

#define STATUS_OVERHEAD 65536 /* of the answer: brackets and the strangers */
#define STATUS_BYTES_MAX (MQTT_PAYLOAD_MAX - 4096)

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
        if (machine->config == NULL && !machine->forgotten) {
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
        answer_error(controller, account, request, status_text(STATUS_NO_MEMORY));
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
    if (data.cut || data.length > STATUS_BYTES_MAX) {
        answer_error(
            controller, account, request, "the answer would be too long; ask for one machine");
    } else {
        answer(controller, account, "status", RESPONSE_OK, data.data, NULL, request->transaction);
    }
    free(buffer);
}

void do_status(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(data, STATE_BYTES_MAX);

    if (machine == NULL) {
        status_of_all(controller, account, request);
    } else if (print_machine(controller, machine, &data)) {
        answer(controller, account, "status", RESPONSE_OK, data.data, NULL, request->transaction);
    } else {
        answer_error(controller, account, request, "the state does not fit into an answer");
    }
}
