/* Where a service listens: a host, by name or address, and a port; and lists of them, as they stand
 * in tagout.ini: `10.0.0.1:26379, redis-b, [::1]:26380`.
 */
#ifndef TAGOUT_SUPPORT_ENDPOINT_H
#define TAGOUT_SUPPORT_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define ENDPOINT_HOST_SIZE 254 /* DNS's limit, and the NUL */

struct endpoint {
    char host[ENDPOINT_HOST_SIZE]; /* an IPv6 address stands without its brackets */
    uint16_t port;
};

/* Host and port as they stand apart. False, and nothing is written: the host is neither an address
 * nor made of a name's characters, or the port is no number from 1 to 65535. */
bool endpoint_set(const char *host, const char *port, struct endpoint *ret_endpoint);

/* Letters in a host name may differ in case. */
bool endpoint_equals(const struct endpoint *a, const struct endpoint *b);

/* host:port, an IPv6 address in brackets. */
void endpoint_add(struct text *text, const struct endpoint *endpoint);

/* At least one and at most `max`, between commas with or without blanks, none of them twice. A port
 * that is left out is `port`. */
MUST_USE enum status endpoint_list(
    const char *list, uint16_t port, size_t max, struct endpoint ret_endpoints[],
    size_t *ret_count);

#endif
