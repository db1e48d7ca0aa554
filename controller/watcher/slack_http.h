/* Posting to Slack by libcurl inside libevent's loop: nothing here waits for anybody. The only
 * user of curl's headers.
 */
#ifndef TAGOUT_WATCHER_SLACK_HTTP_H
#define TAGOUT_WATCHER_SLACK_HTTP_H

#include <event2/event.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/watcher/slack_answer.h"

#define SLACK_HTTP_CONNECT_TIMEOUT_MS 10000
#define SLACK_HTTP_TIMEOUT_MS 30000
#define SLACK_HTTP_BODY_MAX 8192 /* of an answer; more is not read */

struct slack_http;

/* Called from the loop, once for each request that was started, with its `tag`. */
typedef void (*slack_http_done)(void *context, unsigned tag, const struct slack_response *response);

MUST_USE enum status slack_http_new(
    struct event_base *base, slack_http_done done, void *context, struct slack_http **ret_http);
/* What is under way is given up, without `done`. Takes NULL. */
void slack_http_free(struct slack_http *http);

/* Posts JSON; at most one request a tag (below SLACK_ROOM_COUNT) at a time. `token` is NULL where
 * none is wanted. */
MUST_USE enum status slack_http_post(
    struct slack_http *http, unsigned tag, const char *url, const char *token, const char *body,
    size_t length);

#endif
