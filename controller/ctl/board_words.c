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

static void add_redis(struct text *out, const struct board_controller *controller)
{
    bool refuses = controller->redis_refuses[0] != '\0';

    text_add(out, refuses ? "Redis refuses controller " : "Redis is out of reach of controller ");
    words_escape(out, controller->id);
    if (refuses) {
        text_add(out, ", for ");
        words_escape(out, controller->redis_refuses);
    }
    text_add(out, ": cards work as before; changes are kept by the broker until it is back.\n");
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
        if (strcmp(controller->status, "lost") == 0 && board_has_controller(board)) {
            text_add(out, "Controller ");
            words_escape(out, controller->id);
            text_add(out, " was lost; another one runs. Look at its host.\n");
        }
        if (!is_running(controller)) {
            continue;
        }
        if (!controller->redis_up) {
            add_redis(out, controller);
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

/* A list of names: the first few, and how many more. */
struct names {
    size_t count;
    char buffer[1024];
    struct text text;
};

static void add_name(struct names *names, const char *name)
{
    if (names->count == 0) {
        names->text = text_over(names->buffer, sizeof names->buffer);
    }
    if (names->count < NAMES_MAX) {
        text_add(&names->text, names->count > 0 ? ", " : "");
        text_add(&names->text, name);
    }
    names->count++;
}

static void put_names(const struct names *names, struct text *out)
{
    text_add(out, names->text.data);
    if (names->count > NAMES_MAX) {
        text_addf(out, " and %zu more", names->count - NAMES_MAX);
    }
}

/* Said already, by the controllers themselves. */
static bool is_told_of(const struct board *board, const struct board_service *service)
{
    static const char prefix[] = "controller-";

    if (strcmp(service->name, "leader") == 0) {
        return !board_has_controller(board);
    }
    for (size_t i = 0; i < board->controller_count; i++) {
        const struct board_controller *controller = &board->controllers[i];
        bool is_its_own = strncmp(service->name, prefix, sizeof prefix - 1) == 0 &&
                          strcmp(service->name + sizeof prefix - 1, controller->id) == 0;

        if ((is_its_own && !is_running(controller)) ||
            (strcmp(service->name, "redis") == 0 && is_running(controller) &&
             !controller->redis_up)) {
            return true;
        }
    }
    return false;
}

/* One that never ran has said nothing of itself. */
static bool is_watcher_missed(const struct board *board)
{
    for (size_t i = 0; i < board->controller_count; i++) {
        if (is_running(&board->controllers[i]) && board->controllers[i].misses_watcher) {
            return true;
        }
    }
    return false;
}

/* One that was stopped tells nobody anything, and that may have been forgotten. */
static void add_watcher(const struct board *board, struct text *out)
{
    const struct board_service *watcher = board_service(board, "watcher");

    if (watcher == NULL && is_watcher_missed(board)) {
        text_add(out, "The watcher does not run: " BOARD_NOBODY_IS_TOLD ".\n");
    }
    if (watcher == NULL || strcmp(watcher->status, "running") == 0) {
        return;
    }
    text_add(
        out, strcmp(watcher->status, "stopped") == 0 ? "The watcher was stopped"
                                                     : "The watcher is gone");
    text_add(out, ": " BOARD_NOBODY_IS_TOLD ".\n");
}

/* C11.6. What was stopped was meant to be, and so was a Slack that nobody set up. */
static void add_services(const struct board *board, struct text *out)
{
    for (size_t i = 0; i < board->service_count; i++) {
        const struct board_service *service = &board->services[i];

        if (strcmp(service->name, "watcher") == 0 || strcmp(service->status, "error") != 0 ||
            is_told_of(board, service)) {
            continue;
        }
        text_add(out, "Service ");
        words_escape(out, service->name);
        text_add(out, " does not work");
        text_add(out, service->reason[0] == '\0' ? "" : ": ");
        words_escape(out, service->reason);
        text_add(out, ".\n");
    }
}

static void add_unreadable(const struct board *board, struct text *out)
{
    struct names names = {0};

    for (size_t i = 0; i < board->machine_count; i++) {
        if (board->machines[i]->is_unreadable) {
            add_name(&names, board->machines[i]->name);
        }
    }
    if (names.count > 0) {
        text_addf(
            out, "%zu %s cannot be read (is the controller of another version?): ", names.count,
            names.count == 1 ? "machine's state" : "machines' states");
        put_names(&names, out);
        text_add(out, ".\n");
    }
    if (board->nameless > 0) {
        text_addf(
            out, "%zu %s not say whose they are (is the controller of another version?).\n",
            board->nameless, board->nameless == 1 ? "state does" : "states do");
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

static bool is_save_late(const struct board_machine *machine)
{
    const struct state_payload *state = &machine->copy.state;

    for (size_t i = 0; machine->has_state && i < state->fault_count; i++) {
        if (strcmp(state->faults[i], "save_timeout") == 0) {
            return true;
        }
    }
    return false;
}

/* A controller does not tell a Redis that hangs from a slow one: only the machines' states say so.
 * One that is out of reach was told of already. */
static void add_storage(const struct board *board, struct text *out)
{
    bool is_late = false;

    for (size_t i = 0; i < board->controller_count; i++) {
        if (is_running(&board->controllers[i]) && !board->controllers[i].redis_up) {
            return;
        }
    }
    for (size_t i = 0; !is_late && i < board->machine_count; i++) {
        is_late = is_save_late(board->machines[i]);
    }
    if (is_late) {
        text_add(
            out, "Storage hangs: cards work as before; do not power-cycle anything. Look at the "
                 "server's disk and Redis.\n");
    }
}

void board_not_well(const struct board *board, struct text *out)
{
    struct names names = {0};

    add_controllers(board, out);
    add_storage(board, out);
    for (size_t i = 0; i < board->machine_count; i++) {
        if (needs_attention(board->machines[i])) {
            add_name(&names, board->machines[i]->name);
        }
    }
    if (names.count > 0) {
        text_addf(
            out, "%zu %s: ", names.count,
            names.count == 1 ? "machine needs attention" : "machines need attention");
        put_names(&names, out);
        text_add(out, ".\n");
    }
    add_unreadable(board, out);
    add_watcher(board, out);
    add_services(board, out);
}

bool board_count(const struct board *board, struct text *out)
{
    size_t machines = 0;
    size_t running = 0;
    size_t out_of_use = 0;
    size_t unheard = 0;

    for (size_t i = 0; i < board->machine_count; i++) {
        const struct state_payload *state = &board->machines[i]->copy.state;
        if (board->machines[i]->has_state) {
            machines++;
            running += state->relay;
            out_of_use += state->oops || state->lockout;
            unheard += state->health != NULL && strcmp(state->health, "unknown") == 0;
        }
    }
    text_addf(
        out, "%zu %s, %zu running", machines, machines == 1 ? "machine" : "machines", running);
    if (out_of_use > 0) {
        text_addf(out, ", %zu out of use", out_of_use);
    }
    if (unheard > 0) {
        text_addf(out, ", %zu not heard", unheard);
    }
    return out_of_use == 0 && unheard == 0;
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
