/* What was heard last, in memory that outlives the process.
 *
 * The broker does not send again what was acknowledged, and until the audit has it, it is in this
 * process's memory alone: a kill would take it along. So each message is put here before it is
 * acknowledged, and the next process hears all of it again; it knows by heard.h what the audit has.
 *
 * It is a mapped file in the folder that systemd makes for the time while the host runs (tmpfs), so
 * that writing it waits for no disk. It has two halves: when one is full the other is begun anew.
 */
#ifndef TAGOUT_WATCHER_SPOOL_H
#define TAGOUT_WATCHER_SPOOL_H

#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

/* Less than what is read of the audit's end (AUDIT_HEARD_BYTES_MAX): there all of it is known. */
#define SPOOL_HALF_BYTES ((size_t)2 << 20)

struct spool;

/* Keeps what the last process left for spool_recall. STATUS_IO with the reason in `why`; one that
 * another process has is such a reason. */
MUST_USE enum status spool_open(const char *directory, struct spool **ret_spool, struct text *why);
/* Takes NULL. */
void spool_close(struct spool *spool);

/* By one thread at a time. */
void spool_add(struct spool *spool, const char *topic, const char *payload, size_t length);

/* Gives what the last process left, the oldest first, once. */
void spool_recall(
    struct spool *spool,
    void (*take)(void *context, const char *topic, const char *payload, size_t length),
    void *context);

/* All of it is where it belongs; not what was never recalled. */
void spool_clear(struct spool *spool);

#endif
