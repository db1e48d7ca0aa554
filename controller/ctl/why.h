/* Why a machine's relay is on or off, in words that a volunteer understands. Pure: the time is
 * told. From the answer to `why` (C6), or, while the controller is silent, from the state alone.
 */
#ifndef TAGOUT_CTL_WHY_H
#define TAGOUT_CTL_WHY_H

#include "controller/ctl/words.h"
#include "controller/support/json.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "topics/state.h"

struct why {
    const struct state_payload *state;
    const struct json *data; /* the answer's; NULL: the state is all there is */
    struct wall_time now;
    const char *file; /* of -c, which the commands that it names want, too; NULL: none */
};

/* "Table Saw is off: locked out by Ada since 14:02 (35 min), because "blade is cracked"." */
enum tone why_sentence(struct text *out, const struct why *why);

/* The second relay in the same way; nothing where there is none. */
void why_second(struct text *out, const struct why *why);

/* What has to be done to get it on, or off when it is on: one line each. */
void why_steps(struct text *out, const struct why *why);

/* What is wrong with it and what to do about that, one line each; nothing when all is well. */
void why_troubles(struct text *out, const struct why *why);

/* "C4.5.4 welcome, at 14:02"; nothing when it is not known. */
void why_rule(struct text *out, const struct why *why);

/* One of its last decisions: "14:02:11  Ada logged in  (C4.5.4 welcome)". */
enum tone why_past(struct text *out, const struct why *why, const struct json *item);

#endif
