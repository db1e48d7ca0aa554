#include "controller/daemon/service_reads.h"

#include <unistd.h>

#include "controller/support/service_account.h"

struct files {
    const char *const *paths;
    size_t count;
};

/* A bit for each file, so that all of them fit into an exit status. */
static int unreadable(const void *context)
{
    const struct files *files = context;
    int bits = 0;

    for (size_t i = 0; i < files->count; i++) {
        if (files->paths[i][0] != '\0' && access(files->paths[i], R_OK) != 0) {
            bits |= 1 << i;
        }
    }
    return bits;
}

void service_reads(const char *account, const char *const files[], size_t count, struct text *out)
{
    const struct files looked_at = {files, count < SERVICE_FILES_MAX ? count : SERVICE_FILES_MAX};
    int bits = service_account_look(account, unreadable, &looked_at);

    for (size_t i = 0; bits > 0 && i < looked_at.count; i++) {
        if ((bits & 1 << i) != 0) {
            text_addf(
                out,
                "%s: the account \"%s\", as which the service runs, cannot read it; chgrp %s "
                "%s && chmod g+r %s\n",
                files[i], account, account, files[i], files[i]);
        }
    }
}
