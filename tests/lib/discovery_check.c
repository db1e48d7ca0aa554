#include "tests/lib/discovery_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/support/text.h"

enum kind {
    NAME,     /* text, not empty */
    TOPIC,    /* one that can be published to */
    TEMPLATE, /* Jinja, one expression */
    ICON,
    WORD, /* one of the rule's words */
    YES_NO,
    QOS,
    COUNT,
    WORDS, /* different strings, at least one */
    SOURCES,
};

struct rule {
    const char *key;
    enum kind kind;
    bool is_required;
    const char *words; /* " word word " */
};

#define ROOT_AVAILABILITY                                                                          \
    {"availability", SOURCES, false, NULL},                                                        \
    {                                                                                              \
        "availability_mode", WORD, false, " all any latest "                                       \
    }

static const struct rule source_rules[] = {
    {"topic", TOPIC, true, NULL},
    {"value_template", TEMPLATE, false, NULL},
    {"payload_available", NAME, false, NULL},
    {"payload_not_available", NAME, false, NULL},
    {0},
};

static const struct rule device_rules[] = {
    {"identifiers", WORDS, true, NULL}, /* or connections, which no device of ours has */
    {"name", NAME, true, NULL},           {"manufacturer", NAME, false, NULL},
    {"model", NAME, false, NULL},         {"model_id", NAME, false, NULL},
    {"hw_version", NAME, false, NULL},    {"sw_version", NAME, false, NULL},
    {"serial_number", NAME, false, NULL}, {"suggested_area", NAME, false, NULL},
    {"via_device", NAME, false, NULL},    {0},
};

static const struct rule origin_rules[] = {
    {"name", NAME, true, NULL},
    {"sw_version", NAME, false, NULL},
    {0},
};

/* Of every platform. */
static const struct rule common_rules[] = {
    {"platform", NAME, true, NULL},
    {"unique_id", NAME, true, NULL},
    {"default_entity_id", NAME, false, NULL},
    {"name", NAME, false, NULL},
    {"icon", ICON, false, NULL},
    {"enabled_by_default", YES_NO, false, NULL},
    {"qos", QOS, false, NULL},
    {"json_attributes_topic", TOPIC, false, NULL},
    {"json_attributes_template", TEMPLATE, false, NULL},
    ROOT_AVAILABILITY,
    {0},
};

/* `config` on what only shows something raises, and the entity never appears. */
#define SHOWS                                                                                      \
    {"state_topic", TOPIC, true, NULL}, {"value_template", TEMPLATE, false, NULL},                 \
    {                                                                                              \
        "entity_category", WORD, false, " diagnostic "                                             \
    }

static const struct rule binary_sensor_rules[] = {
    SHOWS,
    {"device_class", WORD, false, " battery connectivity power problem running safety "},
    {"expire_after", COUNT, false, NULL},
    {"off_delay", COUNT, false, NULL},
    {"force_update", YES_NO, false, NULL},
    {"payload_on", NAME, false, NULL},
    {"payload_off", NAME, false, NULL},
    {0},
};

static const struct rule sensor_rules[] = {
    SHOWS,
    {"device_class", WORD, false, " current duration enum signal_strength temperature timestamp "},
    {"state_class", WORD, false, " measurement total total_increasing "},
    {"unit_of_measurement", NAME, false, NULL},
    {"suggested_display_precision", COUNT, false, NULL},
    {"options", WORDS, false, NULL},
    {"expire_after", COUNT, false, NULL},
    {"force_update", YES_NO, false, NULL},
    {0},
};

static const struct rule event_rules[] = {
    SHOWS,
    {"event_types", WORDS, true, NULL},
    {"device_class", WORD, false, " button doorbell motion "},
    {0},
};

static const struct rule button_rules[] = {
    {"command_topic", TOPIC, true, NULL},
    {"payload_press", NAME, false, NULL},
    {"retain", YES_NO, false, NULL},
    {"entity_category", WORD, false, " config diagnostic "},
    {"device_class", WORD, false, " identify restart update "},
    {0},
};

static const struct {
    const char *platform;
    const struct rule *rules;
} platforms[] = {
    {"binary_sensor", binary_sensor_rules},
    {"sensor", sensor_rules},
    {"event", event_rules},
    {"button", button_rules},
};

static void check_object(
    const char *place, const struct json *object, const struct rule *rules,
    const struct rule *more_rules);

static void check_words(const char *place, const struct json *list)
{
    assert_int_equal(json_type(list), JSON_ARRAY);
    if (json_first(list) == NULL) {
        fail_msg("%s: is empty", place);
    }
    for (const struct json *a = json_first(list); a != NULL; a = json_next(a)) {
        assert_int_equal(json_type(a), JSON_STRING);
        for (const struct json *b = json_next(a); b != NULL; b = json_next(b)) {
            if (strcmp(json_string(a), json_string(b)) == 0) {
                fail_msg("%s: %s stands twice", place, json_string(a));
            }
        }
    }
}

static void check_sources(const char *place, const struct json *list)
{
    assert_int_equal(json_type(list), JSON_ARRAY);
    assert_non_null(json_first(list));
    for (const struct json *source = json_first(list); source != NULL; source = json_next(source)) {
        check_object(place, source, source_rules, NULL);
    }
}

/* Enough to find a slip of the pen: what it means is Home Assistant's own check. */
static void check_template(const char *place, const char *text)
{
    size_t length = strlen(text);
    int depth = 0;
    bool quoted = false;

    if (length < 6 || strncmp(text, "{{ ", 3) != 0 || strcmp(text + length - 3, " }}") != 0) {
        fail_msg("%s: is no template: %s", place, text);
    }
    for (const char *at = text; *at != '\0'; at++) {
        quoted ^= *at == '\'';
        depth += quoted ? 0 : (strchr("({[", *at) != NULL) - (strchr(")}]", *at) != NULL);
        if (depth < 0) {
            break;
        }
    }
    if (quoted || depth != 0) {
        fail_msg("%s: quotes or brackets do not match: %s", place, text);
    }
}

static void check_text(const char *place, const struct rule *rule, const char *text)
{
    TEXT_LOCAL(word, 128);

    if (text[0] == '\0') {
        fail_msg("%s: is empty", place);
    }
    if (rule->kind == TOPIC && strpbrk(text, "+#") != NULL) {
        fail_msg("%s: is a filter: %s", place, text);
    }
    if (rule->kind == ICON && strncmp(text, "mdi:", 4) != 0) {
        fail_msg("%s: is no icon: %s", place, text);
    }
    text_addf(&word, " %s ", text);
    if (rule->kind == WORD && strstr(rule->words, word.data) == NULL) {
        fail_msg("%s: is none of%s: %s", place, rule->words, text);
    }
    if (rule->kind == TEMPLATE) {
        check_template(place, text);
    }
}

static void check_value(const char *place, const struct rule *rule, const struct json *value)
{
    switch (rule->kind) {
    case NAME:
    case TOPIC:
    case TEMPLATE:
    case ICON:
    case WORD:
        if (json_type(value) != JSON_STRING) {
            fail_msg("%s: is not a string", place);
        }
        check_text(place, rule, json_string(value));
        break;
    case YES_NO:
        assert_int_equal(json_type(value), JSON_BOOL);
        break;
    case QOS:
        assert_true(json_is_integer(value, 0, 2));
        break;
    case COUNT:
        assert_true(json_is_integer(value, 0, 100000));
        break;
    case WORDS:
        check_words(place, value);
        break;
    case SOURCES:
        check_sources(place, value);
        break;
    }
}

static const struct rule *find_rule(const struct rule *rules, const char *key)
{
    for (; rules != NULL && rules->key != NULL; rules++) {
        if (strcmp(rules->key, key) == 0) {
            return rules;
        }
    }
    return NULL;
}

static void check_required(const char *place, const struct json *object, const struct rule *rules)
{
    for (; rules != NULL && rules->key != NULL; rules++) {
        if (rules->is_required && json_get(object, rules->key) == NULL) {
            fail_msg("%s: has no %s", place, rules->key);
        }
    }
}

static void check_object(
    const char *place, const struct json *object, const struct rule *rules,
    const struct rule *more_rules)
{
    if (object == NULL || json_type(object) != JSON_OBJECT) {
        fail_msg("%s: is no object", place);
    }
    for (const struct json *value = json_first(object); value != NULL; value = json_next(value)) {
        const struct rule *rule = find_rule(rules, json_key(value));
        TEXT_LOCAL(inner, 256);
        text_addf(&inner, "%s/%s", place, json_key(value));
        rule = rule != NULL ? rule : find_rule(more_rules, json_key(value));
        if (rule == NULL) {
            fail_msg("%s: Home Assistant knows no such key", inner.data);
        } else {
            check_value(inner.data, rule, value);
        }
    }
    check_required(place, object, rules);
    check_required(place, object, more_rules);
}

const char *discovery_string(const struct json *component, const char *key)
{
    const struct json *value = json_get(component, key);
    return value == NULL || json_type(value) != JSON_STRING ? "" : json_string(value);
}

static void check_sensor(const char *place, const struct json *component)
{
    bool is_enum = strcmp(discovery_string(component, "device_class"), "enum") == 0;

    if (is_enum != (json_get(component, "options") != NULL) ||
        (is_enum && (json_get(component, "unit_of_measurement") != NULL ||
                     json_get(component, "state_class") != NULL))) {
        fail_msg("%s: options go with enum, and with neither unit nor state_class", place);
    }
    if ((json_get(component, "unit_of_measurement") == NULL) !=
        (json_get(component, "state_class") == NULL)) {
        fail_msg("%s: a measurement has a unit and a state_class", place);
    }
}

static void check_component(const struct json *component)
{
    const char *key = json_key(component);
    const char *platform = discovery_string(component, "platform");
    TEXT_LOCAL(id, 256);

    for (size_t i = 0; i < sizeof platforms / sizeof platforms[0]; i++) {
        if (strcmp(platform, platforms[i].platform) != 0) {
            continue;
        }
        if (json_count(component) == 1) {
            return; /* removed */
        }
        check_object(key, component, common_rules, platforms[i].rules);
        if (platforms[i].rules == sensor_rules) {
            check_sensor(key, component);
        }
        text_addf(&id, "%s.%s", platform, discovery_string(component, "unique_id"));
        for (char *at = id.data; *at != '\0'; at++) {
            *at = *at == '-' ? '_' : *at;
        }
        assert_string_equal(discovery_string(component, "default_entity_id"), id.data);
        return;
    }
    fail_msg("%s: \"%s\" is no platform that Tagout uses", key, platform);
}

struct json *discovery_check(const char *payload)
{
    static const struct rule root_rules[] = {ROOT_AVAILABILITY, {0}};
    struct json *document = NULL;
    const struct json *components;
    TEXT_LOCAL(why, 256);

    if (json_parse(payload, strlen(payload), &document, &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
    check_object("device", json_get(document, "device"), device_rules, NULL);
    check_object("origin", json_get(document, "origin"), origin_rules, NULL);
    components = json_get(document, "components");
    assert_non_null(components);
    for (const struct json *member = json_first(document); member != NULL;
         member = json_next(member)) {
        const char *key = json_key(member);
        const struct rule *rule = find_rule(root_rules, key);
        if (rule != NULL) {
            check_value(key, rule, member);
        } else if (
            strcmp(key, "device") != 0 && strcmp(key, "origin") != 0 &&
            strcmp(key, "components") != 0) {
            fail_msg("/%s: Home Assistant knows no such key, and drops the device", key);
        }
    }
    for (const struct json *component = json_first(components); component != NULL;
         component = json_next(component)) {
        check_component(component);
    }
    return document;
}
