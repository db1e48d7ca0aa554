/* What an answer of Slack's, or none, means for the message that was sent. Pure.
 *
 * A status line of 2xx means delivered, whatever comes behind it: such a message is not sent again.
 * What broke before it is, and so is what Slack says it did not take for a reason that lies in the
 * channel or the token, or that passes.
 */
#ifndef TAGOUT_WATCHER_SLACK_ANSWER_H
#define TAGOUT_WATCHER_SLACK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/text.h"
#include "controller/watcher/slack_queue.h"

#define SLACK_RETRY_AFTER_DEFAULT_S 30
#define SLACK_RETRY_AFTER_MAX_S 3600
#define SLACK_REASON_SIZE 160

struct slack_response {
    long code;             /* of the status line, 0 when none was read */
    const char *error;     /* why the request broke, NULL when it did not */
    int64_t retry_after_s; /* 0: not told */
    const char *body;      /* NUL-terminated */
    size_t body_length;
};

struct slack_verdict {
    struct slack_outcome outcome;
    bool works; /* Slack took it, and said so as Slack does */
    /* What is wrong, in printable ASCII; "" when nothing is. */
    char reason[SLACK_REASON_SIZE];
};

/* `is_webhook`: an incoming webhook, which answers otherwise than Slack's methods. `secrets`, up
 * to a NULL, never get into the reason, not even when they come back in the answer. */
void slack_judge(
    const struct slack_response *response, bool is_webhook, const char *const secrets[],
    struct slack_verdict *ret_verdict);

/* What of a webhook's URL is the secret: servers answer with parts of what they were asked for. */
const char *slack_secret_of(const char *webhook);

#endif
