/* How a new account comes to the broker: lines of [mqtt]. */
#ifndef TAGOUT_CTL_WAY_H
#define TAGOUT_CTL_WAY_H

#include <stdbool.h>

#include "controller/config/settings.h"
#include "controller/support/text.h"

/* `url`, and `ca_file` where it needs one. From this host without TLS by loopback, unless the
 * host's own [mqtt] url goes another way, or there is no such listener; the way from other hosts
 * stands there too, as a comment. */
void way_print(const struct settings *settings, bool is_person, struct text *out);

#endif
