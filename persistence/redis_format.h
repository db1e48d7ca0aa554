/* A command in Redis's protocol, put together in one pass: hiredis's own way of it, string by
 * string, took a quarter of what a heartbeat costs. */
#ifndef TAGOUT_PERSISTENCE_REDIS_FORMAT_H
#define TAGOUT_PERSISTENCE_REDIS_FORMAT_H

#include <stddef.h>

#include "controller/support/status.h"

/* Grows to the longest command so far, and a NUL behind it, which hiredis wants. All zero to begin
 * with. */
struct redis_format {
    char *bytes;
    size_t length;
    size_t room;
};

/* `lengths` may be NULL where all words end with a NUL. */
MUST_USE enum status redis_format(
    struct redis_format *format, const char *const words[], const size_t lengths[], size_t count);

void redis_format_free(struct redis_format *format);

#endif
