#include "controller/config/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 253        /* DNS's limit */
#define SOCKET_PATH_MAX 107 /* sockaddr_un's, without the NUL */
#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

struct authority {
    char host[HOST_MAX + 1]; /* with the brackets of an IPv6 address */
    const char *port;        /* "" when there is none */
    size_t port_length;
    const char *rest; /* from the first slash on, or "" */
};

static bool host_is_address(const char *host)
{
    char inner[INET6_ADDRSTRLEN];
    unsigned char address[16];
    size_t length = strlen(host);

    if (host[0] != '[') {
        return inet_pton(AF_INET, host, address) == 1;
    }
    if (length < 2 || host[length - 1] != ']' || length - 2 >= sizeof inner) {
        return false;
    }
    memcpy(inner, host + 1, length - 2);
    inner[length - 2] = '\0';
    return inet_pton(AF_INET6, inner, address) == 1;
}

static bool port_is_good(const char *port, size_t length, unsigned long least)
{
    unsigned long number;

    if (length < 1 || length > 5 || strspn(port, "0123456789") < length ||
        (port[0] == '0' && length > 1)) {
        return false;
    }
    number = strtoul(port, NULL, 10);
    return number >= least && number <= 65535;
}

static bool split(const char *value, struct authority *ret)
{
    size_t host =
        value[0] == '[' ? strcspn(value, "]") + 1 : strspn(value, LETTERS_AND_DIGITS "-._");

    if (host < 1 || host > strlen(value) || host > HOST_MAX) {
        return false;
    }
    memcpy(ret->host, value, host);
    ret->host[host] = '\0';
    if (value[0] == '[' && !host_is_address(ret->host)) {
        return false;
    }
    value += host;
    ret->port = "";
    ret->port_length = 0;
    if (*value == ':') {
        ret->port = value + 1;
        ret->port_length = strcspn(ret->port, "/");
        value = ret->port + ret->port_length;
        if (!port_is_good(ret->port, ret->port_length, 1)) {
            return false;
        }
    }
    ret->rest = value;
    return *value == '\0' || *value == '/';
}

/* What stands behind the scheme, or NULL when it is another one. */
static const char *behind(const char *value, const char *scheme)
{
    size_t length = strlen(scheme);
    return strncmp(value, scheme, length) == 0 ? value + length : NULL;
}

static void
put(struct text *url, const char *scheme, const struct authority *authority, const char *port)
{
    text_addf(url, "%s%s", scheme, authority->host);
    if (authority->port_length > 0) {
        text_add(url, ":");
        text_add_bytes(url, authority->port, authority->port_length);
    } else if (port != NULL) {
        text_addf(url, ":%s", port);
    }
}

bool url_mqtt(const char *value, struct text *ret_url)
{
    bool tls = behind(value, "mqtts://") != NULL;
    const char *scheme = tls ? "mqtts://" : "mqtt://";
    const char *rest = behind(value, scheme);
    struct authority authority;

    if (rest == NULL || !split(rest, &authority) || authority.rest[0] != '\0') {
        return false;
    }
    put(ret_url, scheme, &authority, tls ? "8883" : "1883");
    return !ret_url->cut;
}

bool url_redis(const char *value, struct text *ret_url)
{
    const char *path = behind(value, "unix://");
    const char *rest = behind(value, "redis://");
    struct authority authority;
    size_t digits;

    if (path != NULL) {
        text_add(ret_url, value);
        return path[0] == '/' && path[1] != '\0' && strlen(path) <= SOCKET_PATH_MAX &&
               !ret_url->cut;
    }
    if (rest == NULL || !split(rest, &authority)) {
        return false;
    }
    digits = authority.rest[0] == '/' ? strspn(authority.rest + 1, "0123456789") : 0;
    if (authority.rest[0] == '/' && (authority.rest[1 + digits] != '\0' || digits > 4)) {
        return false;
    }
    put(ret_url, "redis://", &authority, "6379");
    text_add(ret_url, digits > 0 ? authority.rest : "/0");
    return !ret_url->cut;
}

bool url_http(const char *value, struct text *ret_url)
{
    const char *scheme = behind(value, "https://") != NULL ? "https://" : "http://";
    const char *rest = behind(value, scheme);
    struct authority authority;
    size_t length;

    if (rest == NULL || !split(rest, &authority) || strpbrk(authority.rest, "?# ") != NULL ||
        !text_is_printable_ascii(authority.rest)) {
        return false;
    }
    put(ret_url, scheme, &authority, NULL);
    length = strlen(authority.rest);
    while (length > 0 && authority.rest[length - 1] == '/') {
        length--;
    }
    text_add_bytes(ret_url, authority.rest, length);
    return !ret_url->cut;
}

bool url_address(const char *value)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(value, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - value);

    if (length < 1 || length >= sizeof host) {
        return false;
    }
    memcpy(host, value, length);
    host[length] = '\0';
    return host_is_address(host) && port_is_good(colon + 1, strlen(colon + 1), 0);
}

bool url_port_is_off(const char *value)
{
    const char *host = strstr(value, "://");
    const char *port;
    size_t length;

    host = host == NULL ? value : host + 3;
    port = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":/");
    port = port != NULL && *port == ']' ? port + 1 : port;
    if (port == NULL || *port != ':') {
        return false;
    }
    length = strspn(port + 1, "0123456789");
    return length > 0 && (port[1 + length] == '\0' || port[1 + length] == '/') &&
           !port_is_good(port + 1, length, 1);
}

bool url_may_hold_a_secret(const char *value)
{
    return strpbrk(value, "@?") != NULL;
}
