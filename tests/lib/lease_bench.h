/* One lease on a clock of the test's own. The broker answers each echo at once unless it is mute;
 * Redis says only what the test says. */
#ifndef TAGOUT_TESTS_LEASE_BENCH_H
#define TAGOUT_TESTS_LEASE_BENCH_H

#include "controller/daemon/lease.h"

struct lease_bench {
    struct lease lease;
    struct now now;
    bool mute;
    struct lease_actions did; /* in the last call, echoes that followed included */
};

#define LEASE_BENCH_EPOCH 1000 /* of the one that leads first */

/* A test of the controller "b", a bench of its own in `*state`, that has heard nothing yet, or that
 * leads already. */
#define LEASE_TEST_ALONE(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, lease_bench_open_alone, lease_bench_close)
#define LEASE_TEST_LEADING(name)                                                                   \
    cmocka_unit_test_setup_teardown(name, lease_bench_open_leading, lease_bench_close)
int lease_bench_open_alone(void **state);
int lease_bench_open_leading(void **state);
int lease_bench_close(void **state);

/* The same once more, in the midst of a test. */
void lease_bench_alone(struct lease_bench *bench);
void lease_bench_leading(struct lease_bench *bench);

/* Connected, everything read: the lease was asked for. */
void lease_bench_ready(struct lease_bench *bench);

/* One without anything to it; an echo is the one that was asked for last. */
void lease_bench_event(struct lease_bench *bench, enum lease_event_type type);
void lease_bench_echo(struct lease_bench *bench, uint32_t number);
void lease_bench_ours(struct lease_bench *bench, uint64_t epoch);
void lease_bench_other(struct lease_bench *bench, uint64_t epoch, int64_t remaining_ms);
void lease_bench_free(struct lease_bench *bench, uint64_t epoch);
void lease_bench_status(
    struct lease_bench *bench, const char *id, bool runs, bool leads, uint64_t epoch);

/* Time passes, and the lease is called whenever it wants to be; `did` is of the last moment. */
void lease_bench_pass(struct lease_bench *bench, int64_t ms);
/* Time passes, and nobody calls it before the end. */
void lease_bench_stand_still(struct lease_bench *bench, int64_t ms);

#endif
