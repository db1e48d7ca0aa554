/* Authorizations as numbers: equal strings are equal numbers, in every roster of this process, and
 * a number never stands for a second string. The table only grows, so its size is limited. */
#ifndef TAGOUT_CONFIG_AUTHORIZATIONS_H
#define TAGOUT_CONFIG_AUTHORIZATIONS_H

#include "controller/core/machine.h"
#include "controller/support/status.h"

#define AUTHORIZATIONS_MAX 1000000

/* From any thread. STATUS_FULL beyond AUTHORIZATIONS_MAX different strings. */
MUST_USE enum status authorization_number(const char *name, core_authorization *ret_number);

/* The greatest number that was given out; 0 for none. */
core_authorization authorization_last(void);
/* The string behind a number that was given out. Looks through the whole table. */
const char *authorization_name(core_authorization number);

#endif
