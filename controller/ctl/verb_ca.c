/* ca: the shop's own certificate authority and the broker's certificate. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/local.h"
#include "controller/setup/authority.h"
#include "controller/setup/files.h"
#include "controller/support/certificate.h"
#include "controller/support/clock.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define SOON_DAYS 60

static int show_one(const struct ctl *ctl, const char *path, struct wall_time now)
{
    struct certificate certificate;
    struct tm parts;
    char day[16] = "";
    time_t ends;
    int64_t days;
    TEXT_LOCAL(line, 2048);
    TEXT_LOCAL(why, 1024);

    if (certificate_read(path, &certificate, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        return CTL_REFUSED;
    }
    ends = (time_t)(certificate.ends.ms / 1000);
    if (gmtime_r(&ends, &parts) != NULL) {
        (void)strftime(day, sizeof day, "%Y-%m-%d", &parts);
    }
    days = (certificate.ends.ms - now.ms) / DAY_MS;
    text_addf(&line, "%s\n  of     ", path);
    words_escape(&line, certificate.subject);
    if (certificate.names[0] != '\0') {
        text_add(&line, "\n  for    ");
        words_escape(&line, certificate.names);
    }
    if (certificate.ends.ms <= now.ms) {
        text_addf(&line, "\n  until  %s: IT HAS ENDED", day);
    } else {
        text_addf(
            &line, "\n  until  %s (%" PRId64 " day%s)", day, days, text_plural((uint64_t)days));
    }
    ctl_say(ctl, days < SOON_DAYS ? TONE_ALARM : TONE_PLAIN, line.data);
    return certificate.ends.ms <= now.ms ? CTL_REFUSED : CTL_DONE;
}

static int show(const struct ctl *ctl, const char *directory)
{
    static const char *const names[] = {AUTHORITY_CERTIFICATE, AUTHORITY_SERVER_CERTIFICATE};
    struct wall_time now = clock_now().wall;
    int code = CTL_DONE;
    TEXT_LOCAL(why, 1024);

    for (size_t i = 0; i < 2; i++) {
        char path[FILES_PATH_SIZE];

        if (files_join(path, directory, names[i], &why) != STATUS_OK) {
            ctl_complain("%s", why.data);
            return CTL_USAGE;
        }
        if (show_one(ctl, path, now) != CTL_DONE) {
            code = CTL_REFUSED;
        }
    }
    return code;
}

static int make(const struct ctl *ctl, const char *directory)
{
    const struct ctl_arguments *arguments = ctl->arguments;
    const struct authority_wish wish = {
        .directory = directory,
        .hosts = arguments->hosts,
        .host_count = arguments->host_count,
        .replace = ctl_has(arguments, CTL_FORCE),
        .now = clock_now().wall,
    };
    bool is_new = false;
    enum status status;
    TEXT_LOCAL(why, 4096);

    status = authority_make(&wish, &is_new, &why);
    if (status != STATUS_OK) {
        ctl_complain("%s", why.data);
    }
    if (status == STATUS_BUSY) {
        ctl_complain("nothing was changed; to make it anew: --force");
    } else if (status == STATUS_NOT_FOUND) {
        ctl_complain("next: apt install openssl");
    }
    if (status != STATUS_OK) {
        return CTL_REFUSED;
    }
    (void)show(ctl, directory);
    printf(
        "\n%s", is_new ? "Give " AUTHORITY_CERTIFICATE " to every box, and to each host's "
                         "[mqtt] ca_file. Keep " AUTHORITY_KEY "\nsecret: who has it can be "
                         "the broker.\n"
                       : "The authority is the same: boxes and services need nothing new.\n");
    printf("Then tell the broker: %s\n", local_tell());
    return CTL_DONE;
}

int ctl_ca(struct ctl *ctl)
{
    const char *word = ctl->arguments->words[0];
    char directory[CTL_PLACE_SIZE];
    int code = ctl_directory(ctl, directory);

    if (code != CTL_DONE) {
        return code;
    }
    if (word != NULL && strcmp(word, "show") != 0) {
        ctl_complain("ca: \"%s\"? It takes nothing, or \"show\"", word);
        return CTL_USAGE;
    }
    if (word != NULL) {
        return show(ctl, directory);
    }
    code = ctl_check_hosts(ctl);
    return code == CTL_DONE ? make(ctl, directory) : code;
}
