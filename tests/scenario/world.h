/* Everything around the controller in a scenario: broker, Redis, clock, files, devices. One
 * thread, and a clock that stands still unless the scenario says otherwise. */
#ifndef TAGOUT_SCENARIO_WORLD_H
#define TAGOUT_SCENARIO_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/daemon/controller.h"
#include "persistence/memory.h"
#include "tests/scenario/broker.h"
#include "tests/scenario/device.h"
#include "tests/scenario/shop.h"

#define WORLD_MACHINES_MAX 32 /* at most the bits of a mask */
#define WORLD_ACTS_MAX 512
#define WORLD_RECONNECT_MS 200

/* The ports that can fail once, to order; from FAULT_LOAD on they are the store's. */
#define FAULT_PORT_LIST(X)                                                                         \
    X(FAULT_PUBLISH, "publish")                                                                    \
    X(FAULT_SUBSCRIBE, "subscribe")                                                                \
    X(FAULT_UNSUBSCRIBE, "unsubscribe")                                                            \
    X(FAULT_ROSTER_CALL, "start of a reading of the files")                                        \
    X(FAULT_ROSTER_FILE, "reading of the files")                                                   \
    X(FAULT_LOAD, "load")                                                                          \
    X(FAULT_LEASE, "taking of the lease")                                                          \
    X(FAULT_CARD_KEY, "asking for the card key")                                                   \
    X(FAULT_SAVE, "save")                                                                          \
    X(FAULT_LOAD_BLOCKS, "load of the blocked cards")                                              \
    X(FAULT_SAVE_BLOCKS, "save of the blocked cards")                                              \
    X(FAULT_FORGET, "forgetting of a machine")

#define FAULT_ENUM(id, text) id,
enum fault_port {
    FAULT_PORT_LIST(FAULT_ENUM) FAULT_PORT_COUNT
};
#undef FAULT_ENUM

struct fault {
    enum fault_port port;
    enum memory_fault memory; /* how a call of the store fails */
    unsigned nth;             /* 0 for none */
    unsigned calls;
    bool struck;
};

/* Which relays were on at any moment of each act (bit i is device i), and how often each port was
 * called. */
struct trace {
    uint64_t on[WORLD_ACTS_MAX];
    unsigned calls[FAULT_PORT_COUNT];
    unsigned shared_calls[FAULT_PORT_COUNT]; /* in the lines that other scenarios begin with, too */
};

/* Stands in front of the store in memory, to count and to spoil calls. */
struct spy {
    struct store store;
    struct world *world;
};

struct world {
    const struct line *line; /* what is being played */
    char failure[4096];      /* "" while all is well */

    struct shop shop;
    const char *overriders[SHOP_MAX]; /* accounts that were ever declared so */
    size_t overrider_count;
    struct settings *settings;
    struct controller *controller;
    struct broker broker;
    bool broker_is_up;
    bool broker_says_no; /* it connects, and grants no subscription */

    struct memory_database *database;
    struct store *memory;
    struct spy spy;
    bool redis_is_up;
    bool redis_is_frozen;
    bool redis_refuses_saves;
    bool redis_refuses;    /* everything */
    int64_t redis_back_ms; /* when a broken connection is made again; 0: it stands */

    int64_t clock_ms;
    int64_t mono_base_ms;
    int64_t wall_jump_ms;
    bool clock_is_free; /* nothing disciplines the wall clock */
    unsigned starts;

    bool roster_wanted;
    bool files_are_slow;

    struct device devices[WORLD_MACHINES_MAX];
    size_t device_count;

    unsigned act;
    bool at_once; /* nothing is delivered before `done` */
    struct fault fault;
    bool has_recovered; /* from the fault */
    struct trace trace;
    const struct trace *sound; /* of the run without faults */
};

/* `folder` is for files, and the caller's. */
struct world *world_new(const char *folder);
void world_free(struct world *world);

/* The first thing that is wrong ends the scenario. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool world_has_failed(const struct world *world);

bool world_start(struct world *world);
/* The process dies, and its last will is published. */
void world_kill(struct world *world);
void world_stop(struct world *world);

/* Lets everything happen that can happen now. */
void world_settle(struct world *world);
void world_pass(struct world *world, int64_t ms);
/* Lets time pass, as little as it takes, until the controller is ready. */
void world_await_ready(struct world *world);

void world_redis(struct world *world, bool up, bool carried_out);

/* NULL when there is none yet. */
struct device *world_find_device(struct world *world, const char *name);
struct device *world_device(struct world *world, const char *name);

struct now world_now(const struct world *world);

/* Whether this call of the port is the one that fails. */
bool world_strikes(struct world *world, enum fault_port port);

/* ports.c */
struct controller_ports world_ports(struct world *world);
void spy_init(struct spy *spy, struct world *world);

#endif
