/* The configuration (C10): read from files, checked, and only then used.
 *
 * `struct settings`, in settings.h, is the INI file with the environment over it, read once at a
 * start. `struct roster` is users and machines: one immutable object, made off the loop, replaced
 * whole by a reload. Everything in it lives until roster_free.
 *
 * Every error is one line in `why` that names file and place:
 *   tagout.ini:12: [redis] save_timeout_ms: "fast" is not a whole number from 1 to 60000
 *   users.json: /3/fob_codes/0: the same card as /1/fob_codes/0 of user "Ada Byron"
 */
#ifndef TAGOUT_CONFIG_CONFIG_H
#define TAGOUT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/config/settings.h"
#include "controller/core/machine.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

struct roster_user {
    struct core_holder holder; /* what the core needs: account, name, authorizations */
    char full_name[CORE_NAME_SIZE];
    bool expires; /* expiration_ymd is a date; loaded, not enforced */
    char expiration_ymd[CORE_NAME_SIZE];
    size_t fob_count;
    const char *const *fobs; /* padded (C3) */
    uint64_t hash;           /* of everything in it: equal means unchanged */
};

struct roster_machine {
    char name[65];
    const char *display_name; /* the alias, else the name */
    const char *alias;        /* "" for none */
    const char *second_alias; /* likewise */
    struct core_config config;
    uint64_t hash;
};

struct roster;

/* Reads and checks both files. Thread-safe: it touches nothing but its arguments and the table of
 * authorizations, which has a lock of its own. */
MUST_USE enum status roster_load(
    const char *machines_file, const char *users_file, struct roster **ret_roster,
    struct text *why);
void roster_free(struct roster *roster);

size_t roster_machine_count(const struct roster *roster);
const struct roster_machine *roster_machine_at(const struct roster *roster, size_t index);
size_t roster_user_count(const struct roster *roster);
const struct roster_user *roster_user_at(const struct roster *roster, size_t index);

/* By exact name: what a topic carries. */
const struct roster_machine *roster_machine(const struct roster *roster, const char *name);
/* By name or alias, without regard to case: what a person types (C6). */
const struct roster_machine *roster_machine_called(const struct roster *roster, const char *name);
/* By padded card number. */
const struct roster_user *roster_user_by_fob(const struct roster *roster, const char *fob);
const struct roster_user *roster_user_by_account(const struct roster *roster, const char *account);

/* C2 `config`: a hash of all users and machines, 16 hexadecimal digits; order does not matter. */
const char *roster_fingerprint(const struct roster *roster);

size_t roster_fob_count(const struct roster *roster);
/* When it was read, and when the users' file was last changed before that. */
struct wall_time roster_loaded_at(const struct roster *roster);
struct wall_time roster_users_changed_at(const struct roster *roster);

/* ---- a reload's counts (C6) ---- */

struct roster_delta {
    size_t added;
    size_t updated;
    size_t removed;
};

struct roster_change {
    struct roster_delta users;
    struct roster_delta machines;
};

struct roster_change roster_compare(const struct roster *before, const struct roster *after);

/* ---- what is odd, but no error ---- */

#define ROSTER_DATE_SIZE 11

/* YYYY-MM-DD, local time; "" where the host does not know. */
void roster_date(struct wall_time at, char date[ROSTER_DATE_SIZE]);

/* Members whose expiration_ymd is before `today` and who may use something all the same, in one
 * line without its end: how many, and who the first are. Nothing where there are none. */
void roster_expired(const struct roster *roster, const char *today, struct text *out);

/* For --check: what is loaded but not enforced, one line each; that of roster_expired, or, where
 * there is none, how many have a date at all. */
void roster_notes(const struct roster *roster, const char *today, struct text *out);

/* What is valid and hardly meant, one line each, the names bounded in number: a machine, or a
 * second relay, whose authorizations nobody holds ("machines.json: lathe: nobody holds
 * "metalshop""), authorizations that open no machine, and an expiration_ymd that is no date. */
MUST_USE enum status roster_doubts(const struct roster *roster, struct text *out);

#endif
