/* What people read: states, times and names in words. Pure: the time is told.
 *
 * Nothing from outside is written as it came: names and reasons lose what a terminal would obey.
 */
#ifndef TAGOUT_CTL_WORDS_H
#define TAGOUT_CTL_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/text.h"
#include "controller/support/time.h"
#include "topics/state.h"

/* How something is said, where there are colours. */
enum tone {
    TONE_PLAIN,
    TONE_DIM,   /* nothing to see */
    TONE_HEAD,  /* headings */
    TONE_ON,    /* runs, as it should */
    TONE_NOTE,  /* somebody may want to look */
    TONE_ALARM, /* somebody has to */
};

/* The start of the escape sequence for a tone; "" for plain. Ends with words_colour_end. */
const char *words_colour(enum tone tone);
const char *words_colour_end(enum tone tone);

/* Control characters, those that turn the direction of writing, and bytes that are not UTF-8 come
 * out as \xNN or \uNNNN. */
void words_escape(struct text *out, const char *string);

/* "40 s", "35 min", "2 h 5 min", "3 d 4 h". */
void words_duration(struct text *out, int64_t ms);

/* "14:02"; on another day with the date in front; in another year with that, too. Local time. */
void words_time(struct text *out, struct wall_time at, struct wall_time now);

/* "2026-11-22 14:02:11", local time, always as wide as that. */
#define WORDS_STAMP_WIDTH 19
void words_stamp(struct text *out, struct wall_time at);

/* " since 14:02 (35 min)", nothing for {0}. */
void words_since(struct text *out, struct wall_time at, struct wall_time now);

/* The person behind `account (name)`: where there are no accounts the name alone. */
void words_person(struct text *out, const char *by);

/* A relay is on because of a person (C6 "in use"). */
bool words_is_in_use(const struct state_payload *state);

/* "in use by Ada since 14:02 (35 min)", "LOCKED OUT by Rosa since 13:50 (47 min): blade". `now`
 * {0}: without the times. */
enum tone words_state(struct text *out, const struct state_payload *state, struct wall_time now);

/* "on", "off", with a question mark when the device has not confirmed it, and what it does instead
 * when it does something else. */
enum tone words_relay(struct text *out, const struct state_payload *state);

/* Faults, and how well the machine answers; `link` is the last payload of its link, or "". */
enum tone words_notes(struct text *out, const struct state_payload *state, const char *link);

/* Who set which flag when: "OOPS by Ada since 14:02 (35 min)". */
void words_oops(struct text *out, const struct state_payload *state, struct wall_time now);
void words_lockout(struct text *out, const struct state_payload *state, struct wall_time now);

#endif
