/* A ring of bytes. A record never wraps: what is left at the end is skipped when it is too short.
 * The record that was popped last stays in the ring until the next pop, so that its strings can
 * be used in place.
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

struct record {
    size_t size; /* of the whole record, a multiple of its alignment */
    size_t payload_length;
    size_t topic_length;
    int64_t received_us;
    enum inbox_kind kind;
    int token;
    bool retained;
    bool overflow;
    bool skip; /* no entry: the rest of the ring is unused */
};

struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct inbox_limits limits;
    int fd;
    bool signalled; /* fd is readable */
    unsigned char *ring;
    size_t size;
    size_t head; /* of the oldest record */
    size_t used; /* from head on, with what is skipped */
    size_t lent; /* size of the record that the owner still reads */
    size_t waiting;
    size_t high_water; /* of waiting */
    size_t waiters;
    atomic_uint_least64_t dropped;
    atomic_bool full;        /* a push found no room since the last pop */
    atomic_bool owner_calls; /* between inbox_enter and inbox_leave */
};

static size_t aligned(size_t size)
{
    const size_t alignment = _Alignof(struct record);
    return (size + alignment - 1) / alignment * alignment;
}

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
    inbox->limits.bytes = aligned(limits.bytes);
    inbox->size = inbox->limits.bytes + INBOX_RESERVE_BYTES;
    inbox->ring = malloc(inbox->size);
    if (inbox->ring == NULL) {
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
    free(inbox->ring);
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
    free(inbox->ring);
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

static struct record *record_at(struct inbox *inbox, size_t offset)
{
    return (struct record *)(void *)(inbox->ring + offset);
}

/* Where a record of `size` bytes goes, with all use up to `limit`; marks a skipped rest. False
 * where there is no room. */
static bool place(struct inbox *inbox, size_t size, size_t limit, size_t *ret_offset)
{
    size_t tail = inbox->head + inbox->used;
    size_t rest;

    if (inbox->used == 0) {
        inbox->head = tail = 0;
    }
    if (tail >= inbox->size) {
        tail -= inbox->size;
    }
    rest = tail >= inbox->head ? inbox->size - tail : inbox->head - tail;
    if (inbox->used > 0 && tail == inbox->head) {
        return false;
    }
    if (size <= rest) {
        if (inbox->used + size > limit) {
            return false;
        }
        *ret_offset = tail;
        inbox->used += size;
        return true;
    }
    if (tail < inbox->head || size > inbox->head || inbox->used + rest + size > limit) {
        return false;
    }
    if (rest >= sizeof(struct record)) {
        record_at(inbox, tail)->skip = true;
    }
    *ret_offset = 0;
    inbox->used += rest + size;
    return true;
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
static bool wait_for_room(struct inbox *inbox, size_t size, size_t *ret_offset)
{
    struct timespec deadline;
    int error = 0;

    if (place(inbox, size, inbox->limits.bytes, ret_offset)) {
        return true;
    }
    deadline = deadline_in(INBOX_WAIT_MS);
    inbox->waiters++;
    do {
        /* In this order, see inbox_enter. */
        atomic_store(&inbox->full, true);
        if (atomic_load(&inbox->owner_calls)) {
            break;
        }
        error = pthread_cond_timedwait(&inbox->room, &inbox->lock, &deadline);
        if (place(inbox, size, inbox->limits.bytes, ret_offset)) {
            inbox->waiters--;
            return true;
        }
    } while (error == 0);
    inbox->waiters--;
    return false;
}

static void write_record(struct record *record, size_t size, const struct inbox_entry *entry)
{
    char *bytes = (char *)(record + 1);

    record->size = size;
    record->received_us = clock_us();
    record->kind = entry->kind;
    record->token = entry->token;
    record->retained = entry->retained;
    record->skip = false;
    record->topic_length = entry->topic == NULL ? 0 : strlen(entry->topic);
    record->payload_length = entry->payload_length;
    if (record->topic_length > 0) {
        memcpy(bytes, entry->topic, record->topic_length);
    }
    bytes[record->topic_length] = '\0';
    bytes += record->topic_length + 1;
    if (entry->payload_length > 0) {
        memcpy(bytes, entry->payload, entry->payload_length);
    }
    bytes[entry->payload_length] = '\0';
}

static bool find_room(
    struct inbox *inbox, const struct inbox_entry *entry, size_t size, bool own, size_t *ret_offset)
{
    if (entry->kind != INBOX_MESSAGE) {
        return place(inbox, size, inbox->size, ret_offset);
    }
    return own ? place(inbox, size, inbox->limits.bytes, ret_offset)
               : wait_for_room(inbox, size, ret_offset);
}

static enum status add(struct inbox *inbox, const struct inbox_entry *entry, bool own)
{
    bool is_message = entry->kind == INBOX_MESSAGE;
    size_t topic_length = entry->topic == NULL ? 0 : strlen(entry->topic);
    size_t size = aligned(sizeof(struct record) + topic_length + 1 + entry->payload_length + 1);
    enum status status = STATUS_OK;
    size_t offset;

    pthread_mutex_lock(&inbox->lock);
    if (size > (is_message ? inbox->limits.bytes : INBOX_RESERVE_BYTES / 4)) {
        atomic_fetch_add(&inbox->dropped, 1);
        status = STATUS_TOO_LONG;
        goto unlock;
    }
    if (!find_room(inbox, entry, size, own, &offset)) {
        atomic_fetch_add(&inbox->dropped, 1);
        status = STATUS_FULL;
        goto unlock;
    }
    write_record(record_at(inbox, offset), size, entry);
    record_at(inbox, offset)->overflow =
        is_message && inbox->limits.soft > 0 && inbox->waiting >= inbox->limits.soft;
    inbox->waiting++;
    if (inbox->waiting > inbox->high_water) {
        inbox->high_water = inbox->waiting;
    }
    if (!own) {
        signal_owner(inbox);
    }
unlock:
    pthread_mutex_unlock(&inbox->lock);
    return status;
}

enum status inbox_push(struct inbox *inbox, const struct inbox_entry *entry)
{
    return add(inbox, entry, false);
}

enum status inbox_put(struct inbox *inbox, const struct inbox_entry *entry)
{
    return add(inbox, entry, true);
}

bool inbox_has_room(struct inbox *inbox)
{
    bool has_room;

    pthread_mutex_lock(&inbox->lock);
    has_room = inbox->used < inbox->limits.bytes / 2;
    pthread_mutex_unlock(&inbox->lock);
    return has_room;
}

/* Gives the room of the oldest record back. */
static void release(struct inbox *inbox, size_t size)
{
    inbox->head += size;
    inbox->used -= size;
    if (inbox->head == inbox->size) {
        inbox->head = 0;
    }
}

bool inbox_pop(struct inbox *inbox, struct inbox_entry *ret_entry)
{
    struct record *record;
    const char *bytes;
    bool found = false;

    pthread_mutex_lock(&inbox->lock);
    if (inbox->lent > 0) {
        release(inbox, inbox->lent);
        inbox->lent = 0;
        atomic_store(&inbox->full, false);
        if (inbox->waiters > 0) {
            pthread_cond_broadcast(&inbox->room);
        }
    }
    if (inbox->waiting > 0) {
        size_t rest = inbox->size - inbox->head;
        if (rest < sizeof *record || record_at(inbox, inbox->head)->skip) {
            release(inbox, rest);
        }
        record = record_at(inbox, inbox->head);
        bytes = (const char *)(record + 1);
        *ret_entry = (struct inbox_entry){
            .kind = record->kind,
            .topic = bytes,
            .payload = bytes + record->topic_length + 1,
            .payload_length = record->payload_length,
            .retained = record->retained,
            .overflow = record->overflow,
            .token = record->token,
            .received_us = record->received_us,
        };
        inbox->lent = record->size;
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
