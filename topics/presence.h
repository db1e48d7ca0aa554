/* The small messages about who is there (C2, C11): `link`, `probe` and `pong`, `restart`, and a
 * service's status.
 */
#ifndef TAGOUT_TOPICS_PRESENCE_H
#define TAGOUT_TOPICS_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "topics/report.h"

#define PRESENCE_BYTES_MAX 512

enum link_word {
    LINK_ONLINE,  /* birth */
    LINK_OFFLINE, /* clean stop */
    LINK_LOST,    /* last will */
};

/* Plain text, the whole payload. */
MUST_USE enum status link_parse(const char *payload, size_t length, enum link_word *ret_word);

struct pong {
    uint32_t id;
    char boot_id[REPORT_BOOT_SIZE]; /* "" when absent */
};

/* All or nothing; `why` gets the reason in one line. */
MUST_USE enum status
pong_parse(const char *payload, size_t length, struct pong *ret_pong, struct text *why);

MUST_USE enum status probe_print(uint32_t id, struct text *out);
MUST_USE enum status restart_print(uint32_t id, bool force, struct text *out);

enum service_word {
    SERVICE_RUNNING,
    SERVICE_STOPPED, /* it said goodbye */
    SERVICE_ERROR,
};

MUST_USE enum status
service_parse(const char *payload, size_t length, enum service_word *ret_word, struct text *why);

#endif
