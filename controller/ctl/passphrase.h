/* A passphrase: from the terminal, unseen, or from a file; never from the command line, which all
 * processes of a host can read.
 */
#ifndef TAGOUT_CTL_PASSPHRASE_H
#define TAGOUT_CTL_PASSPHRASE_H

#include <stdbool.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define PASSPHRASE_MIN 12 /* characters, of a new one */
#define PASSPHRASE_SIZE 1024

/* `file` NULL: asks at the terminal, and for a new one twice. The caller wipes it. STATUS_INVALID:
 * `why` says what is wrong with it. */
MUST_USE enum status passphrase_read(
    const char *file, bool is_new, char ret_passphrase[PASSPHRASE_SIZE], struct text *why);

#endif
