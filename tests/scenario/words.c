#include "tests/scenario/words.h"

#include <stdlib.h>
#include <string.h>

bool words_end(const struct words *words)
{
    return words->at >= words->line->count;
}

const char *words_peek(const struct words *words)
{
    return words_end(words) ? "" : words->line->words[words->at];
}

const char *words_next(struct words *words)
{
    return words_end(words) ? "" : words->line->words[words->at++];
}

bool words_take(struct words *words, const char *phrase)
{
    size_t at = words->at;

    while (*phrase != '\0') {
        size_t length = strcspn(phrase, " ");
        const char *word;
        if (at >= words->line->count) {
            return false;
        }
        word = words->line->words[at++];
        if (strlen(word) != length || memcmp(word, phrase, length) != 0) {
            return false;
        }
        phrase += length;
        phrase += *phrase == ' ';
    }
    words->at = at;
    return true;
}

bool words_number(struct words *words, double *ret_number)
{
    const char *word = words_peek(words);
    char *end = NULL;
    double number = strtod(word, &end);

    if (end == word || *end != '\0') {
        return false;
    }
    *ret_number = number;
    words->at++;
    return true;
}

bool words_duration(struct words *words, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}};
    double number = 0;

    if (!words_number(words, &number)) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (words_take(words, units[i].unit)) {
            *ret_ms = (int64_t)(number * units[i].ms + 0.5);
            return true;
        }
    }
    return false;
}

bool words_switch(struct words *words, bool *ret_on)
{
    if (words_take(words, "on") || words_take(words, "yes")) {
        *ret_on = true;
        return true;
    }
    if (words_take(words, "off") || words_take(words, "no")) {
        *ret_on = false;
        return true;
    }
    return false;
}
