#include "controller/watcher/slack_answer.h"

#include <string.h>

#include "controller/support/json.h"

#define SHOWN_MAX 80
#define SECRET_MIN 6 /* shorter words may stand in any text */

static bool holds_secret(const char *string, const char *const secrets[])
{
    for (size_t i = 0; secrets[i] != NULL; i++) {
        if (secrets[i][0] != '\0' && strstr(string, secrets[i]) != NULL) {
            return true;
        }
    }
    return false;
}

const char *slack_secret_of(const char *webhook)
{
    const char *last = strrchr(webhook, '/');
    return last != NULL && strlen(last + 1) >= SECRET_MIN ? last + 1 : webhook;
}

/* A stranger's words, for log and state. */
static void add_words(struct text *out, const char *words, const char *const secrets[])
{
    if (holds_secret(words, secrets)) {
        text_add(out, "(an answer with a secret in it)");
        return;
    }
    for (size_t i = 0; i < SHOWN_MAX && words[i] != '\0'; i++) {
        bool is_plain = words[i] >= ' ' && words[i] <= '~';
        text_add_bytes(out, is_plain ? words + i : "?", 1);
    }
}

/* Whether Slack's word is about the channel, the token or the hour, not about the message: with an
 * account that was locked at night the alerts of the night must not be gone. Not in the list:
 * errors after which the message may have been posted all the same. */
static bool is_mendable(const char *error)
{
    static const char *const words[] = {
        "access_denied",          "account_inactive",
        "channel_not_found",      "ekm_access_denied",
        "invalid_auth",           "is_archived",
        "missing_scope",          "no_permission",
        "not_allowed_token_type", "not_authed",
        "not_in_channel",         "org_login_required",
        "rate_limited",           "ratelimited",
        "request_timeout",        "restricted_action",
        "service_unavailable",    "team_access_not_granted",
        "team_added_to_org",      "token_expired",
        "token_revoked",          "two_factor_setup_required",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], error) == 0) {
            return true;
        }
    }
    return false;
}

/* {"ok": true, "ts": ...} or {"ok": false, "error": ...}. */
static void judge_method(
    const struct json *document, const char *const secrets[], struct slack_verdict *verdict,
    struct text *reason)
{
    const struct json *ok = json_get(document, "ok");
    const char *ts = json_get_string(document, "ts");
    const char *error = json_get_string(document, "error");

    if (json_type(ok) != JSON_BOOL) {
        text_add(reason, "the answer is not Slack's: no \"ok\" in it");
    } else if (!json_bool(ok)) {
        const char *word = error[0] != '\0' ? error : "refused without a reason";
        verdict->outcome.kind = is_mendable(word) ? SLACK_DECLINED : SLACK_REFUSED;
        add_words(reason, word, secrets);
    } else {
        verdict->works = true;
        if (strlen(ts) < sizeof verdict->outcome.ts && text_is_printable_ascii(ts)) {
            text_copy(verdict->outcome.ts, sizeof verdict->outcome.ts, ts);
        }
    }
}

static void judge_delivered(
    const struct slack_response *response, bool is_webhook, const char *const secrets[],
    struct slack_verdict *verdict, struct text *reason)
{
    struct json *document = NULL;
    TEXT_LOCAL(why, 256);

    verdict->outcome.kind = SLACK_DELIVERED;
    if (is_webhook) {
        verdict->works = true;
        return;
    }
    if (json_parse(response->body, response->body_length, &document, &why) == STATUS_OK) {
        judge_method(document, secrets, verdict, reason);
    } else if (response->error != NULL) {
        /* The status line came, the rest did not: the next message will show. */
        text_add(reason, "the answer broke off: ");
        add_words(reason, response->error, secrets);
    } else {
        text_add(reason, "the answer is not Slack's");
    }
    json_free(document);
}

static void
add_status(const struct slack_response *response, const char *const secrets[], struct text *reason)
{
    text_addf(reason, "HTTP status %ld", response->code);
    if (response->body_length > 0 && response->body[0] != '<') {
        text_add(reason, ": ");
        add_words(reason, response->body, secrets);
    }
}

void slack_judge(
    const struct slack_response *response, bool is_webhook, const char *const secrets[],
    struct slack_verdict *ret_verdict)
{
    struct slack_verdict verdict = {0};
    struct text reason = text_over(verdict.reason, sizeof verdict.reason);
    int64_t wait_s =
        response->retry_after_s > 0 ? response->retry_after_s : SLACK_RETRY_AFTER_DEFAULT_S;

    verdict.outcome.kind = SLACK_FAILED;
    if (response->code >= 200 && response->code <= 299) {
        judge_delivered(response, is_webhook, secrets, &verdict, &reason);
    } else if (response->code == 429) {
        verdict.outcome.kind = SLACK_RATE_LIMITED;
        verdict.outcome.wait_ms =
            1000 * (wait_s > SLACK_RETRY_AFTER_MAX_S ? SLACK_RETRY_AFTER_MAX_S : wait_s);
        text_addf(
            &reason, "too many messages; none for %lld s",
            (long long)verdict.outcome.wait_ms / 1000);
    } else if (response->code >= 300) {
        /* Of the message itself, not of the address or the token. */
        bool is_about_message = response->code == 400 || response->code == 413;
        verdict.outcome.kind = is_about_message ? SLACK_HOPELESS : SLACK_FAILED;
        add_status(response, secrets, &reason);
    } else {
        add_words(&reason, response->error == NULL ? "no answer" : response->error, secrets);
    }
    *ret_verdict = verdict;
}
