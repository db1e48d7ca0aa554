/* What would change it, and what is wrong with it. */
#include "controller/ctl/why_inside.h"

static bool is_restarting(const struct why *why)
{
    return why_is(why_string(why->data, "restart"), "under_way");
}

/* ---- what is to be done ---- */

/* "woodshop or laser"; nothing for an empty list. */
static void add_authorizations(struct text *out, const struct json *access)
{
    const struct json *list = json_get(access, "authorizations_or");
    const struct json *count = json_get(access, "count");

    for (const struct json *one = list == NULL ? NULL : json_first(list); one != NULL;
         one = json_next(one)) {
        text_add(out, out->length == 0 ? "\"" : " or \"");
        words_escape(out, json_type(one) == JSON_STRING ? json_string(one) : "?");
        text_add(out, "\"");
    }
    if (list != NULL && count != NULL && json_type(count) == JSON_NUMBER &&
        json_number(count) > (double)json_count(list)) {
        text_add(out, " or others");
    }
}

/* Whose card opens it. */
static void step_card(struct text *out, const struct why *why)
{
    const struct json *access = why_part(why, "access");
    TEXT_LOCAL(names, 2048);

    add_authorizations(&names, access);
    if (json_get_bool(access, "always_enabled")) {
        text_add(out, "It STARTS BY ITSELF then, without a card: it is always enabled.\n");
    } else if (json_get_bool(access, "unauthorized_warn_only")) {
        text_add(out, "Any known card opens it; it only warns.\n");
    } else if (names.length > 0) {
        text_addf(out, "The card of a member with %s opens it.\n", names.data);
    } else if (access != NULL) {
        text_add(out, "No card opens it: machines.json names no authorization.\n");
    } else {
        text_add(out, "The card of an authorized member opens it.\n");
    }
}

static void step_box(struct text *out, const struct why *why)
{
    const struct state_payload *state = why->state;

    if (why_is(state->health, "settling") && is_restarting(why)) {
        text_add(out, "First its box must be back from its restart.\n");
    } else if (
        why_is(state->health, "error") || why_is(state->health, "suspect") ||
        why_is(state->health, "settling")) {
        text_add(out, "First its box must answer: check its power and Wi-Fi.\n");
    } else if (why_is(state->health, "offline")) {
        text_add(out, "First its box must be switched on.\n");
    } else if (why_is(state->health, "unknown")) {
        text_add(out, "First its box must be heard: it has not reported yet.\n");
    }
}

/* What is to be typed, as far as the verb. */
static void add_command(struct text *out, const struct why *why, const char *verb)
{
    text_add(out, "tagoutctl ");
    if (why->file != NULL) {
        text_add(out, "-c ");
        words_escape(out, why->file);
        text_add(out, " ");
    }
    text_add(out, verb);
}

/* The same, of this machine. */
static void add_command_here(struct text *out, const struct why *why, const char *verb)
{
    add_command(out, why, verb);
    text_addf(out, " %s", why->state->machine);
}

static void step_clear(struct text *out, const struct why *why)
{
    text_add(out, "When somebody has made sure that it is safe: ");
    add_command_here(out, why, "clear");
    text_add(out, why->state->oops && why->state->lockout ? " --both\n" : "\n");
}

static void step_denied(struct text *out, const struct why *why)
{
    const char *user = why_string(why_part(why, "card"), "user");
    TEXT_LOCAL(names, 2048);

    add_authorizations(&names, why_part(why, "access"));
    if (user != NULL && names.length > 0) {
        text_add(out, "To let ");
        words_escape(out, user);
        text_addf(out, " in: %s among the authorizations in users.json, then ", names.data);
        add_command(out, why, "reload");
        text_add(out, ".\n");
    }
}

/* A card that opens nothing. */
static void step_unknown(struct text *out, const struct why *why)
{
    const struct json *card = why_part(why, "card");
    const char *account_id = why_string(card, "account_id");

    if (json_get_bool(card, "blocked") && account_id != NULL) {
        text_add(out, "To take the block back: ");
        add_command(out, why, "unblock --account-id ");
        words_escape(out, account_id);
        text_add(out, "\n");
    } else {
        text_add(out, "To enrol its holder: ");
        add_command_here(out, why, "card");
        text_add(out, " prints its number, for users.json.\n");
    }
}

static void steps_to_stop(struct text *out, const struct why *why)
{
    const struct state_payload *state = why->state;
    const char *verb = "end";

    if (why_is(state->health, "error") || why_is(state->health, "suspect")) {
        text_add(
            out, "No command may reach its box: to be sure, switch the machine off by its own "
                 "switch.\n");
    }
    if (why_is(state->confirmed, "off")) {
        text_add(out, "Look at its display: the card may have to come out and go in again.\n");
    }
    if (why_is(state->mode, "always_on")) {
        text_add(out, "To switch it off: ");
        verb = "lockout";
    } else if (why_is(state->mode, "emergency")) {
        text_add(out, "It goes off when that card comes out, or by ");
        verb = "lockout";
    } else {
        text_add(out, "It goes off when the card comes out, or by ");
    }
    add_command_here(out, why, verb);
    text_add(out, "\n");
}

void why_steps(struct text *out, const struct why *why)
{
    const struct state_payload *state = why->state;

    if (state->relay) {
        steps_to_stop(out, why);
        return;
    }
    step_box(out, why);
    if (why_is_flagged(state)) {
        step_clear(out, why);
    } else if (why_is(state->mode, "denied")) {
        step_denied(out, why);
    } else if (why_is(state->mode, "unknown_fob")) {
        step_unknown(out, why);
    }
    if (state->card != NULL) {
        text_add(out, "The card that is in must come out first.\n");
    }
    step_card(out, why);
}

/* ---- what is wrong ---- */

/* Soon after a start, or after a restart that was asked for, silence is no alarm yet (C11.2); a box
 * that only lost its link then has not started again. */
static void trouble_settling(struct text *out, const struct why *why)
{
    if (is_restarting(why)) {
        text_add(out, "Its box is restarting");
    } else if (json_get_bool(why->data, "link_lost")) {
        text_add(out, "Its box has lost its link");
    } else {
        text_add(out, "Its box is not answering at the moment");
    }
}

static void trouble_health(struct text *out, const struct why *why)
{
    const char *health = why->state->health;
    struct wall_time heard = json_get_wall(why->data, "heard_at");

    if (why_is(health, "error")) {
        text_add(out, "Its box DOES NOT ANSWER");
    } else if (why_is(health, "suspect")) {
        text_add(out, "Its box is not answering at the moment");
    } else if (why_is(health, "settling")) {
        trouble_settling(out, why);
    } else if (why_is(health, "offline")) {
        text_add(out, "Its box signed off");
    } else if (why_is(health, "unknown")) {
        text_add(out, "Its box was not heard since the controller started");
    } else {
        return;
    }
    if (heard.ms != 0) {
        text_add(out, "; last heard at ");
        words_time(out, heard, why->now);
        text_add(out, " (");
        words_duration(out, why->now.ms - heard.ms);
        text_add(out, " ago)");
    }
    text_add(out, why_is(health, "error") ? ". Treat it as live.\n" : ".\n");
}

static void trouble_restart(struct text *out, const char *restart)
{
    if (why_is(restart, "waits_for_life")) {
        text_add(out, "A restart of its box is waiting until it answers.\n");
    } else if (why_is(restart, "waits_for_idle")) {
        text_add(out, "A restart of its box is waiting until nobody uses it.\n");
    } else if (why_is(restart, "under_way")) {
        text_add(out, "Its box was told to restart.\n");
    }
}

/* A sentence of the controller begins in lower case where a machine's name stands before it. */
static void add_sentence(struct text *out, const char *sentence)
{
    size_t start = out->length;

    words_escape(out, sentence);
    if (out->length > start && out->data[start] >= 'a' && out->data[start] <= 'z') {
        out->data[start] = (char)(out->data[start] - 'a' + 'A');
    }
    text_add(out, ".\n");
}

void why_troubles(struct text *out, const struct why *why)
{
    const struct json *faults = why_part(why, "faults");

    trouble_health(out, why);
    trouble_restart(out, why_string(why->data, "restart"));
    for (const struct json *fault = faults == NULL ? NULL : json_first(faults); fault != NULL;
         fault = json_next(fault)) {
        const char *text = why_string(fault, "text");
        add_sentence(out, text != NULL ? text : "a fault without a name");
    }
    for (size_t i = 0; why->data == NULL && i < why->state->fault_count; i++) {
        text_add(out, "Fault ");
        words_escape(out, why->state->faults[i]);
        text_add(out, ".\n");
    }
    if (why->data != NULL && !json_get_bool(why->data, "saved")) {
        text_add(
            out, "This is live, but not yet safe against a power cut: Redis has not "
                 "confirmed it.\n");
    }
}
