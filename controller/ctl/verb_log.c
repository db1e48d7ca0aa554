/* `log`: the audit, for people. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/audit_reader.h"
#include "controller/ctl/ctl.h"
#include "controller/ctl/moment.h"
#include "controller/ctl/sessions.h"
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

static const char *how_it_ended(const char *reason)
{
    static const struct {
        const char *reason;
        const char *words;
    } endings[] = {
        {"card_removed", "card out"},
        {"card_swapped", "another card was put in"},
        {"oops", "Oops"},
        {"unoops", "Oops was cleared"},
        {"lockout", "locked out"},
        {"unlock", "the lockout was lifted"},
        {"reboot", "the machine's box restarted"},
        {"offline", "the machine's box signed off"},
        {"ended", "ended from outside"},
        {"config", "the configuration changed"},
        {"denied", "REFUSED: not authorized"},
        {"unknown_fob", "REFUSED: unknown card"},
        {"refused", "REFUSED: the machine was out of use"},
    };

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (strcmp(endings[i].reason, reason) == 0) {
            return endings[i].words;
        }
    }
    return reason;
}

static const char *const kinds[] = {
    [SESSION_LOGIN] = "session",
    [SESSION_OVERRIDE] = "override",
    [SESSION_EMERGENCY] = "emergency",
    [SESSION_REFUSED] = "refused",
};

static void print_session_json(const struct session *session)
{
    TEXT_LOCAL(text, 4096);
    struct json_out out = json_out(&text);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "kind", kinds[session->kind]);
    json_out_string(&out, "machine", session->machine);
    json_out_string(&out, "display_name", session->display_name);
    json_out_string(&out, "user", session->user[0] == '\0' ? NULL : session->user);
    json_out_string(
        &out, "account_id", session->account_id[0] == '\0' ? NULL : session->account_id);
    json_out_number(&out, "from", (double)session->from.ms / 1000.0, 3);
    if (session->to.ms != 0) {
        json_out_number(&out, "to", (double)session->to.ms / 1000.0, 3);
        json_out_number(&out, "session_s", (double)session->lasted_ms / 1000.0, 3);
        json_out_string(&out, "reason", session->reason);
    } else {
        json_out_null(&out, "to");
    }
    if (session->approximate) {
        json_out_bool(&out, "approx", true);
    }
    json_out_close(&out, '}');
    puts(text.data);
}

static void add_person(struct text *out, const struct session *session)
{
    if (session->user[0] != '\0') {
        words_escape(out, session->user);
    } else if (session->kind == SESSION_EMERGENCY) {
        text_add(out, "emergency card");
    } else {
        text_add(out, "somebody unknown");
    }
    if (session->kind == SESSION_OVERRIDE) {
        text_add(out, " (OVERRIDE)");
    }
}

static const char *ending_of(const struct reading *reading, const struct session *session)
{
    if (session->to.ms != 0) {
        return how_it_ended(session->reason);
    }
    if (!reading->at_end) {
        return "(no end of it was heard)";
    }
    return reading->until.ms == INT64_MAX ? "(still open)" : "(open at that time)";
}

/* "2026-11-22 14:02:11 to 15:10:40  1 h 8 min  Table Saw  Ada  card out" */
static void print_session(void *context, const struct session *session)
{
    struct reading *reading = context;
    bool is_try = session->kind == SESSION_REFUSED;
    enum tone tone = is_try ? TONE_NOTE : session->kind == SESSION_LOGIN ? TONE_PLAIN : TONE_ALARM;
    TEXT_LOCAL(lasted, 64);
    TEXT_LOCAL(out, 2048);

    if (!is_wanted_machine(reading, session->machine, session->display_name) ||
        !is_wanted_person(reading, session->user, session->account_id, "")) {
        return;
    }
    reading->shown++;
    if (reading->ctl->arguments->json) {
        print_session_json(session);
        return;
    }
    if (!is_try && session->to.ms != 0) {
        text_add(&lasted, session->approximate ? "about " : "");
        words_duration(&lasted, session->lasted_ms);
    }
    words_stamp(&out, session->from);
    text_addf(&out, "  %-13s  ", lasted.data);
    words_escape(&out, session->display_name);
    text_add(&out, "  ");
    add_person(&out, session);
    text_addf(&out, "  %s", ending_of(reading, session));
    ctl_say(reading->ctl, tone, out.data);
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

static int read_all(struct reading *reading)
{
    struct audit_line line;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && !ferror(stdout) && audit_reader_next(reading->reader, &line)) {
        show_progress(reading);
        if (line.at.ms < reading->since.ms || line.at.ms > reading->until.ms) {
            continue;
        }
        if (reading->sessions != NULL) {
            if (strcmp(line.kind, "event") == 0) {
                status =
                    sessions_take(reading->sessions, line.object, line.at, print_session, reading);
            }
        } else if (is_wanted_line(reading, line.object)) {
            print_line(reading, &line);
        }
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
        fputs("Nothing is known of that time.\n", stderr);
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

int ctl_log(struct ctl *ctl)
{
    struct reading reading = {.ctl = ctl, .now = clock_now()};
    const char *directory = ctl->settings->audit.directory;
    int code = read_times(&reading);
    TEXT_LOCAL(why, 1024);

    if (code != CTL_DONE) {
        return code;
    }
    reading.reader = malloc(sizeof *reading.reader);
    if (reading.reader == NULL ||
        (ctl_has(ctl->arguments, CTL_SESSIONS) && sessions_new(&reading.sessions) != STATUS_OK)) {
        ctl_complain("out of memory");
        code = CTL_REFUSED;
    } else if (audit_reader_open(reading.reader, directory, reading.since, &why) != STATUS_OK) {
        ctl_complain("%s", why.data);
        ctl_complain("it is on the host of tagout-watcher; [audit] directory says where");
        code = CTL_REFUSED;
    } else {
        code = read_all(&reading);
        say_what_is_missing(&reading);
        code = reading.reader->closed > 0 ? CTL_REFUSED : code;
        audit_reader_close(reading.reader);
    }
    sessions_free(reading.sessions);
    free(reading.reader);
    return code;
}
