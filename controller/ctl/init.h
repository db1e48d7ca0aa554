/* A working, secured set-up for one host, written into one directory: what `init` does.
 *
 *   tagout.ini                   where things are; no secrets
 *   tagoutd.environment          the controller's account at the broker and at Redis, its card key
 *   tagout-watcher.environment   the watcher's account
 *   admin.ini                    for whoever is in charge: what tagoutctl takes for itself
 *   machines.json, users.json    unless they are there
 *   mosquitto/, redis/           what those two services include
 *   ca/                          authority.h
 *
 * Nothing that is there is written over; a tagout.ini that is as it was shipped counts as none.
 */
#ifndef TAGOUT_CTL_INIT_H
#define TAGOUT_CTL_INIT_H

#include <stddef.h>

#include "controller/setup/files.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define INIT_NAME_SIZE 48
#define INIT_GROUP "tagout" /* of the services */

struct init_wish {
    const char *directory;
    const char *const *hosts; /* of the broker */
    size_t host_count;
    const char *controller; /* its id */
    const char *prefix;
    const char *discovery_prefix;
    const char *admin; /* a person's account, `ad.grace` */
    struct wall_time now;
};

/* All of it or nothing. STATUS_BUSY: something is there, which `why` names. */
MUST_USE enum status init_write(const struct init_wish *wish, struct text *why);

#endif
