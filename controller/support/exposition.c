#include "controller/support/exposition.h"

#include <math.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: whole numbers up to here are exact */

void exposition_family(
    struct text *out, enum exposition_type type, const char *name, const char *help)
{
    static const char *const types[] = {
        [EXPOSITION_COUNTER] = "counter",
        [EXPOSITION_GAUGE] = "gauge",
        [EXPOSITION_HISTOGRAM] = "histogram",
        [EXPOSITION_UNTYPED] = "untyped",
    };

    text_add(out, "# HELP ");
    text_add(out, name);
    text_add(out, " ");
    text_add(out, help);
    text_add(out, "\n# TYPE ");
    text_add(out, name);
    text_add(out, " ");
    text_add(out, types[type]);
    text_add(out, "\n");
}

void exposition_label(struct text *out, char before, const char *key, const char *value)
{
    text_add_bytes(out, &before, 1);
    text_add(out, key);
    text_add(out, "=\"");
    for (;;) {
        size_t plain = strcspn(value, "\\\"\n");

        text_add_bytes(out, value, plain);
        value += plain;
        if (*value == '\0') {
            break;
        }
        text_add(out, *value == '\n' ? "\\n" : *value == '"' ? "\\\"" : "\\\\");
        value++;
    }
    text_add(out, "\"");
}

void exposition_value(struct text *out, double value)
{
    if (isnan(value)) {
        text_add(out, " NaN\n");
    } else if (isinf(value)) {
        text_add(out, value > 0 ? " +Inf\n" : " -Inf\n");
    } else if (fabs(value) <= EXACT_MAX && !(trunc(value) < value) && !(trunc(value) > value)) {
        text_add(out, " ");
        text_add_integer(out, (int64_t)value);
        text_add(out, "\n");
    } else {
        text_addf(out, " %.15g\n", value);
    }
}

void exposition_sample(struct text *out, const char *name, const char *const labels[], double value)
{
    text_add(out, name);
    for (size_t i = 0; labels != NULL && labels[i] != NULL; i += 2) {
        exposition_label(out, i == 0 ? '{' : ',', labels[i], labels[i + 1]);
    }
    if (labels != NULL && labels[0] != NULL) {
        text_add(out, "}");
    }
    exposition_value(out, value);
}

void exposition_gauge(struct text *out, const char *name, const char *help, double value)
{
    exposition_family(out, EXPOSITION_GAUGE, name, help);
    exposition_sample(out, name, NULL, value);
}

void exposition_counter(struct text *out, const char *name, const char *help, double value)
{
    exposition_family(out, EXPOSITION_COUNTER, name, help);
    exposition_sample(out, name, NULL, value);
}

void exposition_moment(
    struct text *out, const char *name, const char *help, struct wall_time moment)
{
    if (moment.ms != 0) {
        exposition_gauge(out, name, help, (double)moment.ms / 1000);
    }
}
