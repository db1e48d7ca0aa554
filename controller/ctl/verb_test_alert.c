/* test-alert: an alert the whole way to Slack, and what to do where it got stuck. */
#include <stdio.h>
#include <string.h>

#include "controller/ctl/ctl.h"
#include "controller/support/clock.h"

#define PATIENCE_MS 2000 /* a Slack that is well takes it sooner */

void ctl_no_watcher(const struct ctl *ctl)
{
    const struct board_service *watcher = board_service(&ctl->board, "watcher");
    const char *prefix = ctl->settings->controller.prefix;
    TEXT_LOCAL(who, 512);

    if (watcher == NULL) {
        ctl_complain("no watcher answers, and none has been heard of under \"%s\"", prefix);
        ctl_complain(
            "start tagout-watcher; if it runs, its [mqtt] url or [controller] prefix may differ "
            "from ours");
    } else if (strcmp(watcher->status, "running") == 0) {
        ctl_runs_silently(ctl, "watcher");
    } else {
        text_add(&who, strcmp(watcher->status, "stopped") == 0 ? "it was stopped" : "it was lost");
        if (watcher->since.ms != 0) {
            text_add(&who, " at ");
            words_time(&who, watcher->since, clock_now().wall);
        }
        ctl_complain("the watcher does not answer: %s; start tagout-watcher", who.data);
    }
    ctl_complain("while it is away, " BOARD_NOBODY_IS_TOLD);
}

/* Slack's own words for what went wrong, and what helps. */
static const char *next_step(const char *error)
{
    static const struct {
        const char *word;
        const char *step;
    } known[] = {
        {"not_in_channel", "invite the bot into the channel: /invite @bot"},
        {"channel_not_found",
         "check [slack] control_channel; a private channel needs the bot invited first"},
        {"is_archived", "the channel is archived: choose another [slack] control_channel"},
        {"missing_scope", "give the bot the scope chat:write, and install it again"},
        {"invalid_auth", "check [slack] bot_token"},
        {"not_authed", "check [slack] bot_token"},
        {"token_", "make a new [slack] bot_token"},
        {"account_inactive", "make a new [slack] bot_token"},
        {"HTTP status 404", "check the address: [slack] control_webhook or api_url"},
        {"HTTP status 403", "make a new [slack] control_webhook"},
        {"HTTP status 410", "make a new [slack] control_webhook"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strstr(error, known[i].word) != NULL) {
            return known[i].step;
        }
    }
    return "look at the log of tagout-watcher; it tries again until Slack takes it";
}

/* Says what the last answer to it was, whatever that was. */
static int tell(struct ctl *ctl, const struct answer_copy *answer)
{
    const char *channel = ctl_data_string(answer, "channel");
    TEXT_LOCAL(line, 1024);

    if (answer->status == ANSWER_ERROR) {
        words_escape(&line, answer->error);
        ctl_complain("%s", line.data);
        ctl_complain("next: %s", next_step(answer->error));
        return CTL_REFUSED;
    }
    if (strcmp(ctl_data_string(answer, "slack"), "off") == 0) {
        ctl_complain(
            "the alert is on %s/fleet/alert, but Slack is not set up",
            ctl->settings->controller.prefix);
        ctl_complain(
            "next: give tagout-watcher [slack] bot_token and control_channel, or control_webhook");
        return CTL_REFUSED;
    }
    if (ctl->arguments->json) {
        return CTL_DONE;
    }
    text_add(&line, "Slack took the test alert");
    text_add(&line, channel[0] == '\0' ? ", through the control webhook" : ": channel ");
    words_escape(&line, channel);
    text_add(&line, ". Look there, and whether a telephone rings.");
    ctl_say(ctl, TONE_PLAIN, line.data);
    return CTL_DONE;
}

/* `queued` says that it is on its way; Slack's word follows. */
static int wait_for_slack(struct ctl *ctl, struct answer_copy *answer)
{
    enum status status;

    answer_copy_free(answer);
    status = client_await(ctl->client, PATIENCE_MS, answer);
    if (status != STATUS_OK) {
        fprintf(
            stderr, "The alert is on %s/fleet/alert; waiting for Slack to take it.\n",
            ctl->settings->controller.prefix);
        status = client_await(ctl->client, CTL_ALERT_MS - PATIENCE_MS, answer);
    }
    if (status != STATUS_OK) {
        ctl_complain("the watcher has not said what became of it");
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

int ctl_test_alert(struct ctl *ctl)
{
    struct answer_copy answer;
    struct question question;
    int code = client_listen(ctl->client, TOPIC_SERVICE, NULL) == STATUS_OK ? ctl_connect(ctl)
                                                                            : CTL_REFUSED;

    if (code != CTL_DONE) {
        return code;
    }
    question_begin(&question, ctl->client, ctl->arguments->verb->name);
    code = ctl_ask(ctl, &question, CTL_ANSWER_MS, &answer);
    if (code != CTL_DONE) {
        return code;
    }
    if (answer.status == ANSWER_QUEUED) {
        code = wait_for_slack(ctl, &answer);
    }
    if (code == CTL_DONE) {
        if (ctl->arguments->json) {
            ctl_print_data(&answer);
        }
        code = tell(ctl, &answer);
    }
    answer_copy_free(&answer);
    return code;
}
