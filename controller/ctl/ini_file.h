/* Which configuration a verb reads, and whose a file is.
 *
 * A host has one directory with both: tagout.ini, the services' and this host's own, and admin.ini,
 * the account of whoever is in charge (init.h). What asks over the broker wants the second, what
 * changes this host's files the first; so nobody has to say -c where there is one directory.
 */
#ifndef TAGOUT_CTL_INI_FILE_H
#define TAGOUT_CTL_INI_FILE_H

#include <stdbool.h>

#include "controller/support/text.h"

#define INI_HOST "tagout.ini"
#define INI_ADMIN "admin.ini"

#define INI_PATH_SIZE 1024
#define INI_DIRECTORY_DEFAULT "/etc/tagout"
#define INI_DIRECTORY_VARIABLE "TAGOUTCTL_DIRECTORY"

/* Where it is: the variable's value, else Debian's place. */
const char *ini_directory(void);

struct ini_choice {
    char path[INI_PATH_SIZE];   /* "": there is none, and every key has its default */
    char denied[INI_PATH_SIZE]; /* what would come first if this user might read it; "" for none */
};

/* For a verb that asks over the broker the admin's file where it can be read, else the host's; for
 * one that does not the host's where there is one, readable or not. */
void ini_choose(const char *directory, bool asks, struct ini_choice *ret_choice);

/* Takes the services' secrets, which stand in files beside the host's file (environment.h), as far
 * as this user may read them: a key in it may want one of them. */
void ini_take_secrets(const char *path);

/* Whether it is a person's, who has an account at the broker and knows nothing else of this host:
 * it is called admin.ini, or its [mqtt] username is one. */
bool ini_is_persons(const char *path);

/* What follows `tagoutctl` so that it reads that file: nothing for /etc/tagout's, which it finds by
 * itself, else " -c " and the path. */
void ini_add_option(struct text *out, const char *directory, const char *name);

/* The same for the host's file, where `path` is a person's: its neighbour, else that of
 * ini_directory(). */
void ini_add_host(struct text *out, const char *path);

/* The same for what asks over the broker, where `path` is the host's file: its neighbour admin.ini
 * where there is one. */
void ini_add_asking(struct text *out, const char *path);

#endif
