/* "Did you mean ...": the known word that is nearest to a misspelt one. */
#ifndef TAGOUT_SUPPORT_NEAREST_H
#define TAGOUT_SUPPORT_NEAREST_H

#include <stddef.h>

#include "controller/support/text.h"

#define NEAREST_SIZE 64

struct nearest {
    const char *wanted;
    size_t distance; /* of `best`, in edits */
    char best[NEAREST_SIZE];
};

struct nearest nearest_to(const char *wanted);
void nearest_offer(struct nearest *nearest, const char *candidate);

/* Appends "; did you mean X?" when a candidate was near enough to be worth a guess. */
void nearest_add(const struct nearest *nearest, struct text *out);

#endif
