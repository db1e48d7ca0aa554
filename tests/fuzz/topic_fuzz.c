/* topic_parse: what it accepts is built back from its parts. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "topics/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char topic[TOPIC_SIZE];
    char built[TOPIC_SIZE];
    struct topic_match match;

    if (size >= sizeof topic) {
        return 0;
    }
    memcpy(topic, data, size);
    topic[size] = '\0';
    (void)topic_is_request(topic);
    if (strpbrk(topic, "+#") != NULL) {
        return 0; /* a broker lets nobody publish to these */
    }
    if (topic_parse("tagout", topic, &match) == STATUS_OK) {
        FUZZ_CHECK(
            topic_build(built, sizeof built, "tagout", match.id, match.first, match.second) ==
            STATUS_OK);
        FUZZ_CHECK(strcmp(built, topic) == 0);
    }
    return 0;
}
