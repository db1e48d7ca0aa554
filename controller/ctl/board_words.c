/* The board in sentences: what is not well, and how many machines run. */
#include <stdlib.h>
#include <string.h>

#include "controller/ctl/board.h"
#include "controller/ctl/words.h"

#define NAMES_MAX 6 /* named in one line; the others are counted */
#define JSON_ROOM 64

static bool is_running(const struct board_controller *controller)
{
    return strcmp(controller->status, "running") == 0;
}

void board_absent(const struct board *board, struct text *out)
{
    text_add(
        out, board->controller_count > 0 ? "no controller is running"
                                         : "no controller has been heard of");
    for (size_t i = 0; i < board->controller_count; i++) {
        const struct board_controller *controller = &board->controllers[i];
        bool stopped = strcmp(controller->status, "stopped") == 0;

        text_add(out, i == 0 ? " (" : ", ");
        words_escape(out, controller->id);
        text_add(out, stopped ? " was stopped" : " was lost");
    }
    text_add(out, board->controller_count > 0 ? ")" : "");
}

static void add_controllers(const struct board *board, struct text *out)
{
    const struct board_controller *other = NULL;

    if (!board_has_controller(board)) {
        size_t start = out->length;
        board_absent(board, out);
        out->data[start] = 'N';
        text_add(out, ": " BOARD_MEANWHILE ".\n");
    }
    for (size_t i = 0; i < board->controller_count; i++) {
        const struct board_controller *controller = &board->controllers[i];
        if (!is_running(controller)) {
            continue;
        }
        if (!controller->redis_up) {
            text_add(out, "Redis is out of reach of controller ");
            words_escape(out, controller->id);
            text_add(
                out, ": cards work as before; changes are kept by the broker until it is back.\n");
        }
        if (other != NULL && strcmp(other->config, controller->config) != 0) {
            text_add(out, "Controllers ");
            words_escape(out, other->id);
            text_add(out, " and ");
            words_escape(out, controller->id);
            text_add(out, " have different users or machines: reload.\n");
        }
        other = controller;
    }
}

static bool needs_attention(const struct board_machine *machine)
{
    const struct state_payload *state = &machine->copy.state;
    bool disobeys =
        !state->relay && state->confirmed != NULL && strcmp(state->confirmed, "on") == 0;

    return machine->has_state && (state->problem || state->fault_count > 0 || disobeys ||
                                  strcmp(machine->link, "lost") == 0);
}

void board_not_well(const struct board *board, struct text *out)
{
    size_t count = 0;
    TEXT_LOCAL(names, 1024);

    add_controllers(board, out);
    for (size_t i = 0; i < board->machine_count; i++) {
        if (needs_attention(board->machines[i])) {
            if (count < NAMES_MAX) {
                text_add(&names, count > 0 ? ", " : "");
                text_add(&names, board->machines[i]->name);
            }
            count++;
        }
    }
    if (count == 0) {
        return;
    }
    text_addf(
        out, "%zu %s: %s", count,
        count == 1 ? "machine needs attention" : "machines need attention", names.data);
    if (count > NAMES_MAX) {
        text_addf(out, " and %zu more", count - NAMES_MAX);
    }
    text_add(out, ".\n");
}

bool board_count(const struct board *board, struct text *out)
{
    size_t machines = 0;
    size_t running = 0;
    size_t out_of_use = 0;

    for (size_t i = 0; i < board->machine_count; i++) {
        const struct state_payload *state = &board->machines[i]->copy.state;
        if (board->machines[i]->has_state) {
            machines++;
            running += state->relay;
            out_of_use += state->oops || state->lockout;
        }
    }
    text_addf(
        out, "%zu %s, %zu running", machines, machines == 1 ? "machine" : "machines", running);
    if (out_of_use > 0) {
        text_addf(out, ", %zu out of use", out_of_use);
    }
    return out_of_use == 0;
}

static void add_json(struct json_out *out, const char *key, const struct json *node)
{
    enum json_type type = json_type(node);

    switch (type) {
    case JSON_NULL:
        json_out_null(out, key);
        break;
    case JSON_BOOL:
        json_out_bool(out, key, json_bool(node));
        break;
    case JSON_NUMBER:
        json_out_number(out, key, json_number(node), 6);
        break;
    case JSON_STRING:
        json_out_string(out, key, json_string(node));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        json_out_open(out, key, type == JSON_ARRAY ? '[' : '{');
        for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
            add_json(out, type == JSON_OBJECT ? json_key(child) : NULL, child);
        }
        json_out_close(out, type == JSON_ARRAY ? ']' : '}');
        break;
    }
}

/* Room enough for a value as it is printed: escaped at the worst. */
static size_t json_room(const struct json *node)
{
    size_t room = JSON_ROOM;

    if (json_type(node) == JSON_STRING) {
        room += 6 * strlen(json_string(node));
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        const char *key = json_key(child);
        room += json_room(child) + (key == NULL ? 0 : 6 * strlen(key));
    }
    return room;
}

char *board_json(const struct json *node)
{
    size_t room = json_room(node);
    char *buffer = malloc(room);
    struct text text;
    struct json_out out;

    if (buffer == NULL) {
        return NULL;
    }
    text = text_over(buffer, room);
    out = json_out(&text);
    add_json(&out, NULL, node);
    return buffer;
}
