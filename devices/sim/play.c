#include "devices/sim/play.h"

#include <stdlib.h>
#include <string.h>

#include "devices/sim/file.h"
#include "devices/sim/play_expect.h"

struct play_line {
    struct play_line *next;
    const char *file;
    unsigned number;
    char *source; /* as written, for messages */
    struct scenario_step step;
};

void play_init(struct play *play, int64_t now_ms)
{
    play->last = &play->first;
    play->start_ms = now_ms;
    play->done_ms = now_ms;
}

static void free_line(struct play_line *line)
{
    free(line->source);
    free(line);
}

void play_clear(struct play *play)
{
    while (play->first != NULL) {
        struct play_line *line = play->first;
        play->first = line->next;
        free_line(line);
    }
    play->last = &play->first;
    play->begun = false;
}

void play_free(struct play *play)
{
    play_clear(play);
}

bool play_is_done(const struct play *play)
{
    return play->first == NULL;
}

static bool is_machine(const struct play *play, const char *name, size_t length)
{
    for (size_t i = 0; i < play->box_count; i++) {
        if (strlen(play->boxes[i].name) == length &&
            memcmp(play->boxes[i].name, name, length) == 0) {
            return true;
        }
    }
    return false;
}

static enum status
check(const struct play *play, const struct scenario_step *step, struct text *why)
{
    const char *at = step->machines;
    struct sim_card card;

    while (*at != '\0' && strcmp(step->machines, "*") != 0) {
        size_t length = strcspn(at, ",");
        if (!is_machine(play, at, length)) {
            text_addf(why, "no machine \"%.*s\" here", (int)length, at);
            return STATUS_NOT_FOUND;
        }
        at += length + (at[length] == ',');
    }
    if (step->kind == SCENARIO_ACT && step->action == ACTION_CARD_IN &&
        !cards_find(play->cards, step->text, &card)) {
        text_addf(why, "nobody is called \"%s\"", step->text);
        return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}

enum status
play_add(struct play *play, const char *file, unsigned number, const char *text, struct text *why)
{
    struct scenario_step step = {0};
    struct play_line *line;
    enum status status;

    text_addf(why, "%s:%u: ", file, number);
    status = scenario_parse(text, &step, why);
    if (status == STATUS_OK) {
        status = check(play, &step, why);
    }
    if (status != STATUS_OK || step.kind == SCENARIO_NOTHING) {
        return status;
    }
    line = calloc(1, sizeof *line);
    if (line == NULL || (line->source = strndup(text, strcspn(text, "\r\n"))) == NULL) {
        free(line);
        text_add(why, status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    line->file = file;
    line->number = number;
    line->step = step;
    *play->last = line;
    play->last = &line->next;
    return STATUS_OK;
}

enum status play_add_file(struct play *play, const char *path, struct text *why)
{
    char *bytes = NULL;
    size_t length = 0;
    unsigned number = 0;
    enum status status = file_load(path, &bytes, &length, why);

    if (status != STATUS_OK) {
        return status;
    }
    for (char *at = bytes; at < bytes + length && status == STATUS_OK;) {
        char *end = at + strcspn(at, "\n");
        char *next = end < bytes + length ? end + 1 : end;

        *end = '\0';
        text_clear(why);
        status = play_add(play, path, ++number, at, why);
        at = next;
    }
    free(bytes);
    return status;
}

static void act(struct play *play, const struct scenario_step *step)
{
    struct sim_card card = {0};

    if (step->action == ACTION_CARD_IN && !cards_find(play->cards, step->text, &card)) {
        return; /* checked before */
    }
    for (size_t i = 0; i < play->box_count; i++) {
        if (!scenario_names(step, play->boxes[i].name)) {
            continue;
        }
        if (step->action == ACTION_LIFE) {
            play->life(play->context, i, step->number);
        } else {
            box_act(&play->boxes[i], step, &card);
        }
    }
}

/* What is looked back to begins here. */
static void forget(struct play *play)
{
    play->answer[0] = '\0';
    for (size_t i = 0; i < play->box_count; i++) {
        box_forget(&play->boxes[i]);
    }
}

static void fail(struct play *play, const struct play_line *line, const char *words)
{
    play->failures++;
    play->stop = play->stop || !play->goes_on; /* what comes after makes no sense any more */
    teller_fail(play->teller, "%s:%u: %s: %s", line->file, line->number, line->source, words);
}

static void send_request(struct play *play, const struct play_line *line)
{
    enum status status = observer_request(play->observer, line->step.more, line->step.text);

    teller_say(
        play->teller, "-", "request", TONE_PLAIN, "asks the controller: %s", line->step.more);
    if (status != STATUS_OK) {
        fail(play, line, status_text(status));
    }
}

/* When the line's turn comes. */
static int64_t due_ms(const struct play *play, const struct scenario_step *step)
{
    switch (step->when) {
    case SCENARIO_AT:
        return play->start_ms + step->when_ms;
    case SCENARIO_AFTER:
        return play->done_ms + step->when_ms;
    case SCENARIO_THEN:
        break;
    }
    return play->done_ms;
}

void play_look(struct play *play)
{
    const struct play_line *line = play->first;

    if (line == NULL || !play->begun || line->step.kind != SCENARIO_EXPECT || play->met) {
        return;
    }
    if (play_holds(play, &line->step) == line->step.throughout) {
        return;
    }
    play->met = true;
    if (line->step.throughout) {
        struct text words = text_over(play->explained, sizeof play->explained);
        play_explain(play, &line->step, &words);
    }
}

void play_hear_alert(struct play *play, const char *kind, const char *text)
{
    size_t used = strlen(play->alerts);
    struct text alerts = text_over(play->alerts + used, sizeof play->alerts - used);

    text_addf(&alerts, "%s %s", kind, text);
    for (char *at = alerts.data; *at != '\0'; at++) {
        *at = *at == '\n' ? ' ' : *at;
    }
    text_add(&alerts, "\n");
    if (alerts.cut) {
        play->alerts[used] = '\0'; /* more than a scenario can mean */
    }
    play_look(play);
}

/* True when it is decided. */
static bool watch(struct play *play, const struct play_line *line, int64_t now_ms)
{
    const struct scenario_step *step = &line->step;
    bool late = now_ms >= play->since_ms + step->duration_ms;

    play_look(play);
    if (step->throughout && play->met) {
        fail(play, line, play->explained);
    } else if (!step->throughout && !play->met && late) {
        struct text words = text_over(play->explained, sizeof play->explained);
        play_explain(play, step, &words);
        fail(play, line, play->explained);
    }
    if (step->expectation == EXPECT_ALERT && play->met && !step->throughout) {
        play_pass_alert(play, step);
    }
    return play->met || late;
}

/* True when the line is done. */
static bool go_on(struct play *play, const struct play_line *line, int64_t now_ms)
{
    const struct scenario_step *step = &line->step;

    switch (step->kind) {
    case SCENARIO_ACT:
        forget(play);
        act(play, step);
        return true;
    case SCENARIO_REQUEST:
        forget(play);
        send_request(play, line);
        return true;
    case SCENARIO_PRINT:
        teller_print(play->teller, step->text);
        return true;
    case SCENARIO_WAIT:
        return now_ms >= play->since_ms + (int64_t)((double)step->duration_ms * play->pace);
    case SCENARIO_EXPECT:
        return watch(play, line, now_ms);
    case SCENARIO_STOP:
        play->stop = true;
        return true;
    case SCENARIO_NOTHING:
        break;
    }
    return true;
}

static int64_t wanted_ms(const struct play *play, const struct scenario_step *step)
{
    int64_t duration_ms = step->duration_ms;

    if (!play->begun) {
        return due_ms(play, step);
    }
    if (step->kind == SCENARIO_WAIT) {
        duration_ms = (int64_t)((double)duration_ms * play->pace);
    }
    return play->since_ms + duration_ms;
}

int64_t play_turn(struct play *play, int64_t now_ms)
{
    while (play->first != NULL && !play->stop) {
        struct play_line *line = play->first;

        if (!play->begun && now_ms < due_ms(play, &line->step)) {
            break;
        }
        if (!play->begun) {
            play->begun = true;
            play->met = false;
            play->since_ms = now_ms;
        }
        if (!go_on(play, line, now_ms)) {
            break;
        }
        play->begun = false;
        play->done_ms = now_ms;
        play->first = line->next;
        if (play->first == NULL) {
            play->last = &play->first;
        }
        free_line(line);
    }
    return play->first == NULL || play->stop ? BOX_NEVER : wanted_ms(play, &play->first->step);
}
