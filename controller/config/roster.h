/* What a loaded roster is made of; private to this directory. */
#ifndef TAGOUT_CONFIG_ROSTER_H
#define TAGOUT_CONFIG_ROSTER_H

#include "controller/config/arena.h"
#include "controller/config/config.h"
#include "controller/config/index.h"
#include "controller/config/node.h"

#define ROSTER_FILE_MAX ((size_t)64 << 20)
#define ROSTER_USERS_MAX 100000
#define ROSTER_MACHINES_MAX 100000
#define ROSTER_USER_AUTHORIZATIONS_MAX 64 /* C10.2 */
#define ROSTER_MACHINE_AUTHORIZATIONS_MAX 1000
#define ROSTER_FOBS_MAX 8 /* C10.2 */

/* Whose a card is, and where it stands in the file. */
struct roster_fob {
    size_t user;
    size_t position;
};

struct roster {
    struct arena arena;
    char *users_file;
    char *machines_file;
    struct roster_user *users;
    size_t user_count;
    struct roster_machine *machines;
    size_t machine_count;
    struct index fobs;     /* padded number -> struct roster_fob */
    struct index accounts; /* account_id -> struct roster_user */
    struct index names;    /* exact name -> struct roster_machine */
    struct index called;   /* name or alias in lower case -> struct roster_machine */
    char fingerprint[17];
    size_t fob_count;
    struct wall_time loaded_at;
    struct wall_time users_changed_at; /* {0}: not known */
};

MUST_USE enum status roster_read_users(struct roster *roster, const struct node *top);
MUST_USE enum status roster_read_machines(struct roster *roster, const struct node *top);

/* Interns an array of strings that was checked. `ret_hash` is that of the set, in any order. */
MUST_USE enum status roster_authorizations(
    struct roster *roster, const struct node *list, struct core_authorizations *ret_list,
    uint64_t *ret_hash);

/* ASCII letters in lower case, as names are compared (C6). */
void roster_fold(char folded[CORE_NAME_SIZE], const char *name);

MUST_USE enum status roster_set_fingerprint(struct roster *roster, struct text *why);

#endif
