/* A whole controller on fake ports and the store in memory, of which the test says when it answers:
 * for tests of what happens between its parts. In the test's own directory (scratch.h). */
#ifndef TAGOUT_TESTS_CONTROLLER_BENCH_H
#define TAGOUT_TESTS_CONTROLLER_BENCH_H

#include <stdbool.h>

#include "persistence/memory.h"
#include "tests/lib/fake_ports.h"

struct controller_bench {
    struct fake_ports fake; /* to be filled in before it is opened, but for the time */
    struct settings *settings;
    struct controller *controller;
    struct memory_database *database;
    struct store_events events; /* the controller's */
    struct store *store;
};

/* It has read users and machines, as JSON, and not begun. `on_loaded` hears in the controller's
 * stead that Redis has told all; NULL: the controller does. */
void controller_bench_open(
    struct controller_bench *bench, const char *machines, const char *users,
    void (*on_loaded)(void *context, bool ok));
void controller_bench_close(struct controller_bench *bench);

/* It begins: the broker has told all, and so has Redis, which was asked for the lease. */
void controller_bench_start(struct controller_bench *bench);
/* Redis gives it, and the shop is open. */
void controller_bench_lead(struct controller_bench *bench);

#endif
