#include "controller/watcher/slack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controller/support/clock.h"
#include "controller/support/json.h"
#include "controller/support/log.h"
#include "controller/watcher/slack_health.h"
#include "controller/watcher/slack_http.h"

#define URL_SIZE 1100
#define BODY_SIZE (2 * SLACK_TEXT_SIZE + 512)
#define SECRETS_MAX 5

/* Where a room's messages go: a webhook, or a channel with the bot's token. */
struct address {
    const char *webhook; /* NULL for none */
    const char *channel;
};

struct slack {
    const struct settings *settings;
    struct slack_events events;
    struct slack_http *http;
    struct slack_queue *queue;
    struct address addresses[SLACK_ROOM_COUNT];
    const struct slack_message *in_flight[SLACK_ROOM_COUNT];
    const char *secrets[SECRETS_MAX];
    char method_url[URL_SIZE];
    struct slack_health health;
    bool is_configured;
    bool is_finishing;
};

/* ---- addresses ---- */

static bool find_address(
    const struct settings *settings, const char *webhook, const char *channel,
    struct address *ret_address)
{
    if (webhook[0] != '\0') {
        *ret_address = (struct address){.webhook = webhook};
    } else if (channel[0] != '\0' && settings->slack.bot_token[0] != '\0') {
        *ret_address = (struct address){.channel = channel};
    } else {
        return false;
    }
    return true;
}

static bool is_same(const struct address *a, const struct address *b)
{
    if (a->webhook != NULL || b->webhook != NULL) {
        return a->webhook != NULL && b->webhook != NULL && strcmp(a->webhook, b->webhook) == 0;
    }
    return strcmp(a->channel, b->channel) == 0;
}

static void find_addresses(
    const struct settings *settings, struct address addresses[SLACK_ROOM_COUNT],
    bool ret_has_room[SLACK_ROOM_COUNT])
{
    ret_has_room[SLACK_ROOM_CONTROL] = find_address(
        settings, settings->slack.control_webhook, settings->slack.control_channel,
        &addresses[SLACK_ROOM_CONTROL]);
    ret_has_room[SLACK_ROOM_ACTIVITY] = find_address(
        settings, settings->slack.activity_webhook, settings->slack.activity_channel,
        &addresses[SLACK_ROOM_ACTIVITY]);
    ret_has_room[SLACK_ROOM_OOPS] = find_address(
        settings, settings->slack.oops_webhook, settings->slack.oops_channel,
        &addresses[SLACK_ROOM_OOPS]);
    /* One channel under two names has one pace and one order. */
    if (ret_has_room[SLACK_ROOM_CONTROL] && ret_has_room[SLACK_ROOM_ACTIVITY] &&
        is_same(&addresses[SLACK_ROOM_CONTROL], &addresses[SLACK_ROOM_ACTIVITY])) {
        ret_has_room[SLACK_ROOM_ACTIVITY] = false;
    }
}

void slack_describe(const struct settings *settings, struct text *out)
{
    static const char *const names[SLACK_ROOM_COUNT] = {
        [SLACK_ROOM_CONTROL] = "control",
        [SLACK_ROOM_ACTIVITY] = "activity",
        [SLACK_ROOM_OOPS] = "oops",
    };
    struct address addresses[SLACK_ROOM_COUNT] = {0};
    bool has_room[SLACK_ROOM_COUNT];

    find_addresses(settings, addresses, has_room);
    if (!has_room[SLACK_ROOM_CONTROL]) {
        bool has_channel = settings->slack.control_channel[0] != '\0';
        bool has_token = settings->slack.bot_token[0] != '\0';
        text_add(out, "Slack: alerts are not posted");
        /* What systemd hands to the service, a --check in a shell does not see. */
        text_add(
            out, has_channel
                     ? ": [slack] control_channel needs bot_token, which is neither in the "
                       "file, nor in the environment (TAGOUT_SLACK_BOT_TOKEN), nor a credential"
                     : (has_token ? ": [slack] bot_token needs control_channel" : ""));
        text_add(out, "\n");
    }
    for (enum slack_room room = 0; room < SLACK_ROOM_COUNT; room++) {
        if (has_room[room]) {
            text_addf(
                out, "Slack: %s goes to %s\n", names[room],
                addresses[room].webhook != NULL ? "its webhook" : addresses[room].channel);
        }
    }
}

/* ---- answers ---- */

static unsigned random_jitter(void)
{
    unsigned random = 0;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        random = (unsigned)clock_now().mono.ms;
    }
    return random % 1000;
}

static void note_health(struct slack *slack, const struct slack_verdict *verdict)
{
    if (!verdict->works) {
        log_warning("Slack: %s", verdict->reason);
    }
    switch (slack_health_note(&slack->health, verdict)) {
    case SLACK_HEALTH_WORKS:
        slack->events.on_health(slack->events.context, true, "");
        break;
    case SLACK_HEALTH_BROKEN:
        slack->events.on_health(slack->events.context, false, verdict->reason);
        break;
    case SLACK_HEALTH_AS_BEFORE:
        break;
    }
}

static void on_done(void *context, unsigned tag, const struct slack_response *response)
{
    struct slack *slack = context;
    const struct slack_message *message = slack->in_flight[tag];
    struct slack_verdict verdict;
    uint32_t ticket = message->ticket;
    TEXT_LOCAL(text, SLACK_TEXT_SIZE);

    slack_judge(response, slack->addresses[tag].webhook != NULL, slack->secrets, &verdict);
    note_health(slack, &verdict);
    if (ticket != 0 && verdict.outcome.kind == SLACK_DECLINED) {
        verdict.outcome.kind = SLACK_REFUSED; /* whoever waits for it is told now */
    }
    slack_message_text(message, clock_now().wall, &text);
    slack->in_flight[tag] = NULL;
    if (!slack_queue_settle(
            slack->queue, (enum slack_room)tag, &verdict.outcome, clock_now().mono,
            random_jitter())) {
        return;
    }
    if (verdict.outcome.kind != SLACK_DELIVERED) {
        log_error("Slack refused (%s): %s", verdict.reason, text.data);
    }
    if (ticket != 0) {
        slack->events.on_ticket(
            slack->events.context, ticket, verdict.outcome.kind == SLACK_DELIVERED, verdict.reason);
    }
    slack->events.on_progress(slack->events.context);
}

/* ---- sending ---- */

static void print_body(
    const struct slack *slack, enum slack_room room, const struct slack_message *message,
    struct now now, struct text *body)
{
    struct json_out out = json_out(body);
    const char *thread = slack_queue_thread_of(slack->queue, message);
    TEXT_LOCAL(text, SLACK_TEXT_SIZE);

    slack_message_text(message, now.wall, &text);
    json_out_open(&out, NULL, '{');
    if (slack->addresses[room].channel != NULL) {
        json_out_string(&out, "channel", slack->addresses[room].channel);
    }
    json_out_string(&out, "text", text.data);
    if (thread[0] != '\0') {
        json_out_string(&out, "thread_ts", thread);
        json_out_bool(&out, "reply_broadcast", slack_message_is_for_all(message));
    }
    /* Text from outside may look like a link. */
    json_out_bool(&out, "unfurl_links", false);
    json_out_bool(&out, "unfurl_media", false);
    json_out_close(&out, '}');
}

static void send_one(
    struct slack *slack, enum slack_room room, const struct slack_message *message, struct now now)
{
    bool is_webhook = slack->addresses[room].webhook != NULL;
    TEXT_LOCAL(body, BODY_SIZE);

    print_body(slack, room, message, now, &body);
    slack->in_flight[room] = message;
    if (slack_http_post(
            slack->http, room, is_webhook ? slack->addresses[room].webhook : slack->method_url,
            is_webhook ? NULL : slack->settings->slack.bot_token, body.data,
            body.length) != STATUS_OK) {
        const struct slack_response response = {.error = "no memory", .body = ""};
        on_done(slack, room, &response);
    }
}

struct mono_time slack_tick(struct slack *slack, struct now now)
{
    for (enum slack_room room = 0; room < SLACK_ROOM_COUNT && !slack->is_finishing; room++) {
        const struct slack_message *message = slack_queue_take(slack->queue, room, now.mono);
        if (message != NULL) {
            send_one(slack, room, message, now);
        }
    }
    return slack_queue_due(slack->queue, now.mono);
}

bool slack_finish(struct slack *slack)
{
    bool is_busy = false;

    slack->is_finishing = true;
    for (enum slack_room room = 0; room < SLACK_ROOM_COUNT; room++) {
        is_busy = is_busy || slack->in_flight[room] != NULL;
    }
    return is_busy;
}

/* ---- making it ---- */

enum status slack_new(
    struct event_base *base, const struct settings *settings, const struct slack_events *events,
    struct slack **ret_slack)
{
    struct slack *slack = calloc(1, sizeof *slack);
    bool has_room[SLACK_ROOM_COUNT];
    struct text url;
    enum status status;

    if (slack == NULL) {
        return STATUS_NO_MEMORY;
    }
    slack->settings = settings;
    slack->events = *events;
    slack->secrets[0] = settings->slack.bot_token;
    slack->secrets[1] = slack_secret_of(settings->slack.control_webhook);
    slack->secrets[2] = slack_secret_of(settings->slack.oops_webhook);
    slack->secrets[3] = slack_secret_of(settings->slack.activity_webhook);
    url = text_over(slack->method_url, sizeof slack->method_url);
    text_addf(&url, "%s/chat.postMessage", settings->slack.api_url);
    find_addresses(settings, slack->addresses, has_room);
    slack->is_configured = has_room[SLACK_ROOM_CONTROL];
    status = slack_queue_new(has_room, &slack->queue);
    if (status == STATUS_OK) {
        status = slack_http_new(base, on_done, slack, &slack->http);
    }
    if (status != STATUS_OK) {
        slack_free(slack);
        return status;
    }
    *ret_slack = slack;
    return STATUS_OK;
}

void slack_free(struct slack *slack)
{
    if (slack == NULL) {
        return;
    }
    slack_http_free(slack->http);
    slack_queue_free(slack->queue);
    free(slack);
}

bool slack_is_configured(const struct slack *slack)
{
    return slack->is_configured;
}

struct slack_queue *slack_queue_of(struct slack *slack)
{
    return slack->queue;
}
