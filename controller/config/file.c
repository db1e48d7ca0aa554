#include "controller/config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_hosts(int error)
{
    return error == EIO || error == ENOMEM || error == EMFILE || error == ENFILE;
}

/* Whoever looks at the file as root sees nothing wrong with it. */
static void add_account(struct text *why)
{
    char buffer[1024];
    struct passwd account;
    struct passwd *found = NULL;

    if (getpwuid_r(geteuid(), &account, buffer, sizeof buffer, &found) == 0 && found != NULL) {
        text_addf(why, " for the account \"%s\"", found->pw_name);
    }
}

static enum status refuse(const char *path, int error, struct text *why)
{
    char buffer[128];
    text_addf(why, "%s: cannot be read: %s", path, strerror_r(error, buffer, sizeof buffer));
    if (error == EACCES) {
        add_account(why);
    }
    return is_hosts(error) ? STATUS_BUSY : STATUS_IO;
}

/* Fills the buffer as far as the file goes; -1 with errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t length = 0;

    while (length < size) {
        ssize_t got = read(fd, bytes + length, size - length);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)length;
}

enum status
file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_length, struct text *why)
{
    enum status status = STATUS_OK;
    struct stat about;
    char *bytes = NULL;
    ssize_t length;
    /* Without O_NONBLOCK a FIFO would hold the reader until somebody writes. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &about) != 0) {
        status = refuse(path, errno, why);
        goto out;
    }
    if (!S_ISREG(about.st_mode)) {
        text_addf(why, "%s: is not a regular file", path);
        status = STATUS_IO;
        goto out;
    }
    if ((uintmax_t)about.st_size > max) {
        text_addf(why, "%s: is larger than %zu bytes", path, max);
        status = STATUS_TOO_LONG;
        goto out;
    }
    bytes = malloc((size_t)about.st_size + 1);
    if (bytes == NULL) {
        text_addf(why, "%s: out of memory", path);
        status = STATUS_NO_MEMORY;
        goto out;
    }
    length = read_all(fd, bytes, (size_t)about.st_size);
    if (length < 0) {
        status = refuse(path, errno, why);
        goto out;
    }
    bytes[length] = '\0';
    *ret_bytes = bytes;
    *ret_length = (size_t)length;
    bytes = NULL;
out:
    free(bytes);
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

enum status
file_read_text(const char *path, size_t max, char **ret_bytes, size_t *ret_length, struct text *why)
{
    char *bytes = NULL;
    size_t length = 0;
    enum status status = file_read(path, max, &bytes, &length, why);

    if (status != STATUS_OK) {
        return status;
    }
    if (memchr(bytes, '\0', length) != NULL) {
        text_addf(why, "%s: is not text", path);
        free(bytes);
        return STATUS_INVALID;
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return STATUS_OK;
}
