#include "controller/ctl/board.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ctl/words.h"

static void forget_state(struct board_machine *machine)
{
    if (machine->has_state) {
        state_copy_free(&machine->copy);
    }
    free(machine->payload);
    machine->payload = NULL;
    machine->has_state = false;
}

void board_free(struct board *board)
{
    for (size_t i = 0; i < board->machine_count; i++) {
        forget_state(board->machines[i]);
        free(board->machines[i]->said);
        free(board->machines[i]);
    }
    free(board->machines);
    *board = (struct board){0};
}

/* The first place whose name is not below `name`. */
static size_t place_of(const struct board *board, const char *name)
{
    size_t low = 0;
    size_t high = board->machine_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(board->machines[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct board_machine *board_find(const struct board *board, const char *name)
{
    size_t place = place_of(board, name);

    if (place < board->machine_count && strcmp(board->machines[place]->name, name) == 0) {
        return board->machines[place];
    }
    return NULL;
}

static struct board_machine *find_or_add(struct board *board, const char *name)
{
    struct board_machine *machine = board_find(board, name);
    size_t place = place_of(board, name);

    if (machine != NULL) {
        return machine;
    }
    /* Names are printed as they are. */
    if (!text_is_name(name, TOPIC_MACHINE_MAX)) {
        return NULL;
    }
    if (board->machine_count == board->machine_room) {
        size_t room = board->machine_room == 0 ? 64 : 2 * board->machine_room;
        struct board_machine **machines = realloc(board->machines, room * sizeof *machines);
        if (machines == NULL) {
            return NULL;
        }
        board->machines = machines;
        board->machine_room = room;
    }
    machine = calloc(1, sizeof *machine);
    if (machine == NULL) {
        return NULL;
    }
    text_copy(machine->name, sizeof machine->name, name);
    memmove(
        &board->machines[place + 1], &board->machines[place],
        (board->machine_count - place) * sizeof(struct board_machine *));
    board->machines[place] = machine;
    board->machine_count++;
    return machine;
}

/* It is worth more than silence: whoever reads a table believes that it has all machines. */
static enum board_change note_unreadable(struct board *board, const char *name)
{
    struct board_machine *machine = find_or_add(board, name);

    if (machine == NULL || machine->is_unreadable) {
        return BOARD_SAME;
    }
    machine->is_unreadable = true;
    return BOARD_MACHINE;
}

static enum status
set_state(struct board *board, const char *name, const char *payload, size_t length)
{
    struct board_machine *machine;
    struct state_copy copy;
    char *kept = NULL;
    enum status status = STATUS_NO_MEMORY;
    TEXT_LOCAL(why, 256);

    if (!text_is_name(name, TOPIC_MACHINE_MAX) ||
        state_parse(payload, length, &copy, &why) != STATUS_OK) {
        return STATUS_INVALID;
    }
    machine = find_or_add(board, name);
    if (machine == NULL) {
        goto failed;
    }
    if (machine->has_state &&
        version_compare(copy.state.version, machine->copy.state.version) < 0) {
        status = STATUS_BUSY; /* it is older */
        goto failed;
    }
    kept = strndup(payload, length);
    if (kept == NULL) {
        goto failed;
    }
    forget_state(machine);
    machine->has_state = true;
    machine->is_unreadable = false;
    machine->copy = copy;
    machine->payload = kept;
    return STATUS_OK;

failed:
    state_copy_free(&copy);
    return status;
}

enum status board_take_state(struct board *board, const struct json *state)
{
    const struct json *name = json_get(state, "machine");
    char *payload;
    enum status status;

    if (name == NULL || json_type(name) != JSON_STRING ||
        !text_is_name(json_string(name), TOPIC_MACHINE_MAX)) {
        board->nameless++;
        return STATUS_INVALID;
    }
    payload = board_json(state);
    if (payload == NULL) {
        return STATUS_NO_MEMORY;
    }
    status = set_state(board, json_string(name), payload, strlen(payload));
    free(payload);
    if (status == STATUS_INVALID) {
        (void)note_unreadable(board, json_string(name));
    }
    return status;
}

static enum board_change
take_link(struct board *board, const char *name, const char *payload, size_t length)
{
    static const char *const links[] = {"online", "offline", "lost"};
    struct board_machine *machine;

    for (size_t i = 0; i < 3; i++) {
        if (strlen(links[i]) == length && memcmp(links[i], payload, length) == 0) {
            machine = find_or_add(board, name);
            if (machine == NULL || strcmp(machine->link, links[i]) == 0) {
                return BOARD_SAME;
            }
            text_copy(machine->link, sizeof machine->link, links[i]);
            return machine->has_state ? BOARD_MACHINE : BOARD_SAME;
        }
    }
    return BOARD_SAME;
}

static enum board_change
take_event(struct board *board, const char *machine, const struct json *document)
{
    static const char *const alarms[] = {
        "oops",  "lockout",       "refused",   "override_login", "emergency_login",
        "fault", "machine_error", "link_lost", "save_timeout",
    };
    struct board_event *event = &board->events[board->event_count % BOARD_EVENTS_MAX];
    struct text text = text_over(event->text, sizeof event->text);
    const char *type = json_get_string(document, "event_type");

    if (!text_is_name(machine, TOPIC_MACHINE_MAX)) {
        return BOARD_SAME;
    }
    event->at = json_get_wall(document, "at");
    event->alarm = false;
    for (size_t i = 0; i < sizeof alarms / sizeof alarms[0]; i++) {
        event->alarm |= strcmp(type, alarms[i]) == 0;
    }
    text_copy(event->machine, sizeof event->machine, machine);
    words_escape(&text, json_get_string(document, "text"));
    if (text.length == 0) {
        words_escape(&text, type);
    }
    board->event_count++;
    return BOARD_EVENT;
}

static enum board_change
take_controller(struct board *board, const char *id, const struct json *document)
{
    struct board_controller *controller = NULL;

    for (size_t i = 0; i < board->controller_count; i++) {
        if (strcmp(board->controllers[i].id, id) == 0) {
            controller = &board->controllers[i];
        }
    }
    if (controller == NULL) {
        if (board->controller_count == BOARD_CONTROLLERS_MAX) {
            return BOARD_SAME;
        }
        controller = &board->controllers[board->controller_count++];
        text_copy(controller->id, sizeof controller->id, id);
    }
    text_copy(controller->status, sizeof controller->status, json_get_string(document, "status"));
    text_copy(controller->config, sizeof controller->config, json_get_string(document, "config"));
    text_copy(
        controller->version, sizeof controller->version, json_get_string(document, "version"));
    controller->epoch = json_get_integer(document, "epoch", VERSION_EPOCH_MAX);
    controller->leader = json_get_bool(document, "leader");
    controller->redis_up = strcmp(json_get_string(document, "redis"), "down") != 0;
    text_copy(
        controller->redis_refuses, sizeof controller->redis_refuses,
        controller->redis_up ? "" : json_get_string(document, "redis_refuses"));
    controller->misses_watcher = strcmp(json_get_string(document, "watcher"), "missing") == 0;
    controller->since = json_get_wall(document, "since");
    return BOARD_CONTROLLER;
}

const struct board_service *board_service(const struct board *board, const char *name)
{
    for (size_t i = 0; i < board->service_count; i++) {
        if (strcmp(board->services[i].name, name) == 0) {
            return &board->services[i];
        }
    }
    return NULL;
}

static enum board_change
take_service(struct board *board, const char *name, const struct json *document)
{
    struct board_service *service = NULL;

    for (size_t i = 0; i < board->service_count; i++) {
        service = strcmp(board->services[i].name, name) == 0 ? &board->services[i] : service;
    }
    if (service == NULL) {
        if (board->service_count == BOARD_SERVICES_MAX) {
            return BOARD_SAME;
        }
        service = &board->services[board->service_count++];
        text_copy(service->name, sizeof service->name, name);
    }
    text_copy(service->status, sizeof service->status, json_get_string(document, "status"));
    text_copy(service->reason, sizeof service->reason, json_get_string(document, "reason"));
    service->since = json_get_wall(document, "since");
    return BOARD_SERVICE;
}

static enum board_change
take_state(struct board *board, const char *name, const char *payload, size_t length)
{
    struct board_machine *machine = board_find(board, name);
    enum status status;

    if (length > 0) {
        status = set_state(board, name, payload, length);
        return status == STATUS_OK        ? BOARD_MACHINE
               : status == STATUS_INVALID ? note_unreadable(board, name)
                                          : BOARD_SAME;
    }
    if (machine == NULL) {
        return BOARD_SAME;
    }
    forget_state(machine);
    machine->is_unreadable = false;
    return BOARD_MACHINE;
}

enum board_change
board_take(struct board *board, const struct topic_match *topic, const char *payload, size_t length)
{
    struct json *document = NULL;
    enum board_change change = BOARD_SAME;
    TEXT_LOCAL(why, 128);

    if (topic->id == TOPIC_LINK) {
        return take_link(board, topic->first, payload, length);
    } else if (topic->id == TOPIC_STATE) {
        return take_state(board, topic->first, payload, length);
    }
    if ((topic->id != TOPIC_EVENT && topic->id != TOPIC_CONTROLLER_STATUS &&
         topic->id != TOPIC_SERVICE) ||
        json_parse(payload, length, &document, &why) != STATUS_OK) {
        return BOARD_SAME;
    }
    change = topic->id == TOPIC_EVENT     ? take_event(board, topic->first, document)
             : topic->id == TOPIC_SERVICE ? take_service(board, topic->first, document)
                                          : take_controller(board, topic->first, document);
    json_free(document);
    return change;
}

const struct board_event *board_event(const struct board *board, size_t back)
{
    if (back >= board->event_count || back >= BOARD_EVENTS_MAX) {
        return NULL;
    }
    return &board->events[(board->event_count - 1 - back) % BOARD_EVENTS_MAX];
}

bool board_has_controller(const struct board *board)
{
    for (size_t i = 0; i < board->controller_count; i++) {
        if (strcmp(board->controllers[i].status, "running") == 0) {
            return true;
        }
    }
    return false;
}
