/* C6: what a client asks for, and the answer. */
#ifndef TAGOUT_TOPICS_REQUEST_H
#define TAGOUT_TOPICS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define REQUEST_BYTES_MAX 4096
#define REQUEST_REASON_MAX 120 /* characters */
#define REQUEST_REASON_SIZE (REQUEST_REASON_MAX * 4 + 1)
#define REQUEST_WORD_SIZE 257 /* 64 characters: machine, by */
#define REQUEST_TRANSACTION_SIZE 257

#define REQUEST_VERB_LIST(X)                                                                       \
    X(REQUEST_OOPS, "oops")                                                                        \
    X(REQUEST_LOCKOUT, "lockout")                                                                  \
    X(REQUEST_CLEAR, "clear")                                                                      \
    X(REQUEST_END, "end")                                                                          \
    X(REQUEST_BLOCK, "block")                                                                      \
    X(REQUEST_UNBLOCK, "unblock")                                                                  \
    X(REQUEST_CARD, "card")                                                                        \
    X(REQUEST_RESTART, "restart")                                                                  \
    X(REQUEST_FORGET, "forget")                                                                    \
    X(REQUEST_HANDOVER, "handover")                                                                \
    X(REQUEST_RELOAD, "reload")                                                                    \
    X(REQUEST_STATUS, "status")                                                                    \
    X(REQUEST_WHY, "why")                                                                          \
    X(REQUEST_TEST_ALERT, "test-alert")

#define REQUEST_ENUM(id, word) id,
enum request_verb {
    REQUEST_VERB_LIST(REQUEST_ENUM) REQUEST_VERB_COUNT
};
#undef REQUEST_ENUM

struct request {
    enum request_verb verb;
    char machine[REQUEST_WORD_SIZE]; /* "" when the verb can do without and none was given */
    char after[REQUEST_WORD_SIZE];   /* status: the machine behind which it goes on, or "" */
    bool value;
    bool force;
    bool when_idle;
    char fob[REQUEST_WORD_SIZE]; /* block, unblock: one of these two is "" */
    char account_id[REQUEST_WORD_SIZE];
    char reason[REQUEST_REASON_SIZE];
    char by[REQUEST_WORD_SIZE];
    /* As JSON text, "" when none was given. A number comes back as the double that it is. */
    char transaction[REQUEST_TRANSACTION_SIZE];
};

/* The verb is the topic's last level; an empty payload counts as {}. On an error
 * `ret_request->transaction` is filled all the same where the body has one, so that the error's
 * answer can carry it: unlike elsewhere the output is written then. `why` says what is wrong,
 * naming verb or key; an unknown verb is REQUEST_VERB_COUNT. */
MUST_USE enum status request_parse(
    const char *verb, const char *payload, size_t length, struct request *ret_request,
    struct text *why);

const char *request_verb_text(enum request_verb verb);
enum request_verb request_verb_called(const char *word);

/* Whether the watcher answers it: `test-alert`. The controller is silent then, so that each
 * request has one answer. */
bool request_is_watchers(const char *verb);

enum response_status {
    RESPONSE_OK,
    RESPONSE_QUEUED,
    RESPONSE_ERROR,
    RESPONSE_STATUS_COUNT,
};

/* "ok", "queued", "error". */
const char *response_status_text(enum response_status status);

/* `data` is JSON text or NULL, `error` a sentence or NULL, `transaction` JSON text or "". */
MUST_USE enum status response_print(
    enum response_status status, const char *data, const char *error, const char *transaction,
    struct text *out);

#endif
