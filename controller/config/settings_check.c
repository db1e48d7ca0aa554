#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/credentials.h"
#include "controller/config/settings_inside.h"

void settings_outside_name(
    const struct settings_key *key, enum origin origin, char name[SETTINGS_VARIABLE_SIZE])
{
    if (origin == ORIGIN_CREDENTIAL) {
        settings_key_credential(key, name);
    } else {
        settings_key_variable(key, name);
    }
}

/* Names a key by where its value came from. */
static void
add_place(const struct loader *loader, const char *section, const char *name, struct text *why)
{
    const struct settings_key *key = settings_key_find(section, name);
    size_t index = (size_t)(key - settings_keys);

    switch (loader->origins[index]) {
    case ORIGIN_CREDENTIAL:
    case ORIGIN_ENVIRONMENT: {
        char outside[SETTINGS_VARIABLE_SIZE];
        settings_outside_name(key, loader->origins[index], outside);
        text_addf(why, "%s: ", outside);
        break;
    }
    case ORIGIN_FILE:
        text_addf(why, "%s:%d: [%s] %s: ", loader->file, loader->lines[index], section, name);
        break;
    case ORIGIN_DEFAULT:
        text_addf(why, "[%s] %s: ", section, name);
        break;
    }
}

/* Keys that make no sense one without the other. */
static enum status check_pairs(const struct loader *loader)
{
    const struct settings *settings = loader->settings;
    const struct {
        const char *section;
        const char *key;
        const char *value;
        const char *needs;
        const char *needed;
    } pairs[] = {
        {"mqtt", "password", settings->mqtt.password, "username", settings->mqtt.username},
        {"mqtt", "cert_file", settings->mqtt.cert_file, "key_file", settings->mqtt.key_file},
        {"mqtt", "key_file", settings->mqtt.key_file, "cert_file", settings->mqtt.cert_file},
        {"redis", "username", settings->redis.username, "password", settings->redis.password},
        {"redis", "sentinels", settings->redis.sentinels, "master", settings->redis.master},
        {"redis", "master", settings->redis.master, "sentinels", settings->redis.sentinels},
        {"redis", "sentinel_password", settings->redis.sentinel_password, "sentinels",
         settings->redis.sentinels},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].value[0] != '\0' && pairs[i].needed[0] == '\0') {
            add_place(loader, pairs[i].section, pairs[i].key, loader->why);
            text_addf(loader->why, "needs %s too", pairs[i].needs);
            return STATUS_INVALID;
        }
    }
    if (settings->redis.sentinels[0] != '\0' &&
        strncmp(settings->redis.url, "unix:", strlen("unix:")) == 0) {
        add_place(loader, "redis", "url", loader->why);
        text_add(
            loader->why, "is a path, where with sentinels only the database of a redis:// counts");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* What the connection to the broker needs: found out here rather than when it is made. */
static enum status check_files(const struct loader *loader)
{
    const struct settings *settings = loader->settings;
    bool has_tls = strncmp(settings->mqtt.url, "mqtts:", strlen("mqtts:")) == 0;
    const struct {
        const char *key;
        const char *path;
    } files[] = {
        {"ca_file", settings->mqtt.ca_file},
        {"cert_file", settings->mqtt.cert_file},
        {"key_file", settings->mqtt.key_file},
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i].path[0] == '\0') {
            continue;
        }
        if (!has_tls) {
            /* Whoever named it takes the connection for a secured one. */
            add_place(loader, "mqtt", files[i].key, loader->why);
            text_addf(
                loader->why, "is for TLS, and the broker is %s: its url must begin with mqtts://",
                settings->mqtt.url);
            return STATUS_INVALID;
        }
        if (access(files[i].path, R_OK) != 0) {
            const char *reason = strerror(errno);
            add_place(loader, "mqtt", files[i].key, loader->why);
            text_addf(loader->why, "%s cannot be read: %s", files[i].path, reason);
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

/* Secrets that aren't secret, also where the environment wins over what is in the file. */
static enum status check_exposure(const struct loader *loader)
{
    const struct settings_key *key = loader->secret;
    const char *key_file = loader->settings->mqtt.key_file;
    const char *exposed = NULL;

    if (key != NULL && secret_is_exposed(loader->file)) {
        exposed = loader->file;
        text_addf(
            loader->why, "%s:%d: [%s] %s: ", exposed, loader->lines[key - settings_keys],
            key->section, key->name);
    } else if (key_file[0] != '\0' && secret_is_exposed(key_file)) {
        exposed = key_file;
        add_place(loader, "mqtt", "key_file", loader->why);
    }
    if (exposed == NULL) {
        return STATUS_OK;
    }
    text_addf(loader->why, "is a secret, and everyone can read it; run: chmod o= %s", exposed);
    return STATUS_INVALID;
}

enum status settings_check(const struct loader *loader)
{
    enum status status = check_pairs(loader);

    if (status == STATUS_OK) {
        status = check_files(loader);
    }
    return status == STATUS_OK ? check_exposure(loader) : status;
}
