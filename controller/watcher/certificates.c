#include "controller/watcher/certificates.h"

#include <string.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define MEMBER "certificates"

/* Days before the end, the earliest first. */
static const int notices[] = {60, 14};

void certificates_add(struct certificates *certificates, const char *file)
{
    if (file[0] == '\0' || strlen(file) >= CERTIFICATE_FILE_SIZE ||
        certificates->count == CERTIFICATES_MAX) {
        return;
    }
    for (size_t i = 0; i < certificates->count; i++) {
        if (strcmp(certificates->items[i].file, file) == 0) {
            return;
        }
    }
    text_copy(certificates->items[certificates->count++].file, CERTIFICATE_FILE_SIZE, file);
}

void certificates_found(struct watched_certificate *certificate, struct wall_time ends)
{
    if (certificate->ends.ms != ends.ms) {
        certificate->told_days = 0;
    }
    certificate->ends = ends;
}

bool certificates_tell(
    struct watched_certificate *certificate, struct wall_time now, struct alert *ret_alert)
{
    int due = 0;

    if (certificate->ends.ms == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof notices / sizeof notices[0]; i++) {
        if (certificate->ends.ms - now.ms <= notices[i] * DAY_MS) {
            due = notices[i];
        }
    }
    /* Told by a clock that was ahead, it is told again in time. */
    if (certificate->told_days != 0 &&
        certificate->ends.ms - now.ms > (certificate->told_days + 1) * DAY_MS) {
        certificate->told_days = due;
    }
    if (due == 0 || (certificate->told_days != 0 && certificate->told_days <= due)) {
        return false;
    }
    certificate->told_days = due;
    *ret_alert = (struct alert){.kind = ALERT_CERTIFICATE, .ends = certificate->ends, .at = now};
    text_copy(ret_alert->reason, sizeof ret_alert->reason, certificate->file);
    return true;
}

void certificates_print(const struct certificates *certificates, struct json_out *out)
{
    json_out_open(out, MEMBER, '{');
    for (size_t i = 0; i < certificates->count; i++) {
        const struct watched_certificate *certificate = &certificates->items[i];

        if (certificate->told_days != 0) {
            json_out_open(out, certificate->file, '{');
            json_out_wall(out, "ends", certificate->ends);
            json_out_integer(out, "told_days", certificate->told_days);
            json_out_close(out, '}');
        }
    }
    json_out_close(out, '}');
}

/* A certificate that was found since the start may have another end: then that one was told of
 * another. */
static void recall(struct watched_certificate *certificate, const struct json *memory)
{
    struct wall_time ends = json_get_wall(memory, "ends");
    int told_days = (int)json_get_integer(memory, "told_days", 1000);

    if (ends.ms == 0 || told_days == 0) {
        return;
    }
    if (certificate->ends.ms == 0 || certificate->ends.ms == ends.ms) {
        certificate->ends = ends;
        certificate->told_days = told_days;
    }
}

void certificates_read(struct certificates *certificates, const struct json *document)
{
    const struct json *memories = json_get(document, MEMBER);

    for (size_t i = 0; i < certificates->count; i++) {
        recall(&certificates->items[i], json_get(memories, certificates->items[i].file));
    }
}
