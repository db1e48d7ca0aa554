/* The shop as a scenario declares it: users, machines and settings, written into the very files
 * that the controller reads.
 *
 *   machine laser needs laser or cnc, warns only, always on, called "Laser",
 *       idle amps 0.5, and second relay needs air, warns only, always on          (all in one line)
 *   user Ada card 0000000001 card 0000000002 has woodshop, metalshop, may override, account ada
 *   setting redis save_timeout_ms 500
 */
#ifndef TAGOUT_SCENARIO_SHOP_H
#define TAGOUT_SCENARIO_SHOP_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/scenario/words.h"

#define SHOP_MAX 40
#define SHOP_LIST_MAX 8

struct shop_list {
    const char *items[SHOP_LIST_MAX];
    size_t count;
};

struct shop_relay {
    struct shop_list needs;
    bool warns_only;
    bool always_on;
    const char *alias;
};

struct shop_machine {
    const char *name;
    struct shop_relay relay;
    const char *idle_amps; /* NULL for none */
    bool has_second;
    struct shop_relay second;
};

struct shop_user {
    const char *name;
    const char *account;
    struct shop_list cards;
    struct shop_list has;
    bool may_override;
};

/* The strings are the script's. */
struct shop {
    char folder[512];
    struct shop_machine machines[SHOP_MAX];
    size_t machine_count;
    struct shop_user users[SHOP_MAX];
    size_t user_count;
    const struct line *settings[SHOP_MAX];
    size_t setting_count;
    const char *users_file; /* what stands in it instead; NULL: what was declared */
    const char *machines_file;
};

/* What is wrong with the line, NULL for nothing. Declaring a name again replaces it. */
const char *shop_machine(struct shop *shop, struct words *words);
const char *shop_user(struct shop *shop, struct words *words);
const char *shop_setting(struct shop *shop, struct words *words);
bool shop_remove_machine(struct shop *shop, const char *name);
bool shop_remove_user(struct shop *shop, const char *name);
const struct shop_machine *shop_find_machine(const struct shop *shop, const char *name);

/* Writes tagout.ini, machines.json and users.json into the folder, as far as they changed. */
void shop_write(const struct shop *shop);
/* Path of one of them. */
void shop_path(const struct shop *shop, const char *file, char path[600]);

#endif
