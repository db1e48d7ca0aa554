/* Reading small files whole. */
#ifndef TAGOUT_SIM_FILE_H
#define TAGOUT_SIM_FILE_H

#include <stddef.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define FILE_BYTES_MAX (16 * 1024 * 1024)

/* NUL-terminated; the caller frees it. `why` names the file. */
MUST_USE enum status
file_load(const char *path, char **ret_bytes, size_t *ret_length, struct text *why);

MUST_USE enum status file_load_json(const char *path, struct json **ret_document, struct text *why);

#endif
