/* The audit on its thread, in the folder "audit" of the test's own directory (scratch.h). */
#ifndef TAGOUT_TESTS_AUDIT_BENCH_H
#define TAGOUT_TESTS_AUDIT_BENCH_H

#include "controller/watcher/audit.h"

struct audit *audit_bench_start(void);
/* Waits until all is written. */
void audit_bench_stop(struct audit *audit);

/* Waits for what the disk knew at the start; to be freed. */
struct audit_past *audit_bench_past(struct audit *audit);

#endif
