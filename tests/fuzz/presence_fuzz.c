/* The small payloads: links, pongs, services, markers, probes and restarts; the first byte says
 * which. */
#include <string.h>

#include "controller/daemon/echo.h"
#include "devices/esphome/wire.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "topics/member.h"
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

/* A controller's marker, which anybody may write who may write at all: only the number that was
 * asked for last is an echo. */
static void check_marker(const char *payload, size_t length)
{
    struct bytes bytes = bytes_of((const uint8_t *)payload, length);
    struct echo echo;
    size_t word_length;
    char *word = bytes_until(&bytes, '\0', true, &word_length);
    struct inbox_entry entry = {
        .kind = INBOX_MESSAGE,
        .topic = "tagout/controller/one/marker",
        .payload = word,
        .payload_length = word_length,
        .retained = length % 4 == 0,
    };

    FUZZ_CHECK(echo_init(&echo, "tagout", "one") == STATUS_OK);
    echo.number = 7;
    echo.is_due = true;
    if (echo_is(&echo, &entry) && echo_take(&echo, &entry)) {
        FUZZ_CHECK(!entry.retained && strchr(word, '7') != NULL && !echo.is_due);
    } else {
        FUZZ_CHECK(echo.is_due);
    }
    free(word);
}

/* A probe or a restart, as the firmware and as the simulator read it. */
static void check_id(const char *payload, size_t length)
{
    struct json *document = NULL;
    uint32_t read_id = 0;
    uint64_t id = 0;
    bool read_force = false;
    bool force = false;
    bool is_read = wire_read_id(payload, length, &read_id, &read_force);
    TEXT_LOCAL(why, 256);
    struct members members = members_of(payload, length, PRESENCE_BYTES_MAX, &document, &why);

    member_integer(&members, "id", REQUIRED, 0, UINT32_MAX, &id);
    member_bool(&members, "force", OPTIONAL, &force);
    json_free(document);
    FUZZ_CHECK(!is_read || members.failed || (read_id == id && read_force == force));
}

/* What the controller prints of any number, the firmware reads. */
static void check_printed(const char *payload, size_t length)
{
    struct bytes bytes = bytes_of((const uint8_t *)payload, length);
    uint32_t id = bytes_32(&bytes);
    bool force = bytes_bool(&bytes);
    uint32_t read_id = 0;
    bool read_force = true;
    TEXT_LOCAL(printed, PRESENCE_BYTES_MAX);

    FUZZ_CHECK(probe_print(id, &printed) == STATUS_OK);
    FUZZ_CHECK(wire_read_id(printed.data, printed.length, &read_id, &read_force));
    FUZZ_CHECK(read_id == id && !read_force);
    text_clear(&printed);
    FUZZ_CHECK(restart_print(id, force, &printed) == STATUS_OK);
    FUZZ_CHECK(wire_read_id(printed.data, printed.length, &read_id, &read_force));
    FUZZ_CHECK(read_id == id && read_force == force);
    check_id(printed.data, printed.length);
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
    } else if (data[0] == 'm') {
        check_marker(payload, size - 1);
    } else if (data[0] == 'i') {
        check_id(payload, size - 1);
        check_printed(payload, size - 1);
    } else {
        check_service(payload, size - 1);
    }
    return 0;
}
