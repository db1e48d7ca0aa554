#include "controller/ctl/local.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELOAD "sudo systemctl reload mosquitto"

struct accounts_place local_place(const struct ctl *ctl)
{
    return (struct accounts_place){
        .password_file = ctl->settings->mosquitto.password_file,
        .acl_file = ctl->settings->mosquitto.acl_file,
        .shop = {
            .prefix = ctl->settings->controller.prefix,
            .discovery_prefix = ctl->settings->homeassistant.discovery_prefix}};
}

bool local_is(const struct ctl *ctl, const char *action)
{
    return strcmp(ctl->arguments->action, action) == 0;
}

static int open_accounts(const struct ctl *ctl, struct accounts *accounts)
{
    const struct accounts_place place = local_place(ctl);
    TEXT_LOCAL(why, 1024);

    if (accounts_open(&place, accounts, &why) == STATUS_OK) {
        return CTL_DONE;
    }
    ctl_complain("%s", why.data);
    return CTL_REFUSED;
}

int local_write(const struct accounts *accounts)
{
    TEXT_LOCAL(why, 1024);

    if (accounts_write(accounts, &why) == STATUS_OK) {
        return CTL_DONE;
    }
    ctl_complain("%s", why.data);
    return CTL_REFUSED;
}

int local_give(const struct ctl *ctl, struct accounts *accounts, char ret_password[PASSWORD_SIZE])
{
    const char *name = ctl->arguments->machine;
    bool adds = local_is(ctl, "add");
    enum status status;
    int code = open_accounts(ctl, accounts);

    if (code != CTL_DONE) {
        return code;
    }
    if (adds == accounts_have(accounts, name)) {
        ctl_complain(
            adds ? "%s: is there already; \"%s replace\" gives it a new password"
                 : "%s: there is no such account; \"%s add\" makes one",
            name, ctl->arguments->verb->name);
        return CTL_REFUSED;
    }
    status = password_make(ret_password);
    if (status == STATUS_OK) {
        status = accounts_set(accounts, name, ret_password);
    }
    if (status != STATUS_OK) {
        ctl_complain("%s: %s", name, status_text(status));
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

int local_remove(const struct ctl *ctl)
{
    struct accounts accounts;
    int code = open_accounts(ctl, &accounts);

    if (code == CTL_DONE && !accounts_remove(&accounts, ctl->arguments->machine)) {
        ctl_complain("%s: there is no such account", ctl->arguments->machine);
        code = CTL_REFUSED;
    }
    if (code == CTL_DONE) {
        code = local_write(&accounts);
    }
    accounts_free(&accounts);
    return code;
}

void local_print_json(const struct ctl *ctl, enum access_role role, const char *password)
{
    struct json_out out;
    TEXT_LOCAL(text, 512);

    out = json_out(&text);
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "account", ctl->arguments->machine);
    json_out_string(&out, "role", access_role_info(role)->word);
    json_out_string(&out, "password", password);
    json_out_close(&out, '}');
    puts(text.data);
}

/* Mosquitto reads both files on SIGHUP, and throws out at once whoever has no right any more. */
static bool reload(void)
{
    char name[] = "systemctl";
    char verb[] = "reload";
    char unit[] = "mosquitto";
    char *const words[] = {name, verb, unit, NULL};
    pid_t child;
    int status;

    fflush(stdout);
    return posix_spawnp(&child, name, NULL, NULL, words, environ) == 0 &&
           waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int local_reload(const struct ctl *ctl)
{
    const char *old = local_is(ctl, "add") ? ""
                                           : "  # until then the old password works; then "
                                             "whoever uses it is thrown out";

    if (!ctl_has(ctl->arguments, CTL_RELOAD)) {
        fprintf(
            ctl->arguments->json ? stderr : stdout, "Now tell Mosquitto:\n\n    " RELOAD "%s\n",
            old);
        return CTL_DONE;
    }
    if (!reload()) {
        ctl_complain("the files are written, but Mosquitto could not be told; try: " RELOAD);
        return CTL_REFUSED;
    }
    return CTL_DONE;
}
