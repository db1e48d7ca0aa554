/* The answer to a `status` of all machines (C6), which for a large fleet comes in pages: as long as
 * one names a `next`, what is behind that machine is asked for. When a reload, or another leader,
 * came between two pages, machines may have been passed over: it is asked again from the first. */
#ifndef TAGOUT_CTL_STATUS_PAGES_H
#define TAGOUT_CTL_STATUS_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/ctl/ctl.h"
#include "controller/support/json.h"

struct status_pages;

/* Asks for all of them: CTL_DONE, or CTL_REFUSED with nothing to be freed. */
int status_pages_ask(struct ctl *ctl, struct status_pages **ret_pages);
/* Takes NULL. */
void status_pages_free(struct status_pages *pages);

/* False, and it has said so: each time something came between. */
bool status_pages_are_all(const struct status_pages *pages);

/* Of what all pages list under that key the one behind `item`, or with NULL the first; NULL behind
 * the last. `page` is the caller's to keep from one call to the next. */
const struct json *status_pages_next(
    const struct status_pages *pages, const char *key, const struct json *item, size_t *page);

/* The same as one list, "key":[...], on standard output. */
void status_pages_print(const struct status_pages *pages, const char *key);

#endif
