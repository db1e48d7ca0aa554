#include "controller/support/histogram.h"

#include "controller/support/exposition.h"

/* The upper bounds; a time of exactly a bound is in its bucket. */
static const int64_t bounds_us[HISTOGRAM_BUCKETS] = {
    50,    100,   200,    500,    1000,   2000,    5000,    10000,
    20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000,
};

void histogram_add(struct histogram *histogram, int64_t us)
{
    size_t bucket = 0;

    us = us < 0 ? 0 : us;
    while (bucket < HISTOGRAM_BUCKETS && us > bounds_us[bucket]) {
        bucket++;
    }
    histogram->counts[bucket]++;
    histogram->sum_us += us;
}

void histogram_print(
    const struct histogram *histogram, const char *name, const char *help, struct text *out)
{
    uint64_t count = 0;

    exposition_family(out, EXPOSITION_HISTOGRAM, name, help);
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++) {
        count += histogram->counts[i];
        text_add(out, name);
        if (i < HISTOGRAM_BUCKETS) {
            text_addf(out, "_bucket{le=\"%.15g\"}", (double)bounds_us[i] / 1000000);
        } else {
            text_add(out, "_bucket{le=\"+Inf\"}");
        }
        exposition_value(out, (double)count);
    }
    text_add(out, name);
    text_add(out, "_sum");
    exposition_value(out, (double)histogram->sum_us / 1000000);
    text_add(out, name);
    text_add(out, "_count");
    exposition_value(out, (double)count);
}
