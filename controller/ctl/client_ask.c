/* A question, and the one answer that is to it. */
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "controller/ctl/client_inside.h"
#include "controller/support/clock.h"

void client_random(void *bytes, size_t size)
{
    if (getrandom(bytes, size, 0) != (ssize_t)size) {
        uint64_t other = (uint64_t)clock_now().wall.ms ^ (uint64_t)getpid();
        memcpy(bytes, &other, size < sizeof other ? size : sizeof other);
    }
}

void question_begin(struct question *question, const struct client *client, const char *verb)
{
    uint64_t random = 0;
    struct text transaction = text_over(question->transaction, sizeof question->transaction);

    client_random(&random, sizeof random);
    text_addf(&transaction, "%016llx", (unsigned long long)random);
    question->verb = verb;
    question->text = text_over(question->buffer, sizeof question->buffer);
    question->out = json_out(&question->text);
    json_out_open(&question->out, NULL, '{');
    json_out_string(&question->out, "transaction", question->transaction);
    if (client->options.by != NULL && client->options.by[0] != '\0') {
        json_out_string(&question->out, "by", client->options.by);
    }
}

/* Others may use the account at the same time: only the transaction tells whose answer it is. */
static bool is_ours(const struct client *client, const struct answer_copy *answer)
{
    return client->transaction[0] != '\0' &&
           strcmp(json_get_string(answer->document, "transaction"), client->transaction) == 0;
}

void client_take_response(struct client *client, const char *payload, size_t length)
{
    struct answer_copy answer;

    if (!answer_read(payload, length, &answer)) {
        return;
    }
    if (client->answered || !is_ours(client, &answer)) {
        answer_copy_free(&answer);
        return;
    }
    client->answer = answer;
    client->answered = true;
}

static bool is_answered(const void *context)
{
    const struct client *client = context;
    return client->answered;
}

enum status client_await(struct client *client, int timeout_ms, struct answer_copy *ret_answer)
{
    if (!client_wait(client, is_answered, client, timeout_ms)) {
        return STATUS_BUSY;
    }
    *ret_answer = client->answer;
    client->answer = (struct answer_copy){.error = ""};
    client->answered = false;
    return STATUS_OK;
}

enum status client_ask(
    struct client *client, struct question *question, int timeout_ms,
    struct answer_copy *ret_answer)
{
    char topic[TOPIC_SIZE];
    enum status status;

    json_out_close(&question->out, '}');
    if (question->text.cut) {
        return STATUS_TOO_LONG;
    }
    status = topic_build(
        topic, sizeof topic, client->prefix, TOPIC_REQUEST, client->account, question->verb);
    if (status != STATUS_OK) {
        return status;
    }
    answer_copy_free(&client->answer);
    client->answered = false;
    text_copy(client->transaction, sizeof client->transaction, question->transaction);
    status =
        mqtt_publish(client->mqtt, topic, question->text.data, question->text.length, 1, false);
    return status == STATUS_OK ? client_await(client, timeout_ms, ret_answer) : status;
}
