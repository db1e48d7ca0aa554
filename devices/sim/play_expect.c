#include "devices/sim/play_expect.h"

#include <stdio.h>
#include <string.h>

/* As a word of a scenario. */
static void word_of(const struct json *value, char *word, size_t size)
{
    if (value == NULL || json_type(value) == JSON_NULL) {
        text_copy(word, size, "null");
    } else if (json_type(value) == JSON_BOOL) {
        text_copy(word, size, json_bool(value) ? "true" : "false");
    } else if (json_type(value) == JSON_NUMBER) {
        (void)snprintf(word, size, "%.15g", json_number(value));
    } else if (json_type(value) == JSON_STRING) {
        text_copy(word, size, json_string(value));
    } else {
        text_copy(word, size, json_type_text(json_type(value)));
    }
}

static bool lists(const struct json *array, const char *word)
{
    for (const struct json *item = json_first(array); item != NULL; item = json_next(item)) {
        if (json_type(item) == JSON_STRING && strcmp(json_string(item), word) == 0) {
            return true;
        }
    }
    return false;
}

static bool state_is(const struct box *box, const char *key, const char *expected)
{
    const struct json *value = box->state == NULL ? NULL : json_get(box->state, key);
    char word[SCENARIO_WORD_SIZE];

    if (box->state == NULL) {
        return false;
    }
    if (value != NULL && json_type(value) == JSON_ARRAY) {
        return lists(value, expected);
    }
    word_of(value, word, sizeof word);
    return strcmp(word, expected) == 0;
}

static void face_of(const struct box *box, struct text *out)
{
    text_addf(out, "%s / %s", box->face.lcd[0], box->face.lcd[1]);
}

static bool display_has(const struct box *box, const char *words)
{
    TEXT_LOCAL(face, 2 * DEVICE_LCD_COLUMNS + 8);

    face_of(box, &face);
    return strstr(face.data, words) != NULL;
}

/* A whole line of notes. */
static bool noted(const char *notes, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = notes; *at != '\0'; at += strcspn(at, "\n") + 1) {
        if (strcspn(at, "\n") == length && memcmp(at, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool holds_for(const struct box *box, const struct scenario_step *step)
{
    switch (step->expectation) {
    case EXPECT_RELAY_ON:
    case EXPECT_RELAY_OFF:
        return box->face.relay[0] == (step->expectation == EXPECT_RELAY_ON);
    case EXPECT_SECOND_ON:
    case EXPECT_SECOND_OFF:
        return box->face.relay[1] == (step->expectation == EXPECT_SECOND_ON);
    case EXPECT_CONTACT_ON:
    case EXPECT_CONTACT_OFF:
        return box->contact[0] == (step->expectation == EXPECT_CONTACT_ON);
    case EXPECT_OOPS_ON:
    case EXPECT_OOPS_OFF:
        return box->face.oops_led == (step->expectation == EXPECT_OOPS_ON);
    case EXPECT_LINK_UP:
    case EXPECT_LINK_DOWN:
        return box->link.up == (step->expectation == EXPECT_LINK_UP);
    case EXPECT_DISPLAY:
        return display_has(box, step->text);
    case EXPECT_LED:
        return strcmp(box_light(&box->face.status_led), step->text) == 0;
    case EXPECT_STATE:
        return state_is(box, step->text, step->more);
    case EXPECT_REFUSED:
        return box->refusals[0] != '\0' && strstr(box->refusals, step->text) != NULL;
    case EXPECT_BOOT:
        return box->boots > box->boots_before;
    case EXPECT_EVENT:
        return noted(box->events, step->text);
    case EXPECT_ANSWER:
    case EXPECT_ALERT:
    case EXPECTATION_COUNT:
        break;
    }
    return false;
}

static struct json *parse_answer(const struct play *play)
{
    struct json *answer = NULL;
    TEXT_LOCAL(why, 128);

    return json_parse(play->answer, strlen(play->answer), &answer, &why) == STATUS_OK ? answer
                                                                                      : NULL;
}

static const char *member_of(const struct json *answer, const char *key)
{
    const struct json *member = answer == NULL ? NULL : json_get(answer, key);

    return member != NULL && json_type(member) == JSON_STRING ? json_string(member) : NULL;
}

static bool answered(const struct play *play, const struct scenario_step *step)
{
    struct json *answer = parse_answer(play);
    const char *status = member_of(answer, "status");
    bool fits = status != NULL && strcmp(status, step->text) == 0 &&
                strstr(play->answer, step->more) != NULL;

    json_free(answer);
    return fits;
}

/* The line of the alert that the step means; NULL for none. */
static const char *find_alert(const struct play *play, const struct scenario_step *step)
{
    size_t kind = strlen(step->text);

    for (const char *at = play->alerts; *at != '\0'; at += strcspn(at, "\n") + 1) {
        TEXT_LOCAL(line, PLAY_ALERTS_SIZE);
        text_add_bytes(&line, at, strcspn(at, "\n"));
        if (strncmp(line.data, step->text, kind) == 0 && line.data[kind] == ' ' &&
            strstr(line.data + kind, step->more) != NULL) {
            return at;
        }
    }
    return NULL;
}

void play_pass_alert(struct play *play, const struct scenario_step *step)
{
    const char *found = find_alert(play, step);

    if (found != NULL) {
        found += strcspn(found, "\n") + 1;
        memmove(play->alerts, found, strlen(found) + 1);
    }
}

bool play_holds(const struct play *play, const struct scenario_step *step)
{
    if (step->expectation == EXPECT_ALERT) {
        return find_alert(play, step) != NULL;
    }
    if (step->expectation == EXPECT_ANSWER) {
        return answered(play, step);
    }
    for (size_t i = 0; i < play->box_count; i++) {
        if (scenario_names(step, play->boxes[i].name) &&
            holds_for(&play->boxes[i], step) == step->negated) {
            return false;
        }
    }
    return true;
}

static void explain_box(const struct box *box, const struct scenario_step *step, struct text *out)
{
    char word[SCENARIO_WORD_SIZE];

    text_addf(out, "; %s: relay %s, display \"", box->name, box->face.relay[0] ? "on" : "off");
    face_of(box, out);
    text_addf(out, "\", link %s", box->link.up ? "up" : "down");
    if (step->expectation == EXPECT_STATE) {
        word_of(box->state == NULL ? NULL : json_get(box->state, step->text), word, sizeof word);
        text_addf(out, ", state's %s is %s", step->text, word);
    }
}

/* Without its data, in which there may be the number of a card (C7.9). */
static void explain_answer(const struct play *play, struct text *out)
{
    struct json *answer = parse_answer(play);
    const char *status = member_of(answer, "status");
    const char *error = member_of(answer, "error");

    text_addf(
        out, "; the answer: %s%s%s", status != NULL ? status : "none", error != NULL ? ", " : "",
        error != NULL ? error : "");
    json_free(answer);
}

void play_explain(const struct play *play, const struct scenario_step *step, struct text *out)
{
    text_addf(
        out, "not so %s %.3g s", step->throughout ? "for" : "within",
        (double)step->duration_ms / 1000);
    if (step->expectation == EXPECT_ANSWER) {
        explain_answer(play, out);
    } else if (step->expectation == EXPECT_ALERT) {
        text_addf(out, "; alerts: %s", play->alerts[0] == '\0' ? "none" : play->alerts);
    }
    for (size_t i = 0; i < play->box_count && out->length < 512; i++) {
        if (scenario_names(step, play->boxes[i].name) &&
            holds_for(&play->boxes[i], step) == step->negated) {
            explain_box(&play->boxes[i], step, out);
        }
    }
}
