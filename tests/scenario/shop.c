#include "tests/scenario/shop.h"

#include <string.h>

static const char *add(struct shop_list *list, const char *item)
{
    if (list->count == SHOP_LIST_MAX) {
        return "too many of them";
    }
    list->items[list->count++] = item;
    return NULL;
}

static const char *read_relay(struct shop_relay *relay, struct words *words, bool *ret_known)
{
    *ret_known = true;
    if (words_take(words, "needs")) {
        const char *wrong = add(&relay->needs, words_next(words));
        while (wrong == NULL && words_take(words, "or")) {
            wrong = add(&relay->needs, words_next(words));
        }
        return wrong;
    }
    if (words_take(words, "warns only")) {
        relay->warns_only = true;
    } else if (words_take(words, "always on")) {
        relay->always_on = true;
    } else if (words_take(words, "called")) {
        relay->alias = words_next(words);
    } else {
        *ret_known = false;
    }
    return NULL;
}

const struct shop_machine *shop_find_machine(const struct shop *shop, const char *name)
{
    for (size_t i = 0; i < shop->machine_count; i++) {
        if (strcmp(shop->machines[i].name, name) == 0) {
            return &shop->machines[i];
        }
    }
    return NULL;
}

const char *shop_machine(struct shop *shop, struct words *words)
{
    struct shop_machine machine = {.name = words_next(words)};
    struct shop_relay *relay = &machine.relay;
    const struct shop_machine *old = shop_find_machine(shop, machine.name);

    while (!words_end(words)) {
        bool known = false;
        const char *wrong = NULL;
        if (words_take(words, "and second relay")) {
            machine.has_second = true;
            relay = &machine.second;
            continue;
        }
        if (words_take(words, "idle amps")) {
            machine.idle_amps = words_next(words);
            continue;
        }
        wrong = read_relay(relay, words, &known);
        if (wrong != NULL || !known) {
            return wrong != NULL ? wrong : "a machine has no such property";
        }
    }
    if (old != NULL) {
        shop->machines[old - shop->machines] = machine;
        return NULL;
    }
    if (shop->machine_count == SHOP_MAX) {
        return "too many machines";
    }
    shop->machines[shop->machine_count++] = machine;
    return NULL;
}

static struct shop_user *find_user(struct shop *shop, const char *name)
{
    for (size_t i = 0; i < shop->user_count; i++) {
        if (strcmp(shop->users[i].name, name) == 0) {
            return &shop->users[i];
        }
    }
    return NULL;
}

static const char *read_user(struct shop_user *user, struct words *words)
{
    if (words_take(words, "card")) {
        return add(&user->cards, words_next(words));
    }
    if (words_take(words, "may override")) {
        user->may_override = true;
    } else if (words_take(words, "account")) {
        user->account = words_next(words);
    } else if (words_take(words, "has")) {
        const char *wrong = NULL;
        while (wrong == NULL && !words_end(words) && strcmp(words_peek(words), "may") != 0 &&
               strcmp(words_peek(words), "account") != 0 &&
               strcmp(words_peek(words), "card") != 0) {
            wrong = add(&user->has, words_next(words));
        }
        return wrong;
    } else {
        return "a user has no such property";
    }
    return NULL;
}

const char *shop_user(struct shop *shop, struct words *words)
{
    const char *name = words_next(words);
    struct shop_user user = {.name = name, .account = name};
    struct shop_user *old = find_user(shop, name);

    while (!words_end(words)) {
        const char *wrong = read_user(&user, words);
        if (wrong != NULL) {
            return wrong;
        }
    }
    if (old != NULL) {
        *old = user;
        return NULL;
    }
    if (shop->user_count == SHOP_MAX) {
        return "too many users";
    }
    shop->users[shop->user_count++] = user;
    return NULL;
}

const char *shop_setting(struct shop *shop, struct words *words)
{
    if (words->line->count != 4) {
        return "a setting is a section, a key and a value";
    }
    if (shop->setting_count == SHOP_MAX) {
        return "too many settings";
    }
    shop->settings[shop->setting_count++] = words->line;
    words->at = words->line->count;
    return NULL;
}

bool shop_remove_machine(struct shop *shop, const char *name)
{
    const struct shop_machine *machine = shop_find_machine(shop, name);

    if (machine == NULL) {
        return false;
    }
    shop->machines[machine - shop->machines] = shop->machines[--shop->machine_count];
    return true;
}

bool shop_remove_user(struct shop *shop, const char *name)
{
    struct shop_user *user = find_user(shop, name);

    if (user == NULL) {
        return false;
    }
    *user = shop->users[--shop->user_count];
    return true;
}
