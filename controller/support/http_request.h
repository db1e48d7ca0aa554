/* The head of an HTTP request, as far as somebody cares who only reads pages. Pure. */
#ifndef TAGOUT_SUPPORT_HTTP_REQUEST_H
#define TAGOUT_SUPPORT_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX 4096 /* request line and headers, with the empty line */
#define HTTP_PATH_SIZE 65

enum http_verdict {
    HTTP_INCOMPLETE, /* more is to come */
    HTTP_GOOD,
    HTTP_MALFORMED,
    HTTP_TOO_LARGE,
    HTTP_NOT_ALLOWED, /* neither GET nor HEAD */
};

struct http_request {
    bool head_only;
    bool takes_chunks;         /* HTTP/1.1 and up */
    char path[HTTP_PATH_SIZE]; /* without the query */
};

/* `ret_request` is written with HTTP_GOOD only. Headers are not looked at: no page depends on any,
 * and the connection ends with the answer, whatever body follows. */
enum http_verdict
http_request_parse(const char *bytes, size_t length, struct http_request *ret_request);

#endif
