/* Memory for a short document: one piece a thread, taken from front to back and given back all at
 * once, so that a report is read without a call of malloc. What does not fit is the heap's. */
#ifndef TAGOUT_SUPPORT_JSON_MEMORY_H
#define TAGOUT_SUPPORT_JSON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The longest document that is worth it. */
#define JSON_MEMORY_DOCUMENT_MAX 4096

/* For one parse; false while an earlier document of this thread still lives there. `failed`: there
 * is no document, and nothing of it. */
bool json_memory_begin(void);
void json_memory_end(bool failed);

/* What a parser calls. Between begin and end, allocation comes from the piece. */
void *json_memory_take(size_t size);
void json_memory_drop(void *memory);

/* The document at `memory` is gone, with all that was taken for it. */
void json_memory_reset(const void *memory);

#endif
