#include "controller/ctl/box_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/config/file.h"
#include "controller/support/replace.h"
#include "topics/topic.h"

#define SECRETS "secrets"
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

static void add_path(struct text *path, const struct box_file *box, const char *name)
{
    text_addf(path, "%s/%s.yaml", box->folder, name);
}

static enum status write_box(const struct box_file *box, struct text *why)
{
    char key[KEY_SIZE];
    TEXT_LOCAL(path, PATH_MAX);
    TEXT_LOCAL(content, 1024);

    add_path(&path, box, box->machine);
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
    return replace_file(path.data, content.data, content.length, &open_to_read, why);
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

/* `secrets` NULL: there are none. */
static enum status read_secrets(const struct box_file *box, char **ret_secrets, struct text *why)
{
    size_t length;
    TEXT_LOCAL(path, PATH_MAX);

    add_path(&path, box, SECRETS);
    *ret_secrets = NULL;
    if (access(path.data, F_OK) != 0 && errno == ENOENT) {
        return STATUS_OK;
    }
    return file_read_text(path.data, SECRETS_BYTES_MAX, ret_secrets, &length, why);
}

static enum status write_secret(const struct box_file *box, const char *secrets, struct text *why)
{
    char key[KEY_SIZE];
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    enum status status;
    TEXT_LOCAL(path, PATH_MAX);

    key_of(box->machine, key);
    add_path(&path, box, SECRETS);
    if (out != NULL) {
        copy_others(secrets == NULL ? "" : secrets, key, out);
        fprintf(out, "%s: \"%s\"\n", key, box->password);
    }
    if (out == NULL || fclose(out) != 0) {
        text_add(why, status_text(STATUS_NO_MEMORY));
        status = STATUS_NO_MEMORY;
    } else {
        status = replace_file(path.data, bytes, length, &secret, why);
    }
    free(bytes);
    return status;
}

static void take_back_box(const struct box_file *box, const struct box_before *before)
{
    TEXT_LOCAL(path, PATH_MAX);

    add_path(&path, box, box->machine);
    if (!before->has_box) {
        (void)unlink(path.data);
    }
}

static enum status check_folder(const char *folder, struct text *why)
{
    struct stat about;

    if (stat(folder, &about) != 0) {
        text_addf(why, "--esphome %s: %s", folder, strerror(errno));
    } else if (!S_ISDIR(about.st_mode)) {
        text_addf(why, "--esphome %s: is no folder", folder);
    } else {
        return STATUS_OK;
    }
    text_add(why, "; it is the folder with tagout.yaml, for the box's file and its password");
    return STATUS_INVALID;
}

enum status
box_file_write(const struct box_file *box, struct box_before *ret_before, struct text *why)
{
    struct box_before before = {.secrets = NULL};
    enum status status;
    TEXT_LOCAL(path, PATH_MAX);

    if (strchr(box->machine, '_') != NULL) {
        text_addf(why, "%s: ESPHome wants a name without _; take -", box->machine);
        return STATUS_INVALID;
    }
    status = check_folder(box->folder, why);
    if (status == STATUS_OK) {
        status = read_secrets(box, &before.secrets, why);
    }
    if (status != STATUS_OK) {
        return status;
    }
    add_path(&path, box, box->machine);
    before.has_box = access(path.data, F_OK) == 0;
    if (!before.has_box) {
        status = write_box(box, why);
    }
    if (status == STATUS_OK) {
        status = write_secret(box, before.secrets, why);
    }
    if (status == STATUS_OK) {
        *ret_before = before;
    } else {
        take_back_box(box, &before);
        box_before_free(&before);
    }
    return status;
}

void box_file_take_back(const struct box_file *box, const struct box_before *before)
{
    enum status status;
    TEXT_LOCAL(path, PATH_MAX);
    TEXT_LOCAL(why, 512);

    take_back_box(box, before);
    add_path(&path, box, SECRETS);
    if (before->secrets == NULL) {
        (void)unlink(path.data);
        return;
    }
    status = replace_file(path.data, before->secrets, strlen(before->secrets), &secret, &why);
    (void)status;
}

void box_before_free(struct box_before *before)
{
    free(before->secrets);
    before->secrets = NULL;
}
