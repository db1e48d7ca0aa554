/* What a Redis that is there has against the account that it was given, and which key of tagout.ini
 * that is about. Its own words (NOAUTH, WRONGPASS, NOPERM) say neither.
 */
#ifndef TAGOUT_PERSISTENCE_REDIS_REFUSAL_H
#define TAGOUT_PERSISTENCE_REDIS_REFUSAL_H

#include <stdbool.h>

#include "controller/support/text.h"

/* Borrowed; what is not there is "". */
struct redis_account {
    const char *username; /* NULL: none can be set */
    const char *password;
    const char *password_key; /* "[redis] password" */
};

/* Whether that error refuses the account, and in which words. */
bool redis_refusal(const struct redis_account *account, const char *error, struct text *out);

/* An error as it came, but never with the password: a server that does not know AUTH repeats it. */
void redis_error(const struct redis_account *account, const char *error, struct text *out);

#endif
