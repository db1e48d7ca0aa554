/* The cards that people put in: of users.json, of the command line, and strangers'. Each is known
 * by its holder's name or its place in the list, never by its number (C7.9). */
#ifndef TAGOUT_SIM_CARDS_H
#define TAGOUT_SIM_CARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/card.h"
#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define CARD_LABEL_SIZE 257
#define CARDS_MAX 20000

struct sim_card {
    char number[CARD_SIZE]; /* as a reader gives it: without leading zeros */
    char label[CARD_LABEL_SIZE];
    char names[3][CARD_LABEL_SIZE]; /* full name, first name, account: other words for the holder */
    bool emergency;
    const struct json *holder; /* in `users`, or NULL */
};

struct cards {
    struct sim_card *all;
    size_t count;
    struct json *users;
    uint32_t salt; /* makes strangers' numbers */
};

void cards_free(struct cards *cards);

/* A card of the command line, labelled by its place. */
MUST_USE enum status cards_add(struct cards *cards, const char *number, struct text *why);

/* Every fob of a users.json (C10.2). */
MUST_USE enum status cards_load(struct cards *cards, const char *path, struct text *why);

/* Whether the holder has any of a machine's `authorizations_or` (C4.5.4). */
bool cards_is_trained(const struct sim_card *card, const struct json *machine);

/* WHO of the scenario: a holder's name in any case, #N, `stranger`, `emergency`. */
MUST_USE bool cards_find(const struct cards *cards, const char *who, struct sim_card *ret_card);

#endif
