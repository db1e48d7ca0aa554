/* tagoutctl: the command line of whoever is in charge. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/ini_file.h"
#include "controller/support/memory.h"
#include "topics/access.h"

#define HELP_BYTES 8192
#define BY_MAX 64 /* characters, C6 */

static bool is_coloured(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(fd) == 1 && (no_color == NULL || no_color[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static bool is_fit(const char *name)
{
    return name != NULL && name[0] != '\0' && utf8_is_valid(name, strlen(name)) &&
           !text_has_control(name) && utf8_length(name) <= BY_MAX;
}

/* Who asks, for the audit; the account at the broker is what is trusted. */
static const char *person(const struct ctl_arguments *arguments)
{
    const struct passwd *entry;

    if (arguments->by != NULL) {
        return arguments->by;
    } else if (is_fit(getenv("SUDO_USER"))) {
        return getenv("SUDO_USER");
    } else if (is_fit(getenv("USER"))) {
        return getenv("USER");
    }
    entry = getpwuid(getuid());
    return entry != NULL && is_fit(entry->pw_name) ? entry->pw_name : "";
}

static void
on_message(void *context, const struct topic_match *topic, const char *payload, size_t length)
{
    struct ctl *ctl = context;
    board_take(&ctl->board, topic, payload, length);
}

/* The broker throws out who has the client id already, and a service's account is its client id. */
static int check_account(const struct settings *settings)
{
    struct access_account account;

    if (access_account(settings->mqtt.username, &account) != STATUS_OK ||
        account.role == ACCESS_DEVICE || access_is_person(account.role)) {
        return CTL_DONE;
    }
    ctl_complain(
        "%s is the account of a service, which it would throw out: ask with a person's",
        account.name);
    ctl_complain(
        "one is made by: tagoutctl account add ad.NAME --output FILE; then tagoutctl -c FILE");
    return CTL_USAGE;
}

static int
run(const struct ctl_arguments *arguments, const struct settings *settings, const char *denied)
{
    struct ctl ctl = {
        .arguments = arguments,
        .settings = settings,
        .denied = denied,
        .out_is_terminal = isatty(STDOUT_FILENO) == 1,
        .out_coloured = is_coloured(STDOUT_FILENO),
        .err_coloured = is_coloured(STDERR_FILENO),
    };
    const struct client_options options = {
        .settings = settings,
        .account = arguments->account,
        .by = person(arguments),
        .context = &ctl,
        .on_message = on_message,
    };
    int code = CTL_USAGE;
    TEXT_LOCAL(why, 1024);

    if (!arguments->verb->local && client_new(&options, &ctl.client, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        return code;
    }
    code = arguments->verb->run(&ctl);
    client_free(ctl.client);
    board_free(&ctl.board);
    if (fflush(stdout) != 0 && code == CTL_DONE) {
        code = CTL_REFUSED; /* what was asked for was not delivered */
    }
    return code;
}

/* A person's file knows nothing of this host: with it all of that would be at its defaults. */
static int check_file(const struct ctl_arguments *arguments)
{
    const struct ctl_verb *verb = arguments->verb;
    TEXT_LOCAL(option, INI_PATH_SIZE + 8);

    if (!verb->local || verb->place_only || arguments->file == NULL ||
        !ini_is_persons(arguments->file)) {
        return CTL_DONE;
    }
    ctl_complain(
        "%s is a person's file, with an account at the broker and nothing of this host: "
        "\"%s\" works on the host's own, " INI_HOST,
        arguments->file, verb->name);
    ini_add_host(&option, arguments->file);
    ctl_complain("next: tagoutctl%s %s", option.data, verb->name);
    return CTL_USAGE;
}

/* Who is root may read everything: only others are helped by becoming it. */
static void point_to_root(const struct ctl_arguments *arguments, const char *file)
{
    if (file != NULL && access(file, R_OK) != 0 && errno == EACCES) {
        ctl_complain("next: sudo tagoutctl %s ...", arguments->verb->name);
    }
}

static int run_with_settings(const struct ctl_arguments *arguments)
{
    struct ini_choice choice = {.path = "", .denied = ""};
    const char *file = arguments->file;
    struct settings *settings = NULL;
    int code = CTL_USAGE;
    TEXT_LOCAL(why, 1024);

    if (file == NULL) {
        ini_choose(ini_directory(), !arguments->verb->local, &choice);
        file = choice.path[0] == '\0' ? NULL : choice.path;
    }
    if (file != NULL && arguments->verb->local) {
        ini_take_secrets(file);
    }
    if (settings_load(file, &settings, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        point_to_root(arguments, file);
    } else if (arguments->verb->local || check_account(settings) == CTL_DONE) {
        code = run(arguments, settings, choice.denied);
    }
    settings_free(settings);
    return code;
}

/* The verb's own help is the shorter one. */
static void point_to_help(int count, char *values[])
{
    for (int i = 1; i < count; i++) {
        for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
            if (strcmp(values[i], verb->name) == 0) {
                ctl_complain("try 'tagoutctl %s --help'", verb->name);
                return;
            }
        }
    }
    ctl_complain("try 'tagoutctl --help'");
}

int main(int count, char *values[])
{
    struct ctl_arguments arguments;
    TEXT_LOCAL(why, 1024);

    if (ctl_arguments_parse(count, values, &arguments, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        point_to_help(count, values);
        return CTL_USAGE;
    }
    if (arguments.version) {
        printf("tagoutctl %s\n", TAGOUT_VERSION);
        return CTL_DONE;
    }
    if (arguments.help) {
        TEXT_LOCAL(help, HELP_BYTES);
        ctl_help(arguments.verb, &help);
        fputs(help.data, stdout);
        return CTL_DONE;
    }
    memory_hide();
    signal(SIGPIPE, SIG_IGN);
    if (check_file(&arguments) != CTL_DONE) {
        return CTL_USAGE;
    }
    return arguments.verb->without_settings ? run(&arguments, NULL, "")
                                            : run_with_settings(&arguments);
}
