/* Reads certificate files on a thread of its own, for their disk may hang. */
#ifndef TAGOUT_WATCHER_CERTIFICATE_READER_H
#define TAGOUT_WATCHER_CERTIFICATE_READER_H

#include <stdbool.h>

#include "controller/support/status.h"
#include "controller/watcher/certificates.h"

struct certificate_reading;

MUST_USE enum status certificate_reading_start(
    const struct certificates *certificates, struct certificate_reading **ret_reading);
/* Whether it has come to its end; then what was found is in `certificates`, which are the same that
 * it was started with, and what was not is in the log. */
bool certificate_reading_take(
    struct certificate_reading *reading, struct certificates *certificates);
/* A thread that hangs ends by itself when its disk answers. Takes NULL. */
void certificate_reading_free(struct certificate_reading *reading);

#endif
