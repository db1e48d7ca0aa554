#include "controller/config/settings_key.h"

#include <string.h>

#include "controller/config/credentials.h"

#define KEY(section, key, type, fallback, min, max)                                                \
    {#section, #key, type, fallback, min, max, offsetof(struct settings, section.key)},
#define TEXT_KEY(id, key, text)                                                                    \
    {"texts",                                                                                      \
     key,                                                                                          \
     (id) == TEXT_WELCOME || (id) == TEXT_OVERRIDE ? SETTINGS_DISPLAY_OF_USER : SETTINGS_DISPLAY,  \
     text,                                                                                         \
     0,                                                                                            \
     0,                                                                                            \
     offsetof(struct settings, texts[id])},

/* clang-format off */
const struct settings_key settings_keys[] = {
    KEY(controller, id, SETTINGS_NAME_OR_HOST, "", 1, 32)
    KEY(controller, prefix, SETTINGS_NAME, "tagout", 1, 32)
    KEY(controller, machines, SETTINGS_PATH, "machines.json", 1, 0)
    KEY(controller, users, SETTINGS_PATH, "users.json", 1, 0)
    KEY(controller, card_key, SETTINGS_HEX_KEY, "", 0, 0)
    KEY(mqtt, url, SETTINGS_MQTT_URL, "mqtt://127.0.0.1:1883", 0, 0)
    KEY(mqtt, username, SETTINGS_STRING, "", 0, 0)
    KEY(mqtt, password, SETTINGS_SECRET, "", 0, 0)
    KEY(mqtt, ca_file, SETTINGS_PATH, "", 0, 0)
    KEY(mqtt, cert_file, SETTINGS_PATH, "", 0, 0)
    KEY(mqtt, key_file, SETTINGS_PATH, "", 0, 0)
    KEY(mosquitto, password_file, SETTINGS_PATH, "/etc/mosquitto/tagout.passwords", 1, 0)
    KEY(mosquitto, acl_file, SETTINGS_PATH, "/etc/mosquitto/tagout.acl", 1, 0)
    KEY(mosquitto, certificate_file, SETTINGS_PATH, "", 0, 0)
    KEY(redis, url, SETTINGS_REDIS_URL, "redis://127.0.0.1:6379/0", 0, 0)
    KEY(redis, username, SETTINGS_STRING, "", 0, 0)
    KEY(redis, password, SETTINGS_SECRET, "", 0, 0)
    KEY(redis, sentinels, SETTINGS_SENTINELS, "", 0, 0)
    KEY(redis, master, SETTINGS_MASTER, "", 0, 64)
    KEY(redis, sentinel_password, SETTINGS_SECRET, "", 0, 0)
    KEY(redis, save_timeout_ms, SETTINGS_INTEGER, "2000", 1, 60000)
    KEY(redis, load_timeout_ms, SETTINGS_INTEGER, "5000", 1, 600000)
    KEY(liveness, recent_report_s, SETTINGS_SECONDS, "15", 0.1, 3600)
    KEY(liveness, settle_s, SETTINGS_SECONDS, "60", 0, 3600)
    KEY(liveness, reprobe_delay_s, SETTINGS_SECONDS, "2", 0.01, 60)
    KEY(liveness, probe_timeout_s, SETTINGS_SECONDS, "1", 0.01, 60)
    KEY(watcher, id, SETTINGS_NAME_OR_HOST, "", 1, 32)
    KEY(watcher, window_s, SETTINGS_SECONDS, "60", 0.1, 86400)
    KEY(watcher, threshold, SETTINGS_INTEGER, "2", 1, 100000)
    KEY(watcher, cooldown_s, SETTINGS_SECONDS, "300", 0, 86400)
    KEY(slack, bot_token, SETTINGS_SECRET, "", 0, 0)
    KEY(slack, control_channel, SETTINGS_STRING, "", 0, 0)
    KEY(slack, oops_channel, SETTINGS_STRING, "", 0, 0)
    KEY(slack, activity_channel, SETTINGS_STRING, "", 0, 0)
    KEY(slack, control_webhook, SETTINGS_SECRET_URL, "", 0, 0)
    KEY(slack, oops_webhook, SETTINGS_SECRET_URL, "", 0, 0)
    KEY(slack, activity_webhook, SETTINGS_SECRET_URL, "", 0, 0)
    KEY(slack, api_url, SETTINGS_HTTP_URL, "https://slack.com/api", 0, 0)
    KEY(http, listen, SETTINGS_ADDRESS, "127.0.0.1:9464", 0, 0)
    KEY(http, watcher_listen, SETTINGS_ADDRESS, "127.0.0.1:9465", 0, 0)
    KEY(homeassistant, discovery, SETTINGS_BOOL, "false", 0, 0)
    KEY(homeassistant, discovery_prefix, SETTINGS_TOPIC, "homeassistant", 1, 64)
    KEY(homeassistant, may_clear, SETTINGS_BOOL, "false", 0, 0)
    KEY(homeassistant, show_names, SETTINGS_BOOL, "false", 0, 0)
    KEY(audit, directory, SETTINGS_PATH, "/var/lib/tagout/audit", 1, 0)
    KEY(audit, keep_days, SETTINGS_INTEGER, "400", 1, 36500)
    SETTINGS_TEXT_LIST(TEXT_KEY)
};
/* clang-format on */

const size_t settings_key_count = sizeof settings_keys / sizeof settings_keys[0];

_Static_assert(
    sizeof settings_keys / sizeof settings_keys[0] <= SETTINGS_KEYS_MAX, "raise SETTINGS_KEYS_MAX");

const struct settings_key *settings_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < settings_key_count; i++) {
        const struct settings_key *key = &settings_keys[i];
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0) {
            return key;
        }
    }
    return NULL;
}

void settings_key_variable(const struct settings_key *key, char variable[SETTINGS_VARIABLE_SIZE])
{
    struct text text = text_over(variable, SETTINGS_VARIABLE_SIZE);

    text_addf(&text, SETTINGS_ENVIRONMENT "%s_%s", key->section, key->name);
    for (char *at = variable; *at != '\0'; at++) {
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
}

void settings_key_credential(
    const struct settings_key *key, char credential[SETTINGS_VARIABLE_SIZE])
{
    struct text text = text_over(credential, SETTINGS_VARIABLE_SIZE);

    text_addf(&text, CREDENTIAL_PREFIX "%s_%s", key->section, key->name);
}

bool settings_key_is_secret(const struct settings_key *key)
{
    return key->type == SETTINGS_SECRET || key->type == SETTINGS_HEX_KEY ||
           key->type == SETTINGS_SECRET_URL;
}
