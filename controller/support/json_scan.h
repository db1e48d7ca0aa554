/* The strict half of reading JSON: whether bytes are exactly one JSON value (RFC 8259) within our
 * limits. cJSON, which builds the tree, is laxer than C3: it takes control characters in strings,
 * any byte up to 0x20 as white space, leading zeros, `1.e5` and a byte order mark, cuts a string at
 * `\u0000` and a number at 63 characters, and ignores what stands behind the value.
 */
#ifndef TAGOUT_SUPPORT_JSON_SCAN_H
#define TAGOUT_SUPPORT_JSON_SCAN_H

#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

/* STATUS_INVALID with the reason and the place in `why`. */
MUST_USE enum status json_scan(const char *bytes, size_t length, struct text *why);

#endif
