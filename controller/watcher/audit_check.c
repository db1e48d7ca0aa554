#include "controller/watcher/audit_check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "controller/support/audit_months.h"
#include "controller/support/service_account.h"

#define STATE_DIRECTORY "/var/lib/tagout/audit" /* deploy/systemd: made when the service starts */
#define MONTHS_MENDED 2                         /* by a start: audit_files.h */

enum obstacle {
    OBSTACLE_NONE,
    OBSTACLE_MAKE,
    OBSTACLE_FOLDER,
    OBSTACLE_FILE,
};

/* The nearest folder above it that is there takes a new one. */
static bool can_be_made(const char *directory)
{
    char path[PATH_MAX];
    char *slash;

    text_copy(path, sizeof path, directory);
    do {
        slash = strrchr(path, '/');
        if (slash == NULL) {
            text_copy(path, sizeof path, ".");
        } else {
            slash[slash == path] = '\0';
        }
        if (access(path, W_OK | X_OK) == 0) {
            return true;
        }
    } while (errno == ENOENT && slash != NULL && slash != path);
    return false;
}

static bool files_can_be_written(const char *directory)
{
    struct audit_month months[MONTHS_MENDED];
    char name[AUDIT_NAME_SIZE];
    size_t count = 0;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool can = fd >= 0 && audit_months_list(fd, months, MONTHS_MENDED, &count);

    for (size_t i = 0; can && i < count; i++) {
        audit_month_name(months[i], name);
        can = faccessat(fd, name, R_OK | W_OK, 0) == 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return can;
}

static int look(const void *context)
{
    const char *directory = context;

    if (access(directory, R_OK | W_OK | X_OK) == 0) {
        return files_can_be_written(directory) ? OBSTACLE_NONE : OBSTACLE_FILE;
    }
    if (errno != ENOENT) {
        return OBSTACLE_FOLDER;
    }
    return strcmp(directory, STATE_DIRECTORY) == 0 || can_be_made(directory) ? OBSTACLE_NONE
                                                                             : OBSTACLE_MAKE;
}

void audit_check(const char *directory, const char *account, struct text *out)
{
    static const char *const words[] = {
        [OBSTACLE_MAKE] = "is not there, and cannot be made by",
        [OBSTACLE_FOLDER] = "cannot be written by",
        [OBSTACLE_FILE] = "holds files that cannot be written by",
    };
    int obstacle = service_account_look(account, look, directory);
    bool is_service = obstacle >= 0;

    if (!is_service) {
        obstacle = look(directory);
    }
    if (obstacle == OBSTACLE_NONE) {
        return;
    }
    text_addf(out, "[audit] directory: %s %s ", directory, words[obstacle]);
    if (is_service) {
        text_addf(out, "the account \"%s\", as which the service runs\n", account);
    } else {
        text_add(out, "this user\n");
    }
}
