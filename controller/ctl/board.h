/* What is known of the shop: the states of all machines, their links, the controllers, the other
 * services, and the last things that happened. Filled from the topics (C2), or from the answer to
 * `status`.
 */
#ifndef TAGOUT_CTL_BOARD_H
#define TAGOUT_CTL_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "topics/state.h"
#include "topics/topic.h"

/* What holds while the controller or the broker is away. */
#define BOARD_MEANWHILE "running machines keep running, no new card opens, emergency cards work"

/* What holds while the watcher is away. */
#define BOARD_NOBODY_IS_TOLD "nobody is told of alerts, and cards work as before"

#define BOARD_CONTROLLERS_MAX 8
#define BOARD_SERVICES_MAX 24
#define BOARD_EVENTS_MAX 64
#define BOARD_EVENT_SIZE 512

struct board_machine {
    char name[TOPIC_MACHINE_MAX + 1];
    char link[8]; /* "online", "offline", "lost", or "" */
    bool has_state;
    bool is_unreadable;     /* what last came as its state was none; `copy` is older, if anything */
    struct state_copy copy; /* means something with has_state */
    char *payload;          /* the state as it came */
    char *said;             /* for the owner's use, freed with the machine */
};

struct board_controller {
    char id[TOPIC_MACHINE_MAX + 1];
    char status[16];
    char config[32];
    char version[32];
    uint64_t epoch; /* 0: unknown */
    bool leader;
    bool redis_up;
    char redis_refuses[256]; /* what Redis has against its account; "" for nothing */
    bool misses_watcher;     /* C11.6: it has seen none */
    struct wall_time since;
};

/* What the watcher says of a service (C11.6). */
struct board_service {
    char name[TOPIC_MACHINE_MAX + 1];
    char status[16];
    char reason[256];
    struct wall_time since; /* {0}: unknown */
};

struct board_event {
    struct wall_time at;
    char machine[TOPIC_MACHINE_MAX + 1];
    char text[BOARD_EVENT_SIZE];
    bool alarm; /* worth a second look: Oops, faults, refusals */
};

struct board {
    struct board_machine **machines; /* by name */
    size_t machine_count;
    size_t machine_room;
    struct board_controller controllers[BOARD_CONTROLLERS_MAX];
    size_t controller_count;
    struct board_service services[BOARD_SERVICES_MAX];
    size_t service_count;
    size_t nameless; /* states in the answer to `status` that do not say whose they are */
    struct board_event events[BOARD_EVENTS_MAX]; /* a ring */
    size_t event_count;                          /* of all that came */
};

enum board_change {
    BOARD_SAME,
    BOARD_MACHINE, /* a machine's state or link */
    BOARD_EVENT,
    BOARD_CONTROLLER,
    BOARD_SERVICE,
};

void board_free(struct board *board);

/* Takes a message on a topic; says what it changed. A state that cannot be read is noted as such;
 * whatever else cannot be read, and a state that is older than the one it has (C12.1), changes
 * nothing. */
enum board_change board_take(
    struct board *board, const struct topic_match *topic, const char *payload, size_t length);

/* Takes one state of the answer to `status`; STATUS_INVALID: it cannot be read, which is noted. */
MUST_USE enum status board_take_state(struct board *board, const struct json *state);

/* NULL when there is none. */
struct board_machine *board_find(const struct board *board, const char *name);

/* `back` 0 is the newest; NULL when there is none. */
const struct board_event *board_event(const struct board *board, size_t back);

/* NULL when it was not heard of. */
const struct board_service *board_service(const struct board *board, const char *name);

/* Whether a controller says that it runs. */
bool board_has_controller(const struct board *board);

/* What is wrong with the controllers, the other services and the machines, one line each, the worst
 * first; nothing when all is well. */
void board_not_well(const struct board *board, struct text *out);

/* "no controller is running (one was lost)": for when board_has_controller is false. */
void board_absent(const struct board *board, struct text *out);

/* "5 machines, 2 running, 1 out of use, 1 not heard". Whether none is either of the last. */
bool board_count(const struct board *board, struct text *out);

/* A copy of a parsed value as JSON text, freed by the caller; NULL without memory. */
char *board_json(const struct json *node);

#endif
