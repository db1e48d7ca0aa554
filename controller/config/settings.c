#include "controller/config/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/credentials.h"
#include "controller/config/ini_lines.h"
#include "controller/config/settings_inside.h"
#include "controller/support/nearest.h"

#define REASON_SIZE 320

void settings_free(struct settings *settings)
{
    if (settings == NULL) {
        return;
    }
    free(settings->file);
    for (size_t i = 0; i < settings_key_count; i++) {
        const struct settings_key *key = &settings_keys[i];
        if (key->type != SETTINGS_BOOL && key->type != SETTINGS_INTEGER &&
            key->type != SETTINGS_SECONDS) {
            free(*(char **)((char *)settings + key->offset));
        }
    }
    free(settings);
}

static enum status no_memory(struct text *why)
{
    text_add(why, "out of memory");
    return STATUS_NO_MEMORY;
}

static enum status set_defaults(const struct loader *loader)
{
    for (size_t i = 0; i < settings_key_count; i++) {
        enum status status = settings_value_set(
            loader->settings, &settings_keys[i], settings_keys[i].fallback, loader->directory,
            loader->why);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status check_section(void *context, const char *section, struct text *reason)
{
    struct nearest nearest = nearest_to(section);

    (void)context;
    for (size_t i = 0; i < settings_key_count; i++) {
        if (strcmp(settings_keys[i].section, section) == 0) {
            return STATUS_OK;
        }
        nearest_offer(&nearest, settings_keys[i].section);
    }
    text_addf(reason, "[%s]: unknown section", section);
    nearest_add(&nearest, reason);
    return STATUS_INVALID;
}

static enum status unknown_key(const char *section, const char *name, struct text *reason)
{
    struct nearest nearest = nearest_to(name);

    for (size_t i = 0; i < settings_key_count; i++) {
        if (strcmp(settings_keys[i].section, section) == 0) {
            nearest_offer(&nearest, settings_keys[i].name);
        }
    }
    text_addf(reason, "[%s] %s: unknown key", section, name);
    nearest_add(&nearest, reason);
    return STATUS_INVALID;
}

static enum status take_line(
    void *context, const char *section, const char *name, const char *value, int line,
    struct text *reason)
{
    struct loader *loader = context;
    const struct settings_key *key = settings_key_find(section, name);
    int *first;

    if (section[0] == '\0') {
        text_addf(reason, "%s: stands before any [section]", name);
        return STATUS_INVALID;
    }
    if (key == NULL) {
        return unknown_key(section, name, reason);
    }
    text_addf(reason, "[%s] %s: ", section, name);
    first = &loader->lines[key - settings_keys];
    if (*first != 0) {
        text_addf(reason, "stands here twice, first in line %d", *first);
        return STATUS_INVALID;
    }
    *first = line;
    loader->origins[key - settings_keys] = ORIGIN_FILE;
    if (loader->secret == NULL && settings_key_is_secret(key) && value[0] != '\0') {
        loader->secret = key;
    }
    return settings_value_set(loader->settings, key, value, loader->directory, reason);
}

/* A value from outside the file, by the name that it has there. */
static enum status
take_outside(struct loader *loader, enum origin origin, const char *name, const char *value)
{
    struct nearest nearest = nearest_to(name);

    for (size_t i = 0; i < settings_key_count; i++) {
        char known[SETTINGS_VARIABLE_SIZE];
        TEXT_LOCAL(reason, REASON_SIZE);
        enum status status;

        settings_outside_name(&settings_keys[i], origin, known);
        if (strcmp(name, known) != 0) {
            nearest_offer(&nearest, known);
            continue;
        }
        loader->origins[i] = origin;
        status = settings_value_set(
            loader->settings, &settings_keys[i], value, loader->directory, &reason);
        if (status != STATUS_OK) {
            text_addf(loader->why, "%s: %s", name, reason.data);
        }
        return status;
    }
    text_addf(loader->why, "%s: names no key of tagout.ini", name);
    nearest_add(&nearest, loader->why);
    return STATUS_INVALID;
}

static enum status
take_credential(void *context, const char *name, const char *value, struct text *why)
{
    (void)why; /* the loader's own */
    return take_outside(context, ORIGIN_CREDENTIAL, name, value);
}

/* `entry` is NAME=value. */
static enum status take_variable(struct loader *loader, const char *entry)
{
    size_t length = strcspn(entry, "=");
    TEXT_LOCAL(name, 2 * SETTINGS_VARIABLE_SIZE);

    text_add_bytes(&name, entry, length);
    return take_outside(
        loader, ORIGIN_ENVIRONMENT, name.data, entry + length + (entry[length] == '='));
}

static enum status read_environment(struct loader *loader)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        if (strncmp(*entry, SETTINGS_ENVIRONMENT, strlen(SETTINGS_ENVIRONMENT)) == 0) {
            enum status status = take_variable(loader, *entry);
            if (status != STATUS_OK) {
                return status;
            }
        }
    }
    return STATUS_OK;
}

static enum status load(struct loader *loader)
{
    const struct ini_handlers handlers = {loader, check_section, take_line};
    enum status status = set_defaults(loader);

    if (status == STATUS_OK && loader->file != NULL) {
        status = ini_lines_read(loader->file, &handlers, loader->why);
    }
    if (status == STATUS_OK) {
        status = credentials_read(take_credential, loader, loader->why);
    }
    if (status == STATUS_OK) {
        status = read_environment(loader);
    }
    return status == STATUS_OK ? settings_check(loader) : status;
}

enum status settings_load(const char *file, struct settings **ret_settings, struct text *why)
{
    enum status status = STATUS_OK;
    struct loader loader = {.file = file, .why = why};
    const char *slash = file == NULL ? NULL : strrchr(file, '/');

    loader.settings = calloc(1, sizeof *loader.settings);
    loader.directory =
        strndup(slash == NULL ? "" : file, slash == NULL ? 0 : (size_t)(slash - file) + 1);
    if (loader.settings == NULL || loader.directory == NULL) {
        status = no_memory(why);
        goto out;
    }
    loader.settings->file = strdup(file == NULL ? "" : file);
    if (loader.settings->file == NULL) {
        status = no_memory(why);
        goto out;
    }
    status = load(&loader);
    if (status == STATUS_OK) {
        *ret_settings = loader.settings;
        loader.settings = NULL;
    }
out:
    settings_free(loader.settings);
    free(loader.directory);
    return status;
}
