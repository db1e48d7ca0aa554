/* C6 `status`: the state of one machine or all, and what was heard and is not configured.
 *
 * All of a large fleet is megabytes. It is told page by page: an answer that is not the last names
 * the machine behind which the next one begins, `next`, and who wants it asks for what comes
 * `after`. Another leader may have the machines in another order: each page tells the `epoch` of
 * whose it is. An answer is no longer than what commands can stand behind
 * (MQTT_DIRECT_PAYLOAD_MAX), and made in a moment. */
#include <stdlib.h>

#include "controller/daemon/controller_inside.h"
#include "controller/daemon/render.h"
#include "controller/support/json.h"
#include "controller/support/mqtt.h"
#include "topics/state.h"

/* Of the machines; a state takes some 700 bytes. */
#define PAGE_BYTES ((size_t)168 * 1024)
/* Of the rest of the answer: brackets, a transaction, and the strangers that were heard. */
#define PAGE_OVERHEAD ((size_t)16 * 1024)
#define LEFT_BYTES 160 /* of a machine that left the configuration, at most */

_Static_assert(
    PAGE_BYTES + PAGE_OVERHEAD <= MQTT_DIRECT_PAYLOAD_MAX, "a page must go out in one piece");

static bool
print_machine(const struct controller *controller, const struct machine *machine, struct text *out)
{
    struct state_payload state;
    char display[RENDER_DISPLAY_SIZE];

    render_state(controller->settings, machine, display, &state);
    return state_print(&state, out) == STATUS_OK;
}

static bool has_left(const struct machine *machine)
{
    return machine->config == NULL && !machine->forgotten;
}

/* Those from `from` on that fit; returns where the next page begins. */
static size_t print_machines(const struct controller *controller, size_t from, struct json_out *out)
{
    size_t count = fleet_count(controller->fleet);
    size_t used = 0;
    size_t at;

    json_out_open(out, "machines", '[');
    for (at = from; at < count; at++) {
        const struct machine *machine = fleet_at(controller->fleet, at);
        TEXT_LOCAL(state, STATE_BYTES_MAX);
        bool is_shown = machine->config != NULL && print_machine(controller, machine, &state);
        size_t bytes = is_shown ? state.length + 1 : has_left(machine) ? LEFT_BYTES : 0;
        if (used + bytes > PAGE_BYTES) {
            break;
        }
        used += bytes;
        if (is_shown) {
            json_out_raw(out, NULL, state.data);
        }
    }
    json_out_close(out, ']');
    return at;
}

static void print_heard(const struct controller *controller, struct json_out *out)
{
    for (size_t i = 0; i < controller->strangers.count; i++) {
        const struct stranger *stranger = &controller->strangers.items[i];
        json_out_open(out, NULL, '{');
        json_out_string(out, "machine", stranger->name);
        json_out_integer(out, "messages", (int64_t)stranger->messages);
        json_out_wall(out, "last", stranger->last);
        json_out_close(out, '}');
    }
}

static void
print_left(const struct controller *controller, size_t from, size_t to, struct json_out *out)
{
    for (size_t i = from; i < to; i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        if (has_left(machine)) {
            json_out_open(out, NULL, '{');
            json_out_string(out, "machine", machine->record.machine);
            json_out_bool(out, "oops", machine->record.core.oopsed);
            json_out_bool(out, "lockout", machine->record.core.locked_out);
            json_out_close(out, '}');
        }
    }
}

static void print_page(const struct controller *controller, size_t from, struct text *data)
{
    struct json_out out = json_out(data);
    size_t to;

    json_out_open(&out, NULL, '{');
    to = print_machines(controller, from, &out);
    json_out_open(&out, "strangers", '[');
    if (from == 0) {
        print_heard(controller, &out);
    }
    print_left(controller, from, to, &out);
    json_out_close(&out, ']');
    json_out_integer(&out, "count", (int64_t)roster_machine_count(controller->roster));
    json_out_integer(&out, "epoch", (int64_t)controller->epoch);
    if (to < fleet_count(controller->fleet)) {
        json_out_string(&out, "next", fleet_at(controller->fleet, to - 1)->record.machine);
    }
    json_out_close(&out, '}');
}

/* A machine keeps its place as long as the process lives, and so does the page behind it. */
static bool find_page(const struct controller *controller, const char *after, size_t *ret_from)
{
    const struct machine *machine = after[0] == '\0' ? NULL : fleet_find(controller->fleet, after);

    *ret_from = machine == NULL ? 0 : machine->index + 1;
    return machine != NULL || after[0] == '\0';
}

static void
status_of_all(struct controller *controller, const char *account, const struct request *request)
{
    size_t from;
    char *buffer;
    struct text data;

    if (!find_page(controller, request->after, &from)) {
        answer_error(controller, account, request, "after: no machine has that name");
        return;
    }
    buffer = malloc(PAGE_BYTES + PAGE_OVERHEAD);
    if (buffer == NULL) {
        answer_error(controller, account, request, status_text(STATUS_NO_MEMORY));
        return;
    }
    data = text_over(buffer, PAGE_BYTES + PAGE_OVERHEAD);
    print_page(controller, from, &data);
    if (data.cut) {
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
