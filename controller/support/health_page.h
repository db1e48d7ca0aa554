/* What /healthz and /readyz answer: one line of JSON each. */
#ifndef TAGOUT_SUPPORT_HEALTH_PAGE_H
#define TAGOUT_SUPPORT_HEALTH_PAGE_H

#include <stdbool.h>

#include "controller/support/http.h"

/* {"status": "alive"}: whoever can answer turns its loop. An http_page's `write`. */
bool health_page_alive(void *context, struct http_reply *reply);

/* {"status": "ready"}, or 503 and {"status": "not ready", "reasons": [...]}. `check` says whether
 * it is ready, and each reason to `say`. */
void health_page_ready(
    struct http_reply *reply,
    bool (*check)(void *context, void (*say)(void *to, const char *what), void *to), void *context);

#endif
