/* The configuration files in deploy/, as they are shipped: part of the program, so that a set-up
 * begins with the files that the tests run with.
 */
#ifndef TAGOUT_SETUP_SHIPPED_H
#define TAGOUT_SETUP_SHIPPED_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

extern const char shipped_tagout_ini[];     /* deploy/etc/tagout.ini */
extern const char shipped_mosquitto_conf[]; /* deploy/mosquitto/tagout.conf */
extern const char shipped_redis_conf[];     /* deploy/redis/tagout.conf */

struct shipped_change {
    const char *from;
    const char *to;
    bool everywhere;  /* not only where it stands first */
    const char *upto; /* NULL, or what ends it: all from `from` to the end of this gives way */
};

/* What the examples tell whoever copies them, and what stands in its place in a file that is
 * written for a host: what it is. */
extern const struct shipped_change shipped_mosquitto_is_written;
extern const struct shipped_change shipped_redis_is_written;
extern const struct shipped_change shipped_redis_has_a_password;

/* A shipped file with changes. STATUS_NOT_FOUND: one of them finds nothing to change. */
MUST_USE enum status shipped_fill(
    const char *shipped, const struct shipped_change *changes, size_t count, struct text *out);

#endif
