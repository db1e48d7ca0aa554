/* An answer of the controller (C6). */
#ifndef TAGOUT_CTL_ANSWER_H
#define TAGOUT_CTL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/json.h"

enum answer_status {
    ANSWER_OK,
    ANSWER_QUEUED,
    ANSWER_ERROR,
};

struct answer_copy {
    enum answer_status status;
    struct json *document;
    const struct json *data; /* NULL for none */
    const char *error;       /* "" for none */
};

void answer_copy_free(struct answer_copy *answer);

/* False for what is none. */
bool answer_read(const char *payload, size_t length, struct answer_copy *ret_answer);

#endif
