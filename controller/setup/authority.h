/* A certificate authority of the shop's own, and the broker's certificate that it signs: what boxes
 * and services need to know that the broker is the broker. Made by the `openssl` program.
 *
 *   ca/ca.crt      what every box and service trusts; not secret
 *   ca/ca.key      signs; nothing but this program reads it, and it may be kept elsewhere
 *   ca/server.crt  the broker's certificate
 *   ca/server.key  the broker's key; its group may read it
 *
 * Both certificates hold for twenty years: a box on a wall gets a new one only by new firmware.
 */
#ifndef TAGOUT_SETUP_AUTHORITY_H
#define TAGOUT_SETUP_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define AUTHORITY_FOLDER "ca"
#define AUTHORITY_CERTIFICATE AUTHORITY_FOLDER "/ca.crt"
#define AUTHORITY_KEY AUTHORITY_FOLDER "/ca.key"
#define AUTHORITY_SERVER_CERTIFICATE AUTHORITY_FOLDER "/server.crt"
#define AUTHORITY_SERVER_KEY AUTHORITY_FOLDER "/server.key"

#define AUTHORITY_DAYS 7305 /* twenty years */
#define AUTHORITY_HOSTS_MAX 16

struct authority_wish {
    const char *directory;    /* of the configuration, for the folder `ca` */
    const char *const *hosts; /* under which names and addresses the broker is reached, */
    size_t host_count;        /* besides localhost; none: this host's own name */
    bool replace;             /* a server's certificate that is there; never the authority */
    struct wall_time now;
};

/* A name, with or without `*.` in front, or an address, with nothing in it that a certificate's
 * configuration would take for something else. */
bool authority_is_host(const char *host);

/* Makes what is missing. STATUS_BUSY: both are there. What was there before stays whole if anything
 * fails. `ret_authority_is_new`: everything that trusted another one has to be told. */
MUST_USE enum status
authority_make(const struct authority_wish *wish, bool *ret_authority_is_new, struct text *why);

#endif
