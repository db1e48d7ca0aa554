#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/config/file.h"
#include "controller/ctl/accounts.h"
#include "controller/ctl/ini_file.h"
#include "controller/ctl/init_inside.h"
#include "controller/setup/authority.h"
#include "controller/setup/shipped.h"

#define TEXT_BYTES 16384
#define CONTROLLER "svc.controller-"

/* What must not be there. */
static const char *const made[] = {
    INIT_PASSWORDS,          INIT_ACCESS,          INIT_BROKER, INIT_REDIS,
    INIT_CONTROLLER_SECRETS, INIT_WATCHER_SECRETS, INI_ADMIN,   AUTHORITY_FOLDER};

static const char *const folders[] = {"mosquitto", "redis"};

enum status init_place(const struct init *init, const char *name, char ret_path[FILES_PATH_SIZE])
{
    return files_join(ret_path, init->wish->directory, name, init->why);
}

/* ---- before ---- */

/* True also for one that is as it was shipped: nobody has put anything into it. */
static bool ini_is_free(const char *path)
{
    char *bytes = NULL;
    size_t length = 0;
    bool is_free = true;
    TEXT_LOCAL(why, 512);

    if (files_exist(path)) {
        is_free = file_read(path, TEXT_BYTES, &bytes, &length, &why) == STATUS_OK &&
                  strcmp(bytes, shipped_tagout_ini) == 0;
    }
    free(bytes);
    return is_free;
}

static enum status check_free(const struct init *init)
{
    char path[FILES_PATH_SIZE];
    enum status status = STATUS_OK;

    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        status = init_place(init, made[i], path);
        if (status == STATUS_OK && files_exist(path)) {
            text_addf(init->why, "%s is there already", path);
            status = STATUS_BUSY;
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    status = init_place(init, INI_HOST, path);
    if (status == STATUS_OK && !ini_is_free(path)) {
        text_addf(init->why, "%s is there already, and not as it was shipped", path);
        status = STATUS_BUSY;
    }
    return status;
}

static enum status make_secrets(struct init *init)
{
    struct text account = text_over(init->account, sizeof init->account);
    char *const passwords[] = {
        init->controller_password, init->watcher_password, init->admin_password,
        init->redis_password};

    text_addf(&account, CONTROLLER "%s", init->wish->controller);
    for (size_t i = 0; i < sizeof passwords / sizeof passwords[0]; i++) {
        enum status status = password_make(passwords[i]);
        if (status != STATUS_OK) {
            return status;
        }
    }
    password_sha256(init->redis_password, init->redis_hash);
    password_key(init->card_key);
    return account.cut ? STATUS_TOO_LONG : STATUS_OK;
}

/* Mosquitto and Redis have to get at their files, and mode and group keep everybody from the
 * others. */
static enum status make_folders(struct init *init)
{
    char path[FILES_PATH_SIZE];
    enum status status = STATUS_OK;
    struct stat about;

    if (mkdir(init->wish->directory, 0751) != 0 && errno != EEXIST) {
        text_addf(init->why, "%s: %s", init->wish->directory, strerror(errno));
        return STATUS_IO;
    }
    if (stat(init->wish->directory, &about) == 0 && (about.st_mode & S_IXOTH) == 0 &&
        chmod(init->wish->directory, (about.st_mode & 07777) | S_IXOTH) != 0) {
        text_addf(init->why, "%s: %s", init->wish->directory, strerror(errno));
        return STATUS_IO;
    }
    for (size_t i = 0; status == STATUS_OK && i < sizeof folders / sizeof folders[0]; i++) {
        status = init_place(init, folders[i], path);
        if (status == STATUS_OK &&
            ((mkdir(path, 0755) != 0 && errno != EEXIST) || chmod(path, 0755) != 0)) {
            text_addf(init->why, "%s: %s", path, strerror(errno));
            status = STATUS_IO;
        }
    }
    return status;
}

static enum status write_accounts(struct init *init)
{
    char passwords[FILES_PATH_SIZE];
    char access[FILES_PATH_SIZE];
    const struct accounts_place where = {
        .password_file = passwords,
        .acl_file = access,
        .shop = {.prefix = init->wish->prefix, .discovery_prefix = init->wish->discovery_prefix}};
    struct accounts accounts;
    enum status status = init_place(init, INIT_PASSWORDS, passwords);

    if (status == STATUS_OK) {
        status = init_place(init, INIT_ACCESS, access);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = accounts_open(&where, &accounts, init->why);
    if (status == STATUS_OK) {
        status = accounts_set(&accounts, init->account, init->controller_password);
    }
    if (status == STATUS_OK) {
        status = accounts_set(&accounts, INIT_WATCHER, init->watcher_password);
    }
    if (status == STATUS_OK) {
        status = accounts_set(&accounts, init->wish->admin, init->admin_password);
    }
    if (status == STATUS_OK) {
        status = accounts_write(&accounts, init->why);
    }
    accounts_free(&accounts);
    return status;
}

static enum status make_authority(struct init *init)
{
    const struct authority_wish authority = {
        .directory = init->wish->directory,
        .hosts = init->wish->hosts,
        .host_count = init->wish->host_count,
        .now = init->wish->now,
    };
    bool is_new = false;

    return authority_make(&authority, &is_new, init->why);
}

static enum status write_all(struct init *init)
{
    static enum status (*const steps[])(struct init * init) =
        {
            make_folders,      make_authority,   write_accounts,
            init_write_broker, init_write_redis, init_write_secrets,
            init_write_roster, init_write_ini, /* the last, for it names the others */
        };
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof steps[0]; i++) {
        status = steps[i](init);
    }
    return status;
}

/* None of these was there before. */
static void take_back(const struct init *init)
{
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        char path[FILES_PATH_SIZE];
        if (init_place(init, made[i], path) == STATUS_OK && files_exist(path)) {
            files_remove(path);
        }
    }
}

enum status init_write(const struct init_wish *wish, struct text *why)
{
    struct init init = {.wish = wish, .why = why};
    char *buffer = malloc(TEXT_BYTES);
    enum status status = buffer == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (buffer != NULL) {
        init.content = text_over(buffer, TEXT_BYTES);
        status = make_secrets(&init);
    }
    if (status != STATUS_OK) {
        text_add(why, status_text(status));
    } else {
        status = check_free(&init);
    }
    if (status == STATUS_OK) {
        status = write_all(&init);
        if (status != STATUS_OK) {
            take_back(&init);
        }
    }
    if (buffer != NULL) {
        explicit_bzero(buffer, TEXT_BYTES);
    }
    free(buffer);
    explicit_bzero(&init, sizeof init);
    return status;
}
