/* block, unblock, card, restart, forget, reload. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/ctl.h"
#include "controller/support/clock.h"

/* ---- block, unblock ---- */

static void tell_block(const char *verb, const struct answer_copy *answer)
{
    unsigned long cards = ctl_data_count(answer->data, "changed");
    unsigned long ended = ctl_data_count(answer->data, "ended");

    if (cards == 0) {
        printf("Nothing changed: %sed already.\n", verb);
        return;
    }
    printf("%lu card%s %sed", cards, text_plural(cards), verb);
    if (ended > 0) {
        printf("; %lu session%s ended", ended, text_plural(ended));
    }
    puts(".");
}

static int send_block(struct ctl *ctl, const char *verb)
{
    const struct ctl_arguments *arguments = ctl->arguments;
    struct answer_copy answer;
    struct question question;
    int code = ctl_connect(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    question_begin(&question, ctl->client, verb);
    json_out_string(
        &question.out, arguments->fob != NULL ? "fob" : "account_id",
        arguments->fob != NULL ? arguments->fob : arguments->account_id);
    code = ctl_ask(ctl, &question, ctl_change_ms(ctl), &answer);
    if (code != CTL_DONE) {
        return code;
    }
    if (arguments->json) {
        ctl_print_data(&answer);
    } else {
        tell_block(verb, &answer);
        ctl_say_persisted(ctl, &answer);
    }
    answer_copy_free(&answer);
    return CTL_DONE;
}

int ctl_block(struct ctl *ctl)
{
    return send_block(ctl, "block");
}

int ctl_unblock(struct ctl *ctl)
{
    return send_block(ctl, "unblock");
}

/* ---- card, restart, forget ---- */

/* Connects and asks what concerns one machine and needs nothing but its name. */
static int ask_about(struct ctl *ctl, struct answer_copy *ret_answer)
{
    const struct ctl_arguments *arguments = ctl->arguments;
    struct question question;
    int code = ctl_connect(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    question_begin(&question, ctl->client, arguments->verb->name);
    json_out_string(&question.out, "machine", arguments->machine);
    if (ctl_has(arguments, CTL_FORCE)) {
        json_out_bool(&question.out, "force", true);
    }
    if (ctl_has(arguments, CTL_WHEN_IDLE)) {
        json_out_bool(&question.out, "when_idle", true);
    }
    return ctl_ask(ctl, &question, CTL_ANSWER_MS, ret_answer);
}

/* Of a box that is not heard any more only what it told last is known. */
static void say_whose_card(const struct answer_copy *answer)
{
    const char *health = ctl_data_string(answer, "health");
    struct wall_time at = json_get_wall(answer->data, "heard_at");
    struct wall_time now = clock_now().wall;
    TEXT_LOCAL(line, 256);

    if (!ctl_data_bool(answer, "in")) {
        text_add(&line, "The last unknown card, put in within the last 5 min and out again.");
    } else if (health[0] == '\0' || strcmp(health, "online") == 0) {
        text_add(&line, "The card that is in now.");
    } else {
        text_add(&line, "The card that was in when the box was last heard");
        if (at.ms != 0) {
            text_add(&line, ", at ");
            words_time(&line, at, now);
            text_add(&line, " (");
            words_duration(&line, now.ms - at.ms);
            text_add(&line, " ago)");
        }
        text_add(
            &line, strcmp(health, "offline") == 0
                       ? ". It has signed off since then: the card may be out."
                       : ". It does not answer now: the card may be out.");
    }
    fprintf(stderr, "%s\n", line.data);
}

int ctl_card(struct ctl *ctl)
{
    struct answer_copy answer;
    TEXT_LOCAL(number, 512);
    int code = ask_about(ctl, &answer);

    if (code != CTL_DONE) {
        return code;
    }
    words_escape(&number, ctl_data_string(&answer, "fob"));
    if (ctl->arguments->json) {
        ctl_print_data(&answer);
    } else {
        /* Standard output has the number alone, for whoever puts it into another program. */
        puts(number.data);
        fflush(stdout);
        say_whose_card(&answer);
    }
    answer_copy_free(&answer);
    return CTL_DONE;
}

/* `queued` is followed by exactly one answer, maybe much later. */
static int wait_for_restart(struct ctl *ctl, struct answer_copy *answer)
{
    const struct ctl_arguments *arguments = ctl->arguments;
    bool waits = ctl_has(arguments, CTL_WAIT);
    TEXT_LOCAL(error, 1024);

    if (!arguments->json) {
        printf(
            "%s: it has to wait, and restarts by itself when %s.\n", arguments->machine,
            ctl_has(arguments, CTL_WHEN_IDLE) ? "nobody uses it" : "it answers again");
        fflush(stdout);
    }
    if (!waits) {
        return CTL_DONE;
    }
    answer_copy_free(answer);
    if (client_await(ctl->client, (int)(arguments->wait_s * 1000), answer) != STATUS_OK) {
        ctl_complain("%s: it is still waiting, and will restart later", arguments->machine);
        return CTL_UNCONFIRMED;
    }
    if (answer->status == ANSWER_ERROR) {
        words_escape(&error, answer->error);
        ctl_complain("%s", error.data);
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

int ctl_restart(struct ctl *ctl)
{
    struct answer_copy answer;
    int code = ask_about(ctl, &answer);

    if (code != CTL_DONE) {
        return code;
    }
    if (answer.status == ANSWER_QUEUED) {
        code = wait_for_restart(ctl, &answer);
    }
    if (code == CTL_DONE && ctl->arguments->json) {
        ctl_print_data(&answer);
    } else if (code == CTL_DONE && answer.status == ANSWER_OK) {
        printf("%s was told to restart.\n", ctl->arguments->machine);
    }
    answer_copy_free(&answer);
    return code;
}

int ctl_forget(struct ctl *ctl)
{
    struct answer_copy answer;
    int code = ask_about(ctl, &answer);

    if (code != CTL_DONE) {
        return code;
    }
    if (ctl->arguments->json) {
        ctl_print_data(&answer);
    } else {
        printf("%s is forgotten.\n", ctl->arguments->machine);
    }
    answer_copy_free(&answer);
    return CTL_DONE;
}

/* ---- reload ---- */

static void add_delta(struct text *out, const char *what, const struct json *delta)
{
    static const char *const keys[] = {"added", "updated", "removed"};
    bool any = false;

    text_addf(out, "%s: ", what);
    for (size_t i = 0; i < 3; i++) {
        unsigned long count = ctl_data_count(delta, keys[i]);
        if (count > 0) {
            text_addf(out, "%s%lu %s", any ? ", " : "", count, keys[i]);
            any = true;
        }
    }
    text_add(out, any ? ".\n" : "nothing changed.\n");
}

#define STARTS_BYTES 3500 /* of names, about; more are only counted */

/* C6 `energises`: nothing is switched on by the reload itself, but by the next report. */
static void warn_of_starts(const struct ctl *ctl, const struct json *data)
{
    const struct json *names = json_get(data, "energises");
    unsigned long more = ctl_data_count(data, "energises_more");
    TEXT_LOCAL(line, 4096);

    if (names == NULL || json_first(names) == NULL) {
        return;
    }
    text_add(&line, "THESE WILL START by themselves, without a card: ");
    for (const struct json *name = json_first(names); name != NULL; name = json_next(name)) {
        if (line.length > STARTS_BYTES) {
            more++;
            continue;
        }
        text_add(&line, name == json_first(names) ? "" : ", ");
        words_escape(&line, json_type(name) == JSON_STRING ? json_string(name) : "?");
    }
    if (more > 0) {
        text_addf(&line, ", and %lu more", more);
    }
    ctl_alarm(ctl, line.data);
}

int ctl_reload(struct ctl *ctl)
{
    struct answer_copy answer;
    struct question question;
    TEXT_LOCAL(counts, 512);
    int code = ctl_connect(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    question_begin(&question, ctl->client, "reload");
    json_out_bool(&question.out, "force", ctl_has(ctl->arguments, CTL_FORCE));
    code = ctl_ask(ctl, &question, CTL_RELOAD_MS, &answer);
    if (code != CTL_DONE) {
        return code;
    }
    if (ctl->arguments->json) {
        ctl_print_data(&answer);
    } else {
        add_delta(&counts, "Users", json_get(answer.data, "users"));
        add_delta(&counts, "Machines", json_get(answer.data, "machines"));
        fputs(counts.data, stdout);
    }
    warn_of_starts(ctl, answer.data);
    answer_copy_free(&answer);
    return CTL_DONE;
}
