/* A configuration file, read whole. */
#ifndef TAGOUT_CONFIG_FILE_H
#define TAGOUT_CONFIG_FILE_H

#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

/* A regular file of at most `max` bytes; the copy is NUL-terminated and the caller's to free.
 * STATUS_BUSY: it is the host that cannot read it now, and another time it may. */
MUST_USE enum status
file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_length, struct text *why);
/* The same of one that is to be written again with more or less in it: STATUS_INVALID where it
 * holds a NUL, behind which everything would be lost. */
MUST_USE enum status file_read_text(
    const char *path, size_t max, char **ret_bytes, size_t *ret_length, struct text *why);

#endif
