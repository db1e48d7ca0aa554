/* C6 `test-alert`: an alert that goes the whole way, and tells whoever asked how far it came. The
 * one request that the watcher answers and the controller does not. */
#include <string.h>

#include "controller/support/log.h"
#include "controller/watcher/watcher_inside.h"

static void answer(
    struct watcher *watcher, const char *account, enum response_status status, const char *data,
    const char *error, const char *transaction)
{
    TEXT_LOCAL(payload, 2048);

    if (response_print(status, data, error, transaction, &payload) == STATUS_OK) {
        watcher_publish(
            watcher, TOPIC_RESPONSE, account, request_verb_text(REQUEST_TEST_ALERT), &payload);
    }
}

static struct test_alert *find_free(struct watcher *watcher)
{
    for (size_t i = 0; i < TEST_ALERTS_MAX; i++) {
        if (watcher->tests[i].ticket == 0) {
            return &watcher->tests[i];
        }
    }
    return NULL;
}

/* The same request, sent twice because its acknowledgement was lost. */
static bool is_waiting(const struct watcher *watcher, const char *account, const char *transaction)
{
    for (size_t i = 0; i < TEST_ALERTS_MAX; i++) {
        const struct test_alert *test = &watcher->tests[i];
        if (test->ticket != 0 && transaction[0] != '\0' && strcmp(test->account, account) == 0 &&
            strcmp(test->transaction, transaction) == 0) {
            return true;
        }
    }
    return false;
}

static void begin(struct watcher *watcher, const char *account, const struct request *request)
{
    struct test_alert *test = find_free(watcher);
    struct alert alert = {.kind = ALERT_TEST, .at = watcher->now.wall};
    struct text by = text_over(alert.by, sizeof alert.by);

    if (test == NULL) {
        answer(watcher, account, RESPONSE_ERROR, NULL, "busy", request->transaction);
        return;
    }
    text_add(&by, account);
    if (request->by[0] != '\0') {
        text_addf(&by, " (%s)", request->by);
    }
    watcher->tickets += watcher->tickets == UINT32_MAX ? 2 : 1;
    if (!watcher_raise(watcher, &alert, watcher->tickets)) {
        audit_commit(watcher->audit);
        if (slack_is_configured(watcher->slack)) {
            answer(
                watcher, account, RESPONSE_ERROR, NULL,
                "it is on fleet/alert, but too many messages wait for Slack already",
                request->transaction);
        } else {
            answer(
                watcher, account, RESPONSE_OK, "{\"slack\":\"off\"}", NULL, request->transaction);
        }
        return;
    }
    audit_commit(watcher->audit);
    test->ticket = watcher->tickets;
    test->until.ms = watcher->now.mono.ms + TEST_ALERT_MS;
    text_copy(test->account, sizeof test->account, account);
    text_copy(test->transaction, sizeof test->transaction, request->transaction);
    answer(watcher, account, RESPONSE_QUEUED, NULL, NULL, request->transaction);
}

void hear_test_alert(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length)
{
    struct request request;
    TEXT_LOCAL(why, 512);

    if (request_parse(topic->second, payload, length, &request, &why) != STATUS_OK) {
        answer(watcher, topic->first, RESPONSE_ERROR, NULL, why.data, request.transaction);
    } else if (!is_waiting(watcher, topic->first, request.transaction)) {
        begin(watcher, topic->first, &request);
    }
}

void test_alert_settle(struct watcher *watcher, uint32_t ticket, bool delivered, const char *reason)
{
    const struct settings *settings = watcher->settings;
    bool has_webhook = settings->slack.control_webhook[0] != '\0';
    TEXT_LOCAL(data, 512);
    struct json_out out = json_out(&data);

    /* Of a webhook only Slack knows where it leads. */
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "slack", "delivered");
    json_out_string(&out, "channel", has_webhook ? NULL : settings->slack.control_channel);
    json_out_close(&out, '}');
    for (size_t i = 0; i < TEST_ALERTS_MAX; i++) {
        struct test_alert *test = &watcher->tests[i];
        TEXT_LOCAL(error, 256);

        if (test->ticket != ticket) {
            continue;
        }
        test->ticket = 0;
        text_addf(&error, "it is on fleet/alert, but Slack did not take it: %s", reason);
        answer(
            watcher, test->account, delivered ? RESPONSE_OK : RESPONSE_ERROR,
            delivered ? data.data : NULL, delivered ? NULL : error.data, test->transaction);
    }
}

struct mono_time test_alert_tick(struct watcher *watcher)
{
    struct mono_time next = {0};

    for (size_t i = 0; i < TEST_ALERTS_MAX; i++) {
        const struct test_alert *test = &watcher->tests[i];
        if (test->ticket == 0) {
            continue;
        }
        if (watcher->now.mono.ms >= test->until.ms) {
            test_alert_settle(
                watcher, test->ticket, false,
                watcher->slack_works ? "it waits" : watcher->slack_reason);
        } else {
            next = mono_earlier(next, test->until);
        }
    }
    return next;
}
