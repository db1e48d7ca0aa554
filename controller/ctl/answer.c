#include "controller/ctl/answer.h"

#include <string.h>

#include "controller/support/text.h"

void answer_copy_free(struct answer_copy *answer)
{
    json_free(answer->document);
    *answer = (struct answer_copy){.error = ""};
}

bool answer_read(const char *payload, size_t length, struct answer_copy *ret_answer)
{
    static const char *const words[] = {
        [ANSWER_OK] = "ok",
        [ANSWER_QUEUED] = "queued",
        [ANSWER_ERROR] = "error",
    };
    struct answer_copy answer = {.error = ""};
    const char *status;
    bool known = false;
    TEXT_LOCAL(why, 128);

    if (json_parse(payload, length, &answer.document, &why) != STATUS_OK) {
        return false;
    }
    status = json_get_string(answer.document, "status");
    answer.error = json_get_string(answer.document, "error");
    answer.data = json_get(answer.document, "data");
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(status, words[i]) == 0) {
            answer.status = (enum answer_status)i;
            known = true;
        }
    }
    if (!known) {
        answer_copy_free(&answer);
        return false;
    }
    *ret_answer = answer;
    return true;
}
