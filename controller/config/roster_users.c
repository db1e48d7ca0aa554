#include <string.h>

#include "controller/config/hash.h"
#include "controller/config/roster.h"
#include "controller/support/card.h"

/* A user as the file has it. */
struct draft {
    const char *account_id;
    const char *full_name;
    const char *first_name;
    const char *last_name;
    const char *preferred_name;
    const char *email;
    const char *expiration_ymd;
    const struct json *fob_codes;
    const struct json *authorizations;
    bool oops_override;
};

static enum status take_account(const struct node *node, void *target)
{
    enum status status = node_take_string(node, target);

    if (status == STATUS_OK && json_string(node->json)[0] == '\0') {
        return node_refuse(node, "must not be empty");
    }
    return status;
}

static enum status take_fobs(const struct node *node, void *target)
{
    const struct json **list = target;
    enum status status = node_is_strings(node, 0, ROSTER_FOBS_MAX, false);
    size_t index = 0;

    if (status != STATUS_OK) {
        return status;
    }
    for (const struct json *json = json_first(node->json); json != NULL; json = json_next(json)) {
        struct node item = node_item(node, index++, json);
        if (!text_is_printable_ascii(json_string(json))) {
            return node_refuse(&item, "must be printable ASCII");
        }
    }
    *list = node->json;
    return STATUS_OK;
}

static enum status take_authorizations(const struct node *node, void *target)
{
    const struct json **list = target;
    /* An empty one opens nothing, since no machine can ask for it. */
    enum status status = node_is_strings(node, 0, ROSTER_USER_AUTHORIZATIONS_MAX, true);

    if (status == STATUS_OK) {
        *list = node->json;
    }
    return status;
}

static const struct node_key keys[] = {
    {"fob_codes", take_fobs, offsetof(struct draft, fob_codes), true},
    {"account_id", take_account, offsetof(struct draft, account_id), true},
    {"full_name", node_take_string, offsetof(struct draft, full_name), true},
    {"first_name", node_take_string, offsetof(struct draft, first_name), true},
    {"last_name", node_take_string, offsetof(struct draft, last_name), true},
    {"preferred_name", node_take_string, offsetof(struct draft, preferred_name), true},
    {"email", node_take_string, offsetof(struct draft, email), true},
    {"expiration_ymd", node_take_string, offsetof(struct draft, expiration_ymd), true},
    {"authorizations", take_authorizations, offsetof(struct draft, authorizations), true},
    {"oops_override", node_take_bool, offsetof(struct draft, oops_override), false},
};

/* What people are called on displays: there must always be something. */
static const char *display_name(const struct draft *draft)
{
    const char *const names[] = {draft->preferred_name, draft->first_name, draft->full_name};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i][0] != '\0') {
            return names[i];
        }
    }
    return draft->account_id;
}

static bool is_date(const char *string)
{
    static const char shape[] = "0000-00-00";
    int month;
    int day;

    for (size_t i = 0; i < sizeof shape; i++) {
        bool digit = string[i] >= '0' && string[i] <= '9';
        if (shape[i] == '0' ? !digit : string[i] != shape[i]) {
            return false;
        }
    }
    month = (string[5] - '0') * 10 + string[6] - '0';
    day = (string[8] - '0') * 10 + string[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static enum status card_stands_twice(
    const struct roster *roster, const struct node *item, const struct roster_fob *first)
{
    /* By its place and holder: a card's number belongs in no message. */
    return node_refuse(
        item, "the same card as /%zu/fob_codes/%zu of user \"%s\"", first->user, first->position,
        roster->users[first->user].full_name);
}

/* Pads and indexes one card; its hash goes to `ret_hash`. */
static enum status add_fob(
    struct roster *roster, const struct node *item, size_t user, const char **ret_fob,
    uint64_t *ret_hash)
{
    char padded[CARD_SIZE];
    const struct roster_fob *first;
    struct roster_fob *fob;
    char *copy;

    card_pad(padded, json_string(item->json));
    first = index_get(&roster->fobs, padded);
    if (first != NULL) {
        return card_stands_twice(roster, item, first);
    }
    fob = arena_get(&roster->arena, sizeof *fob);
    copy = arena_copy(&roster->arena, padded);
    if (fob == NULL || copy == NULL) {
        return node_no_memory(item);
    }
    *fob = (struct roster_fob){user, item->index};
    if (index_put(&roster->fobs, copy, fob) != STATUS_OK) {
        return node_no_memory(item);
    }
    *ret_fob = copy;
    *ret_hash = hash_string(padded);
    return STATUS_OK;
}

static enum status add_fobs(
    struct roster *roster, const struct node *list, struct roster_user *user, uint64_t *ret_hash)
{
    uint64_t hashes[ROSTER_FOBS_MAX];
    size_t count = json_count(list->json);
    const char **fobs = arena_get(&roster->arena, (count + 1) * sizeof *fobs);
    size_t index = 0;

    if (fobs == NULL) {
        return node_no_memory(list);
    }
    for (const struct json *json = json_first(list->json); json != NULL; json = json_next(json)) {
        struct node item = node_item(list, index, json);
        enum status status =
            add_fob(roster, &item, (size_t)(user - roster->users), &fobs[index], &hashes[index]);
        if (status != STATUS_OK) {
            return status;
        }
        index++;
    }
    user->fobs = fobs;
    user->fob_count = count;
    *ret_hash = hash_set(hashes, count);
    return STATUS_OK;
}

static enum status
add_account(struct roster *roster, const struct node *node, const struct roster_user *user)
{
    const char *account = user->holder.user.account_id;
    const struct roster_user *first = index_get(&roster->accounts, account);

    if (first != NULL) {
        struct node member = node_member(node, "account_id", NULL);
        return node_refuse(
            &member, "\"%s\" is also user \"%s\" (/%zu)", account, first->full_name,
            (size_t)(first - roster->users));
    }
    return index_put(&roster->accounts, account, user) == STATUS_OK ? STATUS_OK
                                                                    : node_no_memory(node);
}

static enum status add_user(
    struct roster *roster, const struct node *node, const struct draft *draft,
    struct roster_user *user)
{
    struct node fobs = node_member(node, "fob_codes", draft->fob_codes);
    struct node authorizations = node_member(node, "authorizations", draft->authorizations);
    uint64_t fob_hash = 0;
    uint64_t authorization_hash = 0;
    enum status status;

    text_copy(user->holder.user.account_id, CORE_NAME_SIZE, draft->account_id);
    text_copy(user->holder.user.name, CORE_NAME_SIZE, display_name(draft));
    text_copy(user->full_name, sizeof user->full_name, draft->full_name);
    text_copy(user->expiration_ymd, sizeof user->expiration_ymd, draft->expiration_ymd);
    user->expires = is_date(draft->expiration_ymd);
    user->holder.oops_override = draft->oops_override;
    status = add_account(roster, node, user);
    if (status == STATUS_OK) {
        status = add_fobs(roster, &fobs, user, &fob_hash);
    }
    if (status == STATUS_OK) {
        status = roster_authorizations(
            roster, &authorizations, &user->holder.authorizations, &authorization_hash);
    }
    if (status == STATUS_OK) {
        const uint64_t parts[] = {
            hash_string(draft->account_id),
            hash_string(draft->full_name),
            hash_string(draft->first_name),
            hash_string(draft->last_name),
            hash_string(draft->preferred_name),
            hash_string(draft->email),
            hash_string(draft->expiration_ymd),
            fob_hash,
            authorization_hash,
            draft->oops_override,
        };
        user->hash = hash_list(parts, sizeof parts / sizeof parts[0]);
    }
    return status;
}

enum status roster_read_users(struct roster *roster, const struct node *top)
{
    enum status status = node_is(top, JSON_ARRAY);
    size_t count = status == STATUS_OK ? json_count(top->json) : 0;
    const struct json *json = status == STATUS_OK ? json_first(top->json) : NULL;

    if (status != STATUS_OK) {
        return status;
    }
    if (count > ROSTER_USERS_MAX) {
        return node_refuse(top, "must hold at most %d users", ROSTER_USERS_MAX);
    }
    roster->users = arena_get(&roster->arena, count * sizeof *roster->users);
    if (roster->users == NULL) {
        return node_no_memory(top);
    }
    for (; json != NULL && status == STATUS_OK; json = json_next(json)) {
        struct node node = node_item(top, roster->user_count, json);
        struct draft draft = {0};
        status = node_take(&node, keys, sizeof keys / sizeof keys[0], &draft);
        if (status == STATUS_OK) {
            status = add_user(roster, &node, &draft, &roster->users[roster->user_count]);
        }
        roster->user_count++;
    }
    return status;
}
