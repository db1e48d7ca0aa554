/* A preloaded library: the disk of the host, which can freeze.
 *
 * FROZEN_DISK names a file of two 32-bit words that all processes map: while the first is not 0,
 * every call that would reach the disk waits; the second counts those that do. The disk is what
 * regular files are on: sockets, pipes and events go on. Reading goes on as well, as from the page
 * cache. syslog waits too, for journald hangs with its disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/preload.h"

struct disk {
    _Atomic uint32_t frozen;
    _Atomic uint32_t held;
};

static struct disk *disk;

__attribute__((constructor)) static void map_disk(void)
{
    disk = preload_map("FROZEN_DISK", sizeof *disk);
}

/* Polls: a futex would save nothing in a test, and this can be read. */
static void wait_for_disk(void)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    int error = errno;

    if (disk == NULL || atomic_load(&disk->frozen) == 0) {
        return;
    }
    atomic_fetch_add(&disk->held, 1);
    while (atomic_load(&disk->frozen) != 0) {
        (void)nanosleep(&pause, NULL);
    }
    atomic_fetch_sub(&disk->held, 1);
    errno = error;
}

static void wait_for_file(int fd)
{
    struct stat about;
    int error = errno;

    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        wait_for_disk();
    }
    errno = error;
}

static void wait_for_stream(FILE *file)
{
    int flags = file == NULL ? O_RDONLY : fcntl(fileno(file), F_GETFL);

    if ((flags & O_ACCMODE) != O_RDONLY) {
        wait_for_file(fileno(file));
    }
}

static void wait_for_path(int folder, const char *path, int flags)
{
    struct stat about;
    int error = errno;
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;

    if (writes && (fstatat(folder, path, &about, 0) != 0 || S_ISREG(about.st_mode))) {
        wait_for_disk();
    }
    errno = error;
}

/* `name` waits with `wait`, then goes on as the C library's. Parameters and arguments are
 * in parentheses. */
#define WAITS(type, name, parameters, arguments, wait)                                             \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*_Atomic next) parameters;                                                     \
        type(*function) parameters = atomic_load(&next);                                           \
        if (function == NULL) {                                                                    \
            *(void **)&function = preload_next(#name);                                             \
            atomic_store(&next, function);                                                         \
        }                                                                                          \
        wait;                                                                                      \
        return function arguments;                                                                 \
    }

WAITS(int, fsync, (int fd), (fd), wait_for_file(fd))
WAITS(int, fdatasync, (int fd), (fd), wait_for_file(fd))
WAITS(
    int, sync_file_range, (int fd, off64_t at, off64_t length, unsigned flags),
    (fd, at, length, flags), wait_for_file(fd))
WAITS(int, ftruncate, (int fd, off_t length), (fd, length), wait_for_file(fd))
WAITS(int, ftruncate64, (int fd, off64_t length), (fd, length), wait_for_file(fd))
WAITS(
    ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), wait_for_file(fd))
WAITS(
    ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count),
    wait_for_file(fd))
WAITS(
    ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at),
    wait_for_file(fd))
WAITS(
    ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), (fd, bytes, size, at),
    wait_for_file(fd))
WAITS(int, fflush, (FILE * file), (file), wait_for_stream(file))
WAITS(int, fclose, (FILE * file), (file), wait_for_stream(file))
WAITS(int, rename, (const char *from, const char *to), (from, to), wait_for_disk())
WAITS(int, unlink, (const char *path), (path), wait_for_disk())
WAITS(
    FILE *, fopen, (const char *path, const char *mode), (path, mode),
    wait_for_path(AT_FDCWD, path, mode[0] == 'r' && strchr(mode, '+') == NULL ? O_RDONLY : O_RDWR))
WAITS(
    FILE *, fopen64, (const char *path, const char *mode), (path, mode),
    wait_for_path(AT_FDCWD, path, mode[0] == 'r' && strchr(mode, '+') == NULL ? O_RDONLY : O_RDWR))

/* What syslog becomes with the C library's fortification. */
void __syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define SYSLOG()                                                                                   \
    va_list arguments;                                                                             \
    wait_for_disk();                                                                               \
    va_start(arguments, format);                                                                   \
    vsyslog(priority, format, arguments);                                                          \
    va_end(arguments)

void syslog(int priority, const char *format, ...)
{
    SYSLOG();
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
    (void)flag;
    SYSLOG();
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
        wait_for_path(AT_FDCWD, path, flags);                                                      \
        return function(path, flags, mode);                                                        \
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
        wait_for_path(folder, path, flags);                                                        \
        return function(folder, path, flags, mode);                                                \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
