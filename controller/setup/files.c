#include "controller/setup/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS 16

enum status files_join(
    char ret_path[FILES_PATH_SIZE], const char *directory, const char *name, struct text *why)
{
    char path[FILES_PATH_SIZE];
    struct text text = text_over(path, sizeof path);

    text_addf(&text, "%s/%s", directory, name);
    if (text.cut) {
        text_addf(why, "%s/%s: the path is too long", directory, name);
        return STATUS_TOO_LONG;
    }
    memcpy(ret_path, path, sizeof path);
    return STATUS_OK;
}

bool files_exist(const char *path)
{
    struct stat about;

    return lstat(path, &about) == 0;
}

static enum status fail(const char *path, struct text *why)
{
    text_addf(why, "%s: %s", path, strerror(errno));
    return STATUS_IO;
}

enum status files_set_owner(const char *path, struct files_owner owner, struct text *why)
{
    const struct group *group = owner.group == NULL ? NULL : getgrnam(owner.group);

    if (geteuid() == 0 && group != NULL && lchown(path, (uid_t)-1, group->gr_gid) != 0) {
        return fail(path, why);
    }
    return chmod(path, owner.mode) == 0 ? STATUS_OK : fail(path, why);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void files_remove(const char *path)
{
    (void)nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

enum status files_sync_directory(const char *path, struct text *why)
{
    enum status status = STATUS_OK;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0) {
        status = fail(path, why);
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}
