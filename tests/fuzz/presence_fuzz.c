/* The small payloads: links, pongs, services; the first byte says which. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "topics/presence.h"

static void check_link(const char *payload, size_t length)
{
    enum link_word word;

    if (link_parse(payload, length, &word) == STATUS_OK) {
        FUZZ_CHECK(word == LINK_ONLINE || word == LINK_OFFLINE || word == LINK_LOST);
        FUZZ_CHECK(
            length == strlen(word == LINK_LOST ? "lost" : "online") + (word == LINK_OFFLINE));
    }
}

static void check_pong(const char *payload, size_t length)
{
    struct pong pong;
    TEXT_LOCAL(why, 256);

    if (pong_parse(payload, length, &pong, &why) == STATUS_OK) {
        FUZZ_CHECK(text_is_printable_ascii(pong.boot_id) && why.length == 0);
    } else {
        FUZZ_CHECK(why.length > 0);
    }
}

static void check_service(const char *payload, size_t length)
{
    enum service_word word;
    TEXT_LOCAL(why, 256);

    if (service_parse(payload, length, &word, &why) == STATUS_OK) {
        FUZZ_CHECK(word == SERVICE_RUNNING || word == SERVICE_STOPPED || word == SERVICE_ERROR);
    } else {
        FUZZ_CHECK(why.length > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *payload = (const char *)data + 1;

    if (size == 0) {
        return 0;
    }
    if (data[0] == 'l') {
        check_link(payload, size - 1);
    } else if (data[0] == 'p') {
        check_pong(payload, size - 1);
    } else {
        check_service(payload, size - 1);
    }
    return 0;
}
