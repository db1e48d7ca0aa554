#include "controller/config/credentials.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/config/file.h"

#define CREDENTIAL_MAX 4096

static enum status
read_one(const char *path, const char *name, credential_taker take, void *context, struct text *why)
{
    char *bytes;
    size_t length;
    enum status status = file_read(path, CREDENTIAL_MAX, &bytes, &length, why);

    if (status != STATUS_OK) {
        return status;
    }
    if (memchr(bytes, '\0', length) != NULL) {
        text_addf(why, "%s: is not text", path);
        status = STATUS_INVALID;
        goto out;
    }
    /* An editor ends the line, and the end of a line is no part of a password. */
    if (length > 0 && bytes[length - 1] == '\n') {
        bytes[--length] = '\0';
    }
    if (length > 0 && bytes[length - 1] == '\r') {
        bytes[--length] = '\0';
    }
    status = take(context, name, bytes, why);
out:
    explicit_bzero(bytes, length);
    free(bytes);
    return status;
}

enum status credentials_read(credential_taker take, void *context, struct text *why)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    enum status status = STATUS_OK;
    const struct dirent *entry;
    DIR *directory;

    if (folder == NULL || folder[0] == '\0') {
        return STATUS_OK;
    }
    directory = opendir(folder);
    if (directory == NULL) {
        char buffer[128];
        text_addf(why, "%s: cannot be read: %s", folder, strerror_r(errno, buffer, sizeof buffer));
        return STATUS_IO;
    }
    while (status == STATUS_OK && (entry = readdir(directory)) != NULL) {
        TEXT_LOCAL(path, PATH_MAX);

        if (strncmp(entry->d_name, CREDENTIAL_PREFIX, strlen(CREDENTIAL_PREFIX)) == 0) {
            text_addf(&path, "%s/%s", folder, entry->d_name);
            status = read_one(path.data, entry->d_name, take, context, why);
        }
    }
    closedir(directory);
    return status;
}

bool secret_is_exposed(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & S_IROTH) != 0;
}
