#include "tests/lib/traces.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/support/text.h"

char *traces_read(const char *path)
{
    TEXT_LOCAL(command, 4096);
    FILE *pipe;
    char *bytes = NULL;
    size_t size = 0;

    text_addf(&command, "gzip -dc '%s'", path);
    pipe = popen(command.data, "r");
    if (pipe == NULL || getdelim(&bytes, &size, '\0', pipe) < 0 || pclose(pipe) != 0) {
        perror(command.data);
        abort();
    }
    return bytes;
}
