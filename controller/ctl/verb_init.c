/* init: a working, secured set-up for this host, and what to do next. */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/ini_file.h"
#include "controller/ctl/init.h"
#include "controller/setup/authority.h"
#include "controller/support/clock.h"
#include "topics/access.h"

/* The package makes it; without it the services cannot read what is written for them. */
static void ask_for_group(const char *directory)
{
    if (geteuid() == 0 && getgrnam(INIT_GROUP) == NULL) {
        ctl_complain("there is no group " INIT_GROUP
                     " yet, which the services have; first of all:");
        fprintf(
            stderr,
            "     systemd-sysusers\n"
            "     chgrp " INIT_GROUP " %s/tagout.ini %s/machines.json %s/users.json\n",
            directory, directory, directory);
    }
}

/* Whoever becomes root to do this is in charge. */
static void find_admin(const struct ctl *ctl, char ret_account[INIT_NAME_SIZE])
{
    const char *name = ctl->arguments->by != NULL ? ctl->arguments->by : getenv("SUDO_USER");
    struct text account = text_over(ret_account, INIT_NAME_SIZE);

    text_add(&account, access_role_info(ACCESS_ADMIN)->start);
    text_add(&account, name != NULL && text_is_name(name, ACCESS_ID_MAX) ? name : "admin");
}

/* The units name Debian's place. */
static void say_units(const char *directory, bool is_default)
{
    static const char *const units[] = {"tagoutd", "tagout-watcher"};

    if (is_default) {
        return;
    }
    printf("   Their units read " INI_DIRECTORY_DEFAULT ": by \"systemctl edit\" of each, first\n");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        printf(
            "     [Service]\n"
            "     EnvironmentFile=%s/%s.environment\n"
            "     ExecStart=\n"
            "     ExecStart=%s -c %s/tagout.ini\n",
            directory, units[i], units[i], directory);
    }
    printf("   and then\n");
}

static void say_next(const char *directory, const char *controller)
{
    TEXT_LOCAL(host, INI_PATH_SIZE + 8);
    TEXT_LOCAL(admin, INI_PATH_SIZE + 8);

    ini_add_option(&host, directory, INI_HOST);
    ini_add_option(&admin, directory, INI_ADMIN);
    printf(
        "Written to %s: accounts, certificates and secrets of this host.\n"
        "\n"
        "1. The broker; other files in conf.d may open listeners of their own: look.\n"
        "     ln -s %s/mosquitto/tagout.conf /etc/mosquitto/conf.d/\n"
        "     systemctl restart mosquitto\n"
        "2. Redis, for Tagout alone; first, if it has data: redis-cli config set appendonly yes\n"
        "     echo 'include %s/redis/tagout.conf' >> /etc/redis/redis.conf\n"
        "     systemctl restart redis-server\n"
        "3. Machines and users: edit %s/machines.json and users.json beside it, then\n"
        "     tagoutd --check -c %s/tagout.ini\n"
        "4. The controller, called %s, and the watcher:\n",
        directory, directory, directory, directory, directory, controller);
    say_units(directory, host.length == 0);
    printf(
        "     systemctl enable --now tagoutd tagout-watcher\n"
        "     tagoutctl%s status\n"
        "5. Each box:\n"
        "     tagoutctl%s device add table-saw --reload\n"
        "   and into its firmware go that password and %s/" AUTHORITY_CERTIFICATE ".\n"
        "6. tagoutctl%s backup FILE, and FILE to another host. Take\n"
        "   %s/" AUTHORITY_KEY " away: it is needed only to sign again.\n",
        admin.data, host.data, directory, host.data, directory);
}

static int set_up(const struct ctl *ctl, const struct settings *defaults)
{
    const struct ctl_arguments *arguments = ctl->arguments;
    char directory[CTL_PLACE_SIZE];
    char admin[INIT_NAME_SIZE];
    const struct init_wish wish = {
        .directory = directory,
        .hosts = arguments->hosts,
        .host_count = arguments->host_count,
        .controller = defaults->controller.id,
        .prefix = defaults->controller.prefix,
        .discovery_prefix = defaults->homeassistant.discovery_prefix,
        .admin = admin,
        .now = clock_now().wall,
    };
    enum status status;
    int code = ctl_directory(ctl, directory);
    TEXT_LOCAL(why, 4096);

    if (code != CTL_DONE) {
        return code;
    }
    find_admin(ctl, admin);
    status = init_write(&wish, &why);
    if (status != STATUS_OK) {
        ctl_complain("%s", why.data);
        ctl_complain("nothing was set up");
        if (status == STATUS_BUSY) {
            ctl_complain("a host is set up once; what changes later: account, device, ca, reload");
        } else if (geteuid() != 0) {
            ctl_complain("next: sudo tagoutctl init ...");
        }
        return CTL_REFUSED;
    }
    ask_for_group(directory);
    say_next(directory, wish.controller);
    return CTL_DONE;
}

int ctl_init(struct ctl *ctl)
{
    struct settings *defaults = NULL;
    int code = ctl_check_hosts(ctl);
    TEXT_LOCAL(why, 1024);

    if (code != CTL_DONE) {
        return code;
    }
    if (settings_load(NULL, &defaults, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        return CTL_USAGE;
    }
    code = set_up(ctl, defaults);
    settings_free(defaults);
    return code;
}
