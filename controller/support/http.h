/* A small HTTP server in the loop, for pages that programs read: metrics and health.
 *
 * libevent's evhttp, with the bounds that it lacks in 2.1: whoever can connect could take all
 * descriptors of a process that switches machines. So there are HTTP_CONNECTIONS_MAX connections
 * at most; where all are taken, the oldest that has asked for nothing makes room, and while all are
 * being answered the next waits. A request has to be whole in HTTP_REQUEST_MS, an answer to be
 * taken in HTTP_REPLY_MS, however the bytes trickle. One request a connection; GET and HEAD.
 *
 * A long page is written in pieces, one a turn of the loop at most, and the next only when the last
 * has left: it costs one piece of memory, and decisions go between the pieces.
 *
 * Where the address is taken, or there is no such address yet, it tries again for ever: nobody must
 * stay outside for want of metrics.
 */
#ifndef TAGOUT_SUPPORT_HTTP_H
#define TAGOUT_SUPPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define HTTP_CONNECTIONS_MAX 8
#define HTTP_HEAD_MAX 4096 /* request line and headers */
#define HTTP_PIECE_BYTES 32768
#define HTTP_REQUEST_MS 5000
#define HTTP_REPLY_MS 30000

struct event_base;
struct http;

/* A page under construction. */
struct http_reply {
    int status;         /* 200 unless set with the first piece */
    const char *type;   /* text/plain unless set with the first piece */
    size_t position[2]; /* the page's own; 0 at first */
    struct text *out;   /* where the next piece goes */
};

struct http_page {
    const char *path;
    /* Appends the page, or its next piece, which may be empty. True: there is more. */
    bool (*write)(void *context, struct http_reply *reply);
    void *context;
};

struct http_options {
    struct event_base *base;
    const char *listen; /* numeric address and port */
    const char *key;    /* of tagout.ini, for messages */
    const struct http_page *pages;
    size_t page_count;
};

/* `pages` is borrowed until http_free. STATUS_INVALID: `listen` is no numeric address. */
MUST_USE enum status http_new(const struct http_options *options, struct http **ret_http);
/* Takes NULL. */
void http_free(struct http *http);

/* Where it listens: that which was found where `listen` has 0; 0 while it does not listen. */
uint16_t http_port(const struct http *http);

#endif
