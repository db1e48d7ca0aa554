#include "controller/config/roster.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/config/authorizations.h"
#include "controller/config/file.h"
#include "controller/config/hash.h"
#include "controller/support/clock.h"

void roster_free(struct roster *roster)
{
    if (roster == NULL) {
        return;
    }
    index_free(&roster->fobs);
    index_free(&roster->accounts);
    index_free(&roster->names);
    index_free(&roster->called);
    arena_free(&roster->arena);
    free(roster);
}

void roster_fold(char folded[CORE_NAME_SIZE], const char *name)
{
    text_copy(folded, CORE_NAME_SIZE, name);
    for (char *at = folded; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    }
}

enum status roster_authorizations(
    struct roster *roster, const struct node *list, struct core_authorizations *ret_list,
    uint64_t *ret_hash)
{
    uint64_t hashes[ROSTER_MACHINE_AUTHORIZATIONS_MAX];
    size_t count = json_count(list->json);
    core_authorization *items = arena_get(&roster->arena, count * sizeof *items);
    size_t index = 0;

    if (items == NULL) {
        return node_no_memory(list);
    }
    for (const struct json *json = json_first(list->json); json != NULL; json = json_next(json)) {
        struct node item = node_item(list, index, json);
        enum status status = authorization_number(json_string(json), &items[index]);
        if (status == STATUS_FULL) {
            return node_refuse(&item, "too many different authorizations since the start");
        }
        if (status != STATUS_OK) {
            return node_no_memory(&item);
        }
        hashes[index++] = hash_string(json_string(json));
    }
    *ret_list = (struct core_authorizations){items, count};
    *ret_hash = hash_set(hashes, count);
    return STATUS_OK;
}

/* One of the two files. */
struct part {
    const char *file;
    const char *key;  /* of [controller], that names it */
    const char *none; /* what it holds where there is nothing to say */
    enum status (*read)(struct roster *roster, const struct node *top);
};

static enum status read_part(struct roster *roster, const struct part *part, struct text *why)
{
    TEXT_LOCAL(reason, 256);
    struct json *document = NULL;
    char *bytes;
    size_t length;
    enum status status = file_read(part->file, ROSTER_FILE_MAX, &bytes, &length, why);

    if (status != STATUS_OK) {
        text_addf(why, " ([controller] %s)", part->key);
        return status;
    }
    if (strspn(bytes, " \t\r\n") == length) {
        /* An editor on a full disk leaves such a one. */
        text_addf(why, "%s: is empty; with no %s it says %s", part->file, part->key, part->none);
        free(bytes);
        return STATUS_INVALID;
    }
    status = json_parse(bytes, length, &document, &reason);
    free(bytes);
    if (status == STATUS_OK) {
        struct node top = {.file = part->file, .why = why, .json = document};
        status = part->read(roster, &top);
    } else {
        text_addf(why, "%s: %s", part->file, reason.data);
    }
    json_free(document);
    return status;
}

/* For metrics. */
static void note_origin(struct roster *roster)
{
    struct stat about;

    roster->loaded_at = clock_now().wall;
    if (stat(roster->users_file, &about) == 0) {
        roster->users_changed_at.ms =
            (int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
    }
    for (size_t i = 0; i < roster->user_count; i++) {
        roster->fob_count += roster->users[i].fob_count;
    }
}

enum status roster_load(
    const char *machines_file, const char *users_file, struct roster **ret_roster, struct text *why)
{
    const struct part machines = {machines_file, "machines", "{}", roster_read_machines};
    const struct part users = {users_file, "users", "[]", roster_read_users};
    enum status status = STATUS_OK;
    struct roster *roster = calloc(1, sizeof *roster);

    if (roster != NULL) {
        roster->users_file = arena_copy(&roster->arena, users_file);
        roster->machines_file = arena_copy(&roster->arena, machines_file);
    }
    if (roster == NULL || roster->users_file == NULL || roster->machines_file == NULL) {
        text_add(why, "out of memory");
        status = STATUS_NO_MEMORY;
        goto out;
    }
    status = hash_start();
    if (status != STATUS_OK) {
        text_add(why, "libsodium cannot start");
        goto out;
    }
    status = read_part(roster, &machines, why);
    if (status == STATUS_OK) {
        status = read_part(roster, &users, why);
    }
    if (status == STATUS_OK) {
        status = roster_set_fingerprint(roster, why);
    }
    if (status == STATUS_OK) {
        note_origin(roster);
        *ret_roster = roster;
        roster = NULL;
    }
out:
    roster_free(roster);
    return status;
}

size_t roster_fob_count(const struct roster *roster)
{
    return roster->fob_count;
}

struct wall_time roster_loaded_at(const struct roster *roster)
{
    return roster->loaded_at;
}

struct wall_time roster_users_changed_at(const struct roster *roster)
{
    return roster->users_changed_at;
}

size_t roster_machine_count(const struct roster *roster)
{
    return roster->machine_count;
}

const struct roster_machine *roster_machine_at(const struct roster *roster, size_t index)
{
    return index < roster->machine_count ? &roster->machines[index] : NULL;
}

size_t roster_user_count(const struct roster *roster)
{
    return roster->user_count;
}

const struct roster_user *roster_user_at(const struct roster *roster, size_t index)
{
    return index < roster->user_count ? &roster->users[index] : NULL;
}

const struct roster_machine *roster_machine(const struct roster *roster, const char *name)
{
    return index_get(&roster->names, name);
}

const struct roster_machine *roster_machine_called(const struct roster *roster, const char *name)
{
    char folded[CORE_NAME_SIZE];

    /* A longer name would be cut, and could then be somebody else's. */
    if (strlen(name) >= sizeof folded) {
        return NULL;
    }
    roster_fold(folded, name);
    return index_get(&roster->called, folded);
}

const struct roster_user *roster_user_by_fob(const struct roster *roster, const char *fob)
{
    const struct roster_fob *found = index_get(&roster->fobs, fob);
    return found == NULL ? NULL : &roster->users[found->user];
}

const struct roster_user *roster_user_by_account(const struct roster *roster, const char *account)
{
    return index_get(&roster->accounts, account);
}
