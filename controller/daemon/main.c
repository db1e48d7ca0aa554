/* tagoutd: the controller. */
#include <event2/thread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/config.h"
#include "controller/config/credentials.h"
#include "controller/daemon/connections.h"
#include "controller/daemon/loop.h"
#include "controller/daemon/service_reads.h"
#include "controller/support/arguments.h"
#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "controller/support/memory.h"
#include "controller/support/service_account.h"
#include "topics/access.h"

static const char usage[] =
    "Usage: tagoutd [-c FILE] [--check] [-v]\n"
    "\n"
    "The controller of Tagout: hears what machines report over MQTT, decides who may run\n"
    "what, and publishes the commands that switch their relays.\n"
    "\n"
    "  -c, --config FILE  read FILE, see tagout.ini(5); without it every key has its default\n"
    "      --check        check the configuration, users and machines, say what is loaded but\n"
    "                     not enforced, and exit\n"
    "  -v, --verbose      log more\n"
    "  -V, --version      print the version and exit\n"
    "  -h, --help         print this and exit\n"
    "\n"
    "TAGOUT_<SECTION>_<KEY> in the environment wins over the file.\n"
    "SIGHUP reads users and machines again; SIGTERM and SIGINT stop cleanly.\n"
    "Exit status: 0 clean stop, 2 configuration or usage error, 1 anything else.\n";

#define USUAL_FILE "/etc/tagout/tagout.ini"

/* A user name alone is enough for hardly any broker. The service may have the password from where
 * a --check in a shell does not look, so this is no error. */
static void add_password_doubt(const struct settings *settings, struct text *out)
{
    if (settings->mqtt.username[0] != '\0' && settings->mqtt.password[0] == '\0' &&
        settings->mqtt.cert_file[0] == '\0') {
        text_addf(
            out,
            "[mqtt] username: \"%s\" has no password here: neither in the file, nor in the "
            "environment (TAGOUT_MQTT_PASSWORD), nor as a credential",
            settings->mqtt.username);
    }
}

/* What systemd hands to the services, beside the file; others may pass through that directory, for
 * the broker's files are there too. */
static const char *const secret_files[] = {
    "environment", "tagoutd.environment", "tagout-watcher.environment"};

/* Says something about the one with this number when everyone can read it. */
static void add_exposed(const struct settings *settings, size_t number, struct text *out)
{
    const char *slash = strrchr(settings->file, '/');
    int folder = slash == NULL ? 0 : (int)(slash - settings->file) + 1;
    TEXT_LOCAL(path, 1024);

    text_addf(&path, "%.*s%s", folder, settings->file, secret_files[number]);
    if (settings->file[0] != '\0' && !path.cut && secret_is_exposed(path.data)) {
        text_addf(
            out, "%s: everyone on this host can read the secrets in it; chmod o= %s", path.data,
            path.data);
    }
}

static void add_exposed_doubts(const struct settings *settings, struct text *out)
{
    for (size_t i = 0; i < sizeof secret_files / sizeof secret_files[0]; i++) {
        size_t before = out->length;
        add_exposed(settings, i, out);
        text_add(out, out->length > before ? "\n" : "");
    }
}

/* Two hosts with one program each may share such a file: no error either. */
static void add_listen_doubt(const struct settings *settings, struct text *out)
{
    if (settings->http.listen[0] != '\0' &&
        strcmp(settings->http.listen, settings->http.watcher_listen) == 0) {
        text_addf(
            out, "[http] listen and watcher_listen are both %s: one of the two has no metrics\n",
            settings->http.listen);
    }
}

/* Whoever checks as root reads everything. */
static void add_service_doubts(const struct settings *settings, struct text *out)
{
    const char *const files[] = {
        settings->file,         settings->controller.machines, settings->controller.users,
        settings->mqtt.ca_file, settings->mqtt.cert_file,      settings->mqtt.key_file,
    };

    service_reads(SERVICE_ACCOUNT, files, sizeof files / sizeof files[0], out);
}

static void print_check(const struct settings *settings, const struct roster *roster)
{
    char today[ROSTER_DATE_SIZE];
    TEXT_LOCAL(notes, 4096);
    TEXT_LOCAL(doubts, 16384);

    roster_date(clock_now().wall, today);
    roster_notes(roster, today, &notes);
    printf(
        "configuration ok: %zu machine%s (%s), %zu user%s (%s)\n", roster_machine_count(roster),
        text_plural(roster_machine_count(roster)), settings->controller.machines,
        roster_user_count(roster), text_plural(roster_user_count(roster)),
        settings->controller.users);
    if (notes.length > 0) {
        printf("loaded, but not enforced:\n%s", notes.data);
    }
    add_password_doubt(settings, &doubts);
    text_add(&doubts, doubts.length > 0 ? "\n" : "");
    if (secret_is_exposed(settings->controller.users)) {
        text_addf(
            &doubts, "%s: everyone on this host can read the card numbers in it; chmod o= %s\n",
            settings->controller.users, settings->controller.users);
    }
    add_exposed_doubts(settings, &doubts);
    add_listen_doubt(settings, &doubts);
    add_service_doubts(settings, &doubts);
    if (roster_doubts(roster, &doubts) == STATUS_OK && doubts.length > 0) {
        printf("is that meant?\n%s", doubts.data);
    }
}

static void warn(const struct settings *settings, const struct roster *roster)
{
    char today[ROSTER_DATE_SIZE];
    TEXT_LOCAL(expired, 2048);
    TEXT_LOCAL(password, 2048);

    roster_date(clock_now().wall, today);
    roster_expired(roster, today, &expired);
    if (expired.length > 0) {
        log_warning("%s", expired.data);
    }
    add_password_doubt(settings, &password);
    if (password.length > 0) {
        log_warning("%s", password.data);
    }
    for (size_t i = 0; i < sizeof secret_files / sizeof secret_files[0]; i++) {
        TEXT_LOCAL(exposed, 2304);
        add_exposed(settings, i, &exposed);
        if (exposed.length > 0) {
            log_warning("%s", exposed.data);
        }
    }
}

/* All that must be right for a start. */
static enum status
load(const char *file, struct settings **ret_settings, struct roster **ret_roster, struct text *why)
{
    enum status status = settings_load(file, ret_settings, why);
    const struct settings *settings = *ret_settings;

    if (status == STATUS_OK) {
        status =
            access_check(settings->mqtt.username, ACCESS_CONTROLLER, settings->controller.id, why);
    }
    if (status == STATUS_OK) {
        status = connections_check(settings, why);
    }
    if (status == STATUS_OK) {
        status =
            roster_load(settings->controller.machines, settings->controller.users, ret_roster, why);
    }
    return status;
}

/* Who names no file seldom means the defaults, with machines and users wherever he stands. */
static void complain(const struct arguments *arguments, const char *why)
{
    fprintf(stderr, "tagoutd: %s\n", why);
    if (arguments->file == NULL) {
        fprintf(
            stderr,
            "tagoutd: without -c FILE every key has its default, and machines.json and users.json "
            "are looked for in the working directory\n");
        if (access(USUAL_FILE, F_OK) == 0) {
            fprintf(
                stderr, "tagoutd: did you mean: tagoutd %s-c " USUAL_FILE "\n",
                arguments->check ? "--check " : "");
        }
    }
}

int main(int count, char *values[])
{
    struct arguments arguments = {0};
    struct settings *settings = NULL;
    struct roster *roster = NULL;
    enum status status;
    int code = arguments_parse("tagoutd", usage, count, values, &arguments);
    TEXT_LOCAL(why, 1024);

    if (code >= 0) {
        return code;
    }
    memory_hide();
    signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0 || evthread_use_pthreads() != 0) {
        fputs("tagoutd: the host cannot run it: no randomness or no threads\n", stderr);
        return EXIT_FAILURE;
    }
    status = load(arguments.file, &settings, &roster, &why);
    if (status != STATUS_OK) {
        complain(&arguments, why.data);
        code = arguments_exit_status(status);
    } else if (arguments.check) {
        print_check(settings, roster);
        roster_free(roster);
        code = EXIT_SUCCESS;
    } else if (
        log_start("tagoutd", arguments.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO) != STATUS_OK) {
        fputs("tagoutd: cannot start the log's thread\n", stderr);
        roster_free(roster);
        code = EXIT_FAILURE;
    } else {
        memory_lock();
        warn(settings, roster);
        code = loop_run(settings, roster);
        log_stop();
    }
    settings_free(settings);
    return code;
}
