#include "controller/daemon/service_reads.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static bool become(const struct passwd *account)
{
    return initgroups(account->pw_name, account->pw_gid) == 0 && setgid(account->pw_gid) == 0 &&
           setuid(account->pw_uid) == 0;
}

/* A bit for each file, so that all of them fit into an exit status. */
static int unreadable(const char *const files[], size_t count)
{
    int bits = 0;

    for (size_t i = 0; i < count && i < SERVICE_FILES_MAX; i++) {
        if (files[i][0] != '\0' && access(files[i], R_OK) != 0) {
            bits |= 1 << i;
        }
    }
    return bits;
}

void service_reads(const char *account, const char *const files[], size_t count, struct text *out)
{
    const struct passwd *found = geteuid() == 0 ? getpwnam(account) : NULL;
    int status = 0;
    pid_t child;

    if (found == NULL) {
        return;
    }
    child = fork();
    if (child == 0) {
        _exit(become(found) ? unreadable(files, count) : 0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return;
    }
    for (size_t i = 0; i < count && i < SERVICE_FILES_MAX; i++) {
        if ((WEXITSTATUS(status) & 1 << i) != 0) {
            text_addf(
                out,
                "%s: the account \"%s\", as which the service runs, cannot read it; chgrp %s "
                "%s && chmod g+r %s\n",
                files[i], account, account, files[i], files[i]);
        }
    }
}
