#include "controller/backup/swap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/setup/files.h"

#define COPY_BYTES 65536

static enum status fail(const char *path, struct text *why)
{
    text_addf(why, "%s: %s", path, strerror(errno));
    return STATUS_IO;
}

/* What is there, an empty folder aside. */
static bool is_taken(const char *place)
{
    DIR *entries = opendir(place);
    const struct dirent *entry = NULL;

    if (entries == NULL) {
        return errno != ENOENT;
    }
    do {
        entry = readdir(entries);
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    closedir(entries);
    return entry != NULL;
}

/* The folders above it, as an installation would make them. */
static enum status make_parents(const char *place, struct text *why)
{
    char path[SWAP_PATH_SIZE];

    text_copy(path, sizeof path, place);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return fail(path, why);
        }
        *slash = '/';
    }
    return STATUS_OK;
}

enum status
swap_begin(struct swap *swap, const char *place, bool force, struct wall_time now, struct text *why)
{
    time_t seconds = (time_t)(now.ms / 1000);
    struct tm parts = {0};
    char stamp[32] = "";
    struct text there = text_over(swap->place, sizeof swap->place);
    struct text fresh = text_over(swap->fresh, sizeof swap->fresh);
    struct text aside = text_over(swap->aside, sizeof swap->aside);
    enum status status;

    text_add(&there, place);
    if (is_taken(place)) {
        if (!force) {
            text_addf(why, "%s is there already", place);
            return STATUS_BUSY;
        }
        (void)gmtime_r(&seconds, &parts);
        (void)strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
        text_addf(&aside, "%s.before-%s", place, stamp);
    }
    status = make_parents(place, why);
    if (status != STATUS_OK) {
        return status;
    }
    text_addf(&fresh, "%s.restoring-XXXXXX", place);
    if (there.cut || aside.cut || fresh.cut) {
        swap->fresh[0] = '\0';
        text_addf(why, "%s: the path is too long", place);
        return STATUS_TOO_LONG;
    }
    if (mkdtemp(swap->fresh) == NULL) {
        swap->fresh[0] = '\0';
        return fail(place, why);
    }
    memcpy(swap->made, swap->fresh, sizeof swap->made);
    swap->folder = open(swap->fresh, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return swap->folder < 0 ? fail(swap->fresh, why) : STATUS_OK;
}

enum status swap_begin_file(
    struct swap *swap, const char *place, bool force, struct wall_time now, struct text *why)
{
    enum status status = swap_begin(swap, place, force, now, why);

    return status == STATUS_OK ? files_join(swap->made, swap->fresh, SWAP_FILE, why) : status;
}

/* The mode last: to change the owner takes bits of it away. */
static enum status set_owner(int fd, const struct bundle_item *item, struct text *why)
{
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)item->modified_s}};
    mode_t mode = item->is_folder ? item->mode | S_IRWXU : item->mode;

    if (geteuid() == 0) {
        const struct passwd *user = item->user[0] == '\0' ? NULL : getpwnam(item->user);
        const struct group *group = item->group[0] == '\0' ? NULL : getgrnam(item->group);

        if (fchown(
                fd, user == NULL ? (uid_t)-1 : user->pw_uid,
                group == NULL ? (gid_t)-1 : group->gr_gid) != 0) {
            return fail(item->name, why);
        }
    }
    return fchmod(fd, mode) == 0 && futimens(fd, times) == 0 ? STATUS_OK : fail(item->name, why);
}

static enum status
copy(struct bundle_reader *bundle, int fd, const struct bundle_item *item, struct text *why)
{
    char *buffer = malloc(COPY_BYTES);
    size_t length = 1;
    enum status status = buffer == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    while (status == STATUS_OK && length > 0) {
        status = bundle_read(bundle, buffer, COPY_BYTES, &length, why);
        for (size_t at = 0; status == STATUS_OK && at < length;) {
            ssize_t wrote = write(fd, buffer + at, length - at);

            if (wrote < 0 && errno != EINTR) {
                status = fail(item->name, why);
            }
            at += wrote > 0 ? (size_t)wrote : 0;
        }
    }
    free(buffer);
    return status;
}

enum status swap_unpack(
    struct swap *swap, struct bundle_reader *bundle, const struct bundle_item *item,
    const char *name, struct text *why)
{
    enum status status = STATUS_OK;
    int fd;

    if (item->is_folder) {
        if (name[0] != '\0' && mkdirat(swap->folder, name, S_IRWXU) != 0) {
            return fail(item->name, why);
        }
        fd = openat(
            swap->folder, name[0] == '\0' ? "." : name,
            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } else {
        fd = openat(
            swap->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
            S_IRUSR | S_IWUSR);
    }
    if (fd < 0) {
        return fail(item->name, why);
    }
    if (!item->is_folder) {
        status = copy(bundle, fd, item, why);
    }
    if (status == STATUS_OK) {
        status = set_owner(fd, item, why);
    }
    close(fd);
    return status;
}

enum status swap_in(struct swap *swap, struct text *why)
{
    if (syncfs(swap->folder) != 0) {
        return fail(swap->fresh, why);
    }
    if (swap->aside[0] != '\0' && rename(swap->place, swap->aside) != 0) {
        return fail(swap->place, why);
    }
    if (rename(swap->made, swap->place) != 0) {
        enum status status = fail(swap->place, why);

        if (swap->aside[0] != '\0') {
            (void)rename(swap->aside, swap->place);
        }
        return status;
    }
    swap->is_in = true;
    (void)syncfs(swap->folder);
    return STATUS_OK;
}

void swap_back(struct swap *swap)
{
    if (!swap->is_in) {
        return;
    }
    swap->is_in = false;
    (void)rename(swap->place, swap->made);
    if (swap->aside[0] != '\0') {
        (void)rename(swap->aside, swap->place);
    }
}

void swap_end(struct swap *swap)
{
    if (swap->fresh[0] == '\0') {
        return;
    }
    if (swap->folder >= 0) {
        close(swap->folder);
    }
    if (files_exist(swap->fresh)) {
        files_remove(swap->fresh);
    }
    swap->fresh[0] = '\0';
}
