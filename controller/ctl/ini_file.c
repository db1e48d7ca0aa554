#include "controller/ctl/ini_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/config/ini_lines.h"
#include "controller/setup/environment.h"
#include "topics/access.h"

const char *ini_directory(void)
{
    const char *directory = getenv(INI_DIRECTORY_VARIABLE);

    return directory == NULL || directory[0] == '\0' ? INI_DIRECTORY_DEFAULT : directory;
}

static void join(char ret_path[INI_PATH_SIZE], const char *directory, const char *name)
{
    struct text path = text_over(ret_path, INI_PATH_SIZE);

    text_addf(&path, "%s/%s", directory, name);
    if (path.cut) {
        text_clear(&path);
    }
}

void ini_choose(const char *directory, bool asks, struct ini_choice *ret_choice)
{
    static const char *const names[] = {INI_ADMIN, INI_HOST};
    struct ini_choice choice = {.path = "", .denied = ""};

    for (size_t i = asks ? 0 : 1; choice.path[0] == '\0' && i < 2; i++) {
        char path[INI_PATH_SIZE];

        join(path, directory, names[i]);
        if (path[0] == '\0') {
            continue;
        }
        if (access(path, R_OK) == 0 || (!asks && errno != ENOENT)) {
            memcpy(choice.path, path, sizeof path);
        } else if (errno == EACCES && choice.denied[0] == '\0') {
            memcpy(choice.denied, path, sizeof path);
        }
    }
    *ret_choice = choice;
}

/* ---- whose it is ---- */

static enum status skip_section(void *context, const char *section, struct text *reason)
{
    (void)context;
    (void)section;
    (void)reason;
    return STATUS_OK;
}

static enum status look_for_person(
    void *context, const char *section, const char *key, const char *value, int line,
    struct text *reason)
{
    bool *is_persons = context;
    struct access_account account;

    (void)line;
    (void)reason;
    if (strcmp(section, "mqtt") == 0 && strcmp(key, "username") == 0 &&
        access_account(value, &account) == STATUS_OK) {
        *is_persons = access_is_person(account.role);
    }
    return STATUS_OK;
}

bool ini_is_persons(const char *path)
{
    const char *slash = strrchr(path, '/');
    bool is_persons = strcmp(slash == NULL ? path : slash + 1, INI_ADMIN) == 0;
    const struct ini_handlers handlers = {&is_persons, skip_section, look_for_person};
    TEXT_LOCAL(why, 512);

    /* What is wrong with it, whoever reads it for good will say. */
    if (!is_persons && ini_lines_read(path, &handlers, &why) != STATUS_OK) {
        return false;
    }
    return is_persons;
}

/* ---- how to name it ---- */

static bool is_default(const char *directory)
{
    struct stat one;
    struct stat other;

    if (strcmp(directory, INI_DIRECTORY_DEFAULT) == 0) {
        return true;
    }
    return stat(directory, &one) == 0 && stat(INI_DIRECTORY_DEFAULT, &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

void ini_add_option(struct text *out, const char *directory, const char *name)
{
    if (!is_default(directory)) {
        text_addf(out, " -c %s/%s", directory, name);
    }
}

/* The directory of a file. */
static void add_directory(struct text *out, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        text_add(out, ".");
    } else {
        text_add_bytes(out, path, slash == path ? 1 : (size_t)(slash - path));
    }
}

static bool has(const char *directory, const char *name)
{
    char path[INI_PATH_SIZE];

    join(path, directory, name);
    return access(path, F_OK) == 0;
}

void ini_take_secrets(const char *path)
{
    enum status status;
    TEXT_LOCAL(directory, INI_PATH_SIZE);
    TEXT_LOCAL(ignored, 2 * INI_PATH_SIZE);

    add_directory(&directory, path);
    status = environment_load_all(directory.data, &ignored);
    (void)status;
}

void ini_add_host(struct text *out, const char *path)
{
    TEXT_LOCAL(directory, INI_PATH_SIZE);

    add_directory(&directory, path);
    ini_add_option(out, has(directory.data, INI_HOST) ? directory.data : ini_directory(), INI_HOST);
}

void ini_add_asking(struct text *out, const char *path)
{
    TEXT_LOCAL(directory, INI_PATH_SIZE);

    add_directory(&directory, path);
    if (has(directory.data, INI_ADMIN)) {
        ini_add_option(out, directory.data, INI_ADMIN);
    } else if (!is_default(directory.data)) {
        text_addf(out, " -c %s", path);
    }
}
