/* How long something takes, in fixed buckets from 50 us to 5 s: for metrics. */
#ifndef TAGOUT_SUPPORT_HISTOGRAM_H
#define TAGOUT_SUPPORT_HISTOGRAM_H

#include <stdint.h>

#include "controller/support/text.h"

#define HISTOGRAM_BUCKETS 16

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS + 1]; /* each by itself; the last: longer than all */
    int64_t sum_us;
};

/* A time below 0, of a clock that went back, counts as 0. */
void histogram_add(struct histogram *histogram, int64_t us);

/* As a family of Prometheus', in seconds. */
void histogram_print(
    const struct histogram *histogram, const char *name, const char *help, struct text *out);

#endif
