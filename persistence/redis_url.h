/* Where Redis is: `redis://host:port/db`, `redis://[::1]:port/db` or `unix:///path` (C10.1). */
#ifndef TAGOUT_PERSISTENCE_REDIS_URL_H
#define TAGOUT_PERSISTENCE_REDIS_URL_H

#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define REDIS_PORT 6379
#define REDIS_DATABASE_MAX 65535

struct redis_url {
    char path[108]; /* of the socket; "" for TCP. As long as the kernel takes. */
    char host[256]; /* a name or an address, without brackets */
    uint16_t port;
    unsigned database;
};

/* Port and database may be left out: 6379 and 0. */
MUST_USE enum status redis_url_parse(const char *url, struct redis_url *ret_url, struct text *why);

#endif
