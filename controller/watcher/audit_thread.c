/* The audit's side that waits for the disk. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "controller/watcher/audit_inside.h"

#define EXPIRE_MS 86400000
#define LOG_AGAIN_MS 60000

/* One line of log a minute. */
static void complain(struct audit *audit, const char *why)
{
    struct mono_time now = clock_now().mono;

    if (audit->logged_at.ms == 0 || now.ms - audit->logged_at.ms >= LOG_AGAIN_MS) {
        log_error("audit: %s; events wait in memory until it can be written", why);
        audit->logged_at = now;
    }
    audit->was_failing = true;
}

/* False when the disk refuses: what is left stays in `unwritten`. */
static bool write_unwritten(struct audit *audit)
{
    size_t written = 0;
    enum status status;
    TEXT_LOCAL(why, 512);

    if (audit->unwritten == NULL) {
        return true;
    }
    status = audit_files_append(
        audit->files, audit->unwritten_at, audit->unwritten, audit->unwritten_length, &written,
        &why);
    if (written > 0 && audit->sync_at.ms == 0) {
        audit->sync_at.ms = clock_now().mono.ms + AUDIT_SYNC_MS;
    }
    audit->unwritten_length -= written;
    if (status != STATUS_OK) {
        memmove(audit->unwritten, audit->unwritten + written, audit->unwritten_length);
        complain(audit, why.data);
        return false;
    }
    free(audit->unwritten);
    audit->unwritten = NULL;
    return true;
}

static bool write_records(struct audit *audit, struct records *records)
{
    if (!write_unwritten(audit)) {
        return false;
    }
    while (records->first != NULL) {
        audit->unwritten = records_take_lines(
            records, audit->base, &audit->unwritten_at, &audit->unwritten_length);
        if (audit->unwritten == NULL || !write_unwritten(audit)) {
            return false;
        }
    }
    return true;
}

static void recover(struct audit *audit)
{
    if (audit->was_failing) {
        log_info("audit: it is written again");
        audit->was_failing = false;
        audit->logged_at = (struct mono_time){0};
    }
}

static bool write_state(struct audit *audit, bool sync)
{
    TEXT_LOCAL(why, 512);

    if (audit_files_save(audit->files, audit->last_state, audit->last_state_length, sync, &why) !=
        STATUS_OK) {
        complain(audit, why.data);
        return false;
    }
    audit->state_unwritten = false;
    audit->state_unsynced = !sync;
    if (!sync && audit->sync_at.ms == 0) {
        audit->sync_at.ms = clock_now().mono.ms + AUDIT_SYNC_MS;
    }
    return true;
}

/* There are disks that say only then that they are full. */
static bool sync_files(struct audit *audit)
{
    TEXT_LOCAL(why, 512);

    if (audit_files_sync(audit->files, &why) != STATUS_OK) {
        complain(audit, why.data);
        return false;
    }
    return !audit->state_unsynced || write_state(audit, true);
}

static bool do_what_is_due(struct audit *audit)
{
    struct now now = clock_now();
    bool good = true;

    if (mono_is_past(audit->sync_at, now.mono)) {
        good = sync_files(audit);
        if (good) {
            audit->sync_at = (struct mono_time){0};
        }
    }
    if (now.mono.ms >= audit->expire_at.ms) {
        size_t removed = audit_files_expire(audit->files, now.wall, audit->keep_days);
        audit->expire_at.ms = now.mono.ms + EXPIRE_MS;
        if (removed > 0) {
            log_info(
                "audit: removed %zu file%s older than %lld day%s", removed, text_plural(removed),
                (long long)audit->keep_days, text_plural((uint64_t)audit->keep_days));
        }
    }
    return good;
}

/* ---- its life ---- */

static bool open_files(struct audit *audit)
{
    struct audit_past *past;
    TEXT_LOCAL(why, 512);

    if (audit_files_open(audit->directory, clock_now().wall, &audit->files, &why) != STATUS_OK) {
        complain(audit, why.data);
        return false;
    }
    past = audit_past_read(audit->files);
    if (past == NULL) {
        audit_files_close(audit->files);
        audit->files = NULL;
        return false;
    }
    audit->base = past->base;
    pthread_mutex_lock(&audit->lock);
    audit->past = past;
    pthread_mutex_unlock(&audit->lock);
    (void)eventfd_write(audit->fd, 1);
    return true;
}

static void wait_for_work(struct audit *audit, struct mono_time until)
{
    /* The condition's clock is the monotonic one. */
    struct timespec deadline = {
        .tv_sec = until.ms / 1000, .tv_nsec = (long)(until.ms % 1000) * 1000000};

    pthread_cond_timedwait(&audit->changed, &audit->lock, &deadline);
}

static struct mono_time next_due(const struct audit *audit, bool good)
{
    struct mono_time retry_at = {clock_now().mono.ms + AUDIT_RETRY_MS};

    return good ? mono_earlier(audit->expire_at, audit->sync_at) : retry_at;
}

static bool has_work(const struct audit *audit)
{
    return audit->waiting.first != NULL || audit->state != NULL;
}

/* Takes what waits, with the lock held, and writes it, without. What the disk did not take is
 * written before anything else is taken, so that what waits stays bounded. */
static bool take_turn(struct audit *audit, struct records *records)
{
    bool good = true;

    if (records->first == NULL && audit->unwritten == NULL) {
        records_move(records, &audit->waiting);
        if (audit->state != NULL) {
            free(audit->last_state);
            audit->last_state = audit->state;
            audit->last_state_length = audit->state_length;
            audit->state = NULL;
            audit->state_unwritten = true;
        }
    }
    pthread_mutex_unlock(&audit->lock);
    good = audit->files != NULL || open_files(audit);
    good = good && write_records(audit, records);
    good = good && (!audit->state_unwritten || write_state(audit, false));
    /* On a full disk, too: files that are too old make room. */
    if (audit->files != NULL) {
        good = do_what_is_due(audit) && good;
    }
    if (good) {
        recover(audit);
    }
    pthread_mutex_lock(&audit->lock);
    if (good) {
        bool more = has_work(audit);
        audit->busy_since = more ? clock_now().mono : (struct mono_time){0};
    } else if (audit->busy_since.ms == 0) {
        audit->busy_since = clock_now().mono;
    }
    return good;
}

void *audit_run(void *argument)
{
    struct audit *audit = argument;
    struct records records;
    bool good = true;
    bool left;

    records_init(&records);
    pthread_mutex_lock(&audit->lock);
    for (;;) {
        bool stopping = audit->stopping;
        good = take_turn(audit, &records);
        if (stopping && (!has_work(audit) || !good)) {
            break;
        }
        if (good && (has_work(audit) || audit->stopping)) {
            continue;
        }
        if (!audit->stopping) {
            wait_for_work(audit, next_due(audit, good));
        }
    }
    pthread_mutex_unlock(&audit->lock);
    if (good) {
        audit->sync_at.ms = 1;
        good = do_what_is_due(audit);
    }
    records_free(&records);
    pthread_mutex_lock(&audit->lock);
    audit->finished = true;
    audit->whole = good;
    left = audit->left;
    pthread_mutex_unlock(&audit->lock);
    if (left) {
        audit_free(audit);
    }
    return NULL;
}
