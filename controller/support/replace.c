#include "controller/support/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_BYTES 16384

static enum status refuse(const char *path, const char *what, int error, struct text *why)
{
    char buffer[128];
    text_addf(why, "%s: %s: %s", path, what, strerror_r(error, buffer, sizeof buffer));
    return STATUS_IO;
}

static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    TEXT_LOCAL(folder, PATH_MAX);

    if (slash == NULL) {
        text_add(&folder, ".");
    } else {
        text_add_bytes(&folder, path, slash == path ? 1 : (size_t)(slash - path));
    }
    return open(folder.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool find_group(const char *name, gid_t *ret_group)
{
    struct group group;
    struct group *found = NULL;
    char buffer[GROUP_BYTES];

    if (name == NULL || getgrnam_r(name, &group, buffer, sizeof buffer, &found) != 0 ||
        found == NULL) {
        return false;
    }
    *ret_group = group.gr_gid;
    return true;
}

/* The mode comes last: until then nobody else may read it. */
static bool give_rights(int fd, const char *path, const struct replace_rights *rights)
{
    struct stat old;
    gid_t group;

    if (stat(path, &old) == 0) {
        if (fchown(fd, old.st_uid, old.st_gid) != 0 && geteuid() == 0) {
            return false;
        }
        return fchmod(fd, old.st_mode & 07777) == 0;
    }
    if (geteuid() == 0 && find_group(rights->group, &group) && fchown(fd, 0, group) != 0) {
        return false;
    }
    return fchmod(fd, rights->mode) == 0;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        bytes += done > 0 ? done : 0;
        length -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

enum status replace_file(
    const char *path, const char *bytes, size_t length, const struct replace_rights *rights,
    struct text *why)
{
    enum status status = STATUS_OK;
    int folder = open_folder(path);
    int fd = -1;
    TEXT_LOCAL(scratch, PATH_MAX);

    text_addf(&scratch, "%s.XXXXXX", path);
    if (scratch.cut) {
        text_addf(why, "%s: too long a path", path);
        status = STATUS_TOO_LONG;
        goto out;
    }
    fd = folder < 0 ? -1 : mkostemp(scratch.data, O_CLOEXEC);
    if (fd < 0) {
        status = refuse(path, "cannot be written", errno, why);
        goto out;
    }
    if (!write_all(fd, bytes, length) || !give_rights(fd, path, rights) || fsync(fd) != 0 ||
        rename(scratch.data, path) != 0) {
        status = refuse(path, "cannot be written", errno, why);
        (void)unlink(scratch.data);
        goto out;
    }
    /* It is there; only a power cut in the next seconds could still bring the old one back. */
    if (fsync(folder) != 0) {
        status = refuse(path, "cannot be made safe against a power cut", errno, why);
    }
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    if (folder >= 0) {
        (void)close(folder);
    }
    return status;
}

enum status replace_lock(const char *path, int *ret_fd, struct text *why)
{
    int fd = open_folder(path);

    if (fd < 0) {
        return refuse(path, "its folder cannot be opened", errno, why);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;
        (void)close(fd);
        if (error != EWOULDBLOCK) {
            return refuse(path, "its folder cannot be locked", error, why);
        }
        text_addf(why, "%s: somebody else is changing it right now", path);
        return STATUS_BUSY;
    }
    *ret_fd = fd;
    return STATUS_OK;
}
