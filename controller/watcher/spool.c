#include "controller/watcher/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_NAME "heard"
#define FILE_MODE 0600
#define MAGIC UINT64_C(0x31676f6174707331)
#define ROOM (SPOOL_HALF_BYTES - 3 * sizeof(uint64_t))

/* As it is in the file. `used` grows when a record is whole. */
struct half {
    uint64_t magic;
    uint64_t turn; /* the newer half has the greater */
    _Atomic uint64_t used;
    char records[ROOM];
};

/* Before a record's topic and payload, each of which ends in a NUL. */
struct lengths {
    uint32_t topic;
    uint32_t payload;
};

struct spool {
    int fd;
    struct half *halves; /* two, mapped */
    struct half *current;
    char *left; /* records of the last process; NULL for none */
    size_t left_length;
};

static enum status fail(struct text *why, const char *directory, const char *what, int error)
{
    text_addf(why, "%s/" FILE_NAME ": %s: %s", directory, what, strerror(error));
    return STATUS_IO;
}

static bool is_whole(const struct half *half)
{
    return half->magic == MAGIC && atomic_load(&half->used) <= ROOM;
}

static void begin_half(struct half *half, uint64_t turn)
{
    atomic_store(&half->used, 0);
    half->turn = turn;
    half->magic = MAGIC;
}

static enum status map(struct spool *spool, const char *directory, struct text *why)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const size_t size = 2 * sizeof(struct half);
    void *bytes;
    int error;

    if (folder < 0) {
        return fail(why, directory, "its folder cannot be opened", errno);
    }
    spool->fd = openat(folder, FILE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    error = errno;
    close(folder);
    if (spool->fd < 0) {
        return fail(why, directory, "cannot be opened", error);
    }
    if (flock(spool->fd, LOCK_EX | LOCK_NB) != 0) {
        return fail(why, directory, "another watcher has it", errno);
    }
    /* A page that has no room when it is written to would end the process. */
    error =
        ftruncate(spool->fd, (off_t)size) != 0 ? errno : posix_fallocate(spool->fd, 0, (off_t)size);
    if (error != 0) {
        return fail(why, directory, "there is no room", error);
    }
    bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, spool->fd, 0);
    if (bytes == MAP_FAILED) {
        return fail(why, directory, "cannot be mapped", errno);
    }
    spool->halves = bytes;
    return STATUS_OK;
}

/* Copied, for the halves are written again before it is recalled. */
static enum status keep_left(struct spool *spool)
{
    struct half *older = &spool->halves[0];
    struct half *newer = &spool->halves[1];
    size_t first;
    size_t second;

    if (!is_whole(older) || !is_whole(newer)) {
        begin_half(older, 1);
        begin_half(newer, 0);
    }
    if (older->turn > newer->turn) {
        older = newer;
        newer = &spool->halves[0];
    }
    spool->current = newer;
    first = (size_t)atomic_load(&older->used);
    second = (size_t)atomic_load(&newer->used);
    if (first + second == 0) {
        return STATUS_OK;
    }
    spool->left = malloc(first + second);
    if (spool->left == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(spool->left, older->records, first);
    memcpy(spool->left + first, newer->records, second);
    spool->left_length = first + second;
    return STATUS_OK;
}

enum status spool_open(const char *directory, struct spool **ret_spool, struct text *why)
{
    struct spool *spool = calloc(1, sizeof *spool);
    enum status status = STATUS_NO_MEMORY;

    if (spool != NULL) {
        spool->fd = -1;
        status = map(spool, directory, why);
    }
    if (status == STATUS_OK) {
        status = keep_left(spool);
    }
    if (status != STATUS_OK) {
        if (status == STATUS_NO_MEMORY) {
            text_add(why, status_text(status));
        }
        spool_close(spool);
        return status;
    }
    *ret_spool = spool;
    return STATUS_OK;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL) {
        return;
    }
    if (spool->halves != NULL) {
        munmap(spool->halves, 2 * sizeof(struct half));
    }
    if (spool->fd >= 0) {
        close(spool->fd);
    }
    free(spool->left);
    free(spool);
}

void spool_add(struct spool *spool, const char *topic, const char *payload, size_t length)
{
    const struct lengths lengths = {.topic = (uint32_t)strlen(topic), .payload = (uint32_t)length};
    size_t size = sizeof lengths + lengths.topic + 1 + length + 1;
    struct half *half = spool->current;
    size_t used = (size_t)atomic_load(&half->used);
    char *at;

    if (size > ROOM) {
        return; /* far longer than an event may be */
    }
    if (used + size > ROOM) {
        uint64_t turn = half->turn + 1;
        half = half == &spool->halves[0] ? &spool->halves[1] : &spool->halves[0];
        begin_half(half, turn);
        spool->current = half;
        used = 0;
    }
    at = half->records + used;
    memcpy(at, &lengths, sizeof lengths);
    memcpy(at + sizeof lengths, topic, lengths.topic + 1);
    at += sizeof lengths + lengths.topic + 1;
    memcpy(at, payload, length);
    at[length] = '\0';
    atomic_store(&half->used, used + size);
}

/* The size of the record, 0 where there is none. */
static size_t record_size(const char *at, size_t length, struct lengths *ret_lengths)
{
    size_t size;

    if (length < sizeof *ret_lengths) {
        return 0;
    }
    memcpy(ret_lengths, at, sizeof *ret_lengths);
    size = sizeof *ret_lengths + (size_t)ret_lengths->topic + 1 + ret_lengths->payload + 1;
    if (size > length || at[sizeof *ret_lengths + ret_lengths->topic] != '\0' ||
        at[size - 1] != '\0') {
        return 0;
    }
    return size;
}

void spool_recall(
    struct spool *spool,
    void (*take)(void *context, const char *topic, const char *payload, size_t length),
    void *context)
{
    const char *at = spool->left;
    size_t length = spool->left_length;
    struct lengths lengths;
    size_t size;

    while ((size = record_size(at, length, &lengths)) > 0) {
        const char *topic = at + sizeof lengths;
        take(context, topic, topic + lengths.topic + 1, lengths.payload);
        at += size;
        length -= size;
    }
    free(spool->left);
    spool->left = NULL;
    spool->left_length = 0;
}

void spool_clear(struct spool *spool)
{
    for (int i = 0; i < 2 && spool->left == NULL; i++) {
        atomic_store(&spool->halves[i].used, 0);
    }
}
