#include "controller/ctl/box_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/file.h"
#include "controller/support/replace.h"
#include "topics/topic.h"

#define SECRETS_BYTES_MAX 1000000
#define KEY_SIZE (TOPIC_MACHINE_MAX + sizeof "_password")

static const struct replace_rights open_to_read = {.mode = 0644};
static const struct replace_rights secret = {.mode = 0600};

/* As in secrets.example.yaml: table-saw is table_saw_password. */
static void key_of(const char *machine, char ret_key[KEY_SIZE])
{
    struct text key = text_over(ret_key, KEY_SIZE);

    text_addf(&key, "%s_password", machine);
    for (char *at = ret_key; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : *at;
    }
}

static enum status write_box(const struct box_file *box, bool *ret_made, struct text *why)
{
    char key[KEY_SIZE];
    enum status status;
    TEXT_LOCAL(path, PATH_MAX);
    TEXT_LOCAL(content, 1024);

    text_addf(&path, "%s/%s.yaml", box->folder, box->machine);
    if (access(path.data, F_OK) == 0) {
        *ret_made = false;
        return STATUS_OK;
    }
    key_of(box->machine, key);
    text_addf(
        &content,
        "# Written by tagoutctl. Choose the reader and the other parts that the box has, and "
        "pins.\n"
        "substitutions:\n"
        "  machine: %s\n"
        "  mqtt_password: !secret %s\n",
        box->machine, key);
    if (strcmp(box->prefix, "tagout") != 0) {
        text_addf(&content, "  prefix: %s\n", box->prefix);
    }
    text_add(
        &content, "  card_present_pin: GPIO33\n"
                  "\n"
                  "packages:\n"
                  "  box: !include tagout.yaml\n"
                  "  reader: !include parts/reader-wiegand.yaml\n");
    status = replace_file(path.data, content.data, content.length, &open_to_read, why);
    if (status == STATUS_OK) {
        *ret_made = true;
    }
    return status;
}

/* Copies all lines but the key's own. */
static void copy_others(const char *bytes, const char *key, FILE *out)
{
    size_t key_length = strlen(key);

    while (*bytes != '\0') {
        size_t length = strcspn(bytes, "\n");
        bool is_key = strncmp(bytes, key, key_length) == 0 && bytes[key_length] == ':';

        if (!is_key) {
            fprintf(out, "%.*s\n", (int)length, bytes);
        }
        bytes += length + (bytes[length] == '\n');
    }
}

static enum status write_secret(const struct box_file *box, struct text *why)
{
    char key[KEY_SIZE];
    char *old = NULL;
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = NULL;
    enum status status = STATUS_OK;
    TEXT_LOCAL(path, PATH_MAX);

    key_of(box->machine, key);
    text_addf(&path, "%s/secrets.yaml", box->folder);
    if (access(path.data, F_OK) == 0 || errno != ENOENT) {
        status = file_read(path.data, SECRETS_BYTES_MAX, &old, &length, why);
    }
    if (status != STATUS_OK) {
        return status;
    }
    out = open_memstream(&bytes, &length);
    if (out != NULL) {
        copy_others(old == NULL ? "" : old, key, out);
        fprintf(out, "%s: \"%s\"\n", key, box->password);
    }
    if (out == NULL || fclose(out) != 0) {
        text_add(why, status_text(STATUS_NO_MEMORY));
        status = STATUS_NO_MEMORY;
    } else {
        status = replace_file(path.data, bytes, length, &secret, why);
    }
    free(bytes);
    free(old);
    return status;
}

enum status box_file_write(const struct box_file *box, bool *ret_made, struct text *why)
{
    enum status status;

    if (strchr(box->machine, '_') != NULL) {
        text_addf(why, "%s: ESPHome wants a name without _; take -", box->machine);
        return STATUS_INVALID;
    }
    status = write_secret(box, why);
    return status == STATUS_OK ? write_box(box, ret_made, why) : status;
}
