#include "controller/support/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/http_listener.h"

struct connection {
    struct http *http;
    struct bufferevent *stream; /* evhttp's, and held; NULL: this place is free */
    struct event *deadline;
    struct event *next;             /* the piece after an empty one */
    struct evhttp_request *request; /* of which pieces are to come */
    const struct http_page *page;
    struct http_reply reply;
    bool answered;   /* the answer was begun */
    uint64_t number; /* in the order of arrival */
};

struct http {
    struct http_options options;
    struct evhttp *server;
    struct http_listener *listener; /* NULL: it is being closed */
    struct connection connections[HTTP_CONNECTIONS_MAX];
    uint64_t accepted;
    struct evbuffer *body;
    char piece[HTTP_PIECE_BYTES];
};

static void set_timer(struct event *timer, int ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    evtimer_add(timer, &wait);
}

/* ---- connections ---- */

static void tell_listener(struct http *http)
{
    bool full = true;

    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        full = full && http->connections[i].answered;
    }
    if (http->listener != NULL) {
        http_listener_set_full(http->listener, full);
    }
}

static void release(struct connection *connection)
{
    /* evhttp leaves a request whose answer was cut off to whoever answers. */
    if (connection->request != NULL && evhttp_request_get_connection(connection->request) == NULL) {
        evhttp_request_free(connection->request);
    }
    evtimer_del(connection->deadline);
    evtimer_del(connection->next);
    bufferevent_decref(connection->stream);
    connection->stream = NULL;
    connection->request = NULL;
    connection->answered = false;
    tell_listener(connection->http);
}

static void on_closed(struct evhttp_connection *closed, void *argument)
{
    (void)closed;
    release(argument);
}

/* evhttp tells of no connection's end before its request was whole, but takes its callbacks away.
 */
static bool is_closed(const struct connection *connection)
{
    bufferevent_event_cb on_stream = NULL;

    bufferevent_getcb(connection->stream, NULL, NULL, &on_stream, NULL);
    return on_stream == NULL;
}

static void close_connection(struct connection *connection)
{
    if (!is_closed(connection)) {
        /* As if one of its own time-outs were over: it closes at once. */
        bufferevent_trigger_event(connection->stream, BEV_EVENT_TIMEOUT, 0);
    }
    if (connection->stream != NULL) {
        release(connection);
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

        if (connection->stream != NULL && is_closed(connection)) {
            release(connection);
        }
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

/* evhttp has accepted somebody and asks for what to read from him with. */
static struct bufferevent *on_accepted(struct event_base *base, void *argument)
{
    struct http *http = argument;
    struct connection *connection = make_room(http);
    struct bufferevent *stream = bufferevent_socket_new(base, -1, 0);

    if (connection == NULL || stream == NULL) {
        return stream; /* nobody is accepted while it is full */
    }
    bufferevent_incref(stream);
    /* What is not read yet waits in the kernel, not here; room for one byte too many. */
    bufferevent_setwatermark(stream, EV_READ, 0, (size_t)2 * HTTP_HEAD_MAX);
    connection->stream = stream;
    connection->reply = (struct http_reply){.status = 200, .type = "text/plain; charset=utf-8"};
    connection->number = ++http->accepted;
    set_timer(connection->deadline, HTTP_REQUEST_MS);
    return stream;
}

/* ---- answering ---- */

/* The next piece is in http->body then. */
static bool write_piece(struct connection *connection, bool *ret_more)
{
    struct http *http = connection->http;
    struct text piece = text_over(http->piece, HTTP_PIECE_BYTES);

    connection->reply.out = &piece;
    *ret_more = connection->page->write(connection->page->context, &connection->reply);
    return evbuffer_add(http->body, piece.data, piece.length) == 0;
}

/* Whoever only closed his half still reads the answer, and what more he says is not collected: but
 * evhttp reads on for as long as it writes, and gives up at the end of either half. */
static void stop_reading(struct connection *connection)
{
    if (connection->stream != NULL) {
        bufferevent_disable(connection->stream, EV_READ);
    }
}

static void on_left(struct evhttp_connection *from, void *argument);

static void send_piece(struct connection *connection, bool more)
{
    struct http *http = connection->http;
    struct evhttp_request *request = connection->request;
    bool is_empty = evbuffer_get_length(http->body) == 0;

    evhttp_send_reply_chunk_with_cb(request, http->body, on_left, connection);
    if (!more) {
        connection->request = NULL;
        evhttp_send_reply_end(request);
    } else if (is_empty) {
        set_timer(connection->next, 0); /* nothing leaves that would ask for more */
    }
}

static void send_next(struct connection *connection)
{
    bool more;

    if (write_piece(connection, &more)) {
        send_piece(connection, more);
        stop_reading(connection);
    } else {
        close_connection(connection); /* no memory: it is seen to be cut off */
    }
}

static void on_left(struct evhttp_connection *from, void *argument)
{
    (void)from;
    send_next(argument);
}

static void on_next(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    send_next(argument);
}

static void add_headers(struct evhttp_request *request, const char *type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

    /* What he asks for would be answered beside ours. */
    (void)evhttp_remove_header(evhttp_request_get_input_headers(request), "Connection");
    (void)evhttp_add_header(headers, "Connection", "close");
    (void)evhttp_add_header(headers, "Content-Type", type);
}

static void send_page(struct connection *connection, struct evhttp_request *request)
{
    struct evbuffer *body = connection->http->body;
    bool more;

    if (!write_piece(connection, &more)) {
        evhttp_send_error(request, HTTP_INTERNAL, NULL);
        return;
    }
    add_headers(request, connection->reply.type);
    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        evbuffer_drain(body, evbuffer_get_length(body));
        evhttp_send_reply(request, connection->reply.status, NULL, NULL);
    } else if (more) {
        connection->request = request;
        evhttp_send_reply_start(request, connection->reply.status, NULL);
        send_piece(connection, true);
    } else {
        evhttp_send_reply(request, connection->reply.status, NULL, body);
    }
}

static void send_directory(const struct http_options *options, struct evhttp_request *request)
{
    struct evbuffer *body = evbuffer_new();

    for (size_t i = 0; body != NULL && i < options->page_count; i++) {
        evbuffer_add_printf(body, "%s\n", options->pages[i].path);
    }
    add_headers(request, "text/plain; charset=utf-8");
    evhttp_send_reply(
        request, HTTP_NOTFOUND, NULL,
        evhttp_request_get_command(request) == EVHTTP_REQ_HEAD ? NULL : body);
    if (body != NULL) {
        evbuffer_free(body);
    }
}

static void answer(struct connection *connection, struct evhttp_request *request)
{
    const struct http_options *options = &connection->http->options;
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));

    for (size_t i = 0; i < options->page_count; i++) {
        if (strcmp(options->pages[i].path, path) == 0) {
            connection->page = &options->pages[i];
            send_page(connection, request);
            return;
        }
    }
    send_directory(options, request);
}

static void on_request(struct evhttp_request *request, void *argument)
{
    struct http *http = argument;
    struct evhttp_connection *from = evhttp_request_get_connection(request);
    const struct bufferevent *stream = evhttp_connection_get_bufferevent(from);

    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct connection *connection = &http->connections[i];

        if (connection->stream == stream) {
            connection->answered = true;
            set_timer(connection->deadline, HTTP_REPLY_MS);
            evhttp_connection_set_closecb(from, on_closed, connection);
            tell_listener(http);
            answer(connection, request);
            stop_reading(connection);
            return;
        }
    }
    evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
}

/* ---- its life ---- */

static enum status open_server(struct http *http)
{
    struct event_base *base = http->options.base;

    http->server = evhttp_new(base);
    http->body = evbuffer_new();
    if (http->server == NULL || http->body == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct connection *connection = &http->connections[i];

        connection->http = http;
        connection->deadline = evtimer_new(base, on_deadline, connection);
        connection->next = evtimer_new(base, on_next, connection);
        if (connection->deadline == NULL || connection->next == NULL) {
            return STATUS_NO_MEMORY;
        }
    }
    evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(http->server, HTTP_HEAD_MAX);
    evhttp_set_max_body_size(http->server, 0);
    evhttp_set_bevcb(http->server, on_accepted, http);
    evhttp_set_gencb(http->server, on_request, http);
    return STATUS_OK;
}

enum status http_new(const struct http_options *options, struct http **ret_http)
{
    struct http *http = calloc(1, sizeof *http);
    enum status status;

    if (http == NULL) {
        return STATUS_NO_MEMORY;
    }
    http->options = *options;
    status = open_server(http);
    if (status == STATUS_OK) {
        const struct http_listener_options listener = {
            .base = options->base,
            .server = http->server,
            .listen = options->listen,
            .key = options->key,
        };

        status = http_listener_new(&listener, &http->listener);
    }
    if (status != STATUS_OK) {
        http_free(http);
        return status;
    }
    *ret_http = http;
    return STATUS_OK;
}

static void free_timer(struct event *timer)
{
    if (timer != NULL) {
        event_free(timer);
    }
}

void http_free(struct http *http)
{
    if (http == NULL) {
        return;
    }
    http_listener_free(http->listener);
    http->listener = NULL;
    if (http->server != NULL) {
        evhttp_free(http->server);
    }
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        if (http->connections[i].stream != NULL) {
            release(&http->connections[i]);
        }
        free_timer(http->connections[i].deadline);
        free_timer(http->connections[i].next);
    }
    if (http->body != NULL) {
        evbuffer_free(http->body);
    }
    free(http);
}

uint16_t http_port(const struct http *http)
{
    return http_listener_port(http->listener);
}
