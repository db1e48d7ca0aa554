/* oops, lockout, clear, end: what changes a machine, and whether it has obeyed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/ctl.h"
#include "controller/support/clock.h"

/* What the two flags have in common. */
struct flag {
    const char *verb;
    const char *loud; /* in front of ", BUT ... HAS NOT CONFIRMED OFF" */
    const char *done; /* "x is ..." */
    const char *doing;
};

static const struct flag oops_flag = {"oops", "OOPSED", "oopsed", "Pressing Oops"};
static const struct flag lockout_flag = {"lockout", "LOCKED OUT", "locked out", "Locking it out"};

static bool is_set(const struct state_payload *state, const struct flag *flag)
{
    return flag == &oops_flag ? state->oops : state->lockout;
}

static bool is_off(const char *confirmed)
{
    return confirmed != NULL && strcmp(confirmed, "off") == 0;
}

static bool says_yes(void)
{
    char line[16];

    if (fgets(line, sizeof line, stdin) == NULL) {
        fputc('\n', stderr);
        return false;
    }
    return (line[0] == 'y' || line[0] == 'Y') && (line[1] == '\n' || strcmp(line + 1, "es\n") == 0);
}

/* Nobody's work is cut off by a slip: a machine in use is asked about first. */
static int ask_first(struct ctl *ctl, const struct board_machine *machine, const char *doing)
{
    const struct state_payload *state = &machine->copy.state;
    TEXT_LOCAL(does, 2048);

    if (!words_is_in_use(state) || ctl_has(ctl->arguments, CTL_NOW)) {
        return CTL_DONE;
    }
    words_state(&does, state, clock_now().wall);
    if (!ctl_can_ask()) {
        ctl_complain("%s: %s", machine->name, does.data);
        ctl_complain(
            "nothing was changed: %s would cut its power in mid-work; if that is meant, say --now",
            ctl->arguments->verb->name);
        return CTL_REFUSED;
    }
    fprintf(
        stderr, "%s: %s.\n%s cuts its power now, in mid-work. Do it? [y/N] ", machine->name,
        does.data, doing);
    fflush(stderr);
    if (!says_yes()) {
        ctl_complain("nothing was changed");
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

/* ---- oops, lockout ---- */

struct obeyed {
    const struct board *board;
    const char *machine;
    const struct flag *flag;
    struct version before;
};

/* A state of after the change, in which the device itself says that it is off. */
static bool has_obeyed(const void *context)
{
    const struct obeyed *obeyed = context;
    const struct board_machine *machine = board_find(obeyed->board, obeyed->machine);

    return machine != NULL && machine->has_state && is_set(&machine->copy.state, obeyed->flag) &&
           is_off(machine->copy.state.confirmed) &&
           version_compare(machine->copy.state.version, obeyed->before) >= 0;
}

/* What there is to know of a machine that does not confirm. */
static void tell_doubt(struct ctl *ctl, const char *name)
{
    const struct board_machine *machine = board_find(&ctl->board, name);
    const char *confirmed =
        machine != NULL && machine->has_state ? machine->copy.state.confirmed : NULL;
    TEXT_LOCAL(notes, 1024);

    if (!client_is_ready(ctl->client)) {
        ctl_complain("the broker is out of reach by now: %s", client_trouble(ctl->client));
    } else if (confirmed != NULL && strcmp(confirmed, "on") == 0) {
        ctl_complain("%s says that its relay is ON", name);
    } else {
        ctl_complain("%s has not told what its relay does since then", name);
    }
    if (machine != NULL && machine->has_state) {
        words_notes(&notes, &machine->copy.state, machine->link);
    }
    if (notes.length > 0) {
        ctl_complain("%s: %s", name, notes.data);
    }
}

static void print_json(const char *machine, const struct answer_copy *answer, bool obeyed)
{
    TEXT_LOCAL(data, 512);
    struct json_out out = json_out(&data);
    const char *confirmed = ctl_data_string(answer, "confirmed");

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "machine", machine);
    json_out_bool(&out, "changed", ctl_data_bool(answer, "changed"));
    json_out_bool(&out, "persisted", ctl_data_bool(answer, "persisted"));
    json_out_string(&out, "confirmed", obeyed ? "off" : confirmed);
    json_out_close(&out, '}');
    puts(data.data);
}

static int tell_end(
    struct ctl *ctl, const char *name, const struct flag *flag, const struct answer_copy *answer,
    bool obeyed)
{
    TEXT_LOCAL(line, 256);

    if (ctl->arguments->json) {
        print_json(name, answer, obeyed);
    } else if (obeyed) {
        text_addf(
            &line, "%s %s %s; its relay is confirmed off.", name,
            ctl_data_bool(answer, "changed") ? "is" : "was already", flag->done);
        ctl_say(ctl, TONE_PLAIN, line.data);
    }
    if (!obeyed) {
        text_clear(&line);
        text_addf(&line, "%s, BUT %s HAS NOT CONFIRMED OFF: treat it as live", flag->loud, name);
        ctl_alarm(ctl, line.data);
        tell_doubt(ctl, name);
    }
    if (!ctl->arguments->json) {
        ctl_say_persisted(ctl, answer);
        ctl_say(
            ctl, TONE_HEAD,
            flag == &lockout_flag
                ? "This keeps members out. Before you reach in: isolate, padlock, try."
                : "This does not isolate it. Before you reach in: isolate, padlock, try.");
    }
    return obeyed ? CTL_DONE : CTL_UNCONFIRMED;
}

static int set_flag(struct ctl *ctl, const struct flag *flag)
{
    const struct board_machine *machine;
    struct answer_copy answer;
    struct question question;
    struct obeyed obeyed = {.board = &ctl->board, .flag = flag};
    char name[TOPIC_MACHINE_MAX + 1];
    bool off;
    int code = ctl_connect(ctl);

    if (code == CTL_DONE) {
        code = ctl_ask_state(ctl, &machine);
    }
    if (code == CTL_DONE) {
        code = ask_first(ctl, machine, flag->doing);
    }
    if (code != CTL_DONE) {
        return code;
    }
    text_copy(name, sizeof name, machine->name);
    obeyed.machine = name;
    obeyed.before = machine->copy.state.version;
    if (client_listen(ctl->client, TOPIC_STATE, name) != STATUS_OK ||
        client_listen(ctl->client, TOPIC_LINK, name) != STATUS_OK) {
        ctl_complain("out of memory");
        return CTL_REFUSED;
    }
    question_begin(&question, ctl->client, flag->verb);
    json_out_string(&question.out, "machine", name);
    json_out_bool(&question.out, "value", true);
    if (ctl->arguments->reason != NULL) {
        json_out_string(&question.out, "reason", ctl->arguments->reason);
    }
    code = ctl_ask(ctl, &question, ctl_change_ms(ctl), &answer);
    if (code != CTL_DONE && ctl->silent) {
        ctl_complain("it is not known whether %s is %s: treat it as live", name, flag->done);
    }
    if (code != CTL_DONE) {
        return code;
    }
    off = is_off(ctl_data_string(&answer, "confirmed"));
    if (!off && isatty(STDERR_FILENO) == 1) {
        fprintf(stderr, "%s is %s; waiting for it to confirm \"off\" ...\n", name, flag->done);
    }
    off =
        off || client_wait(ctl->client, has_obeyed, &obeyed, (int)(ctl->arguments->wait_s * 1000));
    code = tell_end(ctl, name, flag, &answer, off);
    answer_copy_free(&answer);
    return code;
}

int ctl_oops(struct ctl *ctl)
{
    return set_flag(ctl, &oops_flag);
}

int ctl_lockout(struct ctl *ctl)
{
    return set_flag(ctl, &lockout_flag);
}

/* ---- clear ---- */

static int tell_both(const struct board_machine *machine)
{
    struct wall_time now = clock_now().wall;
    TEXT_LOCAL(oops, 1024);
    TEXT_LOCAL(lockout, 2048);

    words_oops(&oops, &machine->copy.state, now);
    words_lockout(&lockout, &machine->copy.state, now);
    ctl_complain("both are set on %s; nothing was changed", machine->name);
    fprintf(stderr, "  --oops     clears   %s\n", oops.data);
    fprintf(stderr, "  --lockout  lifts    %s\n", lockout.data);
    fprintf(stderr, "  --both     does both\n");
    return CTL_REFUSED;
}

/* Clears just what is named, so that nothing that was set meanwhile goes with it. */
static int send_clear(struct ctl *ctl, const char *name, const char *verb, const char *done)
{
    struct answer_copy answer;
    struct question question;
    int code;

    question_begin(&question, ctl->client, verb);
    json_out_string(&question.out, "machine", name);
    if (strcmp(verb, "clear") != 0) {
        json_out_bool(&question.out, "value", false);
    }
    code = ctl_ask(ctl, &question, ctl_change_ms(ctl), &answer);
    if (code != CTL_DONE) {
        return code;
    }
    if (ctl->arguments->json) {
        ctl_print_data(&answer);
    } else {
        printf(
            "%s: %s%s.\n", name, done,
            ctl_data_bool(&answer, "changed") ? "" : " already, before this");
        ctl_say_persisted(ctl, &answer);
    }
    answer_copy_free(&answer);
    return CTL_DONE;
}

/* What is still set afterwards would surprise whoever goes to the machine. */
static void tell_rest(const struct ctl *ctl, const struct state_payload *state, bool oops)
{
    TEXT_LOCAL(rest, 2048);

    if (ctl->arguments->json || !(oops ? state->lockout : state->oops)) {
        return;
    }
    text_add(&rest, "It is still out of use: ");
    (oops ? words_lockout : words_oops)(&rest, state, clock_now().wall);
    ctl_say(ctl, TONE_NOTE, rest.data);
}

int ctl_clear(struct ctl *ctl)
{
    const struct ctl_arguments *arguments = ctl->arguments;
    const struct board_machine *machine;
    const struct state_payload *state;
    bool oops = ctl_has(arguments, CTL_OOPS);
    bool lockout = ctl_has(arguments, CTL_LOCKOUT);
    int code = ctl_connect(ctl);

    if (code == CTL_DONE) {
        code = ctl_ask_state(ctl, &machine);
    }
    if (code != CTL_DONE) {
        return code;
    }
    state = &machine->copy.state;
    if (!oops && !lockout && !ctl_has(arguments, CTL_BOTH)) {
        if (state->oops && state->lockout) {
            return tell_both(machine);
        }
        if (!state->oops && !state->lockout) {
            printf("%s is neither oopsed nor locked out: nothing to clear.\n", machine->name);
            return CTL_DONE;
        }
        oops = state->oops;
        lockout = state->lockout;
    }
    code = ask_first(ctl, machine, "Clearing ends the override and");
    if (code != CTL_DONE) {
        return code;
    }
    if (!oops && !lockout) {
        const char *done = state->oops == state->lockout ? "Oops cleared, lockout lifted"
                           : state->oops                 ? "Oops cleared"
                                                         : "lockout lifted";
        return send_clear(ctl, machine->name, "clear", done);
    }
    code = send_clear(
        ctl, machine->name, oops ? "oops" : "lockout", oops ? "Oops cleared" : "lockout lifted");
    if (code == CTL_DONE) {
        tell_rest(ctl, state, oops);
    }
    return code;
}

/* ---- end ---- */

int ctl_end(struct ctl *ctl)
{
    struct answer_copy answer;
    struct question question;
    const char *confirmed;
    int code = ctl_connect(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    question_begin(&question, ctl->client, "end");
    json_out_string(&question.out, "machine", ctl->arguments->machine);
    code = ctl_ask(ctl, &question, ctl_change_ms(ctl), &answer);
    if (code != CTL_DONE) {
        return code;
    }
    confirmed = ctl_data_string(&answer, "confirmed");
    if (ctl->arguments->json) {
        ctl_print_data(&answer);
    } else if (!ctl_data_bool(&answer, "changed")) {
        printf("%s: no session was open.\n", ctl->arguments->machine);
    } else {
        printf(
            "%s: the session has ended; its relay %s.\n", ctl->arguments->machine,
            is_off(confirmed) ? "is confirmed off" : "has not confirmed \"off\" yet");
        ctl_say_persisted(ctl, &answer);
    }
    answer_copy_free(&answer);
    return code;
}
