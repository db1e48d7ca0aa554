/* A ring of records under a lock, with a descriptor that wakes its owner. The record that was
 * popped last stays in the ring until the next pop, so that its strings can be used in place.
 */
#include "controller/support/inbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/ring.h"

/* An entry, with its topic and payload behind it. */
struct record {
    size_t payload_length;
    size_t topic_length;
    int64_t received_us;
    enum inbox_kind kind;
    int token;
    bool retained;
    bool overflow;
};

struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct inbox_limits limits;
    int fd;
    bool signalled; /* fd is readable */
    struct ring ring;
    bool lent;         /* the owner still reads the oldest record */
    size_t waiting;    /* without that one */
    size_t high_water; /* of waiting */
    size_t waiters;
    atomic_uint_least64_t dropped;
    atomic_bool full;        /* a push found no room since the last pop */
    atomic_bool owner_calls; /* between inbox_enter and inbox_leave */
};

static int init_room(pthread_cond_t *room)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error == 0) {
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        error = pthread_cond_init(room, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return error;
}

enum status inbox_new(struct inbox_limits limits, struct inbox **ret_inbox)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    enum status status = STATUS_NO_MEMORY;

    if (inbox == NULL) {
        return STATUS_NO_MEMORY;
    }
    inbox->limits = limits;
    if (ring_init(&inbox->ring, limits.bytes + INBOX_RESERVE_BYTES) != STATUS_OK) {
        goto no_ring;
    }
    inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->fd < 0) {
        status = STATUS_IO;
        goto no_fd;
    }
    if (pthread_mutex_init(&inbox->lock, NULL) != 0) {
        goto no_lock;
    }
    if (init_room(&inbox->room) != 0) {
        goto no_room;
    }
    *ret_inbox = inbox;
    return STATUS_OK;

no_room:
    pthread_mutex_destroy(&inbox->lock);
no_lock:
    close(inbox->fd);
no_fd:
    ring_free(&inbox->ring);
no_ring:
    free(inbox);
    return status;
}

void inbox_free(struct inbox *inbox)
{
    if (inbox == NULL) {
        return;
    }
    pthread_cond_destroy(&inbox->room);
    pthread_mutex_destroy(&inbox->lock);
    close(inbox->fd);
    ring_free(&inbox->ring);
    free(inbox);
}

int inbox_fd(const struct inbox *inbox)
{
    return inbox->fd;
}

static void signal_owner(struct inbox *inbox)
{
    if (!inbox->signalled) {
        /* Can't fail: the counter is 0. */
        inbox->signalled = eventfd_write(inbox->fd, 1) == 0;
    }
}

static void unsignal_owner(struct inbox *inbox)
{
    eventfd_t count;

    if (inbox->signalled) {
        inbox->signalled = eventfd_read(inbox->fd, &count) != 0;
    }
}

static struct timespec deadline_in(int ms)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += (long)ms * 1000000;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    return deadline;
}

/* With the lock held: finds room for a message, waiting for a moment if it must. */
static struct record *wait_for_room(struct inbox *inbox, size_t length)
{
    struct record *record = ring_add(&inbox->ring, length, inbox->limits.bytes);
    struct timespec deadline;
    int error = 0;

    if (record != NULL) {
        return record;
    }
    deadline = deadline_in(INBOX_WAIT_MS);
    inbox->waiters++;
    while (record == NULL && error == 0) {
        /* In this order, see inbox_enter. */
        atomic_store(&inbox->full, true);
        if (atomic_load(&inbox->owner_calls)) {
            break;
        }
        error = pthread_cond_timedwait(&inbox->room, &inbox->lock, &deadline);
        record = ring_add(&inbox->ring, length, inbox->limits.bytes);
    }
    inbox->waiters--;
    return record;
}

static struct record *
find_room(struct inbox *inbox, const struct inbox_entry *entry, size_t length, bool own)
{
    if (entry->kind != INBOX_MESSAGE) {
        return ring_add(&inbox->ring, length, inbox->ring.size);
    }
    return own ? ring_add(&inbox->ring, length, inbox->limits.bytes) : wait_for_room(inbox, length);
}

static void
write_record(struct record *record, const struct inbox_entry *entry, size_t topic_length)
{
    char *bytes = (char *)(record + 1);

    *record = (struct record){
        .payload_length = entry->payload_length,
        .topic_length = topic_length,
        .received_us = clock_us(),
        .kind = entry->kind,
        .token = entry->token,
        .retained = entry->retained,
    };
    if (topic_length > 0) {
        memcpy(bytes, entry->topic, topic_length);
    }
    bytes[topic_length] = '\0';
    bytes += topic_length + 1;
    if (entry->payload_length > 0) {
        memcpy(bytes, entry->payload, entry->payload_length);
    }
    bytes[entry->payload_length] = '\0';
}

/* With the lock held. */
static enum status add(struct inbox *inbox, const struct inbox_entry *entry, bool own)
{
    bool is_message = entry->kind == INBOX_MESSAGE;
    size_t topic_length = entry->topic == NULL ? 0 : strlen(entry->topic);
    size_t length = sizeof(struct record) + topic_length + 1 + entry->payload_length + 1;
    struct record *record;

    if (ring_cost(length) > (is_message ? inbox->limits.bytes : INBOX_RESERVE_BYTES / 4)) {
        return STATUS_TOO_LONG;
    }
    record = find_room(inbox, entry, length, own);
    if (record == NULL) {
        return STATUS_FULL;
    }
    write_record(record, entry, topic_length);
    record->overflow = is_message && inbox->limits.soft > 0 && inbox->waiting >= inbox->limits.soft;
    inbox->waiting++;
    if (inbox->waiting > inbox->high_water) {
        inbox->high_water = inbox->waiting;
    }
    if (!own) {
        signal_owner(inbox);
    }
    return STATUS_OK;
}

static enum status add_or_count(struct inbox *inbox, const struct inbox_entry *entry, bool own)
{
    enum status status;

    pthread_mutex_lock(&inbox->lock);
    status = add(inbox, entry, own);
    pthread_mutex_unlock(&inbox->lock);
    if (status != STATUS_OK) {
        atomic_fetch_add(&inbox->dropped, 1);
    }
    return status;
}

enum status inbox_push(struct inbox *inbox, const struct inbox_entry *entry)
{
    return add_or_count(inbox, entry, false);
}

enum status inbox_put(struct inbox *inbox, const struct inbox_entry *entry)
{
    return add_or_count(inbox, entry, true);
}

bool inbox_has_room(struct inbox *inbox)
{
    bool has_room;

    pthread_mutex_lock(&inbox->lock);
    has_room = inbox->ring.used < inbox->limits.bytes / 2;
    pthread_mutex_unlock(&inbox->lock);
    return has_room;
}

static struct inbox_entry entry_of(const struct record *record)
{
    const char *bytes = (const char *)(record + 1);

    return (struct inbox_entry){
        .kind = record->kind,
        .topic = bytes,
        .payload = bytes + record->topic_length + 1,
        .payload_length = record->payload_length,
        .retained = record->retained,
        .overflow = record->overflow,
        .token = record->token,
        .received_us = record->received_us,
    };
}

static void take_back(struct inbox *inbox)
{
    ring_drop(&inbox->ring);
    inbox->lent = false;
    atomic_store(&inbox->full, false);
    if (inbox->waiters > 0) {
        pthread_cond_broadcast(&inbox->room);
    }
}

bool inbox_pop(struct inbox *inbox, struct inbox_entry *ret_entry)
{
    bool found = false;

    pthread_mutex_lock(&inbox->lock);
    if (inbox->lent) {
        take_back(inbox);
    }
    if (inbox->waiting > 0) {
        *ret_entry = entry_of(ring_first(&inbox->ring));
        inbox->lent = true;
        inbox->waiting--;
        found = true;
    }
    /* Not with the last entry: until its room is given back, a push may fail beside it. */
    if (!found) {
        unsignal_owner(inbox);
    }
    pthread_mutex_unlock(&inbox->lock);
    return found;
}

void inbox_wake(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    signal_owner(inbox);
    pthread_mutex_unlock(&inbox->lock);
}

/* A pusher sets `full` and then looks at `owner_calls`; the owner does it the other way round.
 * Both sequentially consistent: at least one of them sees the other, so they never both wait. */
bool inbox_enter(struct inbox *inbox)
{
    if (atomic_load(&inbox->full)) {
        return false;
    }
    atomic_store(&inbox->owner_calls, true);
    if (atomic_load(&inbox->full)) {
        atomic_store(&inbox->owner_calls, false);
        return false;
    }
    return true;
}

void inbox_leave(struct inbox *inbox)
{
    atomic_store(&inbox->owner_calls, false);
}

uint64_t inbox_dropped(const struct inbox *inbox)
{
    return atomic_load(&inbox->dropped);
}

struct inbox_depth inbox_depth(struct inbox *inbox)
{
    struct inbox_depth depth;

    pthread_mutex_lock(&inbox->lock);
    depth = (struct inbox_depth){.waiting = inbox->waiting, .high_water = inbox->high_water};
    pthread_mutex_unlock(&inbox->lock);
    return depth;
}
