#include "tests/lib/core_space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/text.h"

enum {
    TO_OPEN = 1,
    TO_OPEN_SECOND,
};

static const core_authorization opens[] = {TO_OPEN};
static const core_authorization opens_second[] = {TO_OPEN_SECOND};
static const core_authorization opens_both[] = {TO_OPEN, TO_OPEN_SECOND};

static const struct core_holder
    people[SPACE_USERS][SPACE_CARDS] =
        {
            [USERS_AS_USUAL] =
                {
                    [MEMBER] = {.user = {"1", "M"}, .authorizations = {opens, 1}},
                    [GUEST] = {.user = {"2", "G"}},
                    [MAINTAINER] = {.user = {"3", "O"}, .oops_override = true},
                    [EXPERT] = {.user = {"5", "E"}, .authorizations = {opens_both, 2}},
                },
            [USERS_SWAPPED] =
                {
                    [MEMBER] = {.user = {"1", "M"}},
                    [GUEST] =
                        {
                            .user = {"2", "G"},
                            .oops_override = true,
                            .authorizations = {opens_both, 2},
                        },
                    [MAINTAINER] = {.user = {"3", "O"}},
                    [EXPERT] = {.user = {"5", "E"}},
                },
};

struct space_config space_config_at(unsigned index)
{
    return (struct space_config){
        .always_enabled = index % 2 != 0,
        .warn_only = index / 2 % 2 != 0,
        .second = (enum space_second)(index / 4 % SPACE_SECONDS),
        .users = (enum space_users)(index / (4 * SPACE_SECONDS)),
    };
}

static unsigned config_index(struct space_config config)
{
    return (config.always_enabled ? 1U : 0U) + (config.warn_only ? 2U : 0U) +
           4 * (unsigned)config.second + 4 * SPACE_SECONDS * (unsigned)config.users;
}

void space_core_config(struct space_config config, struct core_config *ret_config)
{
    *ret_config = (struct core_config){
        .unauthorized_warn_only = config.warn_only,
        .always_enabled = config.always_enabled,
        .authorizations_or = {opens, 1},
    };
    if (config.second != SPACE_SECOND_ABSENT) {
        ret_config->second_relay = (struct core_second_relay_config){
            .present = true,
            .unauthorized_warn_only = config.second == SPACE_SECOND_WARNS,
            .always_enabled = config.second == SPACE_SECOND_ALWAYS,
            .authorizations_or = {opens_second, 1},
        };
    }
}

const char *space_card_text(enum space_card card)
{
    static const char *const texts[SPACE_CARDS] = {"", "1", "2", "3", "4", "5"};

    return texts[card];
}

const struct core_holder *space_holder(enum space_users users, enum space_card card)
{
    const struct core_holder *holder = &people[users][card];

    return holder->user.account_id[0] == '\0' ? NULL : holder;
}

static unsigned digit(const char *text)
{
    return text[0] == '\0' ? 0U : (unsigned)(text[0] - '0');
}

const struct core_holder *space_holder_of(enum space_users users, const struct core_state *state)
{
    return state->has_user ? space_holder(users, (enum space_card)digit(state->user.account_id))
                           : NULL;
}

/* Fields are packed and unpacked in one order, each with its number of bits. */
#define FIELD(bits, value) ((void)(key |= (uint64_t)(value) << shift), (void)(shift += (bits)))
#define TAKE(bits) take(&key, bits)

uint64_t space_pack(const struct space_node *node)
{
    const struct core_state *state = &node->state;
    uint64_t key = 0;
    unsigned shift = 0;

    FIELD(6, config_index(node->config));
    FIELD(4, state->mode);
    FIELD(3, state->second);
    FIELD(1, state->second_relay);
    FIELD(1, state->oopsed);
    FIELD(1, state->locked_out);
    FIELD(1, state->card_spent);
    FIELD(3, digit(state->card));
    FIELD(3, state->has_user ? digit(state->user.account_id) : 0U);
    FIELD(2, state->faults);
    FIELD(1, state->heard);
    FIELD(1, state->known);
    FIELD(1, state->boot_id[0] != '\0');
    FIELD(1, node->put_in);
    return key;
}

static unsigned take(uint64_t *key, unsigned bits)
{
    unsigned value = (unsigned)(*key & ((1U << bits) - 1));

    *key >>= bits;
    return value;
}

void space_unpack(uint64_t key, struct space_node *ret_node)
{
    struct core_state *state = &ret_node->state;
    unsigned user = 0;

    core_state_init(state);
    ret_node->config = space_config_at(TAKE(6));
    state->mode = (enum core_mode)TAKE(4);
    state->second = (enum core_second)TAKE(3);
    state->second_relay = TAKE(1) != 0;
    state->oopsed = TAKE(1) != 0;
    state->locked_out = TAKE(1) != 0;
    state->card_spent = TAKE(1) != 0;
    text_copy(state->card, sizeof state->card, space_card_text((enum space_card)TAKE(3)));
    user = TAKE(3);
    state->faults = TAKE(2);
    state->heard = TAKE(1) != 0;
    state->known = TAKE(1) != 0;
    text_copy(state->boot_id, sizeof state->boot_id, TAKE(1) != 0 ? SPACE_BOOT : "");
    ret_node->put_in = TAKE(1) != 0;

    state->has_user = user != 0;
    if (state->has_user) {
        state->user = people[USERS_AS_USUAL][user].user;
    }
    if (core_mode_is_session(state->mode)) {
        state->session_since.ms = SPACE_OPENED_MS;
    }
    if (state->heard) {
        text_copy(state->past_boots[0], sizeof state->past_boots[0], SPACE_PAST_BOOT);
    }
    state->seq = state->known ? SPACE_SEQ : 0;
    state->uptime_s = state->known ? SPACE_UPTIME_S : 0;
    state->version = (struct version){SPACE_EPOCH, SPACE_REV};
}

static size_t slot_of(const struct space_set *set, uint64_t key)
{
    size_t slot = (size_t)(key * 0x9e3779b97f4a7c15U >> 20) % set->slot_count;

    while (set->slots[slot] != 0 && set->keys[set->slots[slot] - 1] != key) {
        slot = (slot + 1) % set->slot_count;
    }
    return slot;
}

static void grow(struct space_set *set)
{
    set->room = set->room == 0 ? 4096 : set->room * 2;
    set->keys = realloc(set->keys, set->room * sizeof *set->keys);
    free(set->slots);
    set->slot_count = set->room * 2;
    set->slots = calloc(set->slot_count, sizeof *set->slots);
    if (set->keys == NULL || set->slots == NULL) {
        print_error("out of memory\n");
        abort();
    }
    for (size_t i = 0; i < set->count; i++) {
        set->slots[slot_of(set, set->keys[i])] = (uint32_t)i + 1;
    }
}

void space_set_add(struct space_set *set, uint64_t key)
{
    size_t slot = 0;

    if (set->slots == NULL || set->count == set->room) {
        grow(set);
    }
    slot = slot_of(set, key);
    if (set->slots[slot] == 0) {
        set->keys[set->count++] = key;
        set->slots[slot] = (uint32_t)set->count;
    }
}

void space_set_free(struct space_set *set)
{
    free(set->keys);
    free(set->slots);
    memset(set, 0, sizeof *set);
}

const char *space_tell(const struct space_node *node)
{
    static char line[1024];
    const struct core_state *state = &node->state;
    const char *mode = core_mode_text(state->mode);
    const char *second = core_second_text(state->second);

    snprintf(
        line, sizeof line,
        "%s second=%s%s oops=%d lockout=%d card=%s%s%s user=%s heard=%d known=%d boot=%s "
        "[always=%d warn=%d second=%d users=%d]",
        mode != NULL ? mode : "?", second != NULL ? second : "-", state->second_relay ? "+" : "",
        state->oopsed, state->locked_out, state->card, state->card_spent ? " spent" : "",
        node->put_in ? " put in" : "", state->has_user ? state->user.name : "-", state->heard,
        state->known, state->boot_id, node->config.always_enabled, node->config.warn_only,
        (int)node->config.second, (int)node->config.users);
    return line;
}
