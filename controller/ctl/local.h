/* What the verbs share that change what the broker on this host reads, without asking anybody:
 * verb_account.c, verb_device.c and verb_ca.c. For nobody else.
 *
 * Each function that returns an int returns an exit status, and has said why when it is not
 * CTL_DONE.
 */
#ifndef TAGOUT_CTL_LOCAL_H
#define TAGOUT_CTL_LOCAL_H

#include "controller/ctl/accounts.h"
#include "controller/ctl/ctl.h"
#include "controller/ctl/ini_file.h"
#include "controller/ctl/password.h"

struct accounts_place local_place(const struct ctl *ctl);

/* Whether the action is that one. */
bool local_is(const struct ctl *ctl, const char *action);

/* Opens the accounts and gives the one that the command line names a password: one that is new with
 * `add`, one that is there with `replace`. Nothing is written yet; `accounts` is to be freed. */
int local_give(const struct ctl *ctl, struct accounts *accounts, char ret_password[PASSWORD_SIZE]);
int local_write(const struct accounts *accounts);

/* Takes it away, and writes. */
int local_remove(const struct ctl *ctl);

/* Prints {"account", "role", "password"}. */
void local_print_json(const struct ctl *ctl, enum access_role role, const char *password);

/* What follows `tagoutctl` for what asks the controller. */
void local_add_asking(const struct ctl *ctl, struct text *out);

/* How one has Mosquitto read its files again, in a shell of this host. */
const char *local_tell(void);

/* With --reload it tells Mosquitto, else how one does. */
int local_reload(const struct ctl *ctl);

#endif
