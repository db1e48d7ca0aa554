#include "devices/sim/scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

struct phrase {
    const char *words;
    enum scenario_argument argument;
};

#define SCENARIO_PHRASE(id, words, argument) [id] = {words, argument},
static const struct phrase actions[ACTION_COUNT] = {ACTION_LIST(SCENARIO_PHRASE)};
static const struct phrase expectations[EXPECTATION_COUNT] = {EXPECTATION_LIST(SCENARIO_PHRASE)};
#undef SCENARIO_PHRASE

struct reader {
    const char *at;
    struct text *why;
};

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, BLANKS);
}

static bool is_at_end(struct reader *reader)
{
    skip_blanks(reader);
    return *reader->at == '\0';
}

/* The next word, or a text in quotes. False at the end, and for a text that does not end. */
static bool read_word(struct reader *reader, char *word, size_t size)
{
    struct text out = text_over(word, size);
    size_t length;

    if (is_at_end(reader)) {
        return false;
    }
    if (*reader->at == '"') {
        length = strcspn(reader->at + 1, "\"");
        if (reader->at[1 + length] != '"') {
            return false;
        }
        text_add_bytes(&out, reader->at + 1, length);
        reader->at += length + 2;
    } else {
        length = strcspn(reader->at, BLANKS);
        text_add_bytes(&out, reader->at, length);
        reader->at += length;
    }
    return !out.cut;
}

/* Goes behind `words` if they come next, each a whole word. */
static bool take_words(struct reader *reader, const char *words)
{
    struct reader ahead = *reader;

    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        skip_blanks(&ahead);
        if (strncmp(ahead.at, words, length) != 0 || strcspn(ahead.at, BLANKS) != length) {
            return false;
        }
        ahead.at += length;
        words += length + strspn(words + length, " ");
    }
    *reader = ahead;
    return true;
}

static enum status read_number(struct reader *reader, double *ret_number)
{
    char *end;
    double number;

    skip_blanks(reader);
    number = strtod(reader->at, &end);
    if (end == reader->at || !isfinite(number) || number < 0) {
        text_add(reader->why, "a number is missing");
        return STATUS_INVALID;
    }
    reader->at = end;
    *ret_number = number;
    return STATUS_OK;
}

/* 3, 3 s, 3s, 500 ms, 2 min. */
static enum status read_duration(struct reader *reader, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"min", 60000}, {"s", 1000}};
    double number = 0;
    double unit_ms = 1000;
    enum status status = read_number(reader, &number);

    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (take_words(reader, units[i].unit)) {
            unit_ms = units[i].ms;
            break;
        }
    }
    if (number * unit_ms > SCENARIO_LATEST_MS) {
        text_add(reader->why, "longer than a day");
        return STATUS_INVALID;
    }
    if (*reader->at != '\0' && strchr(BLANKS, *reader->at) == NULL) {
        text_add(reader->why, "a time is in s, ms or min");
        return STATUS_INVALID;
    }
    *ret_ms = (int64_t)(number * unit_ms + 0.5);
    return STATUS_OK;
}

static enum status need_word(struct reader *reader, char *word, size_t size, const char *what)
{
    if (read_word(reader, word, size)) {
        return STATUS_OK;
    }
    text_addf(reader->why, "%s is missing", what);
    return STATUS_INVALID;
}

static bool at_limit(struct reader *reader)
{
    struct reader ahead = *reader;

    return is_at_end(reader) || take_words(&ahead, "within") || take_words(&ahead, "for");
}

static enum status
read_argument(struct reader *reader, enum scenario_argument argument, struct scenario_step *step)
{
    enum status status = STATUS_OK;

    switch (argument) {
    case ARGUMENT_NONE:
    case ARGUMENT_FOR:
        break;
    case ARGUMENT_WORD_OPTIONAL:
        if (!at_limit(reader)) {
            status = need_word(reader, step->text, sizeof step->text, "the text");
        }
        break;
    case ARGUMENT_WORD:
        status = need_word(reader, step->text, sizeof step->text, "a word");
        break;
    case ARGUMENT_TWO_WORDS:
        status = need_word(reader, step->text, sizeof step->text, "a word");
        if (status == STATUS_OK && !at_limit(reader)) {
            status = need_word(reader, step->more, sizeof step->more, "a second word");
        }
        break;
    case ARGUMENT_NUMBER:
        status = read_number(reader, &step->number);
        break;
    }
    return status;
}

static size_t find_phrase(struct reader *reader, const struct phrase *phrases, size_t count)
{
    size_t i = 0;

    while (i < count && !take_words(reader, phrases[i].words)) {
        i++;
    }
    return i;
}

static enum status parse_action(struct reader *reader, struct scenario_step *step)
{
    size_t found = find_phrase(reader, actions, ACTION_COUNT);
    enum status status;

    if (found == ACTION_COUNT) {
        skip_blanks(reader);
        text_addf(reader->why, "no such action: %.40s", reader->at);
        return STATUS_INVALID;
    }
    step->kind = SCENARIO_ACT;
    step->action = (enum scenario_action)found;
    step->duration_ms = SCENARIO_FLAP_MS;
    status = read_argument(reader, actions[found].argument, step);
    if (status == STATUS_OK && actions[found].argument == ARGUMENT_FOR &&
        take_words(reader, "for")) {
        status = read_duration(reader, &step->duration_ms);
    }
    return status;
}

static enum status parse_limit(struct reader *reader, struct scenario_step *step)
{
    step->duration_ms = SCENARIO_EXPECT_MS;
    step->throughout = take_words(reader, "for");
    if (step->throughout || take_words(reader, "within")) {
        return read_duration(reader, &step->duration_ms);
    }
    return STATUS_OK;
}

static bool is_of_no_machine(size_t expectation)
{
    return expectation == EXPECT_ANSWER || expectation == EXPECT_ALERT;
}

static enum status parse_expectation(struct reader *reader, struct scenario_step *step)
{
    struct reader ahead = *reader;
    size_t found;
    enum status status = STATUS_OK;

    step->kind = SCENARIO_EXPECT;
    if (!take_words(&ahead, expectations[EXPECT_ANSWER].words) &&
        !take_words(&ahead, expectations[EXPECT_ALERT].words)) {
        status = need_word(reader, step->machines, sizeof step->machines, "the machine");
        step->negated = take_words(reader, "not");
    }
    if (status != STATUS_OK) {
        return status;
    }
    found = find_phrase(reader, expectations, EXPECTATION_COUNT);
    if (found == EXPECTATION_COUNT || is_of_no_machine(found) != (step->machines[0] == '\0')) {
        skip_blanks(reader);
        text_addf(reader->why, "no such expectation: %.40s", reader->at);
        return STATUS_INVALID;
    }
    step->expectation = (enum scenario_expectation)found;
    status = read_argument(reader, expectations[found].argument, step);
    if (status == STATUS_OK && found == EXPECT_STATE && step->more[0] == '\0') {
        text_add(reader->why, "the value is missing");
        status = STATUS_INVALID;
    }
    return status == STATUS_OK ? parse_limit(reader, step) : status;
}

/* The rest of the line as it stands, without blanks around it. */
static void read_rest(struct reader *reader, char *text, size_t size)
{
    size_t length;

    skip_blanks(reader);
    text_copy(text, size, reader->at);
    length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL) {
        text[--length] = '\0';
    }
    reader->at += strlen(reader->at);
}

static enum status parse_when(struct reader *reader, struct scenario_step *step)
{
    if (take_words(reader, "at")) {
        step->when = SCENARIO_AT;
        return read_duration(reader, &step->when_ms);
    }
    if (take_words(reader, "after")) {
        step->when = SCENARIO_AFTER;
        return read_duration(reader, &step->when_ms);
    }
    take_words(reader, "then");
    return STATUS_OK;
}

static enum status parse_request(struct reader *reader, struct scenario_step *step)
{
    enum status status = need_word(reader, step->more, sizeof step->more, "the verb");

    step->kind = SCENARIO_REQUEST;
    read_rest(reader, step->text, sizeof step->text);
    if (status == STATUS_OK && !text_is_name(step->more, sizeof step->more)) {
        text_add(reader->why, "the verb is no name");
        status = STATUS_INVALID;
    }
    return status;
}

static enum status parse_command(struct reader *reader, struct scenario_step *step)
{
    if (take_words(reader, "wait")) {
        step->kind = SCENARIO_WAIT;
        return read_duration(reader, &step->duration_ms);
    }
    if (take_words(reader, "print")) {
        step->kind = SCENARIO_PRINT;
        read_rest(reader, step->text, sizeof step->text);
        return STATUS_OK;
    }
    if (take_words(reader, "expect")) {
        return parse_expectation(reader, step);
    }
    if (take_words(reader, "request")) {
        return parse_request(reader, step);
    }
    if (take_words(reader, "stop")) {
        step->kind = SCENARIO_STOP;
        return STATUS_OK;
    }
    if (need_word(reader, step->machines, sizeof step->machines, "the machine") != STATUS_OK) {
        return STATUS_INVALID;
    }
    return parse_action(reader, step);
}

enum status scenario_parse(const char *line, struct scenario_step *ret_step, struct text *why)
{
    struct scenario_step step = {0};
    struct reader reader = {.at = line, .why = why};
    enum status status = STATUS_OK;

    if (strlen(line) > SCENARIO_LINE_MAX || !utf8_is_valid(line, strlen(line))) {
        text_addf(why, "over %d bytes, or no UTF-8", SCENARIO_LINE_MAX);
        return STATUS_INVALID;
    }
    if (!is_at_end(&reader) && *reader.at != '#') {
        status = parse_when(&reader, &step);
        if (status == STATUS_OK) {
            status = parse_command(&reader, &step);
        }
        if (status == STATUS_OK && !is_at_end(&reader)) {
            text_addf(why, "too much: %.40s", reader.at);
            status = STATUS_INVALID;
        }
    }
    if (status == STATUS_OK) {
        *ret_step = step;
    }
    return status;
}

bool scenario_names(const struct scenario_step *step, const char *machine)
{
    size_t length = strlen(machine);
    const char *at = step->machines;

    if (strcmp(at, "*") == 0) {
        return true;
    }
    while (*at != '\0') {
        size_t name = strcspn(at, ",");
        if (name == length && memcmp(at, machine, length) == 0) {
            return true;
        }
        at += name + (at[name] == ',');
    }
    return false;
}
