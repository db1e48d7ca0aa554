/* What the service manager wants to hear of a daemon, by sd_notify(3)'s protocol: that it is ready,
 * that it stops, and again and again that its loop still turns.
 *
 * libsystemd's own sd_notify waits while the manager does not read. On a host whose disk hangs the
 * manager may hang too, and a loop that reports to it must not: here what cannot be sent at once is
 * not sent. Without a manager ($NOTIFY_SOCKET) all of this does nothing.
 */
#ifndef TAGOUT_SUPPORT_SUPERVISOR_H
#define TAGOUT_SUPPORT_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/time.h"

struct supervisor {
    const char *socket; /* of the environment; NULL: nobody listens */
    int64_t every_ms;   /* between two signs of life; 0: nobody waits for them */
    struct mono_time next;
    bool owes_ready; /* said, but the manager was not reading */
};

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. */
struct supervisor supervisor_open(void);

void supervisor_ready(struct supervisor *supervisor, struct mono_time now);
void supervisor_stopping(const struct supervisor *supervisor);

/* In every turn of the loop: gives a sign of life each third of the time after which the manager
 * would restart the process. Returns when it wants the next turn at the latest; {0}: whenever. */
struct mono_time supervisor_tick(struct supervisor *supervisor, struct mono_time now);

#endif
