/* tagout-watcher: tells people what they must know, and keeps the audit. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/settings.h"
#include "controller/support/arguments.h"
#include "controller/support/log.h"
#include "controller/support/memory.h"
#include "controller/support/service_account.h"
#include "controller/watcher/audit_check.h"
#include "controller/watcher/loop.h"
#include "controller/watcher/slack.h"
#include "topics/access.h"

static const char usage[] =
    "Usage: tagout-watcher [-c FILE] [--check] [-v]\n"
    "\n"
    "Watches over Tagout: counts saves that time out over all machines and controllers, raises\n"
    "alerts, writes every event into the audit files, and posts to Slack.\n"
    "\n"
    "  -c, --config FILE  read FILE, see tagout.ini(5); without it every key has its default\n"
    "      --check        check the configuration, say what goes where, and exit\n"
    "  -v, --verbose      log more\n"
    "  -V, --version      print the version and exit\n"
    "  -h, --help         print this and exit\n"
    "\n"
    "TAGOUT_<SECTION>_<KEY> in the environment wins over the file.\n"
    "SIGTERM and SIGINT stop cleanly.\n"
    "Exit status: 0 clean stop, 2 configuration or usage error, 1 anything else.\n";

static void print_check(const struct settings *settings)
{
    TEXT_LOCAL(slack, 2048);
    TEXT_LOCAL(doubts, 2048);

    slack_describe(settings, &slack);
    printf(
        "configuration ok\nAudit: %s, for %lld day%s\n%s", settings->audit.directory,
        (long long)settings->audit.keep_days, text_plural((uint64_t)settings->audit.keep_days),
        slack.data);
    audit_check(settings->audit.directory, SERVICE_ACCOUNT, &doubts);
    if (doubts.length > 0) {
        printf("is that meant?\n%s", doubts.data);
    }
}

static int run(const struct settings *settings, bool verbose)
{
    int code;
    char *line;
    char *rest = NULL;
    TEXT_LOCAL(slack, 2048);

    if (log_start("tagout-watcher", verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO) != STATUS_OK) {
        fputs("tagout-watcher: cannot start the log's thread\n", stderr);
        return EXIT_FAILURE;
    }
    slack_describe(settings, &slack);
    for (line = strtok_r(slack.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        log_info("%s", line);
    }
    memory_lock();
    code = loop_run_watcher(settings);
    log_stop();
    return code;
}

int main(int count, char *values[])
{
    struct arguments arguments = {0};
    struct settings *settings = NULL;
    enum status status;
    int code = arguments_parse("tagout-watcher", usage, count, values, &arguments);
    TEXT_LOCAL(why, 1024);

    if (code >= 0) {
        return code;
    }
    memory_hide();
    signal(SIGPIPE, SIG_IGN);
    status = settings_load(arguments.file, &settings, &why);
    if (status == STATUS_OK) {
        status = access_check(settings->mqtt.username, ACCESS_WATCHER, settings->watcher.id, &why);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "tagout-watcher: %s\n", why.data);
        code = arguments_exit_status(status);
    } else if (arguments.check) {
        print_check(settings);
        code = EXIT_SUCCESS;
    } else {
        code = run(settings, arguments.verbose);
    }
    settings_free(settings);
    return code;
}
