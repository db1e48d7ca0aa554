/* The audit's side that never waits. */
#include "controller/watcher/audit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "controller/config/hash.h"
#include "controller/support/clock.h"
#include "controller/support/json.h"
#include "controller/support/log.h"
#include "controller/watcher/audit_inside.h"

void audit_free(struct audit *audit)
{
    records_free(&audit->group);
    records_free(&audit->waiting);
    audit_past_free(audit->past);
    audit_files_close(audit->files);
    pthread_cond_destroy(&audit->changed);
    pthread_mutex_destroy(&audit->lock);
    if (audit->fd >= 0) {
        close(audit->fd);
    }
    free(audit->last_state);
    free(audit->unwritten);
    free(audit->state);
    free(audit->directory);
    free(audit);
}

enum status audit_start(const char *directory, int64_t keep_days, struct audit **ret_audit)
{
    struct audit *audit;
    pthread_condattr_t attributes;

    if (hash_start() != STATUS_OK || (audit = calloc(1, sizeof *audit)) == NULL) {
        return STATUS_NO_MEMORY;
    }
    records_init(&audit->group);
    records_init(&audit->waiting);
    pthread_mutex_init(&audit->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&audit->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    audit->keep_days = keep_days;
    audit->directory = strdup(directory);
    audit->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (audit->directory == NULL || audit->fd < 0 ||
        pthread_create(&audit->thread, NULL, audit_run, audit) != 0) {
        audit_free(audit);
        return STATUS_NO_MEMORY;
    }
    *ret_audit = audit;
    return STATUS_OK;
}

bool audit_stop(struct audit *audit, int timeout_ms)
{
    struct timespec deadline;
    bool finished;
    bool whole;

    if (audit == NULL) {
        return true;
    }
    audit_commit(audit);
    pthread_mutex_lock(&audit->lock);
    audit->stopping = true;
    pthread_cond_signal(&audit->changed);
    pthread_mutex_unlock(&audit->lock);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    if (pthread_clockjoin_np(audit->thread, NULL, CLOCK_MONOTONIC, &deadline) == 0) {
        pthread_mutex_lock(&audit->lock); /* sanitizers do not know that join */
        whole = audit->whole && audit->dropped_ever == 0;
        pthread_mutex_unlock(&audit->lock);
        audit_free(audit);
        return whole;
    }
    log_error("audit: the disk does not answer; what was not written is lost");
    pthread_detach(audit->thread);
    pthread_mutex_lock(&audit->lock);
    finished = audit->finished;
    audit->left = true;
    pthread_mutex_unlock(&audit->lock);
    if (finished) {
        audit_free(audit);
    }
    return false;
}

int64_t audit_add(struct audit *audit, struct wall_time seen, const char *object, size_t length)
{
    audit->count++;
    if (length < 2 || length > AUDIT_LINE_MAX ||
        !records_add(&audit->group, audit->count, seen, object, length)) {
        audit->group_broken = true;
    }
    return audit->count;
}

/* The line that stands for groups that found no room. Its number is the last one's of them. */
static void mark_dropped(struct audit *audit, int64_t number)
{
    struct wall_time now = clock_now().wall;
    TEXT_LOCAL(line, 128);
    struct json_out out = json_out(&line);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "kind", "dropped");
    json_out_wall(&out, "seen", now);
    json_out_integer(&out, "lines", (int64_t)audit->dropped);
    json_out_close(&out, '}');
    if (records_add(&audit->waiting, number, now, line.data, line.length)) {
        audit->dropped = 0;
    }
}

void audit_commit(struct audit *audit)
{
    uint64_t lines = 0;
    bool fits;

    if (audit->group.first == NULL && !audit->group_broken) {
        return;
    }
    for (const struct record *r = audit->group.first; r != NULL; r = r->next) {
        lines++;
    }
    lines += audit->group_broken;
    pthread_mutex_lock(&audit->lock);
    fits = !audit->group_broken &&
           audit->waiting.bytes + audit->group.bytes <= AUDIT_WAITING_BYTES_MAX;
    if (fits) {
        if (audit->dropped > 0) {
            mark_dropped(audit, audit->group.first->number - 1);
        }
        records_move(&audit->waiting, &audit->group);
        if (audit->busy_since.ms == 0) {
            audit->busy_since = clock_now().mono;
        }
        pthread_cond_signal(&audit->changed);
    }
    pthread_mutex_unlock(&audit->lock);
    if (!fits) {
        if (audit->dropped == 0) {
            log_error("audit: too much waits to be written; events are dropped from it");
        }
        audit->dropped += lines;
        audit->dropped_ever += lines;
        records_free(&audit->group);
    }
    audit->group_broken = false;
}

void audit_save(struct audit *audit, const char *bytes, size_t length)
{
    char *copy = malloc(length);

    if (copy == NULL) {
        return;
    }
    memcpy(copy, bytes, length);
    pthread_mutex_lock(&audit->lock);
    free(audit->state);
    audit->state = copy;
    audit->state_length = length;
    if (audit->busy_since.ms == 0) {
        audit->busy_since = clock_now().mono;
    }
    pthread_cond_signal(&audit->changed);
    pthread_mutex_unlock(&audit->lock);
}

int audit_fd(const struct audit *audit)
{
    return audit->fd;
}

struct audit_past *audit_take_past(struct audit *audit)
{
    struct audit_past *past;
    eventfd_t count;

    (void)eventfd_read(audit->fd, &count);
    pthread_mutex_lock(&audit->lock);
    past = audit->past;
    audit->past = NULL;
    pthread_mutex_unlock(&audit->lock);
    return past;
}

struct audit_counts audit_counts(struct audit *audit)
{
    struct audit_counts counts = {
        .added_lines = (uint64_t)audit->count,
        .dropped_lines = audit->dropped_ever,
    };

    pthread_mutex_lock(&audit->lock);
    counts.waiting_bytes = audit->waiting.bytes;
    pthread_mutex_unlock(&audit->lock);
    return counts;
}

int64_t audit_behind_ms(struct audit *audit, struct mono_time now)
{
    int64_t behind_ms;

    pthread_mutex_lock(&audit->lock);
    behind_ms = audit->busy_since.ms == 0 ? 0 : now.ms - audit->busy_since.ms;
    pthread_mutex_unlock(&audit->lock);
    return behind_ms;
}
