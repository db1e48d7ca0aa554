/* Where the HTTP server takes its connections: one numeric address. What is taken, or is no address
 * of this host yet, is tried again for ever; and where there is no descriptor for one more
 * connection, nobody is taken for a while. */
#ifndef TAGOUT_SUPPORT_HTTP_LISTENER_H
#define TAGOUT_SUPPORT_HTTP_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/status.h"

#define HTTP_AGAIN_MS 5000 /* from one attempt to listen, or to take somebody, to the next */

struct evhttp;
struct event_base;
struct http_listener;

struct http_listener_options {
    struct event_base *base;
    struct evhttp *server; /* who is given the connections; it owns the socket */
    const char *listen;    /* 127.0.0.1:9464, [::1]:9464; port 0: any */
    const char *key;       /* of tagout.ini, for messages; borrowed */
};

/* STATUS_INVALID: `listen` is no numeric address. */
MUST_USE enum status
http_listener_new(const struct http_listener_options *options, struct http_listener **ret_listener);
/* Before its server, or right after it. Takes NULL. */
void http_listener_free(struct http_listener *listener);

/* Whoever connects while it is full waits in the kernel. */
void http_listener_set_full(struct http_listener *listener, bool full);

/* The port; 0 while it does not listen. */
uint16_t http_listener_port(const struct http_listener *listener);

#endif
