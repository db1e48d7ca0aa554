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

/* What was there before. */
struct box_before {
    bool has_box;
    char *secrets; /* NULL: none */
};

/* Writes <machine>.yaml unless it is there, and puts the password into secrets.yaml, in place of
 * the one that is there: both or neither. With STATUS_OK `ret_before` is to be freed. */
MUST_USE enum status
box_file_write(const struct box_file *box, struct box_before *ret_before, struct text *why);

/* As if nothing had been written, as far as that can be; says nothing, since this is how one gets
 * out of trouble. */
void box_file_take_back(const struct box_file *box, const struct box_before *before);

void box_before_free(struct box_before *before);

#endif
