/* why: why a machine's relay is on or off, what is needed to change that, and what came before. */
#include <stdio.h>
#include <string.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/why.h"
#include "controller/support/clock.h"

static void put(const char *key, const char *value)
{
    printf("  %-9s %s\n", key, value);
}

/* The key stands before the first line only. Takes the lines apart. */
static void put_lines(const struct ctl *ctl, const char *key, enum tone tone, char *lines)
{
    for (char *line = lines; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        bool is_last = line[length] == '\0';

        line[length] = '\0';
        printf("  %-9s ", line == lines ? key : "");
        ctl_say(ctl, tone, line);
        line += length + !is_last;
    }
}

static void print_past(const struct ctl *ctl, const struct why *why)
{
    const struct json *history = json_get(why->data, "history");
    struct wall_time since = json_get_wall(why->data, "history_since");
    const struct json *item = json_first(history);
    TEXT_LOCAL(line, 2048);

    if (item != NULL) {
        puts("\nOf late:");
    } else if (since.ms != 0) {
        text_add(&line, "\nNothing has happened here since the controller began to lead, at ");
        words_time(&line, since, why->now);
        text_add(&line, ".");
        puts(line.data);
    }
    for (; item != NULL; item = json_next(item)) {
        enum tone tone;

        text_clear(&line);
        text_add(&line, "  ");
        tone = why_past(&line, why, item);
        ctl_say(ctl, tone, line.data);
    }
}

static void print_why(const struct ctl *ctl, const struct why *why)
{
    enum tone tone;
    TEXT_LOCAL(sentence, 4096);
    TEXT_LOCAL(text, 8192);

    tone = why_sentence(&sentence, why);
    ctl_say(ctl, tone, sentence.data);
    why_steps(&text, why);
    put_lines(ctl, "to change", TONE_PLAIN, text.data);
    text_clear(&text);
    why_second(&text, why);
    if (text.length > 0) {
        put("2nd relay", text.data);
    }
    text_clear(&text);
    why_rule(&text, why);
    if (text.length > 0) {
        put("rule", text.data);
    }
    text_clear(&text);
    why_troubles(&text, why);
    if (text.length > 0) {
        put_lines(ctl, "trouble", TONE_ALARM, text.data);
    } else {
        put("trouble", "none");
    }
    print_past(ctl, why);
}

static int print_answer(struct ctl *ctl, const struct answer_copy *answer)
{
    const struct json *state = json_get(answer->data, "state");
    const struct json *name = json_get(state, "machine");
    struct why why = {.data = answer->data, .now = clock_now().wall, .file = ctl->arguments->file};
    const struct board_machine *machine = NULL;

    if (state != NULL && board_take_state(&ctl->board, state) == STATUS_OK) {
        machine = board_find(&ctl->board, json_string(name));
    }
    if (machine == NULL) {
        ctl_complain("the controller's answer cannot be read; is it of another version?");
        return CTL_REFUSED;
    }
    why.state = &machine->copy.state;
    print_why(ctl, &why);
    return CTL_DONE;
}

/* The controller is silent: the state that it last published tells most of it. */
static void print_old(struct ctl *ctl)
{
    const struct board_machine *machine = ctl_retained(ctl);
    struct why why = {.now = clock_now().wall, .file = ctl->arguments->file};

    if (machine != NULL) {
        fputs("What follows is OLD: the last that the controller said.\n", stderr);
        why.state = &machine->copy.state;
        print_why(ctl, &why);
    }
}

int ctl_why(struct ctl *ctl)
{
    struct answer_copy answer;
    struct question question;
    int code = ctl_connect(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    question_begin(&question, ctl->client, "why");
    json_out_string(&question.out, "machine", ctl->arguments->machine);
    code = ctl_ask(ctl, &question, CTL_ANSWER_MS, &answer);
    if (code == CTL_DONE) {
        if (ctl->arguments->json) {
            ctl_print_data(&answer);
        } else {
            code = print_answer(ctl, &answer);
        }
        answer_copy_free(&answer);
    } else if (ctl->silent && !ctl->arguments->json) {
        print_old(ctl);
    }
    return code;
}
