/* A preloaded library: the disk of a program, which is full.
 *
 * FULL_DISK names a file of three 32-bit words that the test maps. While the first is not 0 no
 * regular file is made, and none grows by more than the bytes that there still is room for: so
 * many, and one, the word says. What then finds no room ends with ENOSPC. The second word counts
 * what was refused. While the third is not 0 the disk is one that takes writes all the same, and
 * says when it is to synchronise a file that there is no room. Reading, renaming and making files
 * shorter go on, and so do sockets and pipes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/preload.h"

struct disk {
    _Atomic uint32_t full; /* 0, or 1 and the bytes that there is room for */
    _Atomic uint32_t refused;
    _Atomic uint32_t says_late;
};

static struct disk *disk;

__attribute__((constructor)) static void map_disk(void)
{
    disk = preload_map("FULL_DISK", sizeof *disk);
}

static bool is_full(void)
{
    return disk != NULL && atomic_load(&disk->full) != 0;
}

static int refuse(void)
{
    atomic_fetch_add(&disk->refused, 1);
    errno = ENOSPC;
    return -1;
}

/* How many of `size` bytes the disk takes. */
static size_t room_for(int fd, size_t size)
{
    struct stat about;
    int error = errno;
    bool is_file = is_full() && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    uint32_t full;
    size_t room;

    errno = error;
    if (!is_file) {
        return size;
    }
    full = atomic_load(&disk->full);
    do {
        room = full == 0 || size < full - 1 ? size : full - 1;
    } while (full != 0 && !atomic_compare_exchange_weak(&disk->full, &full, full - (uint32_t)room));
    return room;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    static ssize_t (*_Atomic next)(int, const void *, size_t);
    ssize_t (*function)(int, const void *, size_t) = atomic_load(&next);
    size_t room = room_for(fd, size);

    if (function == NULL) {
        *(void **)&function = preload_next("write");
        atomic_store(&next, function);
    }
    return room == 0 && size > 0 ? refuse() : function(fd, bytes, room);
}

#define SYNC(name)                                                                                 \
    int name(int fd)                                                                               \
    {                                                                                              \
        int (*function)(int) = NULL;                                                               \
        *(void **)&function = preload_next(#name);                                                 \
        return disk != NULL && atomic_load(&disk->says_late) != 0 ? refuse() : function(fd);       \
    }

SYNC(fsync)
SYNC(fdatasync)

/* The file would be a new one. */
static bool is_new(int folder, const char *path, int flags)
{
    struct stat about;
    int error = errno;
    bool result = (flags & O_CREAT) != 0 && is_full() && fstatat(folder, path, &about, 0) != 0;

    errno = error;
    return result;
}

FILE *fopen(const char *path, const char *mode)
{
    FILE *(*function)(const char *, const char *) = NULL;

    *(void **)&function = preload_next("fopen");
    if (is_new(AT_FDCWD, path, mode[0] == 'r' ? 0 : O_CREAT)) {
        (void)refuse();
        return NULL;
    }
    return function(path, mode);
}

/* The mode is read whether or not it was given; it is passed on as unused as it came. */
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        int (*function)(const char *, int, ...) = NULL;                                            \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = va_arg(arguments, mode_t);                                                   \
        va_end(arguments);                                                                         \
        *(void **)&function = preload_next(#name);                                                 \
        return is_new(AT_FDCWD, path, flags) ? refuse() : function(path, flags, mode);             \
    }
#define OPENAT(name)                                                                               \
    int name(int folder, const char *path, int flags, ...)                                         \
    {                                                                                              \
        int (*function)(int, const char *, int, ...) = NULL;                                       \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = va_arg(arguments, mode_t);                                                   \
        va_end(arguments);                                                                         \
        *(void **)&function = preload_next(#name);                                                 \
        return is_new(folder, path, flags) ? refuse() : function(folder, path, flags, mode);       \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
