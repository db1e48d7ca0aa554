/* Whether the service can read what a --check by root has read: it has an account of its own. */
#ifndef TAGOUT_DAEMON_SERVICE_READS_H
#define TAGOUT_DAEMON_SERVICE_READS_H

#include <stddef.h>

#include "controller/support/text.h"

#define SERVICE_FILES_MAX 8

/* One line for each of the files that the account cannot read; "" stands for none. Nothing for
 * whoever is not root, and where there is no such account; see service_account.h. */
void service_reads(const char *account, const char *const files[], size_t count, struct text *out);

#endif
