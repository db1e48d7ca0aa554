/* What stands in the files that `init` writes. */
#include "controller/ctl/ini_file.h"
#include "controller/ctl/init_inside.h"
#include "controller/setup/authority.h"
#include "controller/setup/shipped.h"
#include "controller/support/replace.h"

#define REDIS_GROUP "redis"
#define MACHINES "machines.json"
#define USERS "users.json"

/* Writes `content` and empties it. */
static enum status put(struct init *init, const char *name, mode_t mode, const char *group)
{
    const struct replace_rights rights = {.mode = mode, .group = group};
    char path[FILES_PATH_SIZE];
    enum status status = init_place(init, name, path);

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

enum status init_write_ini(struct init *init)
{
    char id[INIT_NAME_SIZE];
    struct text text = text_over(id, sizeof id);
    const struct shipped_change changes[] = {
        {.from = "#id =", .to = id},
        {.from = "#password_file = /etc/mosquitto/tagout.passwords",
         .to = "password_file = " INIT_PASSWORDS},
        {.from = "#acl_file = /etc/mosquitto/tagout.acl", .to = "acl_file = " INIT_ACCESS},
        {.from = "#certificate_file =", .to = "certificate_file = " AUTHORITY_SERVER_CERTIFICATE},
    };
    enum status status;

    text_addf(&text, "id = %s", init->wish->controller);
    status = fill(init, shipped_tagout_ini, changes, sizeof changes / sizeof changes[0]);
    return status == STATUS_OK ? put(init, INI_HOST, 0640, INIT_GROUP) : status;
}

enum status init_write_broker(struct init *init)
{
    char paths[4][FILES_PATH_SIZE];
    static const char *const names[] = {
        INIT_PASSWORDS, INIT_ACCESS, AUTHORITY_SERVER_CERTIFICATE, AUTHORITY_SERVER_KEY};
    const struct shipped_change changes[] = {
        shipped_mosquitto_is_written,
        {.from = "/etc/mosquitto/tagout.passwords", .to = paths[0], .everywhere = true},
        {.from = "/etc/mosquitto/tagout.acl", .to = paths[1], .everywhere = true},
        {.from = "/etc/mosquitto/certs/tagout.crt", .to = paths[2], .everywhere = true},
        {.from = "/etc/mosquitto/certs/tagout.key", .to = paths[3], .everywhere = true},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < 4; i++) {
        status = init_place(init, names[i], paths[i]);
    }
    if (status == STATUS_OK) {
        status = fill(init, shipped_mosquitto_conf, changes, sizeof changes / sizeof changes[0]);
    }
    return status == STATUS_OK ? put(init, INIT_BROKER, 0644, NULL) : status;
}

enum status init_write_redis(struct init *init)
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
    return status == STATUS_OK ? put(init, INIT_REDIS, 0640, REDIS_GROUP) : status;
}

enum status init_write_secrets(struct init *init)
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
    status = put(init, INIT_CONTROLLER_SECRETS, 0600, NULL);
    if (status == STATUS_OK) {
        text_addf(
            &init->content,
            "# Root's alone: systemd reads it for tagout-watcher.\n"
            "TAGOUT_MQTT_USERNAME=" INIT_WATCHER "\n"
            "TAGOUT_MQTT_PASSWORD=%s\n"
            "#TAGOUT_SLACK_BOT_TOKEN=\n",
            init->watcher_password);
        status = put(init, INIT_WATCHER_SECRETS, 0600, NULL);
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
enum status init_write_roster(struct init *init)
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

        status = init_place(init, files[i].name, path);
        if (status == STATUS_OK && !files_exist(path)) {
            text_add(&init->content, files[i].content);
            status = put(init, files[i].name, 0640, INIT_GROUP);
        }
    }
    return status;
}
