/* A preloaded library: notes what of each file has reached the disk, for a power cut that takes
 * away the rest.
 *
 * SYNCED_DISK names a file; whenever fsync or fdatasync of a regular file has come back, a line
 * goes there: device, inode, and the size that the file had when it was called. What was written
 * later the disk may not have.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int notes = -1;

__attribute__((constructor)) static void open_notes(void)
{
    const char *path = getenv("SYNCED_DISK");

    notes = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (notes < 0) {
        static const char complaint[] = "synced_disk: SYNCED_DISK cannot be opened\n";
        (void)!write(STDERR_FILENO, complaint, sizeof complaint - 1);
        abort();
    }
}

static void note(const struct stat *about)
{
    char line[96];
    int error = errno;
    int length = snprintf(
        line, sizeof line, "%llu %llu %lld\n", (unsigned long long)about->st_dev,
        (unsigned long long)about->st_ino, (long long)about->st_size);

    (void)!write(notes, line, (size_t)length); /* one write: lines of two processes never mix */
    errno = error;
}

#define NOTES(name)                                                                                \
    int name(int fd)                                                                               \
    {                                                                                              \
        static int (*_Atomic next)(int);                                                           \
        int (*function)(int) = atomic_load(&next);                                                 \
        struct stat before;                                                                        \
        int result;                                                                                \
        if (function == NULL) {                                                                    \
            *(void **)&function = dlsym(RTLD_NEXT, #name);                                         \
            if (function == NULL) {                                                                \
                abort();                                                                           \
            }                                                                                      \
            atomic_store(&next, function);                                                         \
        }                                                                                          \
        if (fstat(fd, &before) != 0 || !S_ISREG(before.st_mode)) {                                 \
            return function(fd);                                                                   \
        }                                                                                          \
        result = function(fd);                                                                     \
        if (result == 0) {                                                                         \
            note(&before);                                                                         \
        }                                                                                          \
        return result;                                                                             \
    }

NOTES(fsync)
NOTES(fdatasync)
