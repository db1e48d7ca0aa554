/* One client at the broker that asks the controller (C6) and listens to what it says.
 *
 * Everything happens in calls that wait: each takes what arrives until it has what it wants or
 * its time is over. All else goes to `on_message`.
 */
#ifndef TAGOUT_CTL_CLIENT_H
#define TAGOUT_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/config/settings.h"
#include "controller/ctl/answer.h"
#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "topics/topic.h"

/* Takes what is no answer to a question. */
typedef void (*client_taker)(
    void *context, const struct topic_match *topic, const char *payload, size_t length);

struct client_options {
    const struct settings *settings; /* borrowed */
    const char *account;             /* "" or NULL: the user name at the broker, or `local` */
    const char *by;                  /* who asks; may be "" */
    void *context;
    client_taker on_message;
};

struct client;

MUST_USE enum status
client_new(const struct client_options *options, struct client **ret_client, struct text *why);
/* Says goodbye to the broker first. Takes NULL. */
void client_free(struct client *client);

/* Other than in the options. */
void client_set_handler(struct client *client, client_taker on_message, void *context);

const char *client_account(const struct client *client);

/* Begins to connect; does not wait. */
void client_start(struct client *client);

/* From now on, over reconnects too, hears what matches the topic; `first` is NULL for all. */
MUST_USE enum status client_listen(struct client *client, enum topic_id topic, const char *first);

/* Connected, and the broker has said that it hears. */
bool client_is_ready(const struct client *client);
/* Why the broker is out of reach, as of the last attempt; "" before. */
const char *client_trouble(const struct client *client);
/* The broker is there, but refuses this client: trying again will not mend it. */
bool client_is_refused(const struct client *client);

/* Waits for one thing to happen: a message, a change of the connection, input at `fd` (-1: none),
 * or `until`. True when it was input. */
bool client_turn(struct client *client, int fd, struct mono_time until);

/* Takes turns until the condition is true; false when the time was over first. */
bool client_wait(
    struct client *client, bool (*condition)(const void *context), const void *context,
    int timeout_ms);
bool client_wait_ready(struct client *client, int timeout_ms);

/* A request under construction: begin, add members to `out`, ask. */
struct question {
    const char *verb;
    char transaction[17];
    char buffer[4096];
    struct text text;
    struct json_out out;
};

void question_begin(struct question *question, const struct client *client, const char *verb);

/* STATUS_BUSY: no answer in time. STATUS_TOO_LONG: the request is. */
MUST_USE enum status client_ask(
    struct client *client, struct question *question, int timeout_ms,
    struct answer_copy *ret_answer);
/* The answer that follows a `queued`. */
MUST_USE enum status
client_await(struct client *client, int timeout_ms, struct answer_copy *ret_answer);

#endif
