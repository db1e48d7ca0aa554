/* request_parse: the first byte chooses the verb. Texts are clean and short enough, and whatever
 * is kept as the transaction makes a valid answer.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "topics/request.h"

static void check_answer(const struct request *request)
{
    struct json *document = NULL;
    TEXT_LOCAL(answer, 1024);
    TEXT_LOCAL(why, 256);

    FUZZ_CHECK(
        response_print(RESPONSE_ERROR, "{}", "\"", request->transaction, &answer) == STATUS_OK);
    FUZZ_CHECK(json_parse(answer.data, answer.length, &document, &why) == STATUS_OK);
    FUZZ_CHECK((json_get(document, "transaction") != NULL) == (request->transaction[0] != '\0'));
    json_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    TEXT_LOCAL(why, 256);
    enum request_verb verb;
    enum status status;

    if (size == 0) {
        return 0;
    }
    verb = data[0] % (REQUEST_VERB_COUNT + 1);
    status =
        request_parse(request_verb_text(verb), (const char *)data + 1, size - 1, &request, &why);
    FUZZ_CHECK(request.verb == verb);
    check_answer(&request);
    if (status != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
        return 0;
    }
    FUZZ_CHECK(verb != REQUEST_VERB_COUNT);
    FUZZ_CHECK(utf8_length(request.machine) <= 64 && !text_has_control(request.machine));
    FUZZ_CHECK(utf8_length(request.by) <= 64 && !text_has_control(request.by));
    FUZZ_CHECK(
        utf8_length(request.reason) <= REQUEST_REASON_MAX && !text_has_control(request.reason));
    return 0;
}
