#include "controller/ctl/local.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/setup/program.h"

#define RELOAD "sudo systemctl reload mosquitto"
#define ACTIVE "active"
#define FAILED "systemctl failed: " /* how program_run begins */
#define START "sudo systemctl start mosquitto"
#define SIGNAL "sudo kill -HUP $(pidof mosquitto)"

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

void local_add_asking(const struct ctl *ctl, struct text *out)
{
    if (ctl->arguments->file != NULL) {
        ini_add_asking(out, ctl->arguments->file);
    }
}

/* ---- telling Mosquitto ---- */

/* The folder is there where systemd is what the host was booted with: sd_booted(3). */
const char *local_tell(void)
{
    return access("/run/systemd/system", F_OK) == 0 ? RELOAD : SIGNAL;
}

/* What systemd says of the broker's unit, such as "inactive"; "" where there is no systemd, and
 * systemctl, if it is there at all, says so in a sentence. */
static void ask_unit(struct text *state)
{
    static const char *const ask[] = {"systemctl", "is-active", "mosquitto", NULL};
    enum status status;
    TEXT_LOCAL(why, 512);

    status = program_run(ask, "/", &why);
    if (status == STATUS_OK) {
        text_add(state, ACTIVE);
    } else if (strncmp(why.data, FAILED, strlen(FAILED)) == 0) {
        text_add(state, why.data + strlen(FAILED));
    }
    if (strchr(state->data, ' ') != NULL) {
        text_clear(state);
    }
}

/* The account is there, and so is its password on standard output. */
static void say_unheard(const char *why)
{
    TEXT_LOCAL(state, 512);

    ask_unit(&state);
    ctl_complain("the files are written, but Mosquitto could not be told: %s", why);
    if (state.length == 0) {
        ctl_complain("without systemd it reads them again on a signal: " SIGNAL);
    } else if (strcmp(state.data, ACTIVE) == 0) {
        ctl_complain("try: " RELOAD);
    } else {
        ctl_complain("its unit is %s; it reads them when it starts: " START, state.data);
        ctl_complain("a broker that runs without its unit reads them on a signal: " SIGNAL);
    }
}

/* It reads both files on SIGHUP, and throws out at once whoever has no right any more. */
int local_reload(const struct ctl *ctl)
{
    static const char *const tell[] = {"systemctl", "reload", "mosquitto", NULL};
    const char *old = local_is(ctl, "add") ? ""
                                           : "  # until then the old password works; then "
                                             "whoever uses it is thrown out";
    TEXT_LOCAL(why, 4096);

    if (!ctl_has(ctl->arguments, CTL_RELOAD)) {
        fprintf(
            ctl->arguments->json ? stderr : stdout, "Now tell Mosquitto:\n\n    %s%s\n",
            local_tell(), old);
        return CTL_DONE;
    }
    fflush(stdout);
    if (program_run(tell, "/", &why) != STATUS_OK) {
        say_unheard(why.data);
        return CTL_REFUSED;
    }
    return CTL_DONE;
}
