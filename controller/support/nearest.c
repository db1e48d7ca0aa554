#include "controller/support/nearest.h"

#include <string.h>

#define WORTH_A_GUESS 3

struct nearest nearest_to(const char *wanted)
{
    return (struct nearest){.wanted = wanted, .distance = WORTH_A_GUESS + 1};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Who writes [MQTT] means mqtt. */
static char fold(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* Levenshtein's distance, one row at a time; both strings are shorter than NEAREST_SIZE. */
static size_t edits(const char *a, const char *b)
{
    size_t row[NEAREST_SIZE];
    size_t length = strlen(b);

    for (size_t j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t replaced = diagonal + (fold(a[i]) != fold(b[j]));
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[length];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t distance;

    if (strlen(nearest->wanted) >= NEAREST_SIZE || strlen(candidate) >= NEAREST_SIZE) {
        return;
    }
    distance = edits(nearest->wanted, candidate);
    /* A guess that keeps less than half of the word is none. */
    if (distance < nearest->distance && 2 * distance <= strlen(candidate)) {
        nearest->distance = distance;
        text_copy(nearest->best, sizeof nearest->best, candidate);
    }
}

void nearest_add(const struct nearest *nearest, struct text *out)
{
    if (nearest->best[0] != '\0') {
        text_addf(out, "; did you mean %s?", nearest->best);
    }
}
