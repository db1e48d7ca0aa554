/* tagoutd: the controller. */
#include <event2/thread.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "controller/config/config.h"
#include "controller/daemon/loop.h"
#include "controller/support/log.h"
#include "controller/support/memory.h"

#define EXIT_USAGE 2 /* C1 */

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

struct arguments {
    const char *file;
    bool check;
    bool verbose;
};

/* Returns -1 to go on, else the exit status. */
static int parse_arguments(int count, char *values[], struct arguments *ret_arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'C'},
        {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(count, values, "c:vVh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            ret_arguments->file = optarg;
            break;
        case 'C':
            ret_arguments->check = true;
            break;
        case 'v':
            ret_arguments->verbose = true;
            break;
        case 'V':
            printf("tagoutd %s\n", TAGOUT_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs("Try 'tagoutd --help'.\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < count) {
        fprintf(
            stderr, "tagoutd: unexpected argument '%s'\nTry 'tagoutd --help'.\n", values[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

static void print_check(const struct settings *settings, const struct roster *roster)
{
    char today[16] = "";
    time_t now = time(NULL);
    struct tm parts;
    TEXT_LOCAL(notes, 4096);

    if (localtime_r(&now, &parts) != NULL) {
        strftime(today, sizeof today, "%Y-%m-%d", &parts);
    }
    roster_notes(roster, today, &notes);
    printf(
        "configuration ok: %zu machines (%s), %zu users (%s)\n", roster_machine_count(roster),
        settings->controller.machines, roster_user_count(roster), settings->controller.users);
    if (notes.length > 0) {
        printf("loaded, but not enforced:\n%s", notes.data);
    }
}

int main(int count, char *values[])
{
    struct arguments arguments = {0};
    struct settings *settings = NULL;
    struct roster *roster = NULL;
    int code = parse_arguments(count, values, &arguments);
    TEXT_LOCAL(why, 1024);

    if (code >= 0) {
        return code;
    }
    signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0 || evthread_use_pthreads() != 0) {
        fputs("tagoutd: the host cannot run it: no randomness or no threads\n", stderr);
        return EXIT_FAILURE;
    }
    code = EXIT_USAGE;
    if (settings_load(arguments.file, &settings, &why) != STATUS_OK ||
        roster_load(settings->controller.machines, settings->controller.users, &roster, &why) !=
            STATUS_OK) {
        fprintf(stderr, "tagoutd: %s\n", why.data);
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
        code = loop_run(settings, roster);
        log_stop();
    }
    settings_free(settings);
    return code;
}
