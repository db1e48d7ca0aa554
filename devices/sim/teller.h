/* What the simulator says: one line for each thing that happens on a machine's face.
 *
 * In words for people (coloured on a terminal), or as JSON lines for programs. A card's number is
 * in none of them (C7.9): whoever calls names the holder.
 */
#ifndef TAGOUT_SIM_TELLER_H
#define TAGOUT_SIM_TELLER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum tone {
    TONE_PLAIN,
    TONE_GOOD,
    TONE_BAD,
    TONE_WARN,
    TONE_DIM,
    TONE_LOUD,
};

struct teller {
    FILE *out;
    bool json;
    bool quiet;
    bool colour;
    int64_t start_ms;
    int64_t now_ms; /* told by the loop */
    bool told;      /* something waits to be flushed */
};

/* Something that happened to a machine; `what` is one word for programs. */
void teller_say(
    struct teller *teller, const char *machine, const char *what, enum tone tone,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A relay that went on or off; `what` is its word, with underscores. */
void teller_switch(struct teller *teller, const char *machine, const char *what, bool on);

void teller_display(
    struct teller *teller, const char *machine, const char *line1, const char *line2,
    const char *light, enum tone tone);

/* A line of the scenario's own: also with --quiet. */
void teller_print(struct teller *teller, const char *text);

/* A failure: also with --quiet. */
void teller_fail(struct teller *teller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* False when nobody listens any more. */
bool teller_flush(struct teller *teller);

#endif
