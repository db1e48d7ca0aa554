#include "topics/access.h"

#include <string.h>

static const struct access_role_info infos[ACCESS_ROLE_COUNT] = {
#define ACCESS_INFO(id, word_, start_, text_)                                                      \
    [id] = {.word = word_, .start = start_, .text = text_},
    ACCESS_LIST(ACCESS_INFO)
#undef ACCESS_INFO
};

const struct access_role_info *access_role_info(enum access_role role)
{
    return &infos[role];
}

enum status access_account(const char *name, struct access_account *ret_account)
{
    if (text_is_name(name, TOPIC_MACHINE_MAX)) {
        *ret_account = (struct access_account){.role = ACCESS_DEVICE, .name = name, .id = name};
        return STATUS_OK;
    }
    for (enum access_role role = ACCESS_DEVICE + 1; role < ACCESS_ROLE_COUNT; role++) {
        size_t length = strlen(infos[role].start);
        const char *id = name + length;

        if (strncmp(name, infos[role].start, length) != 0) {
            continue;
        }
        if (role == ACCESS_WATCHER && *id == '-') {
            id++;
        } else if (role == ACCESS_WATCHER && *id != '\0') {
            return STATUS_INVALID;
        }
        if (text_is_name(id, ACCESS_ID_MAX) || (role == ACCESS_WATCHER && id[-1] != '-')) {
            *ret_account = (struct access_account){.role = role, .name = name, .id = id};
            return STATUS_OK;
        }
    }
    return STATUS_INVALID;
}

bool access_is_person(enum access_role role)
{
    return role == ACCESS_OPERATOR || role == ACCESS_ADMIN;
}

enum status
access_check(const char *username, enum access_role role, const char *id, struct text *why)
{
    struct access_account account;

    if (access_account(username, &account) != STATUS_OK || account.role == ACCESS_DEVICE) {
        return STATUS_OK;
    }
    if (account.role != role) {
        text_addf(
            why, "[mqtt] username: \"%s\" has the role \"%s\"; a %s's begins with %s", username,
            infos[account.role].word, infos[role].word, infos[role].start);
        return STATUS_INVALID;
    }
    if (role == ACCESS_CONTROLLER && strcmp(account.id, id) != 0) {
        text_addf(
            why, "[mqtt] username: \"%s\" may not speak for [controller] id \"%s\"", username, id);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* Operators look, lock and clear. What reaches further than one machine, shows a card's number or
 * meddles with a box is for admins. */
static bool is_operators(enum request_verb verb)
{
    switch (verb) {
    case REQUEST_OOPS:
    case REQUEST_LOCKOUT:
    case REQUEST_CLEAR:
    case REQUEST_END:
    case REQUEST_STATUS:
    case REQUEST_WHY:
        return true;
    case REQUEST_BLOCK:
    case REQUEST_UNBLOCK:
    case REQUEST_CARD:
    case REQUEST_RESTART:
    case REQUEST_FORGET:
    case REQUEST_HANDOVER:
    case REQUEST_RELOAD:
    case REQUEST_TEST_ALERT:
    case REQUEST_VERB_COUNT:
        break;
    }
    return false;
}

bool access_may_ask(enum access_role role, enum request_verb verb)
{
    return role == ACCESS_ADMIN || (role == ACCESS_OPERATOR && is_operators(verb));
}

bool access_is_admins(const char *verb)
{
    enum request_verb known = request_verb_called(verb);
    return known != REQUEST_VERB_COUNT && !is_operators(known);
}

/* ---- rules ---- */

enum {
    READ = 1,
    WRITE = 2,
};

static unsigned device_may(enum topic_id id)
{
    switch (id) {
    case TOPIC_REPORT:
    case TOPIC_LINK:
    case TOPIC_PONG:
        return WRITE;
    case TOPIC_COMMAND:
    case TOPIC_PROBE:
    case TOPIC_RESTART:
        return READ;
    case TOPIC_STATE:
    case TOPIC_TELEMETRY:
    case TOPIC_EVENT:
    case TOPIC_SET_OOPS:
    case TOPIC_SET_LOCKOUT:
    case TOPIC_REQUEST:
    case TOPIC_RESPONSE:
    case TOPIC_CONTROLLER_STATUS:
    case TOPIC_CONTROLLER_MARKER:
    case TOPIC_BLOCKS:
    case TOPIC_SAVE_TIMEOUT:
    case TOPIC_ALERT:
    case TOPIC_SERVICE:
    case TOPIC_COUNT:
        break;
    }
    return 0;
}

/* It alone reads reports, for they hold cards' numbers. What it writes and reads it reads for its
 * standby, or for itself after a start. */
static unsigned controller_may(enum topic_id id)
{
    switch (id) {
    case TOPIC_REPORT:
    case TOPIC_LINK:
    case TOPIC_PONG:
    case TOPIC_SET_OOPS:
    case TOPIC_SET_LOCKOUT:
    case TOPIC_REQUEST:
    case TOPIC_SERVICE:
        return READ;
    case TOPIC_COMMAND:
    case TOPIC_PROBE:
    case TOPIC_RESTART:
    case TOPIC_TELEMETRY:
    case TOPIC_EVENT:
    case TOPIC_RESPONSE:
    case TOPIC_SAVE_TIMEOUT:
        return WRITE;
    case TOPIC_STATE:
    case TOPIC_CONTROLLER_STATUS:
    case TOPIC_CONTROLLER_MARKER:
    case TOPIC_BLOCKS:
        return READ | WRITE;
    case TOPIC_ALERT:
    case TOPIC_COUNT:
        break;
    }
    return 0;
}

/* What watcher, Home Assistant and people have in common: they look on. */
static unsigned onlooker_may(enum topic_id id)
{
    switch (id) {
    case TOPIC_LINK:
    case TOPIC_STATE:
    case TOPIC_TELEMETRY:
    case TOPIC_EVENT:
    case TOPIC_CONTROLLER_STATUS:
    case TOPIC_SAVE_TIMEOUT:
    case TOPIC_ALERT:
    case TOPIC_SERVICE:
        return READ;
    case TOPIC_REPORT:
    case TOPIC_PONG:
    case TOPIC_COMMAND:
    case TOPIC_PROBE:
    case TOPIC_RESTART:
    case TOPIC_SET_OOPS:
    case TOPIC_SET_LOCKOUT:
    case TOPIC_REQUEST:
    case TOPIC_RESPONSE:
    case TOPIC_CONTROLLER_MARKER:
    case TOPIC_BLOCKS:
    case TOPIC_COUNT:
        break;
    }
    return 0;
}

/* Of requests and their answers print_requests knows more. */
static unsigned may(enum access_role role, enum topic_id id)
{
    unsigned rights = onlooker_may(id);

    switch (role) {
    case ACCESS_DEVICE:
        return device_may(id);
    case ACCESS_CONTROLLER:
        return controller_may(id);
    case ACCESS_WATCHER:
        return id == TOPIC_TELEMETRY                      ? 0
               : id == TOPIC_ALERT || id == TOPIC_SERVICE ? rights | WRITE
                                                          : rights;
    case ACCESS_HOME_ASSISTANT:
        return rights | (id == TOPIC_SET_OOPS || id == TOPIC_SET_LOCKOUT ? WRITE : 0U);
    case ACCESS_OPERATOR:
    case ACCESS_ADMIN:
    case ACCESS_ROLE_COUNT:
        break;
    }
    return rights;
}

/* One line; `first` and `second` stand for the placeholders of the topic's name, NULL for any. */
static void print_rule(
    const char *kind, unsigned rights, const char *prefix, enum topic_id id, const char *first,
    const char *second, struct text *out)
{
    text_addf(
        out, "%s %s %s/", kind,
        rights == (READ | WRITE) ? "readwrite" : (rights == READ ? "read" : "write"), prefix);
    for (const char *at = topic_info(id)->name; *at != '\0'; at++) {
        if (*at != '%') {
            text_add_bytes(out, at, 1);
            continue;
        }
        at++;
        text_add(out, first == NULL ? "+" : first);
        first = second;
    }
    text_add(out, "\n");
}

void access_print_devices(const struct access_shop *shop, struct text *out)
{
    for (enum topic_id id = 0; id < TOPIC_COUNT; id++) {
        if (device_may(id) != 0) {
            print_rule("pattern", device_may(id), shop->prefix, id, "%u", NULL, out);
        }
    }
}

static void print_requests(
    const struct access_shop *shop, const struct access_account *account, struct text *out)
{
    for (enum request_verb verb = 0; verb < REQUEST_VERB_COUNT; verb++) {
        if (access_may_ask(account->role, verb)) {
            print_rule(
                "topic", WRITE, shop->prefix, TOPIC_REQUEST, account->name, request_verb_text(verb),
                out);
        }
    }
    print_rule("topic", READ, shop->prefix, TOPIC_RESPONSE, account->name, NULL, out);
}

void access_print_account(
    const struct access_shop *shop, const struct access_account *account, struct text *out)
{
    const char *test_alert = request_verb_text(REQUEST_TEST_ALERT);

    if (account->role == ACCESS_DEVICE) {
        return;
    }
    text_addf(out, "user %s\n", account->name);
    for (enum topic_id id = 0; id < TOPIC_COUNT; id++) {
        unsigned rights = may(account->role, id);
        if (account->role == ACCESS_CONTROLLER && id == TOPIC_CONTROLLER_MARKER) {
            print_rule("topic", rights, shop->prefix, id, account->id, NULL, out);
        } else if (account->role == ACCESS_CONTROLLER && id == TOPIC_CONTROLLER_STATUS) {
            print_rule("topic", READ, shop->prefix, id, NULL, NULL, out);
            print_rule("topic", WRITE, shop->prefix, id, account->id, NULL, out);
        } else if (rights != 0) {
            print_rule("topic", rights, shop->prefix, id, NULL, NULL, out);
        }
    }
    if (account->role == ACCESS_OPERATOR || account->role == ACCESS_ADMIN) {
        print_requests(shop, account, out);
    } else if (account->role == ACCESS_WATCHER) {
        print_rule("topic", READ, shop->prefix, TOPIC_REQUEST, NULL, test_alert, out);
        print_rule("topic", WRITE, shop->prefix, TOPIC_RESPONSE, NULL, test_alert, out);
    } else if (account->role == ACCESS_CONTROLLER) {
        text_addf(out, "topic write %s/device/+/config\n", shop->discovery_prefix);
        text_addf(out, "topic read %s/status\n", shop->discovery_prefix);
    } else if (account->role == ACCESS_HOME_ASSISTANT) {
        text_addf(out, "topic readwrite %s/#\n", shop->discovery_prefix);
    }
}
