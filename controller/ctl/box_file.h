/* What ESPHome needs to know of a new box: its own file, and its password among the secrets
 * (devices/esphome).
 */
#ifndef TAGOUT_CTL_BOX_FILE_H
#define TAGOUT_CTL_BOX_FILE_H

#include <stdbool.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

struct box_file {
    const char *folder; /* of tagout.yaml */
    const char *machine;
    const char *prefix;
    const char *password;
};

/* Writes <machine>.yaml unless it is there, which `ret_made` tells, and puts the password into
 * secrets.yaml, in place of the one that is there. */
MUST_USE enum status box_file_write(const struct box_file *box, bool *ret_made, struct text *why);

#endif
