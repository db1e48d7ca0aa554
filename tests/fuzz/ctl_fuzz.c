/* tagoutctl from its command line to what it prints, against a broker that says anything: this file
 * stands in the place of client*.c. The first byte chooses the command line. Lines: `m topic
 * payload` is a message, `a payload` the answer to what was asked, and without either nobody
 * answers in time. Nothing of all that may command the terminal. */
#include <stdio.h>
#include <string.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/view.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "topics/topic.h"

#define WORDS_MAX 8
#define LINES_MAX 200

static const char *const command_lines[][WORDS_MAX] = {
    {"status"},
    {"status", "saw"},
    {"status", "--on"},
    {"status", "--strangers"},
    {"status", "--controllers"},
    {"status", "--json"},
    {"status", "--on", "--json"},
    {"status", "--controllers", "--json"},
    {"why", "saw"},
    {"why", "saw", "--json"},
    {"watch"},
    {"watch", "--json"},
    {"oops", "saw", "--now"},
    {"lockout", "saw", "--reason", "blade"},
    {"lockout", "saw", "--now", "--json"},
    {"clear", "saw", "--both"},
    {"end", "saw"},
    {"block", "--fob", "1"},
    {"unblock", "--account-id", "1"},
    {"card", "saw"},
    {"restart", "saw", "--when-idle", "--wait", "1"},
    {"restart", "saw", "--force"},
    {"forget", "saw"},
    {"handover"},
    {"reload"},
    {"test-alert"},
};

/* ---- in the place of client*.c ---- */

struct client {
    struct client_options options;
    struct bytes lines;
    int turns;
    bool ready;
};

/* Another line is heard, if there is one; true when it is an answer. */
static bool hear(struct client *client, struct answer_copy *ret_answer)
{
    size_t length;
    size_t topic_length;
    size_t payload_length;
    char *line = bytes_until(&client->lines, '\n', false, &length);
    struct bytes rest = bytes_of((const uint8_t *)line, length);
    bool is_answer = bytes_8(&rest) == 'a';
    char *topic;
    char *payload;
    struct topic_match match;
    bool answered = false;

    (void)bytes_8(&rest);
    topic = bytes_until(&rest, is_answer ? '\n' : ' ', true, &topic_length);
    payload = bytes_until(&rest, '\n', true, &payload_length);
    if (is_answer) {
        answered = ret_answer != NULL && answer_read(topic, topic_length, ret_answer);
    } else if (topic_parse("tagout", topic, &match) == STATUS_OK) {
        client->options.on_message(client->options.context, &match, payload, payload_length);
    }
    free(payload);
    free(topic);
    free(line);
    return answered;
}

static bool has_ended(struct client *client)
{
    return bytes_end(&client->lines) || client->turns++ >= LINES_MAX;
}

void client_set_handler(struct client *client, client_taker on_message, void *context)
{
    client->options.on_message = on_message;
    client->options.context = context;
}

const char *client_account(const struct client *client)
{
    (void)client;
    return "local";
}

void client_start(struct client *client)
{
    (void)client;
}

enum status client_listen(struct client *client, enum topic_id topic, const char *first)
{
    (void)client;
    (void)topic;
    (void)first;
    return STATUS_OK;
}

bool client_is_ready(const struct client *client)
{
    return client->ready;
}

const char *client_trouble(const struct client *client)
{
    return client->ready ? "" : "\033[31mrefused";
}

bool client_is_refused(const struct client *client)
{
    return !client->ready && client->lines.left % 2 == 0;
}

/* Time is over with the input: whoever turns for ever finds that nobody reads any more. */
bool client_turn(struct client *client, int fd, struct mono_time until)
{
    (void)fd;
    (void)until;
    if (has_ended(client)) {
        (void)fclose(stdout);
        stdout = fopen("/dev/full", "we");
        FUZZ_CHECK(stdout != NULL);
        (void)putchar('\n');
    } else {
        (void)hear(client, NULL);
    }
    return false;
}

bool client_wait(
    struct client *client, bool (*condition)(const void *context), const void *context,
    int timeout_ms)
{
    (void)timeout_ms;
    while (!condition(context)) {
        if (has_ended(client)) {
            return false;
        }
        (void)hear(client, NULL);
    }
    return true;
}

bool client_wait_ready(struct client *client, int timeout_ms)
{
    (void)timeout_ms;
    return client->ready;
}

void question_begin(struct question *question, const struct client *client, const char *verb)
{
    (void)client;
    question->verb = verb;
    question->text = text_over(question->buffer, sizeof question->buffer);
    question->out = json_out(&question->text);
    json_out_open(&question->out, NULL, '{');
}

enum status client_await(struct client *client, int timeout_ms, struct answer_copy *ret_answer)
{
    (void)timeout_ms;
    while (!has_ended(client)) {
        if (hear(client, ret_answer)) {
            return STATUS_OK;
        }
    }
    return STATUS_BUSY;
}

enum status client_ask(
    struct client *client, struct question *question, int timeout_ms,
    struct answer_copy *ret_answer)
{
    json_out_close(&question->out, '}');
    FUZZ_CHECK(!question->text.cut);
    return client_await(client, timeout_ms, ret_answer);
}

/* ---- the command line and what comes of it ---- */

static void
on_message(void *context, const struct topic_match *topic, const char *payload, size_t length)
{
    struct ctl *ctl = context;
    (void)board_take(&ctl->board, topic, payload, length);
}

/* Printable, or a character of several bytes, or the end of a line. */
static void check_tame(const char *out, size_t length, bool is_json)
{
    FUZZ_CHECK(utf8_is_valid(out, length));
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)out[i];
        FUZZ_CHECK(byte == '\n' || byte >= ' ');
        /* U+0080 to U+009F are control characters, too; JSON may hold them, for programs. */
        FUZZ_CHECK(is_json || byte != 0x7f);
        FUZZ_CHECK(is_json || byte != 0xc2 || (unsigned char)out[i + 1] >= 0xa0);
    }
}

static void print_frame(const struct board *board, size_t size)
{
    const struct frame frame = {
        .board = board,
        .trouble = size % 3 == 0 ? "gone" : "",
        .width = 20 + size % 100,
        .height = 3 + size % 40,
        .now = {INT64_C(1767636000000)},
    };

    FUZZ_CHECK(view_frame(&frame, stdout) == STATUS_OK);
}

static const struct settings *the_settings(void)
{
    static struct settings *settings;
    TEXT_LOCAL(why, 256);

    if (settings == NULL) {
        FUZZ_CHECK(settings_load(NULL, &settings, &why) == STATUS_OK);
    }
    return settings;
}

static void choose(uint8_t choice, struct ctl_arguments *ret_arguments)
{
    static char words[WORDS_MAX][16];
    char *values[WORDS_MAX + 2] = {words[0]};
    const char *const *chosen =
        command_lines[choice % (sizeof command_lines / sizeof command_lines[0])];
    int count = 1;
    TEXT_LOCAL(why, 1024);

    for (; count < WORDS_MAX && chosen[count - 1] != NULL; count++) {
        (void)snprintf(words[count], sizeof words[count], "%s", chosen[count - 1]);
        values[count] = words[count];
    }
    FUZZ_CHECK(ctl_arguments_parse(count, values, ret_arguments, &why) == STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct ctl_arguments arguments;
    struct ctl *ctl = calloc(1, sizeof *ctl);
    struct client client = {.ready = size % 16 != 1};
    FILE *const out_before = stdout;
    FILE *const err_before = stderr;
    char *out = NULL;
    char *complaints = NULL;
    size_t out_length = 0;
    size_t complaints_length = 0;
    int code;

    FUZZ_CHECK(ctl != NULL);
    choose(bytes_8(&bytes), &arguments);
    client.options.on_message = on_message;
    client.options.context = ctl;
    client.lines = bytes;
    ctl->arguments = &arguments;
    ctl->settings = the_settings();
    ctl->denied = size % 8 == 3 ? "/etc/tagout/admin.ini" : "";
    ctl->client = &client;
    stdout = open_memstream(&out, &out_length);
    stderr = open_memstream(&complaints, &complaints_length);
    FUZZ_CHECK(stdout != NULL && stderr != NULL);
    code = arguments.verb->run(ctl);
    FUZZ_CHECK(code >= CTL_DONE && code <= CTL_UNCONFIRMED);
    if (!arguments.json) {
        print_frame(&ctl->board, size);
    }
    (void)fclose(stdout);
    (void)fclose(stderr);
    stdout = out_before;
    stderr = err_before;
    check_tame(out, out_length, arguments.json);
    check_tame(complaints, complaints_length, false);
    free(out);
    free(complaints);
    board_free(&ctl->board);
    free(ctl);
    return 0;
}
