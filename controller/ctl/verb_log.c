/* `log`: the audit, for people. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/audit_reader.h"
#include "controller/ctl/ctl.h"
#include "controller/ctl/late_lines.h"
#include "controller/ctl/moment.h"
#include "controller/ctl/session_words.h"
#include "controller/support/clock.h"

#define SINCE_DEFAULT "24h"
#define PROGRESS_AFTER_MS 1000
#define PROGRESS_EACH 4096 /* lines */

struct reading {
    struct ctl *ctl;
    struct now now;
    struct wall_time since;
    struct wall_time until;
    struct audit_reader *reader;
    struct late_lines *late;
    struct sessions *sessions; /* NULL: lines are wanted */
    bool at_end;               /* all was read: a session that is told now is open */
    uint64_t shown;
    bool has_progress;
};

/* ---- what is wanted ---- */

static bool is_wanted_machine(const struct reading *reading, const char *name, const char *alias)
{
    const char *wanted = reading->ctl->arguments->machine;

    return wanted == NULL || text_compare_nocase(wanted, name) == 0 ||
           text_compare_nocase(wanted, alias) == 0;
}

/* `by` is "account (name)", or an account alone. */
static bool is_by(const char *by, const char *wanted)
{
    const char *bracket = strstr(by, " (");
    size_t length = strlen(by);
    TEXT_LOCAL(account, 600);
    TEXT_LOCAL(name, 600);

    if (bracket != NULL && length > 0 && by[length - 1] == ')') {
        text_add_bytes(&account, by, (size_t)(bracket - by));
        text_add_bytes(&name, bracket + 2, strlen(bracket + 2) - 1);
    } else {
        text_add(&account, by);
    }
    return text_compare_nocase(account.data, wanted) == 0 ||
           text_compare_nocase(name.data, wanted) == 0;
}

static bool is_wanted_person(
    const struct reading *reading, const char *user, const char *account_id, const char *by)
{
    const char *wanted = reading->ctl->arguments->user;

    return wanted == NULL || text_compare_nocase(wanted, user) == 0 ||
           strcmp(wanted, account_id) == 0 || is_by(by, wanted);
}

static bool is_wanted_line(const struct reading *reading, const struct json *object)
{
    return is_wanted_machine(
               reading, json_get_string(object, "machine"),
               json_get_string(object, "display_name")) &&
           is_wanted_person(
               reading, json_get_string(object, "user"), json_get_string(object, "account_id"),
               json_get_string(object, "by"));
}

/* ---- lines ---- */

static bool is_one_of(const char *word, const char *const words[])
{
    while (*words != NULL && strcmp(*words, word) != 0) {
        words++;
    }
    return *words != NULL;
}

static enum tone tone_of(const struct audit_line *line)
{
    static const char *const alarms[] = {"oops",          "lockout", "override_login",
                                         "machine_error", "fault",   "emergency_login",
                                         "link_lost",     NULL};
    static const char *const notes[] = {"denied", "unknown_fob",  "refused",
                                        "reboot", "save_timeout", NULL};
    const char *event_type = json_get_string(line->object, "event_type");

    if (strcmp(line->kind, "event") != 0) {
        return strcmp(line->kind, "alert") == 0 ? TONE_ALARM : TONE_NOTE;
    }
    return is_one_of(event_type, alarms)  ? TONE_ALARM
           : is_one_of(event_type, notes) ? TONE_NOTE
                                          : TONE_PLAIN;
}

/* Nothing for what the events beside it say already. */
static void describe(const struct audit_line *line, struct text *out)
{
    const struct json *object = line->object;

    if (strcmp(line->kind, "event") == 0) {
        words_escape(out, json_get_string(object, "text"));
        text_add(out, late_lines_is_late(object) ? " (heard late)" : "");
    } else if (strcmp(line->kind, "alert") == 0) {
        text_add(out, "ALERT: ");
        words_escape(out, json_get_string(object, "text"));
    } else if (strcmp(line->kind, "gap") == 0 && json_get(object, "missing") != NULL) {
        words_escape(out, json_get_string(object, "machine"));
        text_addf(out, ": events that were never heard: %lu", ctl_data_count(object, "missing"));
    } else if (strcmp(line->kind, "gap") == 0) {
        words_escape(out, json_get_string(object, "machine"));
        text_add(out, ": its events are counted anew; some may be missing");
    } else if (strcmp(line->kind, "dropped") == 0) {
        text_addf(
            out, "lines that are missing, since the audit's disk took nothing for too long: %lu",
            ctl_data_count(object, "lines"));
    } else if (strcmp(line->kind, "torn") == 0) {
        text_add(out, "a line was cut off by a crash");
    }
}

static void print_line(struct reading *reading, const struct audit_line *line)
{
    TEXT_LOCAL(out, 8192);

    if (reading->ctl->arguments->json) {
        puts(line->bytes);
        return;
    }
    words_stamp(&out, line->at);
    text_add(&out, "  ");
    describe(line, &out);
    if (out.length > WORDS_STAMP_WIDTH + 2) {
        ctl_say(reading->ctl, tone_of(line), out.data);
        reading->shown++;
    }
}

/* ---- sessions ---- */

/* How one that has no end is told. */
static const char *ending_of(const struct reading *reading)
{
    if (!reading->at_end) {
        return "(no end of it was heard)";
    }
    return reading->until.ms == INT64_MAX ? "(still open)" : "(open at that time)";
}

static void print_session(void *context, const struct session *session)
{
    struct reading *reading = context;
    TEXT_LOCAL(out, 4096);

    if (!is_wanted_machine(reading, session->machine, session->display_name) ||
        !is_wanted_person(reading, session->user, session->account_id, "")) {
        return;
    }
    reading->shown++;
    if (reading->ctl->arguments->json) {
        session_json(&out, session);
        puts(out.data);
        return;
    }
    session_line(&out, session, ending_of(reading));
    ctl_say(reading->ctl, session_tone(session), out.data);
}

/* ---- reading ---- */

/* On a terminal, when it takes long. */
static void show_progress(struct reading *reading)
{
    const struct audit_reader *reader = reading->reader;

    if (isatty(STDERR_FILENO) != 1 || reading->ctl->out_is_terminal ||
        reader->number % PROGRESS_EACH != 0 ||
        clock_now().mono.ms - reading->now.mono.ms < PROGRESS_AFTER_MS) {
        return;
    }
    fprintf(
        stderr, "\rreading %s (%zu of %zu), line %llu ", reader->file_name, reader->month + 1,
        reader->month_count, (unsigned long long)reader->number);
    reading->has_progress = true;
}

static enum status take_line(struct reading *reading, const struct audit_line *line)
{
    if (reading->sessions == NULL) {
        if (is_wanted_line(reading, line->object)) {
            print_line(reading, line);
        }
        return STATUS_OK;
    }
    if (strcmp(line->kind, "event") != 0) {
        return STATUS_OK;
    }
    return sessions_take(reading->sessions, line->object, line->at, print_session, reading);
}

static enum status take_late(struct reading *reading, struct wall_time until)
{
    enum status status = STATUS_OK;
    struct audit_line line;

    while (status == STATUS_OK && late_lines_take(reading->late, until, &line)) {
        status = take_line(reading, &line);
    }
    return status;
}

static int read_all(struct reading *reading)
{
    struct audit_line line;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && !ferror(stdout) && audit_reader_next(reading->reader, &line)) {
        show_progress(reading);
        if (line.at.ms < reading->since.ms || line.at.ms > reading->until.ms ||
            (strcmp(line.kind, "event") == 0 && late_lines_is_late(line.object) &&
             late_lines_has(reading->late))) {
            continue;
        }
        status = take_late(reading, line.at);
        if (status == STATUS_OK) {
            status = take_line(reading, &line);
        }
    }
    if (status == STATUS_OK) {
        status = take_late(reading, reading->until);
    }
    reading->at_end = true;
    if (reading->sessions != NULL) {
        sessions_open(reading->sessions, print_session, reading);
    }
    if (reading->has_progress) {
        fputs("\r\033[K", stderr);
    }
    if (status != STATUS_OK) {
        ctl_complain("%s", status_text(status));
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

/* A name that is misspelt finds nothing, and so does who looks too near. */
static void say_nothing(const struct ctl_arguments *arguments)
{
    bool has_time = arguments->since != NULL || arguments->until != NULL;
    TEXT_LOCAL(line, 1024);

    text_add(&line, has_time ? "Nothing is known of that time" : "Nothing is known of the last ");
    text_add(&line, has_time ? "" : SINCE_DEFAULT);
    if (arguments->machine != NULL) {
        text_add(&line, ", of a machine called \"");
        words_escape(&line, arguments->machine);
        text_add(&line, "\"");
    }
    if (arguments->user != NULL) {
        text_add(&line, ", of anybody called \"");
        words_escape(&line, arguments->user);
        text_add(&line, "\"");
    }
    text_add(&line, has_time ? "." : "; --since 7d looks further back.");
    fprintf(stderr, "%s\n", line.data);
}

static void say_what_is_missing(const struct reading *reading)
{
    const struct audit_reader *reader = reading->reader;

    if (reader->bad > 0) {
        TEXT_LOCAL(first, 1024);
        words_escape(&first, reader->first_bad);
        ctl_complain(
            "%llu line%s cannot be read and %s left out; the first: %s",
            (unsigned long long)reader->bad, reader->bad == 1 ? "" : "s",
            reader->bad == 1 ? "is" : "are", first.data);
    }
    if (reader->closed > 0) {
        ctl_complain(
            "%zu file%s cannot be read, so what is in %s is missing: %s", reader->closed,
            reader->closed == 1 ? "" : "s", reader->closed == 1 ? "it" : "them",
            reader->first_closed);
    } else if (reading->shown == 0 && !reading->ctl->arguments->json) {
        say_nothing(reading->ctl->arguments);
    }
}

static int read_times(struct reading *reading)
{
    const struct ctl_arguments *arguments = reading->ctl->arguments;
    const char *since = arguments->since == NULL ? SINCE_DEFAULT : arguments->since;
    TEXT_LOCAL(why, 512);

    if (moment_parse(since, reading->now.wall, &reading->since, &why) != STATUS_OK) {
        ctl_complain("--since: %s", why.data);
        return CTL_USAGE;
    }
    reading->until.ms = INT64_MAX;
    if (arguments->until != NULL &&
        moment_parse(arguments->until, reading->now.wall, &reading->until, &why) != STATUS_OK) {
        ctl_complain("--until: %s", why.data);
        return CTL_USAGE;
    }
    if (reading->until.ms < reading->since.ms) {
        ctl_complain("log: --until lies before --since");
        return CTL_USAGE;
    }
    return CTL_DONE;
}

static enum status open_reader(struct reading *reading, struct text *why)
{
    const char *directory = reading->ctl->settings->audit.directory;

    return audit_reader_open(reading->reader, directory, reading->since, why);
}

/* Twice: the late ones first. */
static int read_files(struct reading *reading)
{
    enum status status;
    int code;
    TEXT_LOCAL(why, 1024);

    if (open_reader(reading, &why) != STATUS_OK) {
        goto closed;
    }
    status = late_lines_read(reading->reader, reading->since, reading->until, &reading->late);
    audit_reader_close(reading->reader);
    if (status != STATUS_OK) {
        ctl_complain("%s", status_text(status));
        return CTL_REFUSED;
    }
    if (open_reader(reading, &why) != STATUS_OK) {
        goto closed;
    }
    code = read_all(reading);
    say_what_is_missing(reading);
    audit_reader_close(reading->reader);
    return reading->reader->closed > 0 ? CTL_REFUSED : code;

closed:
    ctl_complain("%s", why.data);
    ctl_complain("it is on the host of tagout-watcher; [audit] directory says where");
    return CTL_REFUSED;
}

int ctl_log(struct ctl *ctl)
{
    struct reading reading = {.ctl = ctl, .now = clock_now()};
    int code = read_times(&reading);

    if (code != CTL_DONE) {
        return code;
    }
    reading.reader = malloc(sizeof *reading.reader);
    if (reading.reader == NULL ||
        (ctl_has(ctl->arguments, CTL_SESSIONS) && sessions_new(&reading.sessions) != STATUS_OK)) {
        ctl_complain("out of memory");
        code = CTL_REFUSED;
    } else {
        code = read_files(&reading);
    }
    late_lines_free(reading.late);
    sessions_free(reading.sessions);
    free(reading.reader);
    return code;
}
