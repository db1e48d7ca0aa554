#include "devices/sim/cards.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "devices/sim/file.h"

void cards_free(struct cards *cards)
{
    json_free(cards->users);
    cards->users = NULL;
    free(cards->all);
    cards->all = NULL;
    cards->count = 0;
}

static void strip(char number[CARD_SIZE], const char *card)
{
    while (card[0] == '0' && card[1] != '\0') {
        card++;
    }
    text_copy(number, CARD_SIZE, card);
}

static enum status append(struct cards *cards, const char *number, struct sim_card **ret_card)
{
    struct sim_card *all;

    if (cards->count >= CARDS_MAX) {
        return STATUS_FULL;
    }
    all = realloc(cards->all, (cards->count + 1) * sizeof *all);
    if (all == NULL) {
        return STATUS_NO_MEMORY;
    }
    cards->all = all;
    all += cards->count++;
    memset(all, 0, sizeof *all);
    strip(all->number, number);
    *ret_card = all;
    return STATUS_OK;
}

enum status cards_add(struct cards *cards, const char *number, struct text *why)
{
    struct sim_card *card = NULL;
    enum status status = STATUS_INVALID;

    if (number[0] != '\0' && strlen(number) < CARD_SIZE && text_is_printable_ascii(number)) {
        status = append(cards, number, &card);
    }
    if (card == NULL) {
        text_addf(why, "card: %s", status_text(status));
        return status;
    }
    struct text label = text_over(card->label, sizeof card->label);
    text_addf(&label, "card %zu", cards->count);
    return STATUS_OK;
}

static void name_holder(struct sim_card *card, const struct json *user)
{
    card->holder = user;
    const char *preferred = json_get_string(user, "preferred_name");
    const char *full = json_get_string(user, "full_name");

    text_copy(card->label, sizeof card->label, preferred[0] != '\0' ? preferred : full);
    text_copy(card->names[0], sizeof card->names[0], full);
    text_copy(card->names[1], sizeof card->names[1], json_get_string(user, "first_name"));
    text_copy(card->names[2], sizeof card->names[2], json_get_string(user, "account_id"));
}

static enum status load_user(struct cards *cards, const struct json *user)
{
    const struct json *fobs = json_get(user, "fob_codes");
    enum status status = STATUS_OK;

    if (fobs == NULL || json_type(fobs) != JSON_ARRAY) {
        return STATUS_INVALID;
    }
    for (const struct json *fob = json_first(fobs); fob != NULL && status == STATUS_OK;
         fob = json_next(fob)) {
        struct sim_card *card = NULL;

        if (json_type(fob) != JSON_STRING || !text_is_printable_ascii(json_string(fob)) ||
            json_string(fob)[0] == '\0' || strlen(json_string(fob)) >= CARD_SIZE) {
            return STATUS_INVALID;
        }
        status = append(cards, json_string(fob), &card);
        if (card != NULL) {
            name_holder(card, user);
        }
    }
    return status;
}

enum status cards_load(struct cards *cards, const char *path, struct text *why)
{
    struct json *users = NULL;
    size_t place = 0;
    enum status status = file_load_json(path, &users, why);

    if (status != STATUS_OK) {
        return status;
    }
    if (json_type(users) != JSON_ARRAY) {
        status = STATUS_INVALID;
        text_addf(why, "%s: not an array of users", path);
    }
    for (const struct json *user = json_first(users); user != NULL && status == STATUS_OK;
         user = json_next(user), place++) {
        status = load_user(cards, user);
        if (status != STATUS_OK) {
            text_addf(why, "%s: /%zu/fob_codes: %s", path, place, status_text(status));
        }
    }
    json_free(cards->users);
    cards->users = users;
    return status;
}

static bool lists(const struct json *array, const char *word)
{
    for (const struct json *item = array == NULL ? NULL : json_first(array); item != NULL;
         item = json_next(item)) {
        if (json_type(item) == JSON_STRING && strcmp(json_string(item), word) == 0) {
            return true;
        }
    }
    return false;
}

bool cards_is_trained(const struct sim_card *card, const struct json *machine)
{
    const struct json *wanted = json_get(machine, "authorizations_or");
    const struct json *own = card->holder == NULL ? NULL : json_get(card->holder, "authorizations");

    for (const struct json *one = wanted == NULL ? NULL : json_first(wanted); one != NULL;
         one = json_next(one)) {
        if (json_type(one) == JSON_STRING && lists(own, json_string(one))) {
            return true;
        }
    }
    return false;
}

static bool is_called(const struct sim_card *card, const char *who)
{
    bool called = text_compare_nocase(card->label, who) == 0;

    for (size_t i = 0; i < sizeof card->names / sizeof card->names[0]; i++) {
        called =
            called || (card->names[i][0] != '\0' && text_compare_nocase(card->names[i], who) == 0);
    }
    return called;
}

static bool has_number(const struct cards *cards, const char *number)
{
    for (size_t i = 0; i < cards->count; i++) {
        if (strcmp(cards->all[i].number, number) == 0) {
            return true;
        }
    }
    return false;
}

/* A number that nobody has, different for each word. */
static void invent(const struct cards *cards, const char *who, struct sim_card *card)
{
    uint32_t hash = cards->salt ^ 2166136261U;

    for (const char *at = who; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    }
    do {
        struct text number = text_over(card->number, sizeof card->number);
        text_addf(&number, "9%09u", hash++ % 1000000000U);
    } while (has_number(cards, card->number));
    text_copy(card->label, sizeof card->label, who);
}

bool cards_find(const struct cards *cards, const char *who, struct sim_card *ret_card)
{
    struct sim_card card = {0};

    if (strncmp(who, "stranger", strlen("stranger")) == 0 || strcmp(who, "emergency") == 0) {
        invent(cards, who, &card);
        card.emergency = who[0] == 'e';
        *ret_card = card;
        return true;
    }
    if (who[0] == '#') {
        unsigned long place = strtoul(who + 1, NULL, 10);
        if (place < 1 || place > cards->count) {
            return false;
        }
        *ret_card = cards->all[place - 1];
        return true;
    }
    for (size_t i = 0; i < cards->count; i++) {
        if (is_called(&cards->all[i], who)) {
            *ret_card = cards->all[i];
            return true;
        }
    }
    return false;
}
