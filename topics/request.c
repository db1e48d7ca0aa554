#include "topics/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topics/member.h"

#define WORD_CHARACTERS ((REQUEST_WORD_SIZE - 1) / 4)

/* Which of the members mean something to a verb; the others are unknown keys to it. */
enum part {
    PART_MACHINE = 1,
    PART_MACHINE_REQUIRED = 2,
    PART_VALUE = 4,
    PART_REASON = 8,
    PART_FORCE = 16,
    PART_WHEN_IDLE = 32,
    PART_CARD = 64, /* `fob` or `account_id` */
    PART_AFTER = 128,
};

static const struct {
    const char *word;
    unsigned parts;
} verbs[REQUEST_VERB_COUNT] = {
#define REQUEST_WORD(id, text) [id].word = text,
    REQUEST_VERB_LIST(REQUEST_WORD)
#undef REQUEST_WORD
        [REQUEST_OOPS]
            .parts = PART_MACHINE | PART_MACHINE_REQUIRED | PART_VALUE | PART_REASON,
    [REQUEST_LOCKOUT].parts = PART_MACHINE | PART_MACHINE_REQUIRED | PART_VALUE | PART_REASON,
    [REQUEST_CLEAR].parts = PART_MACHINE | PART_MACHINE_REQUIRED,
    [REQUEST_END].parts = PART_MACHINE | PART_MACHINE_REQUIRED,
    [REQUEST_BLOCK].parts = PART_CARD,
    [REQUEST_UNBLOCK].parts = PART_CARD,
    [REQUEST_CARD].parts = PART_MACHINE | PART_MACHINE_REQUIRED,
    [REQUEST_RESTART].parts = PART_MACHINE | PART_MACHINE_REQUIRED | PART_FORCE | PART_WHEN_IDLE,
    [REQUEST_FORGET].parts = PART_MACHINE | PART_MACHINE_REQUIRED,
    [REQUEST_RELOAD].parts = PART_FORCE,
    [REQUEST_STATUS].parts = PART_MACHINE | PART_AFTER,
    [REQUEST_WHY].parts = PART_MACHINE | PART_MACHINE_REQUIRED,
};

const char *request_verb_text(enum request_verb verb)
{
    return verb < REQUEST_VERB_COUNT ? verbs[verb].word : "unknown";
}

bool request_is_watchers(const char *verb)
{
    return strcmp(verb, verbs[REQUEST_TEST_ALERT].word) == 0;
}

enum request_verb request_verb_called(const char *word)
{
    enum request_verb verb = 0;

    while (verb < REQUEST_VERB_COUNT && strcmp(verbs[verb].word, word) != 0) {
        verb++;
    }
    return verb;
}

/* The least digits that read back as the same number, so that 0.1 comes back as 0.1. */
static void add_number(struct text *text, double value)
{
    char digits[32];

    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (!(strtod(digits, NULL) < value) && !(strtod(digits, NULL) > value)) {
            break;
        }
    }
    text_add(text, digits);
}

static void read_transaction(struct members *members, struct request *request)
{
    struct text text = text_over(request->transaction, sizeof request->transaction);
    struct json_out out = json_out(&text);
    const struct json *node;

    if (members->failed) {
        return;
    }
    node = json_get(members->object, "transaction");
    if (node == NULL || json_type(node) == JSON_NULL) {
        return;
    }
    if (json_type(node) == JSON_STRING) {
        json_out_string(&out, NULL, json_string(node));
    } else if (json_type(node) == JSON_NUMBER) {
        add_number(&text, json_number(node));
    } else {
        member_fail(
            members, "transaction", "must be a string or a number, is %s",
            json_type_text(json_type(node)));
    }
    if (text.cut) {
        text_clear(&text);
        member_fail(members, "transaction", "over %d bytes", REQUEST_TRANSACTION_SIZE - 1);
    }
}

/* Text that a person will read in a log, in Slack and on a dashboard. */
static void read_text(
    struct members *members, const char *key, enum presence presence, size_t characters_max,
    char *ret, size_t size)
{
    if (!member_text(members, key, presence, characters_max, ret, size)) {
        return;
    }
    if (text_has_control(ret)) {
        member_fail(members, key, "has a control character");
    } else if (presence == REQUIRED && ret[0] == '\0') {
        member_fail(members, key, "empty");
    }
}

/* Whose cards: one of the two, and not both, lest one be overlooked. */
static void read_card(struct members *members, struct request *request)
{
    read_text(members, "fob", OPTIONAL, WORD_CHARACTERS, request->fob, sizeof request->fob);
    read_text(
        members, "account_id", OPTIONAL, WORD_CHARACTERS, request->account_id,
        sizeof request->account_id);
    if (!members->failed && (request->fob[0] == '\0') == (request->account_id[0] == '\0')) {
        member_fail(members, "fob", "give either this or account_id");
    }
}

static void read_parts(struct members *members, struct request *request)
{
    unsigned parts = verbs[request->verb].parts;

    if ((parts & PART_MACHINE) != 0) {
        read_text(
            members, "machine", (parts & PART_MACHINE_REQUIRED) != 0 ? REQUIRED : OPTIONAL,
            WORD_CHARACTERS, request->machine, sizeof request->machine);
    }
    if ((parts & PART_AFTER) != 0) {
        read_text(
            members, "after", OPTIONAL, WORD_CHARACTERS, request->after, sizeof request->after);
    }
    if ((parts & PART_VALUE) != 0) {
        member_bool(members, "value", REQUIRED, &request->value);
    }
    if ((parts & PART_REASON) != 0) {
        read_text(
            members, "reason", OPTIONAL, REQUEST_REASON_MAX, request->reason,
            sizeof request->reason);
    }
    if ((parts & PART_FORCE) != 0) {
        member_bool(members, "force", OPTIONAL, &request->force);
    }
    if ((parts & PART_WHEN_IDLE) != 0) {
        member_bool(members, "when_idle", OPTIONAL, &request->when_idle);
    }
    if ((parts & PART_CARD) != 0) {
        read_card(members, request);
    }
    read_text(members, "by", OPTIONAL, WORD_CHARACTERS, request->by, sizeof request->by);
}

enum status request_parse(
    const char *verb, const char *payload, size_t length, struct request *ret_request,
    struct text *why)
{
    struct json *document = NULL;
    struct members members;
    struct request *request = ret_request;

    memset(request, 0, sizeof *request);
    request->verb = request_verb_called(verb);
    if (length == 0) {
        /* Nothing to say is as good as {}: `reload` and `status` need no more. */
        payload = "{}";
        length = 2;
    }
    members = members_of(payload, length, REQUEST_BYTES_MAX, &document, why);
    read_transaction(&members, request);
    if (request->verb == REQUEST_VERB_COUNT) {
        text_clear(why);
        text_addf(why, "unknown verb \"%s\"", verb);
        members.failed = true;
    } else {
        read_parts(&members, request);
    }
    json_free(document);
    return members.failed ? STATUS_INVALID : STATUS_OK;
}

const char *response_status_text(enum response_status status)
{
    switch (status) {
    case RESPONSE_OK:
        return "ok";
    case RESPONSE_QUEUED:
        return "queued";
    case RESPONSE_ERROR:
    case RESPONSE_STATUS_COUNT:
        break;
    }
    return "error";
}

enum status response_print(
    enum response_status status, const char *data, const char *error, const char *transaction,
    struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "status", response_status_text(status));
    if (data != NULL) {
        json_out_raw(&out, "data", data);
    }
    if (error != NULL) {
        json_out_string(&out, "error", error);
    }
    if (transaction[0] != '\0') {
        json_out_raw(&out, "transaction", transaction);
    }
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}
