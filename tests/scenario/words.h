/* Walking along the words of a line. */
#ifndef TAGOUT_SCENARIO_WORDS_H
#define TAGOUT_SCENARIO_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/scenario/script.h"

struct words {
    const struct line *line;
    size_t at;
};

bool words_end(const struct words *words);
/* The next word, without taking it; "" at the end. */
const char *words_peek(const struct words *words);
/* Takes the next word; "" at the end. */
const char *words_next(struct words *words);
/* Takes the words of `phrase` (blanks between them) if they are what comes next. */
bool words_take(struct words *words, const char *phrase);
/* Takes a number; false when the next word is none. */
bool words_number(struct words *words, double *ret_number);
/* Takes `10 s`, `1999 ms`, `5 min` or `2 h`. */
bool words_duration(struct words *words, int64_t *ret_ms);
/* Takes `on` or `off`, `yes` or `no`. */
bool words_switch(struct words *words, bool *ret_on);

#endif
