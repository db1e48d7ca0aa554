/* Secrets in files of their own, as systemd hands them to a service (`LoadCredential=`): the file
 * tagout.<section>_<key> in $CREDENTIALS_DIRECTORY holds the value of that key.
 */
#ifndef TAGOUT_CONFIG_CREDENTIALS_H
#define TAGOUT_CONFIG_CREDENTIALS_H

#include <stdbool.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define CREDENTIAL_PREFIX "tagout."

/* Gets the file's whole name and its text without the line's end; the first status that is not
 * STATUS_OK ends the reading, and `why` is then complete. */
typedef enum status (*credential_taker)(
    void *context, const char *name, const char *value, struct text *why);

/* Files with other names are not ours. Without the variable there are none. */
MUST_USE enum status credentials_read(credential_taker take, void *context, struct text *why);

/* Whether everyone on the host can read the file; not where there is none, which is somebody else's
 * error. */
bool secret_is_exposed(const char *path);

#endif
