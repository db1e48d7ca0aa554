/* The whole watcher: any messages, any answers of Slack's, any past, and a broker and a disk that
 * come and go. Each line of the input is one thing that happens; `m topic payload` is a message,
 * and the other letters are in happen(). What it publishes, posts and writes is well-formed. This
 * file stands in the place of the broker's client, Slack's, and the audit's thread. */
#include <string.h>

#include "controller/watcher/slack_http.h"
#include "controller/watcher/watcher_inside.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/passing_clock.h"

#define LINES_MAX 150

static struct {
    struct watcher *watcher;
    /* The disk. */
    int64_t line;
    int64_t behind_ms;
    struct audit_past *past; /* under construction */
    struct audit_past_line **past_end;
    /* Slack. */
    slack_http_done done;
    void *slack;
    bool asked[SLACK_ROOM_COUNT];
} play;

static void check_object(const char *bytes, size_t length)
{
    struct json *document = NULL;
    TEXT_LOCAL(why, 256);

    FUZZ_CHECK(json_parse(bytes, length, &document, &why) == STATUS_OK);
    FUZZ_CHECK(json_type(document) == JSON_OBJECT);
    json_free(document);
}

/* ---- the audit's thread ---- */

int64_t audit_add(struct audit *audit, struct wall_time seen, const char *object, size_t length)
{
    (void)audit;
    FUZZ_CHECK(seen.ms > 0 && memchr(object, '\n', length) == NULL);
    check_object(object, length);
    return ++play.line;
}

void audit_commit(struct audit *audit)
{
    (void)audit;
}

void audit_save(struct audit *audit, const char *bytes, size_t length)
{
    (void)audit;
    check_object(bytes, length);
}

int64_t audit_behind_ms(struct audit *audit, struct mono_time now)
{
    (void)audit;
    (void)now;
    return play.behind_ms;
}

struct audit_counts audit_counts(struct audit *audit)
{
    (void)audit;
    return (struct audit_counts){.added_lines = (uint64_t)play.line};
}

/* ---- Slack ---- */

enum status slack_http_new(
    struct event_base *base, slack_http_done done, void *context, struct slack_http **ret_http)
{
    (void)base;
    play.done = done;
    play.slack = context;
    *ret_http = NULL;
    return STATUS_OK;
}

void slack_http_free(struct slack_http *http)
{
    (void)http;
}

enum status slack_http_post(
    struct slack_http *http, unsigned tag, const char *url, const char *token, const char *body,
    size_t length)
{
    (void)http;
    FUZZ_CHECK(tag < SLACK_ROOM_COUNT && !play.asked[tag]);
    FUZZ_CHECK(strncmp(url, "https://", 8) == 0 && strcmp(token, "xoxb-very-secret") == 0);
    check_object(body, length);
    play.asked[tag] = true;
    return STATUS_OK;
}

/* `2` for delivered, or a response of any kind. */
static void answer(struct bytes *line)
{
    unsigned tag = (unsigned)bytes_below(line, SLACK_ROOM_COUNT);
    uint8_t kind = bytes_8(line);
    struct slack_response response = {.code = 200, .body = "{\"ok\":true,\"ts\":\"1767636000.1\"}"};
    char *body = NULL;

    if (!play.asked[tag]) {
        return;
    }
    play.asked[tag] = false;
    response.body_length = strlen(response.body);
    if (kind != '2') {
        response.code = kind == '0' ? 0 : (long)bytes_16(line) % 700;
        response.retry_after_s = kind == 'w' ? (int64_t)bytes_32(line) : 0;
        body = bytes_until(line, '\n', true, &response.body_length);
        response.body = body;
        response.error = kind == '0' ? "it broke" : NULL;
    }
    play.done(play.slack, tag, &response);
    free(body);
}

/* ---- the broker's client ---- */

enum status mqtt_publish(
    struct mqtt *mqtt, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    struct topic_match match;

    (void)mqtt;
    FUZZ_CHECK(topic_parse("tagout", topic, &match) == STATUS_OK);
    FUZZ_CHECK(qos >= 0 && qos <= 1 && retain == (match.id == TOPIC_SERVICE));
    check_object(payload, length);
    return length % 17 == 0 ? STATUS_FULL : STATUS_OK;
}

enum status mqtt_subscribe(
    struct mqtt *mqtt, const char *const filters[], const int qos[], size_t count, int token)
{
    (void)mqtt;
    (void)filters;
    (void)qos;
    (void)token;
    return count > 0 ? STATUS_OK : STATUS_INVALID;
}

/* ---- what happens ---- */

static void hear(struct bytes *line, bool retained)
{
    size_t topic_length;
    size_t length;
    char *topic = bytes_until(line, ' ', true, &topic_length);
    char *payload = bytes_until(line, '\n', true, &length);
    TEXT_LOCAL(whole, 2 * TOPIC_SIZE);

    text_addf(&whole, "tagout/%s", topic);
    watcher_on_message(play.watcher, whole.data, payload, length, retained);
    free(topic);
    free(payload);
}

static struct audit_past *the_past(void)
{
    if (play.past == NULL) {
        play.past = calloc(1, sizeof *play.past);
        FUZZ_CHECK(play.past != NULL);
        play.past_end = &play.past->lines;
    }
    return play.past;
}

static void add_past_line(struct bytes *line)
{
    struct audit_past *past = the_past();
    struct audit_past_line *item = calloc(1, sizeof *item);
    size_t length;

    FUZZ_CHECK(item != NULL);
    item->number = ++past->base;
    item->text = bytes_until(line, '\n', true, &length);
    *play.past_end = item;
    play.past_end = &item->next;
}

/* The disk answers once. */
static void recall(struct bytes *line)
{
    struct audit_past *past;

    if (play.watcher->has_past) {
        return;
    }
    past = the_past();
    past->state = bytes_until(line, '\n', true, &past->state_length);
    play.past = NULL;
    watcher_on_past(play.watcher, past);
}

static void happen(struct bytes *line)
{
    switch (bytes_8(line)) {
    case 'm':
    case ' ':
        hear(line, false);
        break;
    case 'r':
        hear(line, true);
        break;
    case 's':
        answer(line);
        break;
    case 'c':
        watcher_on_connected(play.watcher);
        (void)watcher_on_subscribed(play.watcher, bytes_8(line) != '0');
        break;
    case 'd':
        watcher_on_disconnected(play.watcher, "the test says so");
        break;
    case 'l':
        add_past_line(line);
        break;
    case 'p':
        recall(line);
        break;
    case 'b':
        play.behind_ms = bytes_ms(line);
        break;
    default:
        passing_clock_pass(bytes_ms(line));
        break;
    }
}

/* ---- its life ---- */

static void set(char **key, const char *value)
{
    free(*key);
    *key = strdup(value);
    FUZZ_CHECK(*key != NULL);
}

/* Read once: it is the same each time, and takes long under the sanitizers. */
static const struct settings *the_settings(void)
{
    static struct settings *settings;
    TEXT_LOCAL(why, 256);

    if (settings == NULL) {
        FUZZ_CHECK(settings_load(NULL, &settings, &why) == STATUS_OK);
        set(&settings->watcher.id, "w");
        set(&settings->slack.bot_token, "xoxb-very-secret");
        set(&settings->slack.control_channel, "control");
        set(&settings->slack.oops_channel, "oops");
        set(&settings->slack.activity_channel, "activity");
    }
    return settings;
}

static void take_missing(void *context, const char *what)
{
    (void)context;
    FUZZ_CHECK(what[0] != '\0' && utf8_is_valid(what, strlen(what)));
}

/* What others may ask it at any time. */
static void check_pages(void)
{
    static char bytes[1 << 17];
    struct text page = text_over(bytes, sizeof bytes);

    (void)watcher_is_working(play.watcher, take_missing, NULL);
    watcher_metrics(play.watcher, &page);
    FUZZ_CHECK(!page.cut && utf8_is_valid(page.data, page.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    char nothing; /* a client that is never looked into */

    memset(&play, 0, sizeof play);
    FUZZ_CHECK(watcher_new(NULL, the_settings(), NULL, &play.watcher) == STATUS_OK);
    watcher_connect(play.watcher, (struct mqtt *)(void *)&nothing);
    for (int i = 0; i < LINES_MAX && !bytes_end(&bytes); i++) {
        size_t length;
        char *line = bytes_until(&bytes, '\n', false, &length);
        struct bytes rest = bytes_of((const uint8_t *)line, length);

        happen(&rest);
        (void)watcher_tick(play.watcher);
        free(line);
    }
    check_pages();
    (void)watcher_finish_slack(play.watcher);
    watcher_stop(play.watcher);
    watcher_free(play.watcher);
    audit_past_free(play.past);
    return 0;
}
