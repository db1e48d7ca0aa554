/* Every key of tagout.ini in one table: what parses it, where it goes, its default, its limits.
 * Reading the file and the environment, the errors and the tests of the man page follow from it.
 */
#ifndef TAGOUT_CONFIG_SETTINGS_KEY_H
#define TAGOUT_CONFIG_SETTINGS_KEY_H

#include <stddef.h>

#include "controller/config/settings.h"

enum settings_type {
    SETTINGS_STRING,
    SETTINGS_SECRET,       /* never part of a message */
    SETTINGS_HEX_KEY,      /* a secret of 64 hexadecimal digits, or "" */
    SETTINGS_NAME,         /* [a-z0-9_-], at most `max` */
    SETTINGS_NAME_OR_HOST, /* the same; "" is the host's name */
    SETTINGS_PATH,         /* relative to the file's directory; "" stays "" */
    SETTINGS_MQTT_URL,
    SETTINGS_REDIS_URL,
    SETTINGS_SENTINELS, /* a list of host:port, or "" */
    SETTINGS_MASTER,    /* what Sentinel takes as a master's name, at most `max`, or "" */
    SETTINGS_HTTP_URL,
    SETTINGS_SECRET_URL, /* http or https, never part of a message; or "" */
    SETTINGS_ADDRESS,    /* numeric address and port, or "" */
    SETTINGS_TOPIC,      /* levels of a topic without wildcards */
    SETTINGS_BOOL,
    SETTINGS_INTEGER,         /* int64_t, `min` to `max` */
    SETTINGS_SECONDS,         /* double, `min` to `max` */
    SETTINGS_DISPLAY,         /* two lines of at most 16 characters */
    SETTINGS_DISPLAY_OF_USER, /* the same, with {name} */
};

struct settings_key {
    const char *section;
    const char *name;
    enum settings_type type;
    const char *fallback; /* as it would stand in the file */
    double min;
    double max;
    size_t offset; /* in struct settings */
};

#define SETTINGS_KEYS_MAX 64
#define SETTINGS_ENVIRONMENT "TAGOUT_"
#define SETTINGS_VARIABLE_SIZE 64

extern const struct settings_key settings_keys[];
extern const size_t settings_key_count;

/* NULL when there is none. */
const struct settings_key *settings_key_find(const char *section, const char *name);

/* TAGOUT_<SECTION>_<KEY>. */
void settings_key_variable(const struct settings_key *key, char variable[SETTINGS_VARIABLE_SIZE]);

/* tagout.<section>_<key>: the same for what systemd hands over (credentials.h). */
void settings_key_credential(
    const struct settings_key *key, char credential[SETTINGS_VARIABLE_SIZE]);

/* Whether it is never shown, and stands in no file that everyone can read. */
bool settings_key_is_secret(const struct settings_key *key);

/* Checks a value and stores it, in place of what is there. `directory` is where relative paths
 * begin, "" for the working directory. `reason` says what is wrong, without file and key. */
MUST_USE enum status settings_value_set(
    struct settings *settings, const struct settings_key *key, const char *value,
    const char *directory, struct text *reason);

#endif
