#include "tests/lib/failing_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* The linker's names for what is wrapped, and for what takes its place. */
// NOLINTBEGIN(*-reserved-identifier,readability-identifier-naming,*-dcl37-c)
ssize_t __real_write(int fd, const void *bytes, size_t length);
int __real_openat(int directory, const char *path, int flags, ...);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t length);
int __real_renameat(int from, const char *old, int to, const char *new);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_renameat(int from, const char *old, int to, const char *new);

static struct {
    unsigned left; /* calls until the one that fails; 0: none does */
    enum disk_fault fault;
    bool struck;
} order;

void failing_disk_order(unsigned nth, enum disk_fault fault)
{
    order.left = nth;
    order.fault = fault;
    order.struck = false;
}

bool failing_disk_end(void)
{
    order.left = 0;
    return order.struck;
}

static bool fails(void)
{
    if (order.left == 0 || --order.left > 0) {
        return false;
    }
    order.struck = true;
    errno = order.fault == DISK_BROKEN ? EIO : ENOSPC;
    return true;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    if (!fails()) {
        return __real_write(fd, bytes, length);
    }
    if (order.fault == DISK_FULL_IN_IT && length > 1) {
        order.left = 1;
        return __real_write(fd, bytes, length / 2);
    }
    return -1;
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
    va_list values;
    mode_t mode;

    va_start(values, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(values, mode_t) : 0;
    va_end(values);
    return fails() ? -1 : __real_openat(directory, path, flags, mode);
}

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
    return fails() ? -1 : __real_fdatasync(fd);
}

int __wrap_ftruncate(int fd, off_t length)
{
    return fails() ? -1 : __real_ftruncate(fd, length);
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    return fails() ? -1 : __real_renameat(from, old, to, new);
}
// NOLINTEND(*-reserved-identifier,readability-identifier-naming,*-dcl37-c)
