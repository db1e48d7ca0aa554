#include "topics/presence.h"

#include <string.h>

#include "topics/member.h"

/* Finds the word that the bytes are, exactly. */
static bool
find_word(const char *const words[], size_t count, const char *bytes, size_t length, size_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) == length && memcmp(words[i], bytes, length) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

enum status link_parse(const char *payload, size_t length, enum link_word *ret_word)
{
    static const char *const words[] = {
        [LINK_ONLINE] = "online", [LINK_OFFLINE] = "offline", [LINK_LOST] = "lost"};
    size_t found = 0;

    if (length == 0 || !find_word(words, sizeof words / sizeof words[0], payload, length, &found)) {
        return STATUS_INVALID;
    }
    *ret_word = (enum link_word)found;
    return STATUS_OK;
}

enum status pong_parse(const char *payload, size_t length, struct pong *ret_pong, struct text *why)
{
    struct json *document = NULL;
    struct members members = members_of(payload, length, PRESENCE_BYTES_MAX, &document, why);
    struct pong pong = {0};
    const char *boot_id = NULL;
    uint64_t id = 0;

    member_integer(&members, "id", REQUIRED, 0, UINT32_MAX, &id);
    if (member_string(&members, "boot_id", OPTIONAL, &boot_id)) {
        if (strlen(boot_id) >= sizeof pong.boot_id) {
            member_fail(&members, "boot_id", "over %d characters", REPORT_BOOT_SIZE - 1);
        } else if (!text_is_printable_ascii(boot_id)) {
            member_fail(&members, "boot_id", "not printable ASCII");
        } else {
            text_copy(pong.boot_id, sizeof pong.boot_id, boot_id);
        }
    }
    json_free(document);
    if (members.failed) {
        return STATUS_INVALID;
    }
    pong.id = (uint32_t)id;
    *ret_pong = pong;
    return STATUS_OK;
}

enum status probe_print(uint32_t id, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "id", id);
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}

enum status restart_print(uint32_t id, bool force, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "id", id);
    json_out_bool(&out, "force", force);
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}

enum status
service_parse(const char *payload, size_t length, enum service_word *ret_word, struct text *why)
{
    static const char *const words[] = {
        [SERVICE_RUNNING] = "running", [SERVICE_STOPPED] = "stopped", [SERVICE_ERROR] = "error"};
    struct json *document = NULL;
    struct members members = members_of(payload, length, PRESENCE_BYTES_MAX, &document, why);
    const char *word = NULL;
    size_t found = 0;

    if (member_string(&members, "status", REQUIRED, &word) &&
        !find_word(words, sizeof words / sizeof words[0], word, strlen(word), &found)) {
        member_fail(&members, "status", "neither running, stopped nor error");
    }
    json_free(document);
    if (members.failed) {
        return STATUS_INVALID;
    }
    *ret_word = (enum service_word)found;
    return STATUS_OK;
}
