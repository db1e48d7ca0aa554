#include "controller/support/mqtt_settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CLIENT_ID,
    USERNAME,
    PASSWORD,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    WILL_TOPIC,
    WILL_PAYLOAD,
};

static bool is_set(const char *string)
{
    return string != NULL && string[0] != '\0';
}

static enum status refuse(struct text *why, const char *what, const char *reason)
{
    text_addf(why, "%s: %s", what, reason);
    return STATUS_INVALID;
}

static enum status check_file(const char *path, const char *name, bool tls, struct text *why)
{
    if (!is_set(path)) {
        return STATUS_OK;
    }
    if (!tls) {
        return refuse(why, name, "is of no use without an mqtts:// url");
    }
    if (access(path, R_OK) != 0) {
        text_addf(why, "%s: can't read %s", name, path);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status
check_options(const struct mqtt_options *options, struct mqtt_url *ret_url, struct text *why)
{
    struct mqtt_url url;
    TEXT_LOCAL(reason, 128);
    enum status status;

    if (mqtt_url_parse(is_set(options->url) ? options->url : "", &url, &reason) != STATUS_OK) {
        return refuse(why, "url", reason.data);
    }
    if (!is_set(options->client_id) || strlen(options->client_id) > MQTT_STRING_MAX) {
        return refuse(why, "client_id", "must have 1 to 65535 bytes");
    }
    if (is_set(options->password) && !is_set(options->username)) {
        return refuse(why, "password", "is of no use without a username");
    }
    if (options->keep_alive_s < 1 || options->keep_alive_s > 65535) {
        return refuse(why, "keep_alive_s", "must be 1 to 65535");
    }
    if (is_set(options->cert_file) != is_set(options->key_file)) {
        return refuse(why, "cert_file and key_file", "only both or none");
    }
    status = check_file(options->ca_file, "ca_file", url.tls, why);
    if (status == STATUS_OK) {
        status = check_file(options->cert_file, "cert_file", url.tls, why);
    }
    if (status == STATUS_OK) {
        status = check_file(options->key_file, "key_file", url.tls, why);
    }
    if (status == STATUS_OK) {
        *ret_url = url;
    }
    return status;
}

/* Keeps a copy of each string, and lets the link's options point to the copies. */
static enum status own_strings(struct mqtt_settings *settings, const struct mqtt_options *options)
{
    struct mqtt_link_options *link = &settings->link;
    const char *const given[MQTT_STRINGS] = {
        [CLIENT_ID] = options->client_id,   [USERNAME] = options->username,
        [PASSWORD] = options->password,     [CA_FILE] = options->ca_file,
        [CERT_FILE] = options->cert_file,   [KEY_FILE] = options->key_file,
        [WILL_TOPIC] = options->will_topic, [WILL_PAYLOAD] = options->will_payload,
    };

    for (int i = 0; i < MQTT_STRINGS; i++) {
        if (is_set(given[i])) {
            settings->strings[i] = strdup(given[i]);
            if (settings->strings[i] == NULL) {
                return STATUS_NO_MEMORY;
            }
        }
    }
    link->client_id = settings->strings[CLIENT_ID];
    link->username = settings->strings[USERNAME];
    link->password = settings->strings[PASSWORD];
    link->ca_file = settings->strings[CA_FILE];
    link->cert_file = settings->strings[CERT_FILE];
    link->key_file = settings->strings[KEY_FILE];
    link->will_topic = settings->strings[WILL_TOPIC];
    link->will_payload = settings->strings[WILL_PAYLOAD];
    link->keep_alive_s = options->keep_alive_s;
    link->persistent_session = options->persistent_session;
    return STATUS_OK;
}

enum status mqtt_settings_make(
    const struct mqtt_options *options, struct mqtt_settings *ret_settings, struct text *why)
{
    struct mqtt_settings settings = {0};
    enum status status = check_options(options, &settings.link.url, why);

    if (status != STATUS_OK) {
        return status;
    }
    status = own_strings(&settings, options);
    if (status != STATUS_OK) {
        mqtt_settings_free(&settings);
        text_add(why, status_text(status));
        return status;
    }
    *ret_settings = settings;
    return STATUS_OK;
}

void mqtt_settings_free(struct mqtt_settings *settings)
{
    for (int i = 0; i < MQTT_STRINGS; i++) {
        free(settings->strings[i]);
        settings->strings[i] = NULL;
    }
}

enum status mqtt_check(const struct mqtt_options *options, struct text *why)
{
    struct mqtt_settings settings;
    enum status status = mqtt_settings_make(options, &settings, why);

    if (status == STATUS_OK) {
        mqtt_settings_free(&settings);
    }
    return status;
}
