/* What the audit's two sides share: audit.c is the loop's, audit_thread.c the disk's. */
#ifndef TAGOUT_WATCHER_AUDIT_INSIDE_H
#define TAGOUT_WATCHER_AUDIT_INSIDE_H

#include <pthread.h>

#include "controller/watcher/audit.h"
#include "controller/watcher/audit_files.h"
#include "controller/watcher/audit_records.h"

struct audit {
    char *directory;
    int64_t keep_days;
    int fd;

    /* The loop's. */
    int64_t count;
    struct records group;
    bool group_broken;     /* a line of it found no memory */
    uint64_t dropped;      /* and not marked yet */
    uint64_t dropped_ever; /* since the start */

    /* Between the two, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct records waiting;
    char *state;
    size_t state_length;
    struct audit_past *past;
    struct mono_time busy_since; /* {0}: nothing waits */
    bool stopping;
    bool finished; /* the thread touches nothing any more */
    bool whole;    /* and has written all that it was given */
    bool left;     /* nobody waits for it any more: it frees all */

    /* The thread's. */
    struct audit_files *files;
    int64_t base;
    char *unwritten; /* what the last write left over */
    size_t unwritten_length;
    struct wall_time unwritten_at;
    struct mono_time sync_at;
    struct mono_time expire_at;
    struct mono_time logged_at;
    char *last_state;
    size_t last_state_length;
    bool state_unwritten;
    bool state_unsynced;
    bool was_failing;
    pthread_t thread;
};

/* The thread's whole life. */
void *audit_run(void *argument);
void audit_free(struct audit *audit);

/* Reads what the disk knew; NULL when there is no memory. */
struct audit_past *audit_past_read(const struct audit_files *files);

#endif
