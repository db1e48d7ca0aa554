#include "persistence/redis_url.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool parse_number(const char *text, size_t length, unsigned max, unsigned *ret_number)
{
    unsigned number = 0;

    if (length == 0 || length > 5) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    if (number > max) {
        return false;
    }
    *ret_number = number;
    return true;
}

static bool copy(char *target, size_t size, const char *source, size_t length)
{
    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(target, source, length);
    target[length] = '\0';
    return true;
}

static const char *parse_unix(const char *path, struct redis_url *url)
{
    if (path[0] != '/' || !copy(url->path, sizeof url->path, path, strlen(path))) {
        return "is no unix:///path of at most 107 bytes";
    }
    return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *parse_tcp(const char *rest, struct redis_url *url)
{
    size_t authority = strcspn(rest, "/");
    const char *host = rest;
    size_t host_length = 0;
    const char *after = NULL;
    unsigned port = REDIS_PORT;

    if (memchr(rest, '@', authority) != NULL) {
        return "holds a password: it belongs in [redis] password";
    }
    if (rest[0] == '[') {
        host = rest + 1;
        host_length = strcspn(host, "]/");
        if (host[host_length] != ']') {
            return "has a bracket that is not closed";
        }
        after = host + host_length + 1;
    } else {
        host_length = strcspn(rest, ":/");
        after = host + host_length;
    }
    if (!copy(url->host, sizeof url->host, host, host_length)) {
        return "has no host, or one that is too long";
    }
    if (*after == ':') {
        after++;
        size_t digits = strcspn(after, "/");
        if (!parse_number(after, digits, UINT16_MAX, &port) || port == 0) {
            return "has no port from 1 to 65535";
        }
        after += digits;
    }
    url->port = (uint16_t)port;
    if (*after == '\0' || strcmp(after, "/") == 0) {
        return NULL;
    }
    if (*after != '/' ||
        !parse_number(after + 1, strlen(after + 1), REDIS_DATABASE_MAX, &url->database)) {
        return "has no database number after the last /";
    }
    return NULL;
}

enum status redis_url_parse(const char *url, struct redis_url *ret_url, struct text *why)
{
    static const char tcp[] = "redis://";
    static const char local[] = "unix://";
    struct redis_url parsed = {.port = REDIS_PORT};
    const char *wrong = "is neither redis://host:port/db nor unix:///path";

    if (strncmp(url, tcp, sizeof tcp - 1) == 0) {
        wrong = parse_tcp(url + sizeof tcp - 1, &parsed);
    } else if (strncmp(url, local, sizeof local - 1) == 0) {
        wrong = parse_unix(url + sizeof local - 1, &parsed);
    }
    if (wrong != NULL) {
        /* Not the URL itself: it may hold a password. */
        text_addf(why, "the URL of Redis %s", wrong);
        return STATUS_INVALID;
    }
    *ret_url = parsed;
    return STATUS_OK;
}
