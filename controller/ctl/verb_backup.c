/* backup and restore: a whole host in one encrypted file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/backup/backup.h"
#include "controller/ctl/ctl.h"
#include "controller/ctl/ini_file.h"
#include "controller/ctl/passphrase.h"
#include "controller/setup/environment.h"
#include "controller/setup/files.h"
#include "controller/support/clock.h"

/* What both verbs begin with. */
struct errand {
    char directory[CTL_PLACE_SIZE];
    char ini[FILES_PATH_SIZE];
    char passphrase[PASSPHRASE_SIZE];
    struct backup_wish wish;
};

static int begin(const struct ctl *ctl, struct errand *errand)
{
    const struct ctl_arguments *arguments = ctl->arguments;
    const char *slash = arguments->file == NULL ? NULL : strrchr(arguments->file, '/');
    const char *ini = arguments->file == NULL ? INI_HOST
                      : slash == NULL         ? arguments->file
                                              : slash + 1;
    int code = ctl_directory(ctl, errand->directory);
    TEXT_LOCAL(why, 1024);

    if (code != CTL_DONE) {
        return code;
    }
    if (arguments->words[0] == NULL) {
        ctl_complain("%s: which file?", arguments->verb->name);
        return CTL_USAGE;
    }
    if (files_join(errand->ini, errand->directory, ini, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        return CTL_USAGE;
    }
    errand->wish = (struct backup_wish){
        .directory = errand->directory,
        .ini = errand->ini,
        .file = arguments->words[0],
        .passphrase = errand->passphrase,
        .cost = &seal_cost_default,
        .now = clock_now().wall,
        .force = ctl_has(arguments, CTL_FORCE),
    };
    return CTL_DONE;
}

static int ask_passphrase(const struct ctl *ctl, struct errand *errand, bool is_new)
{
    TEXT_LOCAL(why, 1024);

    if (passphrase_read(ctl->arguments->passphrase_file, is_new, errand->passphrase, &why) !=
        STATUS_OK) {
        ctl_complain("%s", why.data);
        return CTL_USAGE;
    }
    return CTL_DONE;
}

static void say_count(const struct backup_count *count)
{
    printf(
        "  configuration  %zu file%s\n  Redis          %zu key%s\n  audit          %zu file%s\n",
        count->files, text_plural(count->files), count->keys, text_plural(count->keys),
        count->audit_files, text_plural(count->audit_files));
}

static int load_settings(const struct errand *errand, struct settings **ret_settings)
{
    TEXT_LOCAL(why, 1024);

    if (environment_load_all(errand->directory, &why) != STATUS_OK ||
        settings_load(errand->ini, ret_settings, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        return CTL_USAGE;
    }
    return CTL_DONE;
}

static int make(const struct ctl *ctl, struct errand *errand, const struct settings *settings)
{
    struct backup_count count;
    int code;
    enum status status;
    TEXT_LOCAL(why, 1024);

    if (!errand->wish.force && files_exist(errand->wish.file)) {
        ctl_complain("%s is there already; to write over it: --force", errand->wish.file);
        return CTL_REFUSED;
    }
    code = ask_passphrase(ctl, errand, true);
    if (code != CTL_DONE) {
        return code;
    }
    status = backup_make(&errand->wish, settings, &count, &why);
    if (status != STATUS_OK) {
        ctl_complain("%s", why.data);
        ctl_complain("no backup was made");
        return CTL_REFUSED;
    }
    printf("%s, %" PRIu64 " bytes:\n", errand->wish.file, count.bytes);
    say_count(&count);
    printf("Keep it on another host, and the passphrase not beside it.\n");
    return CTL_DONE;
}

int ctl_backup(struct ctl *ctl)
{
    struct errand errand = {.passphrase = ""};
    struct settings *settings = NULL;
    int code = begin(ctl, &errand);

    if (code == CTL_DONE) {
        code = load_settings(&errand, &settings);
    }
    if (code == CTL_DONE) {
        code = make(ctl, &errand, settings);
    }
    settings_free(settings);
    explicit_bzero(&errand, sizeof errand);
    return code;
}

static void say_restored(const struct errand *errand, const struct restore_result *result)
{
    TEXT_LOCAL(line, 1024);
    TEXT_LOCAL(option, INI_PATH_SIZE + 8);

    text_add(&line, "Restored the backup of ");
    words_escape(&line, result->host[0] == '\0' ? "an unknown host" : result->host);
    text_add(&line, ", made ");
    words_stamp(&line, result->made_at);
    printf("%s:\n", line.data);
    say_count(&result->count);
    if (result->configuration_aside[0] != '\0') {
        printf("What was in %s is in %s now.\n", errand->directory, result->configuration_aside);
    }
    if (result->elsewhere[0] != '\0') {
        printf("Outside of it, with what was there put aside:\n%s", result->elsewhere);
    }
    if (result->audit_aside[0] != '\0') {
        printf("What was in %s is in %s now.\n", result->audit, result->audit_aside);
    }
    ini_add_asking(&option, errand->ini);
    printf(
        "Next: tagoutd --check -c %s\n"
        "      systemctl restart mosquitto redis-server\n"
        "      systemctl start tagoutd tagout-watcher\n"
        "      tagoutctl%s status\n"
        "and compare who is locked out with what people remember.\n",
        errand->ini, option.data);
}

int ctl_restore(struct ctl *ctl)
{
    struct errand errand = {.passphrase = ""};
    struct restore_result result;
    int code = begin(ctl, &errand);
    TEXT_LOCAL(why, 2048);

    if (code == CTL_DONE && access(errand.wish.file, R_OK) != 0) {
        ctl_complain("%s: %s", errand.wish.file, strerror(errno));
        code = CTL_REFUSED;
    }
    if (code == CTL_DONE) {
        code = ask_passphrase(ctl, &errand, false);
    }
    if (code == CTL_DONE) {
        enum status status = backup_restore(&errand.wish, &result, &why);

        if (status != STATUS_OK) {
            ctl_complain("%s", why.data);
            ctl_complain(
                "nothing was changed%s", status == STATUS_BUSY && !errand.wish.force
                                             ? "; to put aside what is there: --force"
                                             : "");
            code = CTL_REFUSED;
        } else {
            say_restored(&errand, &result);
        }
    }
    explicit_bzero(&errand, sizeof errand);
    return code;
}
