#include "topics/topic.h"

#include <string.h>

#include "controller/support/text.h"

#define PLACEHOLDERS_MAX 2

static const struct topic_info infos[TOPIC_COUNT] = {
#define TOPIC_INFO(id, name_, writer_, qos_, retained_, text_)                                     \
    [id] = {                                                                                       \
        .name = name_,                                                                             \
        .writer = writer_,                                                                         \
        .qos = qos_,                                                                               \
        .retained = retained_,                                                                     \
        .text = text_,                                                                             \
    },
    TOPIC_LIST(TOPIC_INFO)
#undef TOPIC_INFO
};

const struct topic_info *topic_info(enum topic_id id)
{
    return &infos[id];
}

static enum status add_level(struct text *text, const char *value)
{
    if (value == NULL || value[0] == '\0' || strpbrk(value, "/+#") != NULL) {
        return STATUS_INVALID;
    }
    if (strlen(value) > TOPIC_MACHINE_MAX) {
        return STATUS_TOO_LONG;
    }
    text_add(text, value);
    return STATUS_OK;
}

/* Without `values` each placeholder becomes a `+`. */
static enum status
fill(char *ret_topic, size_t size, const char *prefix, enum topic_id id, const char *const *values)
{
    char topic[TOPIC_SIZE];
    struct text text = text_over(topic, sizeof topic);
    const char *name = infos[id].name;

    if (!text_is_name(prefix, TOPIC_PREFIX_MAX)) {
        return STATUS_INVALID;
    }
    text_add(&text, prefix);
    text_add(&text, "/");
    while (*name != '\0') {
        size_t literal = strcspn(name, "%");
        text_add_bytes(&text, name, literal);
        name += literal;
        if (*name == '%') {
            enum status status = STATUS_OK;
            if (values == NULL) {
                text_add(&text, "+");
            } else {
                status = add_level(&text, *values++);
            }
            if (status != STATUS_OK) {
                return status;
            }
            name += 2;
        }
    }
    if (text.cut || text.length >= size) {
        return STATUS_TOO_LONG;
    }
    memcpy(ret_topic, topic, text.length + 1);
    return STATUS_OK;
}

enum status topic_build(
    char *ret_topic, size_t size, const char *prefix, enum topic_id id, const char *first,
    const char *second)
{
    const char *const values[PLACEHOLDERS_MAX] = {first, second};
    return fill(ret_topic, size, prefix, id, values);
}

enum status topic_filter(char *ret_filter, size_t size, const char *prefix, enum topic_id id)
{
    return fill(ret_filter, size, prefix, id, NULL);
}

struct level {
    const char *start;
    size_t length;
};

/* Fails at the first byte that differs, so that trying the whole table costs little. */
static bool matches(const char *name, const char *topic, struct level levels[PLACEHOLDERS_MAX])
{
    for (; *name != '\0'; name++) {
        size_t length = 0;
        if (*name != '%') {
            if (*name != *topic) {
                return false;
            }
            topic++;
            continue;
        }
        while (topic[length] != '/' && topic[length] != '\0') {
            length++;
        }
        if (length == 0 || length > TOPIC_MACHINE_MAX) {
            return false;
        }
        *levels++ = (struct level){.start = topic, .length = length};
        topic += length;
        name++;
    }
    return *topic == '\0';
}

static void copy_level(char *target, struct level level)
{
    if (level.length > 0) {
        memcpy(target, level.start, level.length);
    }
    target[level.length] = '\0';
}

enum status topic_parse(const char *prefix, const char *topic, struct topic_match *ret_match)
{
    size_t length = strlen(prefix);

    if (strncmp(topic, prefix, length) != 0 || topic[length] != '/') {
        return STATUS_NOT_FOUND;
    }
    topic += length + 1;
    for (enum topic_id id = 0; id < TOPIC_COUNT; id++) {
        struct level levels[PLACEHOLDERS_MAX] = {0};
        if (matches(infos[id].name, topic, levels)) {
            ret_match->id = id;
            copy_level(ret_match->first, levels[0]);
            copy_level(ret_match->second, levels[1]);
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

static bool follows_prefix(const char *topic, const char *word)
{
    const char *slash = strchr(topic, '/');
    return slash != NULL && strncmp(slash, word, strlen(word)) == 0;
}

bool topic_is_request(const char *topic)
{
    return follows_prefix(topic, "/request/");
}

bool topic_is_response(const char *topic)
{
    return follows_prefix(topic, "/response/");
}
