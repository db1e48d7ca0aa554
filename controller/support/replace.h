/* A file replaced whole: whoever reads it, and whoever comes after a power cut, finds the old
 * content or the new, never a part.
 */
#ifndef TAGOUT_SUPPORT_REPLACE_H
#define TAGOUT_SUPPORT_REPLACE_H

#include <stddef.h>
#include <sys/types.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

/* What a file gets that was not there. One that was keeps its owner, group and mode, as far as
 * this user may give them. */
struct replace_rights {
    mode_t mode;
    const char *group; /* given by root alone, and where there is one; else NULL */
};

/* The folder must be there. */
MUST_USE enum status replace_file(
    const char *path, const char *bytes, size_t length, const struct replace_rights *rights,
    struct text *why);

/* Keeps others that call this for the same path away until the descriptor is closed, which the end
 * of the process does too. STATUS_BUSY: somebody else has it now. */
MUST_USE enum status replace_lock(const char *path, int *ret_fd, struct text *why);

#endif
