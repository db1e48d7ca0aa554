#include "controller/ctl/words.h"

#include <string.h>
#include <time.h>

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

#define OOPS_BUTTON "Oops button" /* the controller's word for a press without a user */
#define NO_ACCOUNT "local ("      /* C2: what stands for an account where there are none */

const char *words_colour(enum tone tone)
{
    switch (tone) {
    case TONE_PLAIN:
        return "";
    case TONE_DIM:
        return "\033[2m";
    case TONE_HEAD:
        return "\033[1m";
    case TONE_ON:
        return "\033[32m";
    case TONE_NOTE:
        return "\033[33m";
    case TONE_ALARM:
        return "\033[1;31m";
    }
    return "";
}

const char *words_colour_end(enum tone tone)
{
    return tone == TONE_PLAIN ? "" : "\033[0m";
}

/* U+200E to U+200F, U+2028 to U+202E, U+2066 to U+2069: they move what stands beside them. */
static bool is_direction(const unsigned char *at)
{
    if (at[0] != 0xe2) {
        return false;
    }
    return (at[1] == 0x80 &&
            (at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xa8 && at[2] <= 0xae))) ||
           (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

/* Bytes of the character at `at`; 0 where there is none. */
static size_t character_length(const char *at)
{
    const unsigned char first = (unsigned char)at[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    return strnlen(at, length) == length && utf8_is_valid(at, length) ? length : 0;
}

void words_escape(struct text *out, const char *string)
{
    while (*string != '\0') {
        const unsigned char *at = (const unsigned char *)string;
        size_t length = character_length(string);
        char character[5] = {0};

        memcpy(character, string, length);
        if (length == 3 && is_direction(at)) {
            text_addf(out, "\\u20%02x", (unsigned)((at[1] & 0x3) << 6 | (at[2] & 0x3f)));
        } else if (length > 0 && !text_has_control(character)) {
            text_add(out, character);
        } else {
            length = length == 0 ? 1 : length;
            for (size_t i = 0; i < length; i++) {
                text_addf(out, "\\x%02x", (unsigned)at[i]);
            }
        }
        string += length;
    }
}

void words_duration(struct text *out, int64_t ms)
{
    int64_t seconds = ms < 0 ? 0 : ms / 1000;

    if (seconds < MINUTE_S) {
        text_addf(out, "%d s", (int)seconds);
    } else if (seconds < HOUR_S) {
        text_addf(out, "%d min", (int)(seconds / MINUTE_S));
    } else if (seconds < DAY_S) {
        text_addf(out, "%d h %d min", (int)(seconds / HOUR_S), (int)(seconds % HOUR_S / MINUTE_S));
    } else {
        text_addf(
            out, "%lld d %d h", (long long)(seconds / DAY_S), (int)(seconds % DAY_S / HOUR_S));
    }
}

void words_time(struct text *out, struct wall_time at, struct wall_time now)
{
    static const char *const months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    };
    time_t at_s = (time_t)(at.ms / 1000);
    time_t now_s = (time_t)(now.ms / 1000);
    struct tm then = {0};
    struct tm today = {0};

    if (localtime_r(&at_s, &then) == NULL || localtime_r(&now_s, &today) == NULL) {
        text_add(out, "?");
        return;
    }
    if (then.tm_year != today.tm_year) {
        text_addf(out, "%d %s %d ", then.tm_mday, months[then.tm_mon], then.tm_year + 1900);
    } else if (then.tm_yday != today.tm_yday) {
        text_addf(out, "%d %s ", then.tm_mday, months[then.tm_mon]);
    }
    text_addf(out, "%02d:%02d", then.tm_hour, then.tm_min);
}

void words_stamp(struct text *out, struct wall_time at)
{
    time_t seconds = (time_t)(at.ms / 1000);
    struct tm parts = {0};
    char stamp[WORDS_STAMP_WIDTH + 1];

    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts) == 0) {
        text_addf(out, "%-*s", WORDS_STAMP_WIDTH, "at no known time");
        return;
    }
    text_add(out, stamp);
}

void words_since(struct text *out, struct wall_time at, struct wall_time now)
{
    if (at.ms == 0 || now.ms == 0) {
        return;
    }
    text_add(out, " since ");
    words_time(out, at, now);
    text_add(out, " (");
    words_duration(out, now.ms - at.ms);
    text_add(out, ")");
}

void words_person(struct text *out, const char *by)
{
    size_t length = strlen(by);
    size_t front = sizeof NO_ACCOUNT - 1;
    TEXT_LOCAL(name, 600);

    if (length > front + 1 && strncmp(by, NO_ACCOUNT, front) == 0 && by[length - 1] == ')') {
        text_add_bytes(&name, by + front, length - front - 1);
    } else {
        text_add(&name, by);
    }
    words_escape(out, name.data);
}

static void add_by(struct text *out, const char *by)
{
    if (by != NULL && by[0] != '\0') {
        text_add(out, " by ");
        words_person(out, by);
    }
}

void words_oops(struct text *out, const struct state_payload *state, struct wall_time now)
{
    text_add(out, "OOPS");
    if (state->oops_by != NULL && strcmp(state->oops_by, OOPS_BUTTON) == 0) {
        text_add(out, " pressed");
    } else {
        add_by(out, state->oops_by);
    }
    words_since(out, state->oops_at, now);
}

void words_lockout(struct text *out, const struct state_payload *state, struct wall_time now)
{
    text_add(out, "LOCKED OUT");
    add_by(out, state->lockout_by);
    words_since(out, state->lockout_at, now);
    if (state->lockout_reason != NULL) {
        text_add(out, ": ");
        words_escape(out, state->lockout_reason);
    }
}

static bool is(const char *word, const char *wanted)
{
    return word != NULL && strcmp(word, wanted) == 0;
}

bool words_is_in_use(const struct state_payload *state)
{
    return is(state->mode, "in_use") || is(state->mode, "override") || is(state->mode, "emergency");
}

static void add_flags(struct text *out, const struct state_payload *state, struct wall_time now)
{
    if (state->oops) {
        words_oops(out, state, now);
    }
    if (state->oops && state->lockout) {
        text_add(out, "; ");
    }
    if (state->lockout) {
        words_lockout(out, state, now);
    }
}

static void add_session(
    struct text *out, const char *what, const struct state_payload *state, struct wall_time now)
{
    text_add(out, what);
    if (state->user != NULL) {
        text_add(out, " by ");
        words_escape(out, state->user);
    }
    words_since(out, state->session_since, now);
}

/* Neither in use nor out of use. */
static enum tone add_quiet(struct text *out, const struct state_payload *state)
{
    if (is(state->mode, "always_on")) {
        text_add(out, "always on");
        if (state->user != NULL) {
            text_add(out, ", card of ");
            words_escape(out, state->user);
        }
        return TONE_ON;
    } else if (is(state->mode, "denied")) {
        text_add(out, "idle, a card without authorization is in");
        return TONE_NOTE;
    } else if (is(state->mode, "unknown_fob")) {
        text_add(out, "idle, an unknown card is in");
        return TONE_NOTE;
    } else if (is(state->mode, "idle")) {
        text_add(out, "idle");
        return TONE_DIM;
    }
    words_escape(out, state->mode);
    return TONE_NOTE;
}

enum tone words_state(struct text *out, const struct state_payload *state, struct wall_time now)
{
    if (is(state->mode, "override")) {
        add_session(out, "OVERRIDE", state, now);
        text_add(out, ", though ");
        add_flags(out, state, now);
        return TONE_ALARM;
    } else if (is(state->mode, "emergency")) {
        add_session(out, "EMERGENCY CARD in use", state, now);
        return TONE_ALARM;
    } else if (state->oops || state->lockout) {
        add_flags(out, state, now);
        return state->oops ? TONE_ALARM : TONE_NOTE;
    } else if (is(state->mode, "in_use")) {
        add_session(out, "in use", state, now);
        return TONE_ON;
    }
    return add_quiet(out, state);
}

enum tone words_relay(struct text *out, const struct state_payload *state)
{
    bool confirmed_on = is(state->confirmed, "on");
    bool confirmed_off = is(state->confirmed, "off");
    enum tone tone = state->relay ? TONE_ON : TONE_DIM;

    text_add(out, state->relay ? "on" : "off");
    if (!confirmed_on && !confirmed_off) {
        text_add(out, "?");
        tone = TONE_NOTE;
    } else if (state->relay && confirmed_off) {
        text_add(out, ", is still off");
        tone = TONE_NOTE;
    } else if (!state->relay && confirmed_on) {
        text_add(out, ", BUT IS ON");
        tone = TONE_ALARM;
    }
    if (state->second_relay) {
        text_add(out, " +2nd");
    }
    return tone;
}

static void add_note(struct text *out, const char *note)
{
    text_add(out, out->length > 0 ? ", " : "");
    words_escape(out, note);
}

/* C11: words for people, and of what happened: `settling` is silence soon after a start or a
 * restart that was asked for, and only a box that restarts says goodbye. */
static enum tone add_health(struct text *out, const char *health, const char *link)
{
    bool said_goodbye = is(link, "offline");

    if (is(health, "error")) {
        add_note(out, "NOT ANSWERING");
        return TONE_ALARM;
    } else if (is(health, "settling") && said_goodbye) {
        add_note(out, "restarting");
        return TONE_NOTE;
    } else if (is(health, "offline") || (said_goodbye && !is(health, "suspect"))) {
        /* Whatever the broker thinks of the connection that was left. */
        add_note(out, "signed off");
        return TONE_DIM;
    } else if (is(link, "lost")) {
        add_note(out, "link lost");
        return TONE_ALARM;
    } else if (is(health, "suspect") || is(health, "settling")) {
        add_note(out, "not answering yet");
        return TONE_NOTE;
    } else if (is(health, "unknown")) {
        add_note(out, "not heard yet");
        return TONE_NOTE;
    }
    return TONE_PLAIN;
}

enum tone words_notes(struct text *out, const struct state_payload *state, const char *link)
{
    static const struct {
        const char *fault;
        const char *words;
    } known[] = {
        {"relay_stuck_on", "RELAY STUCK ON"},     {"relay_refused", "relay does not switch on"},
        {"save_timeout", "state not saved"},      {"twin", "two boxes with this name"},
        {"card_flood", "too many unknown cards"}, {"user_revoked", "user may no longer use it"},
    };
    enum tone tone = add_health(out, state->health, link);

    for (size_t i = 0; i < state->fault_count; i++) {
        const char *words = NULL;
        char plain[64];

        /* Told already, or over: it came back to say goodbye. */
        if (is(state->faults[i], "link_lost") && (is(link, "lost") || is(link, "offline"))) {
            continue;
        }
        for (size_t j = 0; j < sizeof known / sizeof known[0]; j++) {
            words = is(state->faults[i], known[j].fault) ? known[j].words : words;
        }
        text_copy(plain, sizeof plain, state->faults[i]);
        for (char *at = plain; *at != '\0'; at++) {
            *at = *at == '_' ? ' ' : *at;
        }
        add_note(out, words != NULL ? words : plain);
        tone = TONE_ALARM;
    }
    return tone;
}
