#include "tests/scenario/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX 1000000

void *scenario_memory(void *memory)
{
    if (memory == NULL) {
        fputs("tagout-scenario: out of memory\n", stderr);
        abort();
    }
    return memory;
}

static char *read_bytes(const char *name)
{
    FILE *file = fopen(name, "r");
    char *bytes;
    size_t length;

    if (file == NULL) {
        return NULL;
    }
    bytes = scenario_memory(calloc(1, FILE_BYTES_MAX + 1));
    length = fread(bytes, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    return scenario_memory(realloc(bytes, length + 1));
}

static void add_word(struct line *line, char *word)
{
    line->words = scenario_memory(realloc(line->words, (line->count + 1) * sizeof *line->words));
    line->words[line->count++] = word;
}

/* Cuts the text into words, in place. NULL, or what is wrong with it. */
static const char *split(char *text, struct line *line)
{
    char *at = text;

    for (;;) {
        at += strspn(at, " \t\r");
        if (*at == '\0' || *at == '#') {
            return NULL;
        }
        if (*at == '"' || *at == '\'') {
            char *end = strchr(at + 1, *at);
            if (end == NULL) {
                return "a quote is not closed";
            }
            *end = '\0';
            add_word(line, at + 1);
            at = end + 1;
        } else {
            char *word = at;
            at += strcspn(at, " \t\r");
            if (*at != '\0') {
                *at++ = '\0';
            }
            if (word[0] != '\0' && word[strlen(word) - 1] == ',') {
                word[strlen(word) - 1] = '\0';
            }
            add_word(line, word);
        }
    }
}

static void add_scenario(struct script *script, const char *title)
{
    size_t size = (script->scenario_count + 1) * sizeof *script->scenarios;
    struct scenario *scenario;

    script->scenarios = scenario_memory(realloc(script->scenarios, size));
    scenario = &script->scenarios[script->scenario_count++];
    *scenario = (struct scenario){.title = scenario_memory(strdup(title))};
}

static void add_line(struct scenario *scenario, const struct line *line)
{
    size_t size = (scenario->count + 1) * sizeof *scenario->lines;

    scenario->lines = scenario_memory(realloc(scenario->lines, size));
    scenario->lines[scenario->count++] = line;
}

static bool is_title(const struct line *line)
{
    return strcmp(line->words[0], "scenario") == 0;
}

static bool is_same(const struct line *one, const struct line *other)
{
    bool same = one->count == other->count;

    for (size_t i = 0; same && i < one->count; i++) {
        same = strcmp(one->words[i], other->words[i]) == 0;
    }
    return same;
}

static void count_shared(struct script *script)
{
    const struct scenario *first = &script->scenarios[0];

    for (size_t i = 1; i < script->scenario_count; i++) {
        struct scenario *scenario = &script->scenarios[i];
        scenario->place = i;
        while (scenario->shared < scenario->count && scenario->shared < first->count &&
               is_same(scenario->lines[scenario->shared], first->lines[scenario->shared])) {
            scenario->shared++;
        }
    }
}

/* Lines never move any more from here on. */
static void deal_out(struct script *script)
{
    size_t common = 0;
    size_t next = 0;

    while (common < script->line_count && !is_title(&script->lines[common])) {
        common++;
    }
    for (size_t i = common; i < script->line_count; i++) {
        const struct line *line = &script->lines[i];
        if (!is_title(line)) {
            add_line(&script->scenarios[next - 1], line);
            continue;
        }
        for (size_t j = 0; j < common; j++) {
            add_line(&script->scenarios[next], &script->lines[j]);
        }
        next++;
    }
}

/* The title is the rest of the line as it stands. */
static const char *title_of(const char *text)
{
    const char *title = text + strspn(text, " \t") + strlen("scenario");
    return title + strspn(title, " \t");
}

static enum status read_line(struct script *script, char *text, unsigned number, struct text *why)
{
    struct line line = {.file = script->file, .number = number};
    char *whole = scenario_memory(strdup(text));
    const char *wrong = split(text, &line);

    if (wrong == NULL && line.count > 0) {
        size_t size = (script->line_count + 1) * sizeof *script->lines;
        if (is_title(&line)) {
            add_scenario(script, title_of(whole));
        }
        script->lines = scenario_memory(realloc(script->lines, size));
        script->lines[script->line_count++] = line;
    } else {
        free(line.words);
    }
    free(whole);
    if (wrong != NULL) {
        text_addf(why, "%s:%u: %s", script->file, number, wrong);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status script_read(const char *file, struct script *ret_script, struct text *why)
{
    struct script script = {.file = scenario_memory(strdup(file)), .bytes = read_bytes(file)};
    enum status status = STATUS_OK;
    unsigned number = 0;

    if (script.bytes == NULL) {
        text_addf(why, "%s: cannot be read", file);
        script_free(&script);
        return STATUS_IO;
    }
    for (char *text = script.bytes; text != NULL && status == STATUS_OK;) {
        char *end = strchr(text, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        status = read_line(&script, text, ++number, why);
        text = end == NULL ? NULL : end + 1;
    }
    if (status == STATUS_OK && script.scenario_count == 0) {
        text_addf(why, "%s: there is no scenario in it", file);
        status = STATUS_INVALID;
    }
    if (status != STATUS_OK) {
        script_free(&script);
        return status;
    }
    deal_out(&script);
    count_shared(&script);
    *ret_script = script;
    return STATUS_OK;
}

void script_free(struct script *script)
{
    for (size_t i = 0; i < script->line_count; i++) {
        free(script->lines[i].words);
    }
    for (size_t i = 0; i < script->scenario_count; i++) {
        free(script->scenarios[i].title);
        free(script->scenarios[i].lines);
    }
    free(script->lines);
    free(script->scenarios);
    free(script->bytes);
    free(script->file);
    *script = (struct script){0};
}
