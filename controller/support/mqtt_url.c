#include "controller/support/mqtt_url.h"

#include <string.h>

#define HOST_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
#define IPV6_BYTES "abcdefABCDEF0123456789:."

static enum status refuse(struct text *why, const char *reason)
{
    text_add(why, reason);
    return STATUS_INVALID;
}

static const char *skip_prefix(const char *string, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(string, prefix, length) == 0 ? string + length : NULL;
}

/* A port of 1 to 65535, written without sign or leading zero; 0 for anything else. */
static uint16_t parse_port(const char *digits)
{
    unsigned port = 0;

    if (digits[0] == '0' || digits[0] == '\0') {
        return 0;
    }
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9') {
            return 0;
        }
        port = port * 10 + (unsigned)(*digits - '0');
        if (port > UINT16_MAX) {
            return 0;
        }
    }
    return (uint16_t)port;
}

enum status mqtt_url_parse(const char *string, struct mqtt_url *ret_url, struct text *why)
{
    struct mqtt_url url = {.port = MQTT_PORT};
    const char *host = skip_prefix(string, "mqtt://");
    const char *end;
    size_t length;

    if (host == NULL) {
        host = skip_prefix(string, "mqtts://");
        url.tls = true;
        url.port = MQTTS_PORT;
    }
    if (host == NULL) {
        return refuse(why, "must begin with mqtt:// or mqtts://");
    }
    if (strchr(host, '@') != NULL) {
        return refuse(why, "must not hold a user or password");
    }
    if (*host == '[') {
        host++;
        length = strspn(host, IPV6_BYTES);
        end = host + length;
        if (*end++ != ']') {
            return refuse(why, "the address in brackets is no IPv6 address");
        }
    } else {
        length = strspn(host, HOST_BYTES);
        end = host + length;
    }
    if (length == 0) {
        return refuse(why, "the host is missing");
    }
    if (length > MQTT_HOST_MAX) {
        return refuse(why, "the host is too long");
    }
    if (*end == ':') {
        url.port = parse_port(end + 1);
        if (url.port == 0) {
            return refuse(why, "the port must be 1 to 65535");
        }
    } else if (*end != '\0') {
        return refuse(why, "only host and port may follow the scheme");
    }
    memcpy(url.host, host, length);
    *ret_url = url;
    return STATUS_OK;
}
