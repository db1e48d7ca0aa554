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

const struct shipped_change shipped_mosquitto_is_written = {
    .from = "what to set, and why. Written for 2.0.11, which Debian 12 has.\n",
    .upto = "without accounts.\n",
    .to =
        "this host's own, with the reasons. Written once, by \"tagoutctl init\",\n"
        "# for 2.0.11, which Debian 12 has; Mosquitto reads it by way of /etc/mosquitto/conf.d.\n",
};

const struct shipped_change shipped_redis_is_written = {
    .from = "what to set, and why. Written for 7.0, which Debian 12 has.",
    .upto = "it would start empty.\n",
    .to = "this host's own, with the reasons. Written once, by \"tagoutctl init\",\n"
          "# for 7.0, which Debian 12 has; /etc/redis/redis.conf includes it. This Redis is "
          "Tagout's\n"
          "# alone.\n",
};

const struct shipped_change shipped_redis_has_a_password = {
    .from = "Put its password's hash",
    .upto = "change the name of the keys.\n",
    .to = "Its password is in\n"
          "# tagoutd.environment, and the SHA-256 of it here. The keys are those of [controller] "
          "prefix.\n",
};

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

/* The end of what gives way to the change that begins at `at`; NULL: it has none. */
static const char *end_of(const struct shipped_change *change, const char *at)
{
    const char *end = at + strlen(change->from);

    if (change->upto != NULL) {
        end = strstr(end, change->upto);
        end = end == NULL ? NULL : end + strlen(change->upto);
    }
    return end;
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
            shipped = end_of(change, at);
            if (shipped == NULL) {
                return STATUS_NOT_FOUND;
            }
            text_add(out, change->to);
            done[change - changes] = true;
        }
    } while (change != NULL);
    for (size_t i = 0; i < count; i++) {
        if (!done[i]) {
            return STATUS_NOT_FOUND;
        }
    }
    return out->cut ? STATUS_TOO_LONG : STATUS_OK;
}
