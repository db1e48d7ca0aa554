#include <stdio.h>
#include <string.h>

#include "controller/config/hash.h"
#include "controller/config/roster.h"

#define IDLE_AMPS_MAX 10000

/* A relay as the file has it. */
struct draft_relay {
    const struct json *authorizations_or;
    bool unauthorized_warn_only;
    bool always_enabled;
    const char *alias;
};

struct draft {
    struct draft_relay first;
    struct draft_relay second;
    bool has_second;
    bool mains_switched;
    bool has_idle_amps;
    double idle_amps;
};

static enum status take_authorizations(const struct node *node, void *target, size_t min)
{
    const struct json **list = target;
    enum status status = node_is_strings(node, min, ROSTER_MACHINE_AUTHORIZATIONS_MAX, false);

    if (status == STATUS_OK) {
        *list = node->json;
    }
    return status;
}

static enum status take_any_number(const struct node *node, void *target)
{
    return take_authorizations(node, target, 0);
}

static enum status take_at_least_one(const struct node *node, void *target)
{
    return take_authorizations(node, target, 1);
}

static enum status take_mains(const struct node *node, void *target)
{
    bool *switched = target;
    const char *word;
    enum status status = node_take_string(node, &word);

    if (status != STATUS_OK) {
        return status;
    }
    *switched = strcmp(word, "switched") == 0;
    if (!*switched && strcmp(word, "always") != 0) {
        return node_refuse(node, "must be \"always\" or \"switched\", not \"%s\"", word);
    }
    return STATUS_OK;
}

static enum status take_idle_amps(const struct node *node, void *target)
{
    struct draft *draft = target;
    enum status status = node_is(node, JSON_NUMBER);

    if (status != STATUS_OK) {
        return status;
    }
    draft->idle_amps = json_number(node->json);
    draft->has_idle_amps = true;
    if (!(draft->idle_amps >= 0 && draft->idle_amps <= IDLE_AMPS_MAX)) {
        return node_refuse(node, "must be from 0 to %d", IDLE_AMPS_MAX);
    }
    return STATUS_OK;
}

static const struct node_key second_keys[] = {
    {"authorizations_or", take_at_least_one, offsetof(struct draft_relay, authorizations_or), true},
    {"unauthorized_warn_only", node_take_bool, offsetof(struct draft_relay, unauthorized_warn_only),
     false},
    {"always_enabled", node_take_bool, offsetof(struct draft_relay, always_enabled), false},
    {"alias", node_take_string, offsetof(struct draft_relay, alias), false},
};

static enum status take_second_relay(const struct node *node, void *target)
{
    struct draft *draft = target;

    draft->has_second = true;
    return node_take(node, second_keys, sizeof second_keys / sizeof second_keys[0], &draft->second);
}

static const struct node_key keys[] = {
    {"authorizations_or", take_any_number, offsetof(struct draft, first.authorizations_or), true},
    {"unauthorized_warn_only", node_take_bool, offsetof(struct draft, first.unauthorized_warn_only),
     false},
    {"always_enabled", node_take_bool, offsetof(struct draft, first.always_enabled), false},
    {"alias", node_take_string, offsetof(struct draft, first.alias), false},
    {"mains", take_mains, offsetof(struct draft, mains_switched), false},
    {"idle_amps", take_idle_amps, 0, false},
    {"second_relay", take_second_relay, 0, false},
};

static uint64_t hash_amps(const struct draft *draft)
{
    char amps[32] = "";

    if (draft->has_idle_amps) {
        snprintf(amps, sizeof amps, "%.17g", draft->idle_amps);
    }
    return hash_string(amps);
}

static uint64_t hash_relay(const struct draft_relay *relay, bool present, uint64_t authorizations)
{
    const uint64_t parts[] = {
        present,
        authorizations,
        relay->unauthorized_warn_only,
        relay->always_enabled,
        hash_string(relay->alias),
    };
    return hash_list(parts, sizeof parts / sizeof parts[0]);
}

static enum status
add_name(struct roster *roster, const struct node *node, struct roster_machine *machine)
{
    if (!text_is_name(node->key, sizeof machine->name - 1)) {
        return node_refuse(
            node, "a machine's name is 1 to %zu characters of a to z, 0 to 9, _ and -",
            sizeof machine->name - 1);
    }
    text_copy(machine->name, sizeof machine->name, node->key);
    if (index_put(&roster->names, machine->name, machine) != STATUS_OK ||
        index_put(&roster->called, machine->name, machine) != STATUS_OK) {
        return node_no_memory(node);
    }
    return STATUS_OK;
}

/* All names are known before the first alias comes, so that a clash is told at the alias. */
static enum status
add_alias(struct roster *roster, const struct node *node, const struct roster_machine *machine)
{
    struct node alias = node_member(node, "alias", NULL);
    char folded[CORE_NAME_SIZE];
    const struct roster_machine *other;
    char *key;

    roster_fold(folded, machine->alias);
    other = index_get(&roster->called, folded);
    if (other == machine || folded[0] == '\0') {
        return STATUS_OK;
    }
    if (other != NULL) {
        return node_refuse(&alias, "/%s is called \"%s\" too", other->name, machine->alias);
    }
    key = arena_copy(&roster->arena, folded);
    if (key == NULL || index_put(&roster->called, key, machine) != STATUS_OK) {
        return node_no_memory(node);
    }
    return STATUS_OK;
}

/* Most have no alias. */
static const char *keep(struct roster *roster, const char *alias)
{
    return alias[0] == '\0' ? "" : arena_copy(&roster->arena, alias);
}

static enum status add_second_relay(
    struct roster *roster, const struct node *node, const struct draft_relay *draft,
    struct roster_machine *machine, uint64_t *ret_hash)
{
    struct core_second_relay_config *config = &machine->config.second_relay;
    struct node second = node_member(node, "second_relay", NULL);
    struct node list = node_member(&second, "authorizations_or", draft->authorizations_or);

    config->present = true;
    config->unauthorized_warn_only = draft->unauthorized_warn_only;
    config->always_enabled = draft->always_enabled;
    machine->second_alias = keep(roster, draft->alias);
    if (machine->second_alias == NULL) {
        return node_no_memory(node);
    }
    return roster_authorizations(roster, &list, &config->authorizations_or, ret_hash);
}

static enum status add_machine(
    struct roster *roster, const struct node *node, const struct draft *draft,
    struct roster_machine *machine)
{
    struct node list = node_member(node, "authorizations_or", draft->first.authorizations_or);
    uint64_t first_hash = 0;
    uint64_t second_hash = 0;
    enum status status;

    machine->alias = keep(roster, draft->first.alias);
    if (machine->alias == NULL) {
        return node_no_memory(node);
    }
    machine->display_name = machine->alias[0] == '\0' ? machine->name : machine->alias;
    machine->second_alias = "";
    machine->config.unauthorized_warn_only = draft->first.unauthorized_warn_only;
    machine->config.always_enabled = draft->first.always_enabled;
    machine->config.mains_switched = draft->mains_switched;
    machine->config.has_idle_amps = draft->has_idle_amps;
    machine->config.idle_amps = draft->idle_amps;
    status = add_alias(roster, node, machine);
    if (status == STATUS_OK) {
        status =
            roster_authorizations(roster, &list, &machine->config.authorizations_or, &first_hash);
    }
    if (status == STATUS_OK && draft->has_second) {
        status = add_second_relay(roster, node, &draft->second, machine, &second_hash);
    }
    if (status == STATUS_OK) {
        const uint64_t parts[] = {
            hash_string(machine->name),
            hash_relay(&draft->first, true, first_hash),
            hash_relay(&draft->second, draft->has_second, second_hash),
            draft->mains_switched,
            hash_amps(draft),
        };
        machine->hash = hash_list(parts, sizeof parts / sizeof parts[0]);
    }
    return status;
}

static enum status read_names(struct roster *roster, const struct node *top)
{
    for (const struct json *json = json_first(top->json); json != NULL; json = json_next(json)) {
        struct node node = node_member(top, json_key(json), json);
        enum status status = add_name(roster, &node, &roster->machines[roster->machine_count]);
        if (status != STATUS_OK) {
            return status;
        }
        roster->machine_count++;
    }
    return STATUS_OK;
}

static enum status read_bodies(struct roster *roster, const struct node *top)
{
    struct roster_machine *machine = roster->machines;

    for (const struct json *json = json_first(top->json); json != NULL; json = json_next(json)) {
        struct node node = node_member(top, json_key(json), json);
        struct draft draft = {.first.alias = "", .second.alias = ""};
        enum status status = node_take(&node, keys, sizeof keys / sizeof keys[0], &draft);
        if (status == STATUS_OK) {
            status = add_machine(roster, &node, &draft, machine++);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

enum status roster_read_machines(struct roster *roster, const struct node *top)
{
    enum status status = node_is(top, JSON_OBJECT);

    if (status != STATUS_OK) {
        return status;
    }
    if (json_count(top->json) > ROSTER_MACHINES_MAX) {
        return node_refuse(top, "must hold at most %d machines", ROSTER_MACHINES_MAX);
    }
    roster->machines = arena_get(&roster->arena, json_count(top->json) * sizeof *roster->machines);
    if (roster->machines == NULL) {
        return node_no_memory(top);
    }
    status = read_names(roster, top);
    return status == STATUS_OK ? read_bodies(roster, top) : status;
}
