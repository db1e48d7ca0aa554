/* Prometheus' text format, version 0.0.4, appended to a text.
 *
 * A family is a name with its help and type, once, and then all of its samples. What is missing is
 * left out by whoever writes, for 0 is a value. Names and help are ours and need no escaping; the
 * values of labels may be anything.
 */
#ifndef TAGOUT_SUPPORT_EXPOSITION_H
#define TAGOUT_SUPPORT_EXPOSITION_H

#include <stdint.h>

#include "controller/support/text.h"
#include "controller/support/time.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_type {
    EXPOSITION_COUNTER,
    EXPOSITION_GAUGE,
    EXPOSITION_HISTOGRAM,
    EXPOSITION_UNTYPED,
};

void exposition_family(
    struct text *out, enum exposition_type type, const char *name, const char *help);

/* `labels`: key, value, key, value, ..., NULL; or NULL for none. */
void exposition_sample(
    struct text *out, const char *name, const char *const labels[], double value);

/* A family with one sample and no labels. */
void exposition_gauge(struct text *out, const char *name, const char *help, double value);
void exposition_counter(struct text *out, const char *name, const char *help, double value);
/* Unix seconds; left out when it never was. */
void exposition_moment(
    struct text *out, const char *name, const char *help, struct wall_time moment);

/* The pieces of a sample, for whoever writes many with the same labels: name, then labels, the
 * first of them with '{', then the value. */
void exposition_label(struct text *out, char before, const char *key, const char *value);
void exposition_value(struct text *out, double value);

#endif
