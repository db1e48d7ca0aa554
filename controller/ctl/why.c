#include "controller/ctl/why.h"

#include <string.h>

#include "controller/ctl/why_inside.h"

#define OOPS_BUTTON "Oops button" /* the controller's word for a press without a user */

static void add_name(struct text *out, const struct state_payload *state)
{
    words_escape(out, state->display_name != NULL ? state->display_name : state->machine);
}

/* ---- the sentence ---- */

/* " at 14:02 (35 min ago)", nothing for {0}. */
static void add_at(struct text *out, struct wall_time at, struct wall_time now)
{
    if (at.ms != 0) {
        text_add(out, " at ");
        words_time(out, at, now);
        text_add(out, " (");
        words_duration(out, now.ms - at.ms);
        text_add(out, " ago)");
    }
}

static void add_oops(struct text *out, const struct why *why)
{
    const struct state_payload *state = why->state;

    if (why_is(state->oops_by, OOPS_BUTTON) || state->oops_by == NULL) {
        text_add(out, "its Oops button was pressed");
    } else {
        text_add(out, "Oops by ");
        words_person(out, state->oops_by);
    }
    add_at(out, state->oops_at, why->now);
}

static void add_lockout(struct text *out, const struct why *why)
{
    const struct state_payload *state = why->state;

    text_add(out, "locked out");
    if (state->lockout_by != NULL) {
        text_add(out, " by ");
        words_person(out, state->lockout_by);
    }
    words_since(out, state->lockout_at, why->now);
    if (state->lockout_reason != NULL) {
        text_add(out, ", because \"");
        words_escape(out, state->lockout_reason);
        text_add(out, "\"");
    }
}

static void add_flags(struct text *out, const struct why *why)
{
    if (why->state->oops) {
        add_oops(out, why);
    }
    if (why->state->oops && why->state->lockout) {
        text_add(out, "; and ");
    }
    if (why->state->lockout) {
        add_lockout(out, why);
    }
}

static void add_holder(struct text *out, const struct why *why, const char *nobody)
{
    const char *user = why_string(why_part(why, "card"), "user");

    if (user == NULL) {
        text_add(out, nobody);
        return;
    }
    words_escape(out, user);
    text_add(out, "'s card");
}

static void add_in_use(struct text *out, const struct why *why)
{
    const struct json *card = why_part(why, "card");
    const struct json *authorized = json_get(card, "authorized");

    words_escape(out, why->state->user != NULL ? why->state->user : "somebody");
    text_add(out, "'s card is in");
    words_since(out, why->state->session_since, why->now);
    if (authorized != NULL && !json_get_bool(card, "authorized")) {
        text_add(
            out, json_get_bool(why_part(why, "access"), "unauthorized_warn_only")
                     ? ", without the training: this machine only warns"
                     : ", though no longer authorized: a session that is open goes on");
    }
}

static void add_idle(struct text *out, const struct why *why)
{
    if (json_get_bool(why_part(why, "access"), "always_enabled")) {
        text_add(out, "it is always enabled, and goes on by itself at its box's next report");
        return;
    }
    if (why->state->card == NULL) {
        text_add(out, "no card is in");
        return;
    }
    add_holder(out, why, "a card");
    text_add(
        out, why->state->card_spent ? " is in, but was there before: it must come out and go in "
                                      "again (after a restart of the box, an Oops, a lockout, the "
                                      "end of a session, or too many unknown cards)"
                                    : " is in, but opened nothing");
}

static void add_reason(struct text *out, const struct why *why)
{
    const struct state_payload *state = why->state;

    if (why_is(state->mode, "override")) {
        words_escape(out, state->user != NULL ? state->user : "somebody");
        text_add(out, " runs it by OVERRIDE");
        words_since(out, state->session_since, why->now);
        text_add(out, ", though it is out of use: ");
        add_flags(out, why);
    } else if (why_is(state->mode, "emergency")) {
        text_add(out, "an EMERGENCY CARD is in");
        words_since(out, state->session_since, why->now);
    } else if (why_is_flagged(state)) {
        add_flags(out, why);
    } else if (why_is(state->mode, "in_use")) {
        add_in_use(out, why);
    } else if (why_is(state->mode, "always_on")) {
        text_add(out, "it is always enabled, with or without a card");
    } else if (why_is(state->mode, "denied")) {
        add_holder(out, why, "the card that");
        text_add(out, " is in, and lacks the authorization");
    } else if (
        why_is(state->mode, "unknown_fob") && json_get_bool(why_part(why, "card"), "blocked")) {
        add_holder(out, why, "the card that");
        text_add(out, " is in, and is blocked");
    } else if (why_is(state->mode, "unknown_fob")) {
        text_add(out, "the card that is in is unknown");
    } else if (why_is(state->mode, "idle")) {
        add_idle(out, why);
    } else {
        words_escape(out, state->mode);
    }
}

enum tone why_sentence(struct text *out, const struct why *why)
{
    const struct state_payload *state = why->state;
    bool confirmed_on = why_is(state->confirmed, "on");
    bool confirmed_off = why_is(state->confirmed, "off");
    enum tone tone = state->relay ? TONE_ON : TONE_PLAIN;

    add_name(out, state);
    if (state->relay ? confirmed_on : confirmed_off) {
        text_add(out, state->relay ? " is ON: " : " is off: ");
    } else if (!state->relay && confirmed_on) {
        text_add(out, " IS ON THOUGH IT WAS SWITCHED OFF, treat it as live: ");
        tone = TONE_ALARM;
    } else if (confirmed_off) {
        text_add(out, " is switched on, but its relay is still off: ");
        tone = TONE_NOTE;
    } else {
        text_add(
            out, state->relay ? " is switched ON, which it has not confirmed: "
                              : " is switched off, which it has not confirmed, so treat it as "
                                "live: ");
        tone = TONE_NOTE;
    }
    add_reason(out, why);
    text_add(out, ".");
    return why_is(state->mode, "override") || why_is(state->mode, "emergency") ? TONE_ALARM : tone;
}

void why_second(struct text *out, const struct why *why)
{
    static const struct {
        const char *word;
        const char *because;
    } reasons[] = {
        {"granted", "its user is authorized for it"},
        {"warn", "its user is not authorized for it, but it only warns"},
        {"denied", "its user is not authorized for it"},
        {"always_enabled", "it is always enabled while the first relay is on"},
    };
    const struct state_payload *state = why->state;
    const char *word = state->second_relay_authorization;

    if (json_get(why_part(why, "access"), "second_relay") == NULL && word == NULL) {
        return;
    }
    text_add(out, state->second_relay ? "on" : "off");
    if (!state->relay) {
        text_add(out, ", as the first relay is");
        return;
    }
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (why_is(word, reasons[i].word)) {
            text_addf(out, ": %s", reasons[i].because);
        }
    }
}

/* ---- what came before ---- */

void why_rule(struct text *out, const struct why *why)
{
    const char *rule = why_string(why->data, "rule");
    struct wall_time at = json_get_wall(why->data, "rule_at");

    if (rule != NULL) {
        words_escape(out, rule);
        text_add(out, ", at ");
        words_time(out, at, why->now);
    }
}

enum tone why_past(struct text *out, const struct why *why, const struct json *item)
{
    const struct state_payload *state = why->state;
    const char *name = state->display_name != NULL ? state->display_name : state->machine;
    const char *text = why_string(item, "text");
    const char *rule = why_string(item, "rule");
    size_t length = strlen(name);

    words_stamp(out, json_get_wall(item, "at"));
    text_add(out, "  ");
    text = text == NULL ? "?" : text;
    if (strncmp(text, name, length) == 0 && strncmp(text + length, ": ", 2) == 0) {
        text += length + 2; /* the machine is known */
    }
    words_escape(out, text);
    if (rule != NULL) {
        text_add(out, "  (");
        words_escape(out, rule);
        text_add(out, ")");
    }
    return json_get_bool(item, "relay") ? TONE_ON : TONE_PLAIN;
}
