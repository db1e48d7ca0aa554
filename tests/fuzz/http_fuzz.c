/* http_request_parse: what is good has one method, one path and one version, and bytes that come
 * later change no verdict. */
#include <string.h>

#include "controller/support/http_request.h"
#include "tests/fuzz/fuzz.h"

static void check_good(const char *bytes, const struct http_request *request)
{
    const char *method = request->head_only ? "HEAD " : "GET ";
    size_t path_length = strlen(request->path);

    FUZZ_CHECK(strncmp(bytes, method, strlen(method)) == 0);
    bytes += strlen(method);
    FUZZ_CHECK(bytes[0] == '/');
    FUZZ_CHECK(memcmp(bytes, request->path, path_length) == 0);
    /* "" stands for a path that is too long for any page. */
    FUZZ_CHECK(path_length == 0 || bytes[path_length] == ' ' || bytes[path_length] == '?');
    FUZZ_CHECK(strchr(request->path, '?') == NULL && strchr(request->path, ' ') == NULL);
}

/* Of a copy that ends where it ends, so that one byte too many is seen to be read. */
static enum http_verdict check(const uint8_t *data, size_t length)
{
    struct http_request request;
    char *bytes = malloc(length == 0 ? 1 : length);
    enum http_verdict verdict;

    FUZZ_CHECK(bytes != NULL);
    memcpy(bytes, data, length);
    verdict = http_request_parse(bytes, length, &request);
    if (verdict == HTTP_GOOD) {
        check_good(bytes, &request);
    }
    free(bytes);
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool was_complete = false;

    for (size_t length = size > 8 ? size - 8 : 0; length <= size; length++) {
        enum http_verdict verdict = check(data, length);

        FUZZ_CHECK(!was_complete || verdict != HTTP_INCOMPLETE);
        FUZZ_CHECK(length < HTTP_HEAD_MAX || verdict != HTTP_INCOMPLETE);
        was_complete = verdict != HTTP_INCOMPLETE;
    }
    return 0;
}
