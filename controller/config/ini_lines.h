/* The lines of an INI file, with their numbers: the only user of inih.
 *
 * What inih 55 makes of a file, as Debian builds it: `key = value` or `key: value`; white space
 * around key and value is not theirs; a line that starts with `;` or `#` is a comment, and so is
 * the rest of a line from a `;` with white space before it (a `;` inside a word is part of the
 * value, a `#` always is). Here, unlike there, a value never goes on in the next line and a line
 * that is too long for inih is an error instead of being cut.
 */
#ifndef TAGOUT_CONFIG_INI_LINES_H
#define TAGOUT_CONFIG_INI_LINES_H

#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define INI_FILE_MAX ((size_t)1 << 20)

/* Called in the order of the file; the first status that is not STATUS_OK ends the reading, and
 * `reason` is then what the error says behind file and line. `section` may be "". */
struct ini_handlers {
    void *context;
    enum status (*section)(void *context, const char *section, struct text *reason);
    enum status (*value)(
        void *context, const char *section, const char *key, const char *value, int line,
        struct text *reason);
};

MUST_USE enum status
ini_lines_read(const char *file, const struct ini_handlers *handlers, struct text *why);

#endif
