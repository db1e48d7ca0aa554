/* device: the accounts of the boxes at machines, and what else a box needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/file.h"
#include "controller/ctl/box_file.h"
#include "controller/ctl/local.h"

#define MACHINES_BYTES_MAX ((size_t)16 << 20)

/* machines.json, of which only the names count here; tagoutd --check judges the rest. NULL: it has
 * said why. */
static struct json *read_machines(const struct ctl *ctl)
{
    const char *path = ctl->settings->controller.machines;
    struct json *machines = NULL;
    char *bytes = NULL;
    size_t length = 0;
    enum status status;
    TEXT_LOCAL(why, 1024);

    status = file_read(path, MACHINES_BYTES_MAX, &bytes, &length, &why);
    if (status == STATUS_OK) {
        text_addf(&why, "%s: ", path);
        status = json_parse(bytes, length, &machines, &why);
    }
    free(bytes);
    if (status != STATUS_OK) {
        ctl_complain("%s", why.data);
        return NULL;
    }
    return machines;
}

static int check_name(const struct ctl *ctl)
{
    const char *name = ctl->arguments->machine;
    const char *prefix = ctl->settings->controller.prefix;
    size_t length = strlen(prefix);

    if (!text_is_name(name, TOPIC_MACHINE_MAX)) {
        ctl_complain(
            "%s: a device is called as its machine in machines.json: 1 to %d of [a-z0-9_-]", name,
            TOPIC_MACHINE_MAX);
        return CTL_USAGE;
    }
    /* deploy/mosquitto/tagout.conf: so people can't take a device's client id. */
    if (local_is(ctl, "add") && strncmp(name, prefix, length) == 0 && name[length] == '-') {
        ctl_complain("%s: names that begin with %s- are client ids of people", name, prefix);
        return CTL_USAGE;
    }
    return CTL_DONE;
}

/* The box's file and the account: both or neither. */
static int write_esphome(
    const struct ctl *ctl, const struct accounts *accounts, const char *password, bool *ret_made)
{
    const struct box_file box = {
        .folder = ctl->arguments->esphome,
        .machine = ctl->arguments->machine,
        .prefix = ctl->settings->controller.prefix,
        .password = password,
    };
    struct box_before before = {.secrets = NULL};
    int code;
    TEXT_LOCAL(why, 4096);

    if (box_file_write(&box, &before, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        ctl_complain("nothing was changed");
        return CTL_REFUSED;
    }
    code = local_write(accounts);
    if (code == CTL_DONE) {
        *ret_made = !before.has_box;
    } else {
        box_file_take_back(&box, &before);
    }
    box_before_free(&before);
    return code;
}

static void tell_entry(const struct ctl *ctl)
{
    const char *name = ctl->arguments->machine;
    struct json *machines = read_machines(ctl);

    if (json_get(machines, name) == NULL) {
        TEXT_LOCAL(option, INI_PATH_SIZE + 8);

        local_add_asking(ctl, &option);
        printf(
            "For %s, with what members must be trained for; then \"tagoutctl%s "
            "reload\":\n\n"
            "    \"%s\": {\"authorizations_or\": [\"%s\"]}\n\n",
            ctl->settings->controller.machines, option.data, name, name);
    }
    json_free(machines);
}

static void tell(const struct ctl *ctl, const char *password, bool made)
{
    const char *name = ctl->arguments->machine;
    const char *folder = ctl->arguments->esphome;

    if (ctl->arguments->json) {
        local_print_json(ctl, ACCESS_DEVICE, password);
        return;
    }
    if (folder == NULL) {
        printf(
            "%s: a new password, shown this once; the user name is the machine's:\n\n    %s\n\n",
            name, password);
    } else {
        printf(
            "%s: a new password. It is in %s/secrets.yaml;\n%s/%s.yaml %s.\n\n", name, folder,
            folder, name, made ? "is new: choose its parts" : "was there and is as it was");
    }
    if (local_is(ctl, "add")) {
        tell_entry(ctl);
    }
}

static int give(const struct ctl *ctl)
{
    struct accounts accounts;
    char password[PASSWORD_SIZE] = "";
    bool made = false;
    int code = local_give(ctl, &accounts, password);

    if (code == CTL_DONE) {
        code = ctl->arguments->esphome != NULL ? write_esphome(ctl, &accounts, password, &made)
                                               : local_write(&accounts);
    }
    accounts_free(&accounts);
    if (code != CTL_DONE) {
        return code;
    }
    tell(ctl, password, made);
    return local_reload(ctl);
}

static int take(const struct ctl *ctl)
{
    const char *name = ctl->arguments->machine;
    int code = local_remove(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    if (!ctl->arguments->json) {
        struct json *machines = read_machines(ctl);
        printf("%s: removed.\n", name);
        if (json_get(machines, name) != NULL) {
            TEXT_LOCAL(option, INI_PATH_SIZE + 8);

            local_add_asking(ctl, &option);
            printf(
                "It is still in machines.json. If the machine goes too: take it out, \"tagoutctl%s "
                "reload\",\n\"tagoutctl%s forget %s\".\n",
                option.data, option.data, name);
        }
        json_free(machines);
    }
    return local_reload(ctl);
}

/* ---- list ---- */

struct lister {
    const struct ctl *ctl;
    bool some;
};

static void list_one(struct lister *lister, const char *name, bool account, bool machine)
{
    struct json_out out;
    TEXT_LOCAL(text, 512);

    out = json_out(&text);
    if (lister->ctl->arguments->json) {
        json_out_open(&out, NULL, '{');
        json_out_string(&out, "device", name);
        json_out_bool(&out, "account", account);
        json_out_bool(&out, "machine", machine);
        json_out_close(&out, '}');
        printf("%s%s", lister->some ? "," : "", text.data);
    } else {
        printf(
            "%-32s  %s\n", name,
            !machine   ? "not in machines.json"
            : !account ? "no account: \"device add\" makes one"
                       : "ok");
    }
    lister->some = true;
}

static void
list_all(const struct ctl *ctl, const struct accounts *accounts, const struct json *machines)
{
    struct lister lister = {.ctl = ctl};

    for (size_t i = 0; i < accounts->count; i++) {
        const char *name = accounts->lines[i].name;
        if (name != NULL && text_is_name(name, TOPIC_MACHINE_MAX)) {
            list_one(&lister, name, true, json_get(machines, name) != NULL);
        }
    }
    for (const struct json *at = json_first(machines); at != NULL; at = json_next(at)) {
        if (!accounts_have(accounts, json_key(at))) {
            list_one(&lister, json_key(at), false, true);
        }
    }
    if (!lister.some && !ctl->arguments->json) {
        printf("No devices in %s.\n", accounts->place.password_file);
    }
}

static int list(const struct ctl *ctl)
{
    const struct accounts_place place = local_place(ctl);
    struct json *machines = read_machines(ctl);
    struct accounts accounts;
    int code = machines == NULL ? CTL_REFUSED : CTL_DONE;
    TEXT_LOCAL(why, 1024);

    if (accounts_look(&place, &accounts, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        code = CTL_REFUSED;
    }
    if (code == CTL_DONE) {
        fputs(ctl->arguments->json ? "[" : "", stdout);
        list_all(ctl, &accounts, machines);
        fputs(ctl->arguments->json ? "]\n" : "", stdout);
    }
    accounts_free(&accounts);
    json_free(machines);
    return code;
}

int ctl_device(struct ctl *ctl)
{
    int code;

    if (local_is(ctl, "list")) {
        return list(ctl);
    }
    code = check_name(ctl);
    if (code != CTL_DONE) {
        return code;
    }
    return local_is(ctl, "remove") ? take(ctl) : give(ctl);
}
