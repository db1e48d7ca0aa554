/* Everything of one host that is worth keeping, in one encrypted file, and back again: the
 * configuration's directory (with certificates, accounts and secrets), what Redis keeps, and the
 * audit. Inside:
 *
 *   backup.json      what it is, when and where it was made
 *   configuration/   the directory, with modes and owners
 *   elsewhere/       files that the configuration names outside of it, under their whole paths
 *   redis            the commands that bring back what Redis keeps
 *   audit/           the audit's files, up to the moment
 */
#ifndef TAGOUT_BACKUP_BACKUP_H
#define TAGOUT_BACKUP_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/backup/seal.h"
#include "controller/config/settings.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define BACKUP_PATH_SIZE 1024
#define BACKUP_MANIFEST "backup.json"
#define BACKUP_CONFIGURATION "configuration"
#define BACKUP_ELSEWHERE "elsewhere"
#define BACKUP_REDIS "redis"
#define BACKUP_AUDIT "audit"

struct backup_wish {
    const char *directory; /* of the configuration */
    const char *ini;       /* its file, with the directory in front */
    const char *file;      /* of the backup */
    const char *passphrase;
    const struct seal_cost *cost;
    struct wall_time now;
    bool force; /* write over the backup's file; put aside what a restore finds */
};

struct backup_count {
    size_t files; /* of the configuration */
    size_t keys;  /* in Redis */
    size_t audit_files;
    uint64_t bytes; /* in the file */
};

/* `settings` are those of `ini`. The file appears when it is whole. STATUS_BUSY: it is there
 * already. */
MUST_USE enum status backup_make(
    const struct backup_wish *wish, const struct settings *settings, struct backup_count *ret_count,
    struct text *why);

struct restore_result {
    struct backup_count count;
    struct wall_time made_at;
    char host[256];                             /* where */
    char configuration_aside[BACKUP_PATH_SIZE]; /* where what was there is now; "" for nothing */
    char audit[BACKUP_PATH_SIZE];
    char audit_aside[BACKUP_PATH_SIZE];
    char elsewhere[4096]; /* paths of the files that are outside of the directory, one a line */
};

/* All of it or nothing: until everything is known to be whole and Redis has taken its part, what
 * was there is there. The settings are read from what is brought back, with the environment over
 * them. STATUS_BUSY: something is there and `force` is not given, or a controller runs. */
MUST_USE enum status
backup_restore(const struct backup_wish *wish, struct restore_result *ret_result, struct text *why);

#endif
