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

void lease_bench_init(struct lease_bench *bench, const char *id, int64_t patience_ms);
/* Connected, everything read: the lease was asked for. */
void lease_bench_ready(struct lease_bench *bench);
/* And taken. */
void lease_bench_lead(struct lease_bench *bench, uint64_t epoch);

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
