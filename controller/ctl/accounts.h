/* The broker's accounts, as Mosquitto's password_file has them, and the acl_file that is made from
 * their names (topics/access.h).
 *
 * Reading, changing and writing are one transaction: accounts_open locks against others, and
 * accounts_write replaces both files, each whole. Mosquitto reads them at its start and on SIGHUP.
 * What others wrote into the password file stays, and so do rules of one's own between two lines
 * of the acl_file.
 */
#ifndef TAGOUT_CTL_ACCOUNTS_H
#define TAGOUT_CTL_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "topics/access.h"

#define ACCOUNTS_BYTES_MAX ((size_t)16 << 20)

struct accounts_place {
    const char *password_file;
    const char *acl_file;
    struct access_shop shop;
};

struct accounts_line {
    char *name; /* NULL: the line is no account, and stays as it is */
    char *line; /* whole, without its end */
};

struct accounts {
    struct accounts_place place; /* borrowed */
    int lock;                    /* -1: only read */
    struct accounts_line *lines;
    size_t count;
    size_t room;
    char *own_rules; /* of the acl_file; NULL for none */
};

/* A file that is not there is an empty one. `accounts` may be freed in any case. */
MUST_USE enum status
accounts_open(const struct accounts_place *place, struct accounts *accounts, struct text *why);
/* The same to look only: nothing is locked, and accounts_write is not allowed. */
MUST_USE enum status
accounts_look(const struct accounts_place *place, struct accounts *accounts, struct text *why);
void accounts_free(struct accounts *accounts);

bool accounts_have(const struct accounts *accounts, const char *name);

/* Adds the account, or gives it that password. The name is one of access_account. */
MUST_USE enum status
accounts_set(struct accounts *accounts, const char *name, const char *password);
/* False: there is none. */
bool accounts_remove(struct accounts *accounts, const char *name);

MUST_USE enum status accounts_write(const struct accounts *accounts, struct text *why);

#endif
