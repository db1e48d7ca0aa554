#include "tests/lib/slow_proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BYTE_US 5000

struct slow_proxy {
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *ticker;
    struct bufferevent *client;
    struct bufferevent *server;
    int server_port;
    bool trickle;
    const char *answer;
};

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void hang_up(struct slow_proxy *proxy)
{
    if (proxy->client != NULL) {
        bufferevent_free(proxy->client);
        proxy->client = NULL;
    }
    if (proxy->server != NULL) {
        bufferevent_free(proxy->server);
        proxy->server = NULL;
    }
}

static void from_client(struct bufferevent *client, void *context)
{
    struct slow_proxy *proxy = context;

    if (proxy->server != NULL) {
        (void)bufferevent_read_buffer(client, bufferevent_get_output(proxy->server));
    } else {
        struct evbuffer *input = bufferevent_get_input(client);
        (void)evbuffer_drain(input, evbuffer_get_length(input));
        (void)bufferevent_write(client, proxy->answer, strlen(proxy->answer));
    }
}

static void from_server(struct bufferevent *server, void *context)
{
    struct slow_proxy *proxy = context;

    if (!proxy->trickle && proxy->client != NULL) {
        (void)bufferevent_read_buffer(server, bufferevent_get_output(proxy->client));
    }
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct slow_proxy *proxy = context;
    char byte = '\0';

    (void)fd;
    (void)what;
    if (proxy->trickle && proxy->server != NULL && bufferevent_read(proxy->server, &byte, 1) == 1) {
        (void)bufferevent_write(proxy->client, &byte, 1);
    }
}

static void on_event(struct bufferevent *side, short what, void *context)
{
    (void)side;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        hang_up(context);
    }
}

static void on_accept(
    struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int length,
    void *context)
{
    struct slow_proxy *proxy = context;
    struct sockaddr_in address = loopback(proxy->server_port);

    (void)listener;
    (void)peer;
    (void)length;
    hang_up(proxy);
    proxy->client = bufferevent_socket_new(proxy->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(proxy->client, from_client, NULL, on_event, proxy);
    if (proxy->answer == NULL) {
        proxy->server = bufferevent_socket_new(proxy->base, -1, BEV_OPT_CLOSE_ON_FREE);
        bufferevent_setcb(proxy->server, from_server, NULL, on_event, proxy);
        (void)bufferevent_enable(proxy->server, EV_READ | EV_WRITE);
        assert_int_equal(
            bufferevent_socket_connect(proxy->server, (struct sockaddr *)&address, sizeof address),
            0);
    }
    (void)bufferevent_enable(proxy->client, EV_READ | EV_WRITE);
}

struct slow_proxy *slow_proxy_new(struct event_base *base, int server_port)
{
    const struct timeval interval = {.tv_usec = BYTE_US};
    struct sockaddr_in address = loopback(0);
    struct slow_proxy *proxy = calloc(1, sizeof *proxy);

    assert_non_null(proxy);
    proxy->base = base;
    proxy->server_port = server_port;
    proxy->listener = evconnlistener_new_bind(
        base, on_accept, proxy, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
        (struct sockaddr *)&address, sizeof address);
    assert_non_null(proxy->listener);
    proxy->ticker = event_new(base, -1, EV_PERSIST, on_tick, proxy);
    (void)event_add(proxy->ticker, &interval);
    return proxy;
}

void slow_proxy_free(struct slow_proxy *proxy)
{
    hang_up(proxy);
    event_free(proxy->ticker);
    evconnlistener_free(proxy->listener);
    free(proxy);
}

int slow_proxy_port(const struct slow_proxy *proxy)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    assert_int_equal(
        getsockname(evconnlistener_get_fd(proxy->listener), (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

void slow_proxy_trickle(struct slow_proxy *proxy, bool trickle)
{
    proxy->trickle = trickle;
}

void slow_proxy_answer(struct slow_proxy *proxy, const char *answer)
{
    proxy->answer = answer;
}
