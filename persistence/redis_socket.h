/* One connection to Redis in the loop: the only user of hiredis.
 *
 * hiredis 0.14 looks names up inside its connect, so it is given numeric addresses only; it has no
 * time-outs, which are the owner's business. Answers come in the order of the commands.
 */
#ifndef TAGOUT_PERSISTENCE_REDIS_SOCKET_H
#define TAGOUT_PERSISTENCE_REDIS_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

/* After this long without an answer from the peer's kernel the connection is given up. */
#define REDIS_PEER_GONE_MS 10000

struct event_base;
struct redisReply;
struct redis_socket;

/* A command under way, part of whatever the caller keeps for it. `on_reply` is called exactly
 * once; `reply` is NULL when the connection ended before the answer, and lives only during the
 * call. */
struct redis_request {
    void (*on_reply)(struct redis_request *request, const struct redisReply *reply);
};

struct redis_socket_events {
    void *context;
    void (*on_open)(void *context);
    /* The connection has ended, or did not come about. The socket is gone with this; the requests
     * under way get their NULL right after. */
    void (*on_closed)(void *context, const char *reason);
};

/* Begins to connect: to `path` when it is not "", else to the numeric `address`. */
MUST_USE enum status redis_socket_open(
    struct event_base *base, const char *path, const char *address, uint16_t port,
    const struct redis_socket_events *events, struct redis_socket **ret_socket, struct text *why);

/* Ends the connection; on_closed is not called. Requests under way get their NULL: before this
 * returns, or, inside a callback of this socket, right after the callback. Takes NULL. */
void redis_socket_close(struct redis_socket *socket);

/* Sends a command; the words are copied. STATUS_DISCONNECTED: not sent, no reply will come. */
MUST_USE enum status redis_socket_send(
    struct redis_socket *socket, struct redis_request *request, const char *const words[],
    const size_t lengths[], size_t count);

/* The text of an error; NULL when it is none. */
const char *redis_reply_error(const struct redisReply *reply);
/* Of a string or a status; NULL when it is neither. `ret_length` may be NULL. */
const char *redis_reply_text(const struct redisReply *reply, size_t *ret_length);
/* Elements of an array, 0 for all else. */
size_t redis_reply_count(const struct redisReply *reply);
const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index);

#endif
