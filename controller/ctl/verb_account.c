/* account: people and services at the broker. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/local.h"
#include "controller/ctl/way.h"

#define IS_DEVICE "%s: without a dot that is a machine; see \"device\""

static int find_role(const struct ctl *ctl, struct access_account *ret_account)
{
    const char *name = ctl->arguments->machine;

    if (access_account(name, ret_account) == STATUS_OK) {
        if (ret_account->role != ACCESS_DEVICE) {
            return CTL_DONE;
        }
        ctl_complain(IS_DEVICE, name);
        return CTL_USAGE;
    }
    ctl_complain("%s: a name begins as its role wants it, then [a-z0-9_-]:", name);
    for (enum access_role role = ACCESS_DEVICE + 1; role < ACCESS_ROLE_COUNT; role++) {
        ctl_complain("  %-15s  %s", access_role_info(role)->start, access_role_info(role)->text);
    }
    return CTL_USAGE;
}

/* What its owner needs, as a tagout.ini. The watcher shares the controller's, so for it they are
 * lines for its environment, which win over the file. */
static void print_ini(
    const struct ctl *ctl, const struct access_account *account, const char *password,
    struct text *out)
{
    bool is_person = access_is_person(account->role);

    if (account->role == ACCESS_WATCHER) {
        text_addf(
            out, "TAGOUT_MQTT_USERNAME=%s\nTAGOUT_MQTT_PASSWORD=%s\n", account->name, password);
        return;
    }
    text_add(out, "[mqtt]\n");
    way_print(ctl->settings, is_person, out);
    text_addf(out, "username = %s\npassword = %s\n", account->name, password);
    if (account->role == ACCESS_HOME_ASSISTANT) {
        text_addf(
            out, "# Home Assistant: enter these by hand, and as client id %s-%s\n",
            ctl->settings->controller.prefix, account->id);
    } else if (is_person && strcmp(ctl->settings->controller.prefix, "tagout") != 0) {
        text_addf(out, "\n[controller]\nprefix = %s\n", ctl->settings->controller.prefix);
    }
}

/* Never over a file that is there: it may hold more than this. */
static int write_output(const char *path, const struct text *text)
{
    char buffer[128];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good =
        fd >= 0 && write(fd, text->data, text->length) == (ssize_t)text->length && fsync(fd) == 0;

    if (!good) {
        ctl_complain("%s: cannot be written: %s", path, strerror_r(errno, buffer, sizeof buffer));
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!good && fd >= 0) {
        (void)unlink(path);
    }
    return good ? CTL_DONE : CTL_REFUSED;
}

static void tell(
    const struct ctl *ctl, const struct access_account *account, const char *password,
    const struct text *ini)
{
    if (ctl->arguments->json) {
        local_print_json(ctl, account->role, password);
        return;
    }
    printf("%s: %s, a new password.", account->name, access_role_info(account->role)->text);
    if (ctl->arguments->output != NULL) {
        printf(" It is in %s.\n", ctl->arguments->output);
    } else {
        printf(
            " It is shown this once, as %s:\n\n%s\n",
            account->role == ACCESS_WATCHER ? "its environment, beside the controller's tagout.ini"
                                            : "a tagout.ini",
            ini->data);
    }
}

static int give(const struct ctl *ctl)
{
    const char *output = ctl->arguments->output;
    struct access_account account;
    struct accounts accounts;
    char password[PASSWORD_SIZE] = "";
    int code = find_role(ctl, &account);
    TEXT_LOCAL(ini, 8192);

    if (code != CTL_DONE) {
        return code;
    }
    code = local_give(ctl, &accounts, password);
    if (code == CTL_DONE) {
        print_ini(ctl, &account, password, &ini);
    }
    if (code == CTL_DONE && output != NULL) {
        code = write_output(output, &ini);
    }
    if (code == CTL_DONE) {
        code = local_write(&accounts);
        if (code != CTL_DONE && output != NULL) {
            (void)unlink(output);
        }
    }
    accounts_free(&accounts);
    if (code != CTL_DONE) {
        return code;
    }
    tell(ctl, &account, password, &ini);
    return local_reload(ctl);
}

static void print_one(struct json_out *out, const char *name, const char *role)
{
    if (out == NULL) {
        printf("%-32s  %s\n", name, role == NULL ? "none of Tagout's" : role);
        return;
    }
    text_clear(out->text);
    out->first = true;
    json_out_open(out, NULL, '{');
    json_out_string(out, "account", name);
    json_out_string(out, "role", role);
    json_out_close(out, '}');
    fputs(out->text->data, stdout);
}

static int list(const struct ctl *ctl)
{
    const struct accounts_place place = local_place(ctl);
    struct accounts accounts;
    struct json_out json;
    size_t shown = 0;
    TEXT_LOCAL(text, 512);
    TEXT_LOCAL(why, 1024);

    json = json_out(&text);
    if (accounts_look(&place, &accounts, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        accounts_free(&accounts);
        return CTL_REFUSED;
    }
    fputs(ctl->arguments->json ? "[" : "", stdout);
    for (size_t i = 0; i < accounts.count; i++) {
        const char *name = accounts.lines[i].name;
        struct access_account account = {.role = ACCESS_ROLE_COUNT};
        bool ours = name != NULL && access_account(name, &account) == STATUS_OK;

        if (name == NULL || account.role == ACCESS_DEVICE) {
            continue;
        }
        fputs(ctl->arguments->json && shown > 0 ? "," : "", stdout);
        print_one(
            ctl->arguments->json ? &json : NULL, name,
            ours ? access_role_info(account.role)->word : NULL);
        shown++;
    }
    fputs(ctl->arguments->json ? "]\n" : "", stdout);
    if (shown == 0 && !ctl->arguments->json) {
        printf("No accounts in %s.\n", place.password_file);
    }
    accounts_free(&accounts);
    return CTL_DONE;
}

/* Also one of no role, which somebody made by hand. */
static int take(const struct ctl *ctl)
{
    const char *name = ctl->arguments->machine;
    int code;

    if (text_is_name(name, TOPIC_MACHINE_MAX)) {
        ctl_complain(IS_DEVICE, name);
        return CTL_USAGE;
    }
    code = local_remove(ctl);
    if (code != CTL_DONE) {
        return code;
    }
    if (!ctl->arguments->json) {
        printf("%s: removed.\n", name);
    }
    return local_reload(ctl);
}

int ctl_account(struct ctl *ctl)
{
    if (local_is(ctl, "list")) {
        return list(ctl);
    }
    return local_is(ctl, "remove") ? take(ctl) : give(ctl);
}
