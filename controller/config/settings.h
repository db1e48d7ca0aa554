/* tagout.ini with the environment over it (C10): the half of the configuration that every program
 * reads, without users and machines.
 */
#ifndef TAGOUT_CONFIG_SETTINGS_H
#define TAGOUT_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

/* Display texts of C4: two lines of at most 16 characters, `\n` between them; `{name}` in welcome
 * and override stands for the preferred name. */
#define SETTINGS_TEXT_LIST(X)                                                                      \
    X(TEXT_INSERT_CARD, "insert_card", "Please Insert\\nRFID Card")                                \
    X(TEXT_WELCOME, "welcome", "Welcome,\\n{name}")                                                \
    X(TEXT_OVERRIDE, "override", "OVERRIDE BY\\n{name}")                                           \
    X(TEXT_EMERGENCY, "emergency", "EMERGENCY\\nCARD IN USE")                                      \
    X(TEXT_ALWAYS_ON, "always_on", "Always On")                                                    \
    X(TEXT_UNAUTHORIZED, "unauthorized", "Unauthorized")                                           \
    X(TEXT_UNKNOWN_FOB, "unknown_fob", "Unknown RFID")                                             \
    X(TEXT_TOO_MANY_CARDS, "too_many_cards", "Unknown cards:\\nwait a minute")                     \
    X(TEXT_OOPS, "oops", "Oops!! Please\\ncheck/post Slack")                                       \
    X(TEXT_LOCKOUT, "lockout", "Down for\\nmaintenance")

#define SETTINGS_ENUM(id, key, text) id,
enum settings_text {
    SETTINGS_TEXT_LIST(SETTINGS_ENUM) SETTINGS_TEXT_COUNT
};
#undef SETTINGS_ENUM

/* Strings are never NULL ("" where not set); durations are in the unit the name says. URLs are
 * complete: with their port and database, `api_url` without a slash at the end. What each key means
 * stands in tagout.ini(5). */
struct settings {
    char *file; /* the INI file, for messages */
    struct {
        char *id;
        char *prefix;
        char *machines; /* absolute, or relative to the working directory */
        char *users;
        char *card_key; /* "" : made once and kept in Redis */
    } controller;
    struct {
        char *url;
        char *username;
        char *password;
        char *ca_file;
        char *cert_file;
        char *key_file;
    } mqtt;
    struct { /* of the broker on this host, for tagoutctl alone */
        char *password_file;
        char *acl_file;
        char *certificate_file;
    } mosquitto;
    struct {
        char *url;
        char *username;
        char *password;
        char *sentinels; /* "" : none, Redis is at `url`; else only its database counts */
        char *master;
        char *sentinel_password;
        int64_t save_timeout_ms;
        int64_t load_timeout_ms;
    } redis;
    struct {
        double recent_report_s;
        double settle_s;
        double reprobe_delay_s;
        double probe_timeout_s;
    } liveness;
    struct {
        char *id;
        double window_s;
        int64_t threshold;
        double cooldown_s;
    } watcher;
    struct {
        char *bot_token;
        char *control_channel;
        char *oops_channel;
        char *activity_channel;
        char *control_webhook; /* in place of bot_token and channel; or "" */
        char *oops_webhook;
        char *activity_webhook;
        char *api_url;
    } slack;
    struct {
        char *listen; /* the controller's; "" : none */
        char *watcher_listen;
    } http;
    struct {
        bool discovery;
        char *discovery_prefix;
        bool may_clear;
        bool show_names;
    } homeassistant;
    struct {
        char *directory;
        int64_t keep_days;
    } audit;
    char *texts[SETTINGS_TEXT_COUNT]; /* with real newlines */
};

/* Reads `file` (NULL: defaults only), then credentials (credentials.h), then the environment,
 * `TAGOUT_<SECTION>_<KEY>`; the later wins. A credential that starts with tagout. or a variable
 * that starts with TAGOUT_ and names no key is an error, and so is a secret that everyone on the
 * host can read. */
MUST_USE enum status
settings_load(const char *file, struct settings **ret_settings, struct text *why);
void settings_free(struct settings *settings);

#endif
