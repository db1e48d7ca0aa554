#include "controller/ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "topics/access.h"
#include "topics/request.h"

#define CONNECT_MS 3000
#define WIDTH_LEAST 20

bool ctl_can_ask(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

size_t ctl_width(const struct ctl *ctl)
{
    struct winsize size;

    if (!ctl->out_is_terminal) {
        return 0;
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 80;
    }
    return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

void ctl_complain(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fputs("tagoutctl: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void ctl_alarm(const struct ctl *ctl, const char *line)
{
    fflush(stdout);
    fprintf(
        stderr, "%s%s%s\n", ctl->err_coloured ? words_colour(TONE_ALARM) : "", line,
        ctl->err_coloured ? words_colour_end(TONE_ALARM) : "");
}

void ctl_say(const struct ctl *ctl, enum tone tone, const char *line)
{
    printf(
        "%s%s%s\n", ctl->out_coloured ? words_colour(tone) : "", line,
        ctl->out_coloured ? words_colour_end(tone) : "");
}

/* Who comes without an account learns how to come with one. */
static void say_account(const struct ctl *ctl)
{
    if (ctl->settings->mqtt.username[0] != '\0') {
        return;
    }
    if (ctl->denied[0] != '\0') {
        ctl_complain("%s tells the way in, and this user may not read it", ctl->denied);
        ctl_complain("next: sudo tagoutctl ..., or -c FILE with an account of your own");
    } else if (client_is_refused(ctl->client)) {
        ctl_complain("we have no account for it: -c FILE names a file with one, see tagoutctl(1)");
    }
}

void ctl_no_broker(const struct ctl *ctl)
{
    const char *trouble = client_trouble(ctl->client);
    TEXT_LOCAL(reason, 1024);

    words_escape(&reason, trouble[0] == '\0' ? "no answer" : trouble);
    if (client_is_refused(ctl->client)) {
        ctl_complain(
            "the broker at %s does not let us in: %s", ctl->settings->mqtt.url, reason.data);
        say_account(ctl);
        return;
    }
    ctl_complain("the broker at %s is out of reach: %s", ctl->settings->mqtt.url, reason.data);
    say_account(ctl);
    ctl_complain("next: on its host: systemctl status mosquitto; journalctl -t mosquitto");
    ctl_complain("while it is away, " BOARD_MEANWHILE);
}

void ctl_runs_silently(const struct ctl *ctl, const char *who)
{
    ctl_complain(
        "the %s does not answer: it says that it runs, but nothing came within %d s", who,
        CTL_ANSWER_MS / 1000);
    ctl_complain(
        "if it came back only now, ask again; else it may hang, or the broker does not let account "
        "\"%s\" ask (see its access list)",
        client_account(ctl->client));
}

void ctl_no_controller(const struct ctl *ctl)
{
    const struct board *board = &ctl->board;
    TEXT_LOCAL(who, 512);

    if (board_has_controller(board)) {
        ctl_runs_silently(ctl, "controller");
    } else {
        board_absent(board, &who);
        if (board->controller_count == 0) {
            text_addf(&who, " under \"%s\"", ctl->settings->controller.prefix);
        }
        ctl_complain("the controller does not answer: %s", who.data);
        ctl_complain("next: on its host: systemctl status tagoutd; journalctl -u tagoutd");
        if (board->controller_count == 0) {
            ctl_complain(
                "if one runs, its [mqtt] url or [controller] prefix differs from ours, or account "
                "\"%s\" may not hear it",
                client_account(ctl->client));
        }
    }
    ctl_complain("while it is away, " BOARD_MEANWHILE);
}

int ctl_connect(struct ctl *ctl)
{
    if (client_listen(ctl->client, TOPIC_CONTROLLER_STATUS, NULL) != STATUS_OK) {
        ctl_complain("out of memory");
        return CTL_REFUSED;
    }
    client_start(ctl->client);
    if (!client_wait_ready(ctl->client, CONNECT_MS)) {
        ctl_no_broker(ctl);
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

int ctl_change_ms(const struct ctl *ctl)
{
    return CTL_ANSWER_MS + (int)ctl->settings->redis.save_timeout_ms;
}

/* The broker would swallow it without a word. */
static bool may_ask(const struct ctl *ctl, const char *verb)
{
    const char *name = client_account(ctl->client);
    struct access_account account;

    if (access_account(name, &account) != STATUS_OK || account.role == ACCESS_DEVICE ||
        access_may_ask(account.role, request_verb_called(verb))) {
        return true;
    }
    ctl_complain(
        "the account \"%s\" may not ask for \"%s\": %s", name, verb,
        account.role == ACCESS_OPERATOR ? "an admin's may" : "a person's may");
    return false;
}

/* Long waits are for a controller that works: none that runs needs no more time to say so. */
static enum status
send(struct ctl *ctl, struct question *question, int timeout_ms, struct answer_copy *ret_answer)
{
    int first_ms = timeout_ms < CTL_ANSWER_MS ? timeout_ms : CTL_ANSWER_MS;
    enum status status = client_ask(ctl->client, question, first_ms, ret_answer);

    if (status == STATUS_BUSY && timeout_ms > first_ms && board_has_controller(&ctl->board)) {
        status = client_await(ctl->client, timeout_ms - first_ms, ret_answer);
    }
    return status;
}

/* A refusal speaks of the request's keys; here they are options. */
static void say_options(const struct ctl *ctl, const char *error)
{
    unsigned options = ctl->arguments->verb->options;

    if (strstr(error, "with force") != NULL && (options & CTL_FORCE) != 0) {
        ctl_complain(
            "next, if that is meant: --force%s",
            (options & CTL_WHEN_IDLE) != 0 ? ", or --when-idle" : "");
    }
}

int ctl_ask(
    struct ctl *ctl, struct question *question, int timeout_ms, struct answer_copy *ret_answer)
{
    struct answer_copy answer = {.error = ""};
    enum status status;
    TEXT_LOCAL(error, 2048);

    ctl->silent = false;
    if (!may_ask(ctl, question->verb)) {
        return CTL_REFUSED;
    }
    status = send(ctl, question, timeout_ms, &answer);
    ctl->silent = status == STATUS_BUSY;
    if (status == STATUS_BUSY && !client_is_ready(ctl->client)) {
        ctl_no_broker(ctl);
    } else if (status == STATUS_BUSY) {
        if (request_is_watchers(question->verb)) {
            ctl_no_watcher(ctl);
        } else {
            ctl_no_controller(ctl);
        }
    } else if (status != STATUS_OK) {
        ctl_complain("the request cannot be sent: %s", status_text(status));
    } else if (answer.status == ANSWER_ERROR) {
        words_escape(&error, answer.error);
        ctl_complain("%s", error.data);
        say_options(ctl, answer.error);
    } else {
        *ret_answer = answer;
        return CTL_DONE;
    }
    answer_copy_free(&answer);
    return CTL_REFUSED;
}

int ctl_ask_state(struct ctl *ctl, const struct board_machine **ret_machine)
{
    struct answer_copy answer;
    struct question question;
    const struct board_machine *machine = NULL;
    int code;

    question_begin(&question, ctl->client, "status");
    json_out_string(&question.out, "machine", ctl->arguments->machine);
    code = ctl_ask(ctl, &question, CTL_ANSWER_MS, &answer);
    if (code != CTL_DONE) {
        return code;
    }
    if (answer.data != NULL && board_take_state(&ctl->board, answer.data) == STATUS_OK) {
        machine = board_find(&ctl->board, ctl_data_string(&answer, "machine"));
    }
    answer_copy_free(&answer);
    if (machine == NULL) {
        ctl_complain("the controller's answer cannot be read; is it of another version?");
        return CTL_REFUSED;
    }
    *ret_machine = machine;
    return CTL_DONE;
}

void ctl_print_data(const struct answer_copy *answer)
{
    char *data = answer->data == NULL ? NULL : board_json(answer->data);

    puts(data == NULL ? "{}" : data);
    free(data);
}

bool ctl_data_bool(const struct answer_copy *answer, const char *key)
{
    return json_get_bool(answer->data, key);
}

const char *ctl_data_string(const struct answer_copy *answer, const char *key)
{
    return json_get_string(answer->data, key);
}

unsigned long ctl_data_count(const struct json *object, const char *key)
{
    return (unsigned long)json_get_integer(object, key, UINT32_MAX);
}

void ctl_say_persisted(const struct ctl *ctl, const struct answer_copy *answer)
{
    if (!ctl_data_bool(answer, "persisted")) {
        ctl_say(
            ctl, TONE_NOTE,
            "This is live now, but not yet safe against a power cut: Redis has not confirmed it.");
    }
}
