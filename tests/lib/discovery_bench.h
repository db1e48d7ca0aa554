/* A controller whose broker, store and clock are the test's, and what it tells Home Assistant. */
#ifndef TAGOUT_TESTS_DISCOVERY_BENCH_H
#define TAGOUT_TESTS_DISCOVERY_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "persistence/memory.h"
#include "tests/lib/fake_ports.h"

#define TOLD_MAX 4096

/* What was published below Home Assistant's prefix. */
struct told {
    char device[80];
    size_t length;
    bool named_new; /* the alias of the second configuration */
    bool lost;      /* the outbox refused it */
    int64_t at_ms;
};

struct discovery_bench {
    struct settings *settings;
    struct controller *controller;
    struct memory_database *database;
    struct store *store;
    struct fake_ports fake;
    bool hears_birth; /* the live subscription has its topic */
    bool refuses;     /* the outbox is out of memory */
    struct told told[TOLD_MAX];
    size_t told_count;
};

extern struct discovery_bench bench;

/* A shop that leads, at the moment at which it opened. Closed by close_bench, a cmocka teardown. */
void open_shop_with(const char *machines, bool discovery);
int close_bench(void **state);

/* A broker that answers, and a loop that never stands still: time goes by as the controller asks
 * for it. */
void pass(int64_t ms);
/* Until all is said twice, as a new leader does, and forgets what was told. */
void settle(void);
void connect_broker(void);
void reload_with(const char *machines);
void hear_birth(bool retained);

size_t told_of(const char *device);
const struct told *last_of(const char *device);

#endif
