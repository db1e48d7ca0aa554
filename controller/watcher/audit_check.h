/* Whether the audit can be written, for a --check: nothing is made or changed. */
#ifndef TAGOUT_WATCHER_AUDIT_CHECK_H
#define TAGOUT_WATCHER_AUDIT_CHECK_H

#include "controller/support/text.h"

/* A line that says what is in the way; nothing where nothing is. Whoever is root asks for the
 * account as which the service runs, see service_account.h. */
void audit_check(const char *directory, const char *account, struct text *out);

#endif
