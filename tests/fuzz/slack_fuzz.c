/* What Slack, or whoever stands in for it, answers. The first line is the status code, then the
 * seconds of Retry-After, then the body; a code of 0 is a request that broke, and the body why. */
#include <string.h>

#include "controller/watcher/slack_answer.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const secrets[] = {"xoxb-very-secret", "hook-secret", NULL};
    struct bytes bytes = bytes_of(data, size);
    uint8_t choice = bytes_8(&bytes);
    struct slack_response response = {
        .code = (long)bytes_16(&bytes) % 700,
        .retry_after_s = choice < 128 ? 0 : (int64_t)bytes_64(&bytes),
    };
    char *body = bytes_until(&bytes, '\0', true, &response.body_length);
    struct slack_verdict verdict;

    response.body = body;
    response.error = (choice & 1) != 0 ? body : NULL;
    slack_judge(&response, (choice & 2) != 0, secrets, &verdict);
    FUZZ_CHECK(text_is_printable_ascii(verdict.reason));
    FUZZ_CHECK(text_is_printable_ascii(verdict.outcome.ts));
    FUZZ_CHECK(strstr(verdict.reason, secrets[0]) == NULL);
    FUZZ_CHECK(strstr(verdict.reason, secrets[1]) == NULL);
    FUZZ_CHECK(verdict.outcome.kind <= SLACK_HOPELESS);
    FUZZ_CHECK(
        verdict.outcome.wait_ms >= 0 &&
        verdict.outcome.wait_ms <= INT64_C(1000) * SLACK_RETRY_AFTER_MAX_S);
    /* A 2xx is never sent again, but for Slack's own word that it was not taken. */
    FUZZ_CHECK(
        response.code < 200 || response.code > 299 || verdict.outcome.kind == SLACK_DELIVERED ||
        verdict.outcome.kind == SLACK_REFUSED || verdict.outcome.kind == SLACK_DECLINED);
    free(body);
    return 0;
}
