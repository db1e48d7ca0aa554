#include "persistence/redis_socket.h"

#include <event2/event.h>
#include <event2/util.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "persistence/redis_format.h"

/* More than Tagout keeps in any one string, or hash. */
#define UNREAD_BYTES_MAX ((size_t)4 << 20)
#define ELEMENTS_MAX (1 << 16)

static const char too_large[] = "an answer that is too large";

/* Lives as long as its hiredis context, whose last call of ours is stop_events. */
struct redis_socket {
    redisAsyncContext *hiredis;
    struct event *readable;
    struct event *writable;
    struct event *flush; /* what was asked for since the last turn goes out, in one write */
    struct redis_socket_events events;
    struct redis_format format;
    redisReplyObjectFunctions own; /* hiredis's, with a count in front */
    redisReplyObjectFunctions *theirs;
    uint64_t asked;
    uint64_t answered;
    const char *flaw; /* of an answer, for which the connection ends; NULL: none */
    bool flushing;
    bool over; /* the owner knows that it has ended */
};

/* hiredis tells of the end of a connection in several ways, depending on how far it was; the first
 * one counts. */
static void end(struct redis_socket *socket)
{
    const char *reason = socket->flaw != NULL ? socket->flaw : socket->hiredis->c.errstr;

    if (!socket->over) {
        socket->over = true;
        socket->events.on_closed(
            socket->events.context, reason[0] == '\0' ? "the connection was closed" : reason);
    }
}

/* ---- answers that nobody asked for, or that are too large ---- */

/* hiredis ends the process at an answer too many, but for an error, which it takes for a refusal of
 * the connection; and it makes room for as many elements as an array says that it has. So it is
 * stopped before: with NULL its reader fails, and that ends the connection. */
static bool is_asked_for(const redisReadTask *task)
{
    struct redis_socket *socket = task->privdata;

    if (task->parent != NULL) {
        return true;
    }
    if (socket->answered < socket->asked) {
        socket->answered++;
        return true;
    }
    socket->flaw = task->type != REDIS_REPLY_ERROR ? "an answer that nobody asked for" : NULL;
    return socket->flaw == NULL;
}

static void *create_string(const redisReadTask *task, char *string, size_t length)
{
    const struct redis_socket *socket = task->privdata;
    return is_asked_for(task) ? socket->theirs->createString(task, string, length) : NULL;
}

static void *create_array(const redisReadTask *task, int count)
{
    struct redis_socket *socket = task->privdata;

    if (count > ELEMENTS_MAX) {
        socket->flaw = too_large;
        return NULL;
    }
    return is_asked_for(task) ? socket->theirs->createArray(task, count) : NULL;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    const struct redis_socket *socket = task->privdata;
    return is_asked_for(task) ? socket->theirs->createInteger(task, value) : NULL;
}

static void *create_nil(const redisReadTask *task)
{
    const struct redis_socket *socket = task->privdata;
    return is_asked_for(task) ? socket->theirs->createNil(task) : NULL;
}

static void count_answers(struct redis_socket *socket)
{
    redisReader *reader = socket->hiredis->c.reader;

    socket->theirs = reader->fn;
    socket->own = (redisReplyObjectFunctions){
        .createString = create_string,
        .createArray = create_array,
        .createInteger = create_integer,
        .createNil = create_nil,
        .freeObject = reader->fn->freeObject,
    };
    reader->fn = &socket->own;
    reader->privdata = socket;
}

/* ---- hiredis in libevent ---- */

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    redisAsyncContext *hiredis = context;
    struct redis_socket *socket = hiredis->data;
    const redisReader *reader = hiredis->c.reader;

    (void)fd;
    (void)what;
    if (reader->len - reader->pos > UNREAD_BYTES_MAX) {
        socket->flaw = too_large;
        redisAsyncFree(hiredis);
        return;
    }
    redisAsyncHandleRead(hiredis);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    redisAsyncHandleWrite(context);
}

/* Tries to write without asking first whether it can: almost always it can, and asking costs two
 * system calls and a turn of the loop. What is left waits to be writable. */
static void on_flush(evutil_socket_t fd, short what, void *context)
{
    struct redis_socket *socket = context;

    (void)fd;
    (void)what;
    socket->flushing = true;
    redisAsyncHandleWrite(socket->hiredis); /* starts or stops writing, or ends it */
}

static void start_reading(void *context)
{
    struct redis_socket *socket = context;
    (void)event_add(socket->readable, NULL);
}

static void stop_reading(void *context)
{
    struct redis_socket *socket = context;
    (void)event_del(socket->readable);
}

static void start_writing(void *context)
{
    struct redis_socket *socket = context;

    if (socket->flushing || (socket->hiredis->c.flags & REDIS_CONNECTED) == 0) {
        socket->flushing = false;
        (void)event_add(socket->writable, NULL);
    } else if (event_pending(socket->writable, EV_WRITE, NULL) == 0) {
        event_active(socket->flush, EV_WRITE, 0);
    }
}

static void stop_writing(void *context)
{
    struct redis_socket *socket = context;

    socket->flushing = false;
    (void)event_del(socket->writable);
}

static void destroy(struct redis_socket *socket)
{
    if (socket->readable != NULL) {
        event_free(socket->readable);
    }
    if (socket->writable != NULL) {
        event_free(socket->writable);
    }
    if (socket->flush != NULL) {
        event_free(socket->flush);
    }
    redis_format_free(&socket->format);
    free(socket);
}

static void stop_events(void *context)
{
    struct redis_socket *socket = context;

    end(socket);
    socket->hiredis->c.reader->fn = socket->theirs; /* it still frees what it has read */
    destroy(socket);
}

static void on_connect(const redisAsyncContext *hiredis, int status)
{
    struct redis_socket *socket = hiredis->data;

    if (status != REDIS_OK) {
        end(socket);
    } else if (!socket->over) {
        socket->events.on_open(socket->events.context);
    }
}

static bool attach(struct redis_socket *socket, struct event_base *base)
{
    redisAsyncContext *hiredis = socket->hiredis;
    int fd = hiredis->c.fd;

    socket->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, hiredis);
    socket->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, hiredis);
    socket->flush = event_new(base, -1, EV_PERSIST, on_flush, socket);
    if (socket->readable == NULL || socket->writable == NULL || socket->flush == NULL) {
        return false;
    }
    count_answers(socket);
    hiredis->data = socket;
    hiredis->ev.data = socket;
    hiredis->ev.addRead = start_reading;
    hiredis->ev.delRead = stop_reading;
    hiredis->ev.addWrite = start_writing;
    hiredis->ev.delWrite = stop_writing;
    hiredis->ev.cleanup = stop_events;
    return redisAsyncSetConnectCallback(hiredis, on_connect) == REDIS_OK;
}

/* ---- opening and closing ---- */

/* A peer that vanished (power, cable) leaves a connection on which nothing ever fails; the kernel
 * is told to notice. A frozen Redis is kept, for its kernel goes on answering; only when so much
 * waits that its window stays shut does the time-out end that connection too, and the versions
 * guard against what it carries out later. */
static void notice_lost_peer(int fd)
{
    const int on = 1;
    const int interval_s = 2;
    const int idle_s = REDIS_PEER_GONE_MS / 2000;
    const int probes = (REDIS_PEER_GONE_MS / 1000 - idle_s) / interval_s;
    const unsigned gone_ms = REDIS_PEER_GONE_MS;

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof gone_ms);
}

enum status redis_socket_open(
    struct event_base *base, const char *path, const char *address, uint16_t port,
    const struct redis_socket_events *events, struct redis_socket **ret_socket, struct text *why)
{
    bool local = path[0] != '\0';
    enum status status = STATUS_NO_MEMORY;
    struct redis_socket *socket = calloc(1, sizeof *socket);

    if (socket == NULL) {
        goto no_memory;
    }
    socket->events = *events;
    socket->hiredis = local ? redisAsyncConnectUnix(path) : redisAsyncConnect(address, port);
    if (socket->hiredis == NULL) {
        goto no_socket;
    }
    if (socket->hiredis->c.err != 0) {
        status = STATUS_IO;
        text_add(why, socket->hiredis->c.errstr);
        goto no_connection;
    }
    if (!local) {
        notice_lost_peer(socket->hiredis->c.fd);
    }
    if (!attach(socket, base)) {
        goto no_connection;
    }
    *ret_socket = socket;
    return STATUS_OK;

no_connection:
    socket->hiredis->ev.cleanup = NULL;
    redisAsyncFree(socket->hiredis);
no_socket:
    destroy(socket);
no_memory:
    if (status == STATUS_NO_MEMORY) {
        text_add(why, status_text(status));
    }
    return status;
}

void redis_socket_close(struct redis_socket *socket)
{
    if (socket != NULL && !socket->over) {
        socket->over = true;
        redisAsyncFree(socket->hiredis);
    }
}

/* ---- commands and replies ---- */

static void on_reply(redisAsyncContext *hiredis, void *reply, void *context)
{
    struct redis_request *request = context;

    if (reply == NULL) {
        end(hiredis->data);
    }
    request->on_reply(request, reply);
}

enum status redis_socket_send(
    struct redis_socket *socket, struct redis_request *request, const char *const words[],
    const size_t lengths[], size_t count)
{
    struct redis_format *format = &socket->format;

    if (socket->over || redis_format(format, words, lengths, count) != STATUS_OK ||
        redisAsyncFormattedCommand(
            socket->hiredis, on_reply, request, format->bytes, format->length) != REDIS_OK) {
        return STATUS_DISCONNECTED;
    }
    socket->asked++;
    return STATUS_OK;
}

const char *redis_reply_error(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR ? reply->str : NULL;
}

const char *redis_reply_text(const struct redisReply *reply, size_t *ret_length)
{
    if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS) {
        return NULL;
    }
    if (ret_length != NULL) {
        *ret_length = reply->len;
    }
    return reply->str;
}

size_t redis_reply_count(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index)
{
    return reply->element[index];
}
