#include "controller/setup/shipped.h"

#include <string.h>

/* The assembler reads the file; the Makefile knows that this object depends on it. */
#define SHIPPED(name, path)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".global " #name "\n" #name ":\n"                                                      \
            ".incbin \"" path "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".previous\n");

SHIPPED(shipped_tagout_ini, "deploy/etc/tagout.ini")
SHIPPED(shipped_mosquitto_conf, "deploy/mosquitto/tagout.conf")
SHIPPED(shipped_redis_conf, "deploy/redis/tagout.conf")

#define CHANGES_MAX 16

/* The next change from here on; NULL: none, and `ret_at` is the end. */
static const struct shipped_change *next_change(
    const char *from, const struct shipped_change *changes, size_t count, const bool done[],
    const char **ret_at)
{
    const struct shipped_change *next = NULL;

    *ret_at = from + strlen(from);
    for (size_t i = 0; i < count; i++) {
        const char *at = done[i] && !changes[i].everywhere ? NULL : strstr(from, changes[i].from);

        if (at != NULL && at < *ret_at) {
            next = &changes[i];
            *ret_at = at;
        }
    }
    return next;
}

enum status shipped_fill(
    const char *shipped, const struct shipped_change *changes, size_t count, struct text *out)
{
    bool done[CHANGES_MAX] = {false};
    const struct shipped_change *change;
    const char *at;

    if (count > CHANGES_MAX) {
        return STATUS_TOO_LONG;
    }
    do {
        change = next_change(shipped, changes, count, done, &at);
        text_add_bytes(out, shipped, (size_t)(at - shipped));
        if (change != NULL) {
            text_add(out, change->to);
            done[change - changes] = true;
            shipped = at + strlen(change->from);
        }
    } while (change != NULL);
    for (size_t i = 0; i < count; i++) {
        if (!done[i]) {
            return STATUS_NOT_FOUND;
        }
    }
    return out->cut ? STATUS_TOO_LONG : STATUS_OK;
}
