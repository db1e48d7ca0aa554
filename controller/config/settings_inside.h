/* What settings.c and settings_check.c share: a loading under way. For these two only. */
#ifndef TAGOUT_CONFIG_SETTINGS_INSIDE_H
#define TAGOUT_CONFIG_SETTINGS_INSIDE_H

#include "controller/config/settings_key.h"

enum origin {
    ORIGIN_DEFAULT,
    ORIGIN_FILE,
    ORIGIN_CREDENTIAL,
    ORIGIN_ENVIRONMENT,
};

struct loader {
    struct settings *settings;
    const char *file;             /* NULL for none */
    char *directory;              /* of the file, with the slash; "" for the working directory */
    int lines[SETTINGS_KEYS_MAX]; /* where a key stands in the file; 0 for nowhere */
    enum origin origins[SETTINGS_KEYS_MAX];
    const struct settings_key *secret; /* the first one with a value in the file */
    struct text *why;
};

/* What a key is called outside the file. */
void settings_outside_name(
    const struct settings_key *key, enum origin origin, char name[SETTINGS_VARIABLE_SIZE]);

/* What can be wrong only with several values, each of them good by itself, and with what they name.
 */
MUST_USE enum status settings_check(const struct loader *loader);

#endif
