/* The certificates that this shop hangs on, and when they end: told 60 and 14 days before, once
 * each.
 *
 * Pure: time and what was read are given to it. Whoever finds no certificate in a file says so in
 * the log, and goes by what it knew.
 */
#ifndef TAGOUT_WATCHER_CERTIFICATES_H
#define TAGOUT_WATCHER_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/json.h"
#include "controller/support/time.h"
#include "controller/watcher/alert.h"

#define CERTIFICATES_MAX 3
#define CERTIFICATE_FILE_SIZE 256

struct watched_certificate {
    char file[CERTIFICATE_FILE_SIZE];
    struct wall_time ends; /* {0}: not known */
    int told_days;         /* the last notice given of this end: 60, 14; 0: none */
};

struct certificates {
    struct watched_certificate items[CERTIFICATES_MAX];
    size_t count;
};

/* "" is no file, and neither is one that does not fit or stands there already. */
void certificates_add(struct certificates *certificates, const char *file);

/* What was read of one; another end than before is another certificate. */
void certificates_found(struct watched_certificate *certificate, struct wall_time ends);

/* Whether people have to hear of it now; counts as told then. */
bool certificates_tell(
    struct watched_certificate *certificate, struct wall_time now, struct alert *ret_alert);

/* Over a restart: what was told, as a member of an object. */
void certificates_print(const struct certificates *certificates, struct json_out *out);
void certificates_read(struct certificates *certificates, const struct json *document);

#endif
