/* Paths, and what is there. */
#ifndef TAGOUT_SETUP_FILES_H
#define TAGOUT_SETUP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define FILES_PATH_SIZE 1024

/* Who may read a file besides root, by name: it is given to that group, if there is one and we are
 * root. NULL: nobody. */
struct files_owner {
    mode_t mode;
    const char *group;
};

/* STATUS_TOO_LONG: `why` says so. */
MUST_USE enum status files_join(
    char ret_path[FILES_PATH_SIZE], const char *directory, const char *name, struct text *why);

bool files_exist(const char *path);

/* With all that is in it, as far as that is files and folders; says nothing, since this is how one
 * gets out of trouble. */
void files_remove(const char *path);

MUST_USE enum status files_set_owner(const char *path, struct files_owner owner, struct text *why);

/* What was written or renamed in it is found there after a power cut. */
MUST_USE enum status files_sync_directory(const char *path, struct text *why);

#endif
