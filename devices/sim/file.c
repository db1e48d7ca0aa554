#include "devices/sim/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 16384

static enum status read_all(FILE *file, char **ret_bytes, size_t *ret_length)
{
    size_t size = FIRST_BYTES;
    size_t length = 0;
    char *bytes = malloc(size + 1);

    while (bytes != NULL) {
        size_t got = fread(bytes + length, 1, size - length, file);
        char *more;

        length += got;
        if (got == 0) {
            break;
        }
        if (length < size) {
            continue;
        }
        size *= 2;
        more = size > FILE_BYTES_MAX ? NULL : realloc(bytes, size + 1);
        if (more == NULL) {
            free(bytes);
            return size > FILE_BYTES_MAX ? STATUS_TOO_LONG : STATUS_NO_MEMORY;
        }
        bytes = more;
    }
    if (bytes == NULL) {
        return STATUS_NO_MEMORY;
    }
    if (ferror(file)) {
        free(bytes);
        return STATUS_IO;
    }
    bytes[length] = '\0';
    *ret_bytes = bytes;
    *ret_length = length;
    return STATUS_OK;
}

enum status file_load(const char *path, char **ret_bytes, size_t *ret_length, struct text *why)
{
    FILE *file = fopen(path, "rbe");
    enum status status;

    if (file == NULL) {
        text_addf(why, "%s: %s", path, strerrordesc_np(errno));
        return STATUS_IO;
    }
    status = read_all(file, ret_bytes, ret_length);
    if (status != STATUS_OK) {
        text_addf(why, "%s: %s", path, status_text(status));
    }
    fclose(file);
    return status;
}

enum status file_load_json(const char *path, struct json **ret_document, struct text *why)
{
    char *bytes = NULL;
    size_t length = 0;
    TEXT_LOCAL(reason, 256);
    enum status status = file_load(path, &bytes, &length, why);

    if (status != STATUS_OK) {
        return status;
    }
    status = json_parse(bytes, length, ret_document, &reason);
    if (status != STATUS_OK) {
        text_addf(why, "%s: %s", path, reason.data);
    }
    free(bytes);
    return status;
}
