#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/settings_key.h"
#include "controller/config/url.h"
#include "controller/support/endpoint.h"

#define VALUE_MAX 1024
#define QUOTED_MAX 48
#define LINE_CHARACTERS 16 /* of the display (C10) */
#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define CARD_KEY_DIGITS 64
#define SENTINELS_MAX 8
#define SENTINEL_PORT 26379

struct setting {
    struct settings *settings;
    const struct settings_key *key;
    const char *value;
    const char *directory;
    struct text *reason;
};

static bool is_secret(const struct setting *setting)
{
    enum settings_type type = setting->key->type;
    bool is_url = type == SETTINGS_MQTT_URL || type == SETTINGS_REDIS_URL ||
                  type == SETTINGS_HTTP_URL || type == SETTINGS_SENTINELS;

    return settings_key_is_secret(setting->key) ||
           (is_url && url_may_hold_a_secret(setting->value));
}

/* `"value" is not ...`; a secret is not quoted. */
static enum status refuse(const struct setting *setting, const char *is_what)
{
    const char *value = setting->value;

    if (is_secret(setting)) {
        text_addf(setting->reason, "the value %s", is_what);
    } else if (utf8_length(value) > QUOTED_MAX) {
        int shown = (int)utf8_offset(value, QUOTED_MAX);
        text_addf(setting->reason, "\"%.*s...\" %s", shown, value, is_what);
    } else {
        text_addf(setting->reason, "\"%s\" %s", value, is_what);
    }
    return STATUS_INVALID;
}

static void *field(const struct setting *setting)
{
    return (char *)setting->settings + setting->key->offset;
}

static enum status store(const struct setting *setting, const char *string)
{
    char **target = field(setting);
    char *copy = strdup(string);

    if (copy == NULL) {
        text_add(setting->reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    free(*target);
    *target = copy;
    return STATUS_OK;
}

static enum status set_name(const struct setting *setting)
{
    TEXT_LOCAL(is_what, 96);

    if (!text_is_name(setting->value, (size_t)setting->key->max)) {
        text_addf(
            &is_what, "is not 1 to %.0f characters of a to z, 0 to 9, _ and -", setting->key->max);
        return refuse(setting, is_what.data);
    }
    return store(setting, setting->value);
}

static enum status set_host_name(const struct setting *setting)
{
    char name[HOST_NAME_MAX + 1] = "";

    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') {
        return store(setting, "controller");
    }
    for (char *at = name; *at != '\0'; at++) {
        char one[2] = {*at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at, '\0'};
        *at = text_is_name(one, 1) ? one[0] : '-';
    }
    name[(size_t)setting->key->max] = '\0';
    return store(setting, name);
}

static enum status set_path(const struct setting *setting)
{
    TEXT_LOCAL(path, PATH_MAX);

    if (setting->value[0] == '\0' && setting->key->min > 0) {
        text_add(setting->reason, "must not be empty");
        return STATUS_INVALID;
    }
    if (setting->value[0] != '\0' && setting->value[0] != '/') {
        text_add(&path, setting->directory);
    }
    text_add(&path, setting->value);
    return path.cut ? refuse(setting, "is too long a path") : store(setting, path.data);
}

#define PORT_IS_OFF "has a port that is not a number from 1 to 65535"

static enum status set_url(
    const struct setting *setting, bool (*check)(const char *, struct text *), const char *is_what)
{
    TEXT_LOCAL(url, VALUE_MAX + 16);

    if (strchr(setting->value, '@') != NULL) {
        text_add(setting->reason, "must not hold a user or password: they are keys of their own");
        return STATUS_INVALID;
    }
    if (check(setting->value, &url)) {
        return store(setting, url.data);
    }
    return refuse(setting, url_port_is_off(setting->value) ? PORT_IS_OFF : is_what);
}

/* Stored in the complete form, with the ports that were left out. */
static enum status set_sentinels(const struct setting *setting)
{
    struct endpoint sentinels[SENTINELS_MAX];
    size_t count = 0;
    TEXT_LOCAL(list, 2 * VALUE_MAX);

    if (setting->value[0] == '\0') {
        return store(setting, "");
    }
    if (endpoint_list(setting->value, SENTINEL_PORT, SENTINELS_MAX, sentinels, &count) !=
        STATUS_OK) {
        return refuse(setting, "is not a list of 1 to 8 different host:port, with commas between");
    }
    for (size_t i = 0; i < count; i++) {
        text_add(&list, i == 0 ? "" : ", ");
        endpoint_add(&list, &sentinels[i]);
    }
    return store(setting, list.data);
}

static enum status set_master(const struct setting *setting)
{
    size_t length = strlen(setting->value);

    if (length > (size_t)setting->key->max ||
        strspn(setting->value, LETTERS_AND_DIGITS "._-") != length) {
        return refuse(setting, "is not at most 64 letters, digits, ., _ and -");
    }
    return store(setting, setting->value);
}

static enum status set_address(const struct setting *setting)
{
    if (setting->value[0] != '\0' && !url_address(setting->value)) {
        return refuse(
            setting, url_port_is_off(setting->value)
                         ? PORT_IS_OFF
                         : "is not a numeric address and a port, as in 127.0.0.1:9464");
    }
    return store(setting, setting->value);
}

static enum status set_topic(const struct setting *setting)
{
    const char *value = setting->value;
    size_t length = strlen(value);

    if (length < 1 || length > (size_t)setting->key->max || !text_is_printable_ascii(value) ||
        strpbrk(value, "+#$ ") != NULL || value[0] == '/' || value[length - 1] == '/' ||
        strstr(value, "//") != NULL) {
        return refuse(setting, "is not a topic of 1 to 64 characters");
    }
    return store(setting, value);
}

static enum status set_card_key(const struct setting *setting)
{
    size_t digits = strspn(setting->value, "0123456789abcdefABCDEF");

    if (setting->value[0] != '\0' &&
        (digits != CARD_KEY_DIGITS || setting->value[digits] != '\0')) {
        return refuse(setting, "is not 64 hexadecimal digits");
    }
    return store(setting, setting->value);
}

static enum status set_bool(const struct setting *setting)
{
    bool *target = field(setting);
    bool is_true = strcmp(setting->value, "true") == 0;

    if (!is_true && strcmp(setting->value, "false") != 0) {
        return refuse(setting, "is neither true nor false");
    }
    *target = is_true;
    return STATUS_OK;
}

/* Digits, and for seconds a fraction: none of the other things that strtod takes. */
static enum status set_number(const struct setting *setting)
{
    const struct settings_key *key = setting->key;
    bool whole = key->type == SETTINGS_INTEGER;
    const char *value = setting->value;
    size_t digits = strspn(value, "0123456789");
    size_t end = digits;
    double number;

    if (!whole && value[end] == '.') {
        end += 1 + strspn(value + end + 1, "0123456789");
    }
    number = strtod(value, NULL);
    if (digits < 1 || value[end] != '\0' || number < key->min || number > key->max) {
        TEXT_LOCAL(is_what, 96);
        text_addf(
            &is_what, "is not a %s from %.10g to %.10g", whole ? "whole number" : "number",
            key->min, key->max);
        return refuse(setting, is_what.data);
    }
    if (whole) {
        *(int64_t *)field(setting) = (int64_t)number;
    } else {
        *(double *)field(setting) = number;
    }
    return STATUS_OK;
}

/* Turns `\n` into a line break; true when it is at most two lines that the display can hold. */
static bool display_lines(const char *value, struct text *ret_text)
{
    size_t lines = 1;
    size_t characters = 0;

    for (size_t i = 0; value[i] != '\0'; i++) {
        if (strncmp(value + i, "\\n", 2) == 0) {
            text_add(ret_text, "\n");
            lines++;
            characters = 0;
            i++;
            continue;
        }
        text_add_bytes(ret_text, value + i, 1);
        if (strncmp(value + i, "{name}", 6) == 0) {
            text_add(ret_text, "name}");
            i += 5;
            continue;
        }
        characters += ((unsigned char)value[i] & 0xc0) != 0x80;
        if (characters > LINE_CHARACTERS) {
            return false;
        }
    }
    return lines <= 2;
}

/* True with a `{word}` that is not `{name}`: a display would show it as it stands. */
static bool has_unknown_word(const char *value)
{
    for (const char *at = strchr(value, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t length = strspn(at + 1, LETTERS_AND_DIGITS "_");
        if (length > 0 && at[1 + length] == '}' && strncmp(at, "{name}", 6) != 0) {
            return true;
        }
    }
    return false;
}

static enum status set_display(const struct setting *setting)
{
    TEXT_LOCAL(display, VALUE_MAX + 1);
    const char *name = strstr(setting->value, "{name}");

    if (setting->value[0] == '\0') {
        text_add(setting->reason, "must not be empty");
        return STATUS_INVALID;
    }
    if (name != NULL && setting->key->type != SETTINGS_DISPLAY_OF_USER) {
        return refuse(setting, "has {name}, which only welcome and override know");
    }
    if (name != NULL && strstr(name + 1, "{name}") != NULL) {
        return refuse(setting, "has {name} twice");
    }
    if (has_unknown_word(setting->value)) {
        return refuse(setting, "has a word in braces, and only {name} means anything");
    }
    if (!display_lines(setting->value, &display)) {
        return refuse(setting, "is more than two lines of 16 characters");
    }
    return store(setting, display.data);
}

/* Other programs' files take `#` for a comment there. A password or a display may have it. */
static bool has_comment(const struct setting *setting)
{
    enum settings_type type = setting->key->type;

    return type != SETTINGS_SECRET && type != SETTINGS_DISPLAY &&
           type != SETTINGS_DISPLAY_OF_USER && strstr(setting->value, " #") != NULL;
}

enum status settings_value_set(
    struct settings *settings, const struct settings_key *key, const char *value,
    const char *directory, struct text *reason)
{
    struct setting setting = {settings, key, value, directory, reason};

    if (strlen(value) > VALUE_MAX) {
        text_addf(reason, "is longer than %d bytes", VALUE_MAX);
        return STATUS_TOO_LONG;
    }
    if (!utf8_is_valid(value, strlen(value)) || text_has_control(value)) {
        text_add(reason, "is not UTF-8 text, or has control characters");
        return STATUS_INVALID;
    }
    if (has_comment(&setting)) {
        return refuse(&setting, "has a # behind it: a comment there begins with ;");
    }
    switch (key->type) {
    case SETTINGS_STRING:
    case SETTINGS_SECRET:
        return store(&setting, value);
    case SETTINGS_HEX_KEY:
        return set_card_key(&setting);
    case SETTINGS_NAME:
        return set_name(&setting);
    case SETTINGS_NAME_OR_HOST:
        return value[0] == '\0' ? set_host_name(&setting) : set_name(&setting);
    case SETTINGS_PATH:
        return set_path(&setting);
    case SETTINGS_MQTT_URL:
        return set_url(&setting, url_mqtt, "is not mqtt://host:port or mqtts://host:port");
    case SETTINGS_REDIS_URL:
        return set_url(&setting, url_redis, "is not redis://host:port/db or unix:///path");
    case SETTINGS_SENTINELS:
        return set_sentinels(&setting);
    case SETTINGS_MASTER:
        return set_master(&setting);
    case SETTINGS_HTTP_URL:
        return set_url(&setting, url_http, "is not http://host/path or https://host/path");
    case SETTINGS_SECRET_URL:
        return value[0] == '\0'
                   ? store(&setting, value)
                   : set_url(&setting, url_http, "is not http://host/path or https://host/path");
    case SETTINGS_ADDRESS:
        return set_address(&setting);
    case SETTINGS_TOPIC:
        return set_topic(&setting);
    case SETTINGS_BOOL:
        return set_bool(&setting);
    case SETTINGS_INTEGER:
    case SETTINGS_SECONDS:
        return set_number(&setting);
    case SETTINGS_DISPLAY:
    case SETTINGS_DISPLAY_OF_USER:
        return set_display(&setting);
    }
    return STATUS_INVALID;
}
