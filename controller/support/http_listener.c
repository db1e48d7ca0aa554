#include "controller/support/http_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/support/log.h"
#include "controller/support/text.h"

struct http_listener {
    struct http_listener_options options;
    char *listen;
    struct evconnlistener *socket; /* the server's; NULL: not yet */
    struct event *again;
    bool full;
    bool complained;
};

/* Out of descriptors, say: the loop would turn on nothing else. evhttp has put its own argument in
 * the place of ours, so that the timer that always runs has to take whoever waits. */
static void on_accept_failed(struct evconnlistener *socket, void *argument)
{
    (void)argument;
    log_warning(
        "metrics and health: cannot take a connection (%s)",
        evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(socket);
}

uint16_t http_listener_port(const struct http_listener *listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.six = {0}};
    socklen_t length = sizeof address;

    if (listener->socket == NULL ||
        getsockname(evconnlistener_get_fd(listener->socket), &address.any, &length) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
}

/* Numeric, so that nobody is asked. To be freed; NULL for what is no address. */
static struct addrinfo *parse_address(const char *listen)
{
    static const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    const char *colon = strrchr(listen, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - listen);
    struct addrinfo *found = NULL;
    TEXT_LOCAL(host, 64);

    if (length > 2 && listen[0] == '[' && colon[-1] == ']') {
        text_add_bytes(&host, listen + 1, length - 2);
    } else if (length > 0 && memchr(listen, ':', length) == NULL) {
        text_add_bytes(&host, listen, length);
    } else {
        return NULL;
    }
    return strtoul(colon + 1, NULL, 10) <= UINT16_MAX &&
                   getaddrinfo(host.data, colon + 1, &hints, &found) == 0
               ? found
               : NULL;
}

/* NULL, and errno, where it cannot. */
static struct evconnlistener *
bind_to(struct event_base *base, struct evhttp *server, const struct addrinfo *address)
{
    struct evconnlistener *socket = evconnlistener_new_bind(
        base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, -1,
        address->ai_addr, (int)address->ai_addrlen);

    if (socket != NULL && evhttp_bind_listener(server, socket) == NULL) {
        evconnlistener_free(socket);
        socket = NULL;
    }
    return socket;
}

static enum status start(struct http_listener *listener)
{
    const char *listen = listener->listen;
    struct addrinfo *address = parse_address(listen);

    if (address == NULL) {
        return STATUS_INVALID;
    }
    listener->socket = bind_to(listener->options.base, listener->options.server, address);
    if (listener->socket != NULL) {
        evconnlistener_set_error_cb(listener->socket, on_accept_failed);
        log_info(
            "metrics and health: http://%.*s:%u/metrics", (int)(strrchr(listen, ':') - listen),
            listen, http_listener_port(listener));
    } else {
        if (!listener->complained) {
            log_error(
                "%s: cannot listen on %s (%s): no metrics until it can; trying again, for ever",
                listener->options.key, listen, strerror(errno));
        }
        listener->complained = true;
    }
    freeaddrinfo(address);
    return STATUS_OK;
}

static void on_again(evutil_socket_t fd, short what, void *argument)
{
    struct http_listener *listener = argument;

    (void)fd;
    (void)what;
    if (listener->socket == NULL) {
        (void)start(listener);
    } else if (!listener->full) {
        evconnlistener_enable(listener->socket);
    }
}

enum status
http_listener_new(const struct http_listener_options *options, struct http_listener **ret_listener)
{
    static const struct timeval again = {
        .tv_sec = HTTP_AGAIN_MS / 1000,
        .tv_usec = HTTP_AGAIN_MS % 1000 * 1000,
    };
    struct http_listener *listener = calloc(1, sizeof *listener);
    enum status status = STATUS_NO_MEMORY;

    if (listener == NULL) {
        return status;
    }
    listener->options = *options;
    listener->listen = strdup(options->listen);
    listener->again = event_new(options->base, -1, EV_PERSIST, on_again, listener);
    if (listener->listen != NULL && listener->again != NULL &&
        event_add(listener->again, &again) == 0) {
        status = start(listener);
    }
    if (status != STATUS_OK) {
        http_listener_free(listener);
        return status;
    }
    *ret_listener = listener;
    return STATUS_OK;
}

void http_listener_free(struct http_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->again != NULL) {
        event_free(listener->again);
    }
    free(listener->listen);
    free(listener);
}

void http_listener_set_full(struct http_listener *listener, bool full)
{
    if (listener->socket == NULL || listener->full == full) {
        return;
    }
    listener->full = full;
    if (full) {
        evconnlistener_disable(listener->socket);
    } else {
        evconnlistener_enable(listener->socket);
    }
}
