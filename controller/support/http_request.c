#include "controller/support/http_request.h"

#include <string.h>

/* Length of the head with the empty line that ends it; 0: it is not there yet. */
static size_t head_length(const char *bytes, size_t length)
{
    size_t line = 0; /* length of the line so far, without its CR */

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' && line == 0 && i > 0) {
            return i + 1;
        } else if (bytes[i] == '\n') {
            line = 0;
        } else if (bytes[i] != '\r') {
            line++;
        }
    }
    return 0;
}

/* The next word of the request line; its length, 0 for none. Words end at one blank or the line's
 * end, and hold printable ASCII only. */
static size_t word_length(const char *at, const char *end)
{
    const char *start = at;

    while (at<end && * at> ' ' && *at < 0x7f) {
        at++;
    }
    return at == end || *at == ' ' || *at == '\r' || *at == '\n' ? (size_t)(at - start) : 0;
}

static bool is_word(const char *word, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(word, wanted, length) == 0;
}

static enum http_verdict
read_line(const char *line, const char *end, struct http_request *ret_request)
{
    const char *method = line;
    size_t method_length = word_length(method, end);
    const char *target = method + method_length + 1;
    size_t target_length = method_length == 0 ? 0 : word_length(target, end);
    const char *version = target + target_length + 1;
    size_t version_length = target_length == 0 ? 0 : word_length(version, end);
    struct http_request request = {0};
    size_t path_length;

    if (version_length == 0 || method[method_length] != ' ' || target[target_length] != ' ' ||
        target[0] != '/' || version_length != strlen("HTTP/1.1") ||
        memcmp(version, "HTTP/1.", strlen("HTTP/1.")) != 0) {
        return HTTP_MALFORMED;
    }
    request.head_only = is_word(method, method_length, "HEAD");
    request.takes_chunks = version[version_length - 1] != '0';
    if (!request.head_only && !is_word(method, method_length, "GET")) {
        return HTTP_NOT_ALLOWED;
    }
    path_length = 0;
    while (path_length < target_length && target[path_length] != '?') {
        path_length++;
    }
    if (path_length >= sizeof request.path) {
        path_length = 0; /* no page has such a name */
    }
    memcpy(request.path, target, path_length);
    *ret_request = request;
    return HTTP_GOOD;
}

enum http_verdict
http_request_parse(const char *bytes, size_t length, struct http_request *ret_request)
{
    size_t limited = length < HTTP_HEAD_MAX ? length : HTTP_HEAD_MAX;
    size_t head = head_length(bytes, limited);

    if (head == 0) {
        return length < HTTP_HEAD_MAX ? HTTP_INCOMPLETE : HTTP_TOO_LARGE;
    }
    /* The head ends in a line's end, so that no word runs out of it. */
    return read_line(bytes, bytes + head, ret_request);
}
