/* Reads users and machines on a thread of its own, so that a slow disk never stops the loop. */
#ifndef TAGOUT_DAEMON_ROSTER_READER_H
#define TAGOUT_DAEMON_ROSTER_READER_H

#include "controller/config/config.h"
#include "controller/support/status.h"

struct event_base;
struct roster_reader;

/* Called in the loop: a roster to be kept or freed, or NULL and the reason. */
typedef void (*roster_reader_done)(void *context, struct roster *roster, const char *why);

/* The settings are borrowed for good. */
MUST_USE enum status roster_reader_new(
    struct event_base *base, const struct settings *settings, roster_reader_done done,
    void *context, struct roster_reader **ret_reader);

/* Leaves a reading that hangs to itself: the process is about to end. Takes NULL. */
void roster_reader_free(struct roster_reader *reader);

/* STATUS_BUSY while one is under way. */
MUST_USE enum status roster_reader_start(struct roster_reader *reader);

#endif
