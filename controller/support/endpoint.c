#include "controller/support/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define BLANKS " \t"
#define PORT_SIZE 6
#define ITEM_SIZE (ENDPOINT_HOST_SIZE + PORT_SIZE + 3)

static bool is_ipv6(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET6, host, &address) == 1;
}

bool endpoint_set(const char *host, const char *port, struct endpoint *ret_endpoint)
{
    size_t length = strlen(host);
    size_t digits = strspn(port, "0123456789");
    unsigned long number;

    if (length < 1 || length >= ENDPOINT_HOST_SIZE ||
        (strspn(host, NAME_CHARACTERS) != length && !is_ipv6(host))) {
        return false;
    }
    if (digits < 1 || digits >= PORT_SIZE || port[digits] != '\0') {
        return false;
    }
    number = strtoul(port, NULL, 10);
    if (number < 1 || number > UINT16_MAX) {
        return false;
    }
    memcpy(ret_endpoint->host, host, length + 1);
    ret_endpoint->port = (uint16_t)number;
    return true;
}

bool endpoint_equals(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && text_compare_nocase(a->host, b->host) == 0;
}

void endpoint_add(struct text *text, const struct endpoint *endpoint)
{
    bool brackets = strchr(endpoint->host, ':') != NULL;

    text_addf(
        text, "%s%s%s:%u", brackets ? "[" : "", endpoint->host, brackets ? "]" : "",
        endpoint->port);
}

/* `item` is cut into its parts. */
static bool read_item(char *item, const char *port, struct endpoint *ret_endpoint)
{
    char *host = item;
    char *end = item + strcspn(item, ":");

    if (item[0] == '[') {
        host = item + 1;
        end = strchr(item, ']');
        if (end == NULL) {
            return false;
        }
        *end++ = '\0';
        if (!is_ipv6(host)) {
            return false;
        }
    }
    if (*end == ':') {
        port = end + 1;
        *end = '\0';
    } else if (*end != '\0') {
        return false;
    }
    return endpoint_set(host, port, ret_endpoint);
}

static bool is_among(const struct endpoint *endpoint, const struct endpoint others[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (endpoint_equals(endpoint, &others[i])) {
            return true;
        }
    }
    return false;
}

enum status endpoint_list(
    const char *list, uint16_t port, size_t max, struct endpoint ret_endpoints[], size_t *ret_count)
{
    char usual_port[PORT_SIZE];
    const char *at = list;
    size_t count = 0;

    (void)snprintf(usual_port, sizeof usual_port, "%u", (unsigned)port);
    for (;;) {
        char item[ITEM_SIZE];
        size_t length;

        at += strspn(at, BLANKS);
        length = strcspn(at, "," BLANKS);
        if (length >= sizeof item || count == max) {
            return STATUS_TOO_LONG;
        }
        memcpy(item, at, length);
        item[length] = '\0';
        if (!read_item(item, usual_port, &ret_endpoints[count]) ||
            is_among(&ret_endpoints[count], ret_endpoints, count)) {
            return STATUS_INVALID;
        }
        count++;
        at += length;
        at += strspn(at, BLANKS);
        if (*at == '\0') {
            break;
        }
        if (*at++ != ',') {
            return STATUS_INVALID;
        }
    }
    *ret_count = count;
    return STATUS_OK;
}
