/* What became of a machine of late: its last decisions, for whoever asks why (C6 `why`).
 *
 * Each machine has one, so it is small and of a fixed size: it keeps what a sentence is made of,
 * with names cut short, and not the sentence. It begins when the controller begins to lead; the
 * audit has all.
 */
#ifndef TAGOUT_DAEMON_HISTORY_H
#define TAGOUT_DAEMON_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/core/effect.h"
#include "controller/support/text.h"

#define HISTORY_MAX 8
#define HISTORY_NAME_SIZE 36

/* One thing that a decision did. The bytes are values of the core's enums. */
struct history_item {
    struct wall_time at;
    int64_t ms;      /* a logout: how long it was; of what C11 says: when it was heard before */
    uint8_t rule;    /* enum core_rule */
    uint8_t mode;    /* enum core_mode, after it */
    uint8_t notice;  /* enum core_notice_type; CORE_NOTICE_COUNT: nothing was told */
    uint8_t restart; /* enum core_restart */
    uint8_t source;
    uint8_t reason;
    uint8_t session;
    uint8_t fault;
    bool second_relay; /* after it */
    bool has_user;
    bool warn_only;
    bool approximate;
    char user[HISTORY_NAME_SIZE]; /* of the notice, or who used it last */
    char by[HISTORY_NAME_SIZE];   /* who asked for it from outside */
};

struct history {
    uint8_t mode; /* before the decision under way */
    bool second_relay;
    uint8_t next;
    uint8_t count;
    uint8_t rule; /* that led to the present mode; CORE_RULE_COUNT: found so */
    struct wall_time rule_at;
    struct history_item items[HISTORY_MAX];
};

void history_init(struct history *history);

/* Around each decision. `by` is NULL for nobody. */
void history_before(struct history *history, const struct core_state *state);
void history_after(
    struct history *history, const struct core_state *state, const struct core_effects *effects,
    const char *by, struct wall_time now);

/* `index` 0 is the oldest. */
const struct history_item *history_at(const struct history *history, size_t index);

/* The sentence that a person reads; as in the event, where there was one. */
void history_sentence(
    const struct history_item *item, const char *machine, struct wall_time now, struct text *out);

#endif
