#include "controller/support/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/support/http_listener.h"
#include "controller/support/http_request.h"

struct connection {
    struct http *http;
    struct bufferevent *stream; /* NULL: free */
    struct event *deadline;
    struct event *next;           /* the piece after an empty one */
    const struct http_page *page; /* of which more is to be written */
    struct http_reply reply;
    bool chunked;
    bool answered;   /* the head of the answer was written */
    uint64_t number; /* in the order of arrival */
};

struct http {
    struct http_options options;
    struct http_listener *listener;
    struct connection connections[HTTP_CONNECTIONS_MAX];
    uint64_t accepted;
    char piece[HTTP_PIECE_BYTES];
};

static struct timeval milliseconds(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static void set_timer(struct event *timer, int ms)
{
    struct timeval wait = milliseconds(ms);

    evtimer_add(timer, &wait);
}

static void free_timer(struct event *timer)
{
    if (timer != NULL) {
        event_free(timer);
    }
}

static void close_connection(struct connection *connection)
{
    struct http *http = connection->http;

    free_timer(connection->deadline);
    free_timer(connection->next);
    bufferevent_free(connection->stream);
    *connection = (struct connection){.http = http};
}

/* ---- answering ---- */

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

static void put(struct connection *connection, const char *bytes, size_t length)
{
    if (bufferevent_write(connection->stream, bytes, length) != 0) {
        connection->page = NULL; /* no memory: it ends here, and is seen to be cut off */
    }
}

/* `length` is that of the body, unless it comes in pieces. */
static void send_head(struct connection *connection, size_t length, bool in_pieces)
{
    const struct http_reply *reply = &connection->reply;
    TEXT_LOCAL(head, 512);

    text_addf(
        &head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nConnection: close\r\n", reply->status,
        reason_of(reply->status), reply->type);
    if (!in_pieces) {
        text_addf(&head, "Content-Length: %zu\r\n", length);
    } else if (connection->chunked) {
        text_add(&head, "Transfer-Encoding: chunked\r\n");
    }
    if (reply->status == 405) {
        text_add(&head, "Allow: GET, HEAD\r\n");
    }
    text_add(&head, "\r\n");
    connection->answered = true;
    set_timer(connection->deadline, HTTP_REPLY_MS);
    put(connection, head.data, head.length);
}

/* True: there is more. */
static bool write_piece(struct connection *connection, struct text *piece)
{
    connection->reply.out = piece;
    return connection->page->write(connection->page->context, &connection->reply);
}

static void send_chunk(struct connection *connection, const struct text *piece, bool more)
{
    TEXT_LOCAL(size, 32);

    if (connection->chunked && piece->length > 0) {
        text_addf(&size, "%zx\r\n", piece->length);
        put(connection, size.data, size.length);
    }
    put(connection, piece->data, piece->length);
    if (connection->chunked && piece->length > 0) {
        put(connection, "\r\n", 2);
    }
    if (connection->chunked && !more) {
        put(connection, "0\r\n\r\n", strlen("0\r\n\r\n"));
    }
}

static void send_next(struct connection *connection)
{
    struct text piece = text_over(connection->http->piece, HTTP_PIECE_BYTES);
    bool more = write_piece(connection, &piece);

    send_chunk(connection, &piece, more);
    if (more && piece.length == 0) {
        set_timer(connection->next, 0); /* nothing leaves that would ask for more */
    } else if (!more && piece.length == 0 && !connection->chunked) {
        close_connection(connection); /* nor for the end */
    } else if (!more) {
        connection->page = NULL;
    }
}

static void on_next(evutil_socket_t fd, short what, void *argument)
{
    struct connection *connection = argument;

    (void)fd;
    (void)what;
    if (connection->page != NULL) {
        send_next(connection);
    }
}

static void
send_page(struct connection *connection, const struct http_page *page, bool head_only, bool chunks)
{
    struct text piece = text_over(connection->http->piece, HTTP_PIECE_BYTES);
    bool more;

    connection->page = page;
    connection->chunked = chunks;
    more = write_piece(connection, &piece);
    send_head(connection, piece.length, more);
    if (head_only) {
        connection->page = NULL;
    } else if (more) {
        send_chunk(connection, &piece, true);
    } else {
        connection->page = NULL;
        put(connection, piece.data, piece.length);
    }
}

static void send_error(struct connection *connection, int status, bool head_only)
{
    const struct http_options *options = &connection->http->options;
    TEXT_LOCAL(body, 512);

    connection->reply.status = status;
    text_addf(&body, "%s\n", reason_of(status));
    for (size_t i = 0; status == 404 && i < options->page_count; i++) {
        text_addf(&body, "%s\n", options->pages[i].path);
    }
    send_head(connection, body.length, false);
    if (!head_only) {
        put(connection, body.data, body.length);
    }
}

static void answer(struct connection *connection, const struct http_request *request)
{
    const struct http_options *options = &connection->http->options;

    for (size_t i = 0; i < options->page_count; i++) {
        if (strcmp(options->pages[i].path, request->path) == 0) {
            send_page(connection, &options->pages[i], request->head_only, request->takes_chunks);
            return;
        }
    }
    send_error(connection, 404, request->head_only);
}

/* ---- connections ---- */

static void on_read(struct bufferevent *stream, void *argument)
{
    struct connection *connection = argument;
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t length = evbuffer_get_length(input);
    const char *bytes = (const char *)evbuffer_pullup(input, -1);
    struct http_request request;

    if (connection->answered || bytes == NULL) {
        evbuffer_drain(input, length);
        return;
    }
    switch (http_request_parse(bytes, length, &request)) {
    case HTTP_INCOMPLETE:
        return;
    case HTTP_GOOD:
        answer(connection, &request);
        break;
    case HTTP_MALFORMED:
        send_error(connection, 400, false);
        break;
    case HTTP_TOO_LARGE:
        send_error(connection, 431, false);
        break;
    case HTTP_NOT_ALLOWED:
        send_error(connection, 405, false);
        break;
    }
    evbuffer_drain(input, length);
}

/* All that was written has left. */
static void on_written(struct bufferevent *stream, void *argument)
{
    struct connection *connection = argument;

    (void)stream;
    if (!connection->answered) {
        return;
    }
    if (connection->page != NULL) {
        send_next(connection);
    } else {
        close_connection(connection);
    }
}

static void on_stream(struct bufferevent *stream, short what, void *argument)
{
    struct connection *connection = argument;

    (void)stream;
    /* Whoever only closed his half still reads the answer. */
    if ((what & BEV_EVENT_EOF) == 0 || !connection->answered) {
        close_connection(connection);
    }
}

static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    close_connection(argument);
}

/* Where all are taken, whoever came first and has asked for nothing yet makes room: those who only
 * hold connections keep nobody out. NULL: all of them are being answered. */
static struct connection *make_room(struct http *http)
{
    struct connection *idle = NULL;

    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct connection *connection = &http->connections[i];

        if (connection->stream == NULL) {
            return connection;
        }
        if (!connection->answered && (idle == NULL || connection->number < idle->number)) {
            idle = connection;
        }
    }
    if (idle != NULL) {
        close_connection(idle);
    }
    return idle;
}

static void on_accepted(void *context, int fd)
{
    struct http *http = context;
    struct connection *connection = make_room(http);
    struct bufferevent *stream = NULL;

    if (connection != NULL) {
        stream = bufferevent_socket_new(http->options.base, fd, BEV_OPT_CLOSE_ON_FREE);
    }
    if (stream == NULL) {
        close(fd);
        return;
    }
    *connection = (struct connection){
        .http = http,
        .stream = stream,
        .deadline = evtimer_new(http->options.base, on_deadline, connection),
        .next = evtimer_new(http->options.base, on_next, connection),
        .reply = {.status = 200, .type = "text/plain; charset=utf-8"},
        .number = ++http->accepted,
    };
    if (connection->deadline == NULL || connection->next == NULL) {
        close_connection(connection);
        return;
    }
    set_timer(connection->deadline, HTTP_REQUEST_MS);
    bufferevent_setcb(stream, on_read, on_written, on_stream, connection);
    bufferevent_setwatermark(stream, EV_READ, 0, HTTP_HEAD_MAX);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

/* ---- its life ---- */

enum status http_new(const struct http_options *options, struct http **ret_http)
{
    struct http *http = calloc(1, sizeof *http);
    struct http_listener_options listener = {
        .base = options->base,
        .listen = options->listen,
        .key = options->key,
        .on_accepted = on_accepted,
        .context = http,
    };
    enum status status;

    if (http == NULL) {
        return STATUS_NO_MEMORY;
    }
    http->options = *options;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        http->connections[i].http = http;
    }
    status = http_listener_new(&listener, &http->listener);
    if (status != STATUS_OK) {
        free(http);
        return status;
    }
    *ret_http = http;
    return STATUS_OK;
}

void http_free(struct http *http)
{
    if (http == NULL) {
        return;
    }
    http_listener_free(http->listener);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        if (http->connections[i].stream != NULL) {
            close_connection(&http->connections[i]);
        }
    }
    free(http);
}

uint16_t http_port(const struct http *http)
{
    return http_listener_port(http->listener);
}
