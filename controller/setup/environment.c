#include "controller/setup/environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/setup/files.h"

#define PREFIX "TAGOUT_"
#define BLANKS " \t\r\n"

/* In place: "NAME = 'value'" becomes NAME and value; false for a line without either. */
static bool split(char *line, char **ret_name, char **ret_value)
{
    char *name = line + strspn(line, BLANKS);
    char *equals = strchr(name, '=');
    char *value;
    size_t length;

    if (name[0] == '\0' || name[0] == '#' || name[0] == ';' || equals == NULL) {
        return false;
    }
    *equals = '\0';
    value = equals + 1 + strspn(equals + 1, BLANKS);
    length = strlen(value);
    while (length > 0 && strchr(BLANKS, value[length - 1]) != NULL) {
        value[--length] = '\0';
    }
    if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
        value[length - 1] = '\0';
        value++;
    }
    *ret_name = name;
    *ret_value = value;
    return true;
}

enum status environment_load(const char *path, struct text *why)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    enum status status = STATUS_OK;

    if (file == NULL) {
        if (errno == ENOENT) {
            return STATUS_OK;
        }
        text_addf(why, "%s: %s", path, strerror(errno));
        return STATUS_IO;
    }
    while (status == STATUS_OK && getline(&line, &room, file) > 0) {
        char *name;
        char *value;

        if (split(line, &name, &value) && strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
            setenv(name, value, 0) != 0) {
            text_addf(why, "%s: %s", path, strerror(errno));
            status = STATUS_IO;
        }
    }
    if (line != NULL) {
        explicit_bzero(line, room);
    }
    free(line);
    fclose(file);
    return status;
}

static enum status name_credentials(const char *directory, struct text *why)
{
    char path[FILES_PATH_SIZE];
    enum status status = files_join(path, directory, "../credstore", why);

    if (status == STATUS_OK && access(path, R_OK | X_OK) == 0 &&
        setenv("CREDENTIALS_DIRECTORY", path, 0) != 0) {
        text_addf(why, "%s: %s", path, strerror(errno));
        status = STATUS_IO;
    }
    return status;
}

enum status environment_load_all(const char *directory, struct text *why)
{
    static const char *const names[] = {"tagoutd.environment", "environment"};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < sizeof names / sizeof names[0]; i++) {
        char path[FILES_PATH_SIZE];

        status = files_join(path, directory, names[i], why);
        if (status == STATUS_OK) {
            status = environment_load(path, why);
        }
    }
    return status == STATUS_OK ? name_credentials(directory, why) : status;
}
