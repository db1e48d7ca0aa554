#include "controller/ctl/init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/config/file.h"
#include "controller/ctl/accounts.h"
#include "controller/ctl/ini_file.h"
#include "controller/ctl/password.h"
#include "controller/setup/authority.h"
#include "controller/setup/shipped.h"
#include "controller/support/replace.h"

#define TEXT_BYTES 16384
#define WATCHER "svc.watcher"
#define CONTROLLER "svc.controller-"
#define REDIS_GROUP "redis"

#define PASSWORDS "mosquitto/tagout.passwords"
#define ACCESS "mosquitto/tagout.acl"
#define BROKER "mosquitto/tagout.conf"
#define REDIS "redis/tagout.conf"
#define CONTROLLER_SECRETS "tagoutd.environment"
#define WATCHER_SECRETS "tagout-watcher.environment"
#define MACHINES "machines.json"
#define USERS "users.json"

/* What must not be there. */
static const char *const made[] = {
    PASSWORDS,          ACCESS,          BROKER,    REDIS,
    CONTROLLER_SECRETS, WATCHER_SECRETS, INI_ADMIN, AUTHORITY_FOLDER};

static const char *const folders[] = {"mosquitto", "redis"};

struct init {
    const struct init_wish *wish;
    char account[INIT_NAME_SIZE]; /* the controller's */
    char controller_password[PASSWORD_SIZE];
    char watcher_password[PASSWORD_SIZE];
    char admin_password[PASSWORD_SIZE];
    char redis_password[PASSWORD_SIZE];
    char redis_hash[PASSWORD_SHA256_SIZE];
    char card_key[PASSWORD_KEY_SIZE];
    struct text content; /* of the file that is being made */
    struct text *why;
};

static enum status place(const struct init *init, const char *name, char ret_path[FILES_PATH_SIZE])
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
        status = place(init, made[i], path);
        if (status == STATUS_OK && files_exist(path)) {
            text_addf(init->why, "%s is there already", path);
            status = STATUS_BUSY;
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    status = place(init, INI_HOST, path);
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
        status = place(init, folders[i], path);
        if (status == STATUS_OK &&
            ((mkdir(path, 0755) != 0 && errno != EEXIST) || chmod(path, 0755) != 0)) {
            text_addf(init->why, "%s: %s", path, strerror(errno));
            status = STATUS_IO;
        }
    }
    return status;
}

/* ---- the files ---- */

/* Writes `content` and empties it. */
static enum status put(struct init *init, const char *name, mode_t mode, const char *group)
{
    const struct replace_rights rights = {.mode = mode, .group = group};
    char path[FILES_PATH_SIZE];
    enum status status = place(init, name, path);

    if (status == STATUS_OK && init->content.cut) {
        text_addf(init->why, "%s: it does not fit", path);
        status = STATUS_TOO_LONG;
    }
    if (status == STATUS_OK) {
        status = replace_file(path, init->content.data, init->content.length, &rights, init->why);
    }
    text_clear(&init->content);
    return status;
}

static enum status
fill(struct init *init, const char *shipped, const struct shipped_change *changes, size_t count)
{
    enum status status = shipped_fill(shipped, changes, count, &init->content);

    if (status != STATUS_OK) {
        text_addf(init->why, "a shipped file cannot be filled in: %s", status_text(status));
    }
    return status;
}

static enum status write_ini(struct init *init)
{
    char id[INIT_NAME_SIZE];
    struct text text = text_over(id, sizeof id);
    const struct shipped_change changes[] = {
        {.from = "#id =", .to = id},
        {.from = "#password_file = /etc/mosquitto/tagout.passwords",
         .to = "password_file = " PASSWORDS},
        {.from = "#acl_file = /etc/mosquitto/tagout.acl", .to = "acl_file = " ACCESS},
        {.from = "#certificate_file =", .to = "certificate_file = " AUTHORITY_SERVER_CERTIFICATE},
    };
    enum status status;

    text_addf(&text, "id = %s", init->wish->controller);
    status = fill(init, shipped_tagout_ini, changes, sizeof changes / sizeof changes[0]);
    return status == STATUS_OK ? put(init, INI_HOST, 0640, INIT_GROUP) : status;
}

static enum status write_broker(struct init *init)
{
    char paths[4][FILES_PATH_SIZE];
    static const char *const names[] = {
        PASSWORDS, ACCESS, AUTHORITY_SERVER_CERTIFICATE, AUTHORITY_SERVER_KEY};
    const struct shipped_change changes[] = {
        shipped_mosquitto_is_written,
        {.from = "/etc/mosquitto/tagout.passwords", .to = paths[0], .everywhere = true},
        {.from = "/etc/mosquitto/tagout.acl", .to = paths[1], .everywhere = true},
        {.from = "/etc/mosquitto/certs/tagout.crt", .to = paths[2], .everywhere = true},
        {.from = "/etc/mosquitto/certs/tagout.key", .to = paths[3], .everywhere = true},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < 4; i++) {
        status = place(init, names[i], paths[i]);
    }
    if (status == STATUS_OK) {
        status = fill(init, shipped_mosquitto_conf, changes, sizeof changes / sizeof changes[0]);
    }
    return status == STATUS_OK ? put(init, BROKER, 0644, NULL) : status;
}

static enum status write_redis(struct init *init)
{
    static const char zeros[] = "#0000000000000000000000000000000000000000000000000000000000000000";
    char hash[PASSWORD_SHA256_SIZE + 1];
    struct text text = text_over(hash, sizeof hash);
    const struct shipped_change changes[] = {
        shipped_redis_is_written,
        shipped_redis_has_a_password,
        {.from = zeros, .to = hash},
    };
    enum status status;

    text_addf(&text, "#%s", init->redis_hash);
    status = fill(init, shipped_redis_conf, changes, sizeof changes / sizeof changes[0]);
    return status == STATUS_OK ? put(init, REDIS, 0640, REDIS_GROUP) : status;
}

static enum status write_secrets(struct init *init)
{
    enum status status;

    text_addf(
        &init->content,
        "# Root's alone: systemd reads it for tagoutd.\n"
        "TAGOUT_MQTT_USERNAME=%s\n"
        "TAGOUT_MQTT_PASSWORD=%s\n"
        "TAGOUT_REDIS_USERNAME=tagout\n"
        "TAGOUT_REDIS_PASSWORD=%s\n"
        "# Turns card numbers into hashes. A second controller needs the same.\n"
        "TAGOUT_CONTROLLER_CARD_KEY=%s\n",
        init->account, init->controller_password, init->redis_password, init->card_key);
    status = put(init, CONTROLLER_SECRETS, 0600, NULL);
    if (status == STATUS_OK) {
        text_addf(
            &init->content,
            "# Root's alone: systemd reads it for tagout-watcher.\n"
            "TAGOUT_MQTT_USERNAME=" WATCHER "\n"
            "TAGOUT_MQTT_PASSWORD=%s\n"
            "#TAGOUT_SLACK_BOT_TOKEN=\n",
            init->watcher_password);
        status = put(init, WATCHER_SECRETS, 0600, NULL);
    }
    if (status == STATUS_OK) {
        text_addf(
            &init->content,
            "# The account of whoever is in charge of this host, which tagoutctl takes where no "
            "-c\n"
            "# names another. From another host: its url is mqtts://, one of the names in the\n"
            "# broker's certificate, and :8884, and ca_file names a copy of " AUTHORITY_CERTIFICATE
            ".\n"
            "[mqtt]\n"
            "url = mqtt://127.0.0.1:1884\n"
            "username = %s\n"
            "password = %s\n",
            init->wish->admin, init->admin_password);
        status = put(init, INI_ADMIN, 0600, NULL);
    }
    return status;
}

/* A card that nobody has yet opens nothing. */
static enum status write_roster(struct init *init)
{
    static const struct {
        const char *name;
        const char *content;
    } files[] = {
        {MACHINES, "{\n"
                   "  \"table-saw\": {\n"
                   "    \"alias\": \"Table Saw\",\n"
                   "    \"authorizations_or\": [\"Woodshop\"]\n"
                   "  }\n"
                   "}\n"},
        {USERS, "[]\n"},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < sizeof files / sizeof files[0]; i++) {
        char path[FILES_PATH_SIZE];

        status = place(init, files[i].name, path);
        if (status == STATUS_OK && !files_exist(path)) {
            text_add(&init->content, files[i].content);
            status = put(init, files[i].name, 0640, INIT_GROUP);
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
    enum status status = place(init, PASSWORDS, passwords);

    if (status == STATUS_OK) {
        status = place(init, ACCESS, access);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = accounts_open(&where, &accounts, init->why);
    if (status == STATUS_OK) {
        status = accounts_set(&accounts, init->account, init->controller_password);
    }
    if (status == STATUS_OK) {
        status = accounts_set(&accounts, WATCHER, init->watcher_password);
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
    static enum status (*const steps[])(struct init * init) = {
        make_folders,  make_authority, write_accounts, write_broker, write_redis,
        write_secrets, write_roster,   write_ini, /* the last, for it names the others */
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
        if (place(init, made[i], path) == STATUS_OK && files_exist(path)) {
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
