#include "controller/daemon/discovery_message.h"

#include <string.h>

#include "controller/core/effect.h"
#include "controller/core/machine.h"
#include "controller/support/json.h"

#define TELEMETRY_EXPIRES_S 180 /* three of its longest pauses */
#define ID_SIZE (TOPIC_PREFIX_MAX + TOPIC_MACHINE_MAX + 64)

#define LEADER_RUNS "{{ 'online' if value_json.status == 'running' else 'offline' }}"
#define LINK_STANDS "{{ 'online' if value == 'online' else 'offline' }}"

/* What is being written, and of whom. */
struct message {
    const struct settings *settings;
    const char *machine; /* NULL: the controller's own device */
    bool has_second_relay;
    const char *second_alias;
    char device[ID_SIZE];
    bool failed; /* a topic could not be built */
    struct json_out *out;
};

static void add_device_id(const struct settings *settings, const char *machine, struct text *id)
{
    text_addf(
        id, "%s%s%s", settings->controller.prefix, machine == NULL ? "-controller" : "_",
        machine == NULL ? "" : machine);
}

enum status
discovery_topic(const struct settings *settings, const char *machine, char ret_topic[TOPIC_SIZE])
{
    struct text topic = text_over(ret_topic, TOPIC_SIZE);

    text_addf(&topic, "%s/device/", settings->homeassistant.discovery_prefix);
    add_device_id(settings, machine, &topic);
    text_add(&topic, "/config");
    return topic.cut ? STATUS_TOO_LONG : STATUS_OK;
}

static void add_topic(struct message *message, const char *key, enum topic_id id, const char *of)
{
    const char *first = of != NULL ? of : message->machine;
    char topic[TOPIC_SIZE];

    if (id == TOPIC_CONTROLLER_STATUS) {
        first = message->settings->controller.id;
    }
    if (topic_build(topic, sizeof topic, message->settings->controller.prefix, id, first, NULL) !=
        STATUS_OK) {
        message->failed = true;
        return;
    }
    json_out_string(message->out, key, topic);
}

static void add_optional(struct json_out *out, const char *key, const char *value)
{
    if (value != NULL) {
        json_out_string(out, key, value);
    }
}

static void
add_source(struct message *message, enum topic_id id, const char *of, const char *template)
{
    json_out_open(message->out, NULL, '{');
    add_topic(message, "topic", id, of);
    json_out_string(message->out, "value_template", template);
    json_out_close(message->out, '}');
}

static void add_availability(struct message *message, enum discovery_follows follows)
{
    struct json_out *out = message->out;

    if (follows == FOLLOWS_NOBODY) {
        return;
    }
    json_out_string(out, "availability_mode", "all");
    json_out_open(out, "availability", '[');
    if (follows == FOLLOWS_WATCHER) {
        add_source(message, TOPIC_SERVICE, "watcher", LEADER_RUNS);
    } else {
        add_source(message, TOPIC_SERVICE, "leader", LEADER_RUNS);
    }
    if (follows == FOLLOWS_MACHINE) {
        add_source(message, TOPIC_LINK, NULL, LINK_STANDS);
    }
    json_out_close(out, ']');
}

/* Two kinds of machines' entities have a list of words. */
static void add_words(const struct discovery_entity *entity, struct json_out *out)
{
    if (entity->topic == TOPIC_ALERT) {
        json_out_open(out, "event_types", '[');
        json_out_string(out, NULL, "alert");
        json_out_close(out, ']');
    } else if (entity->topic == TOPIC_EVENT) {
        json_out_open(out, "event_types", '[');
        for (int type = 0; type < CORE_NOTICE_COUNT; type++) {
            json_out_string(out, NULL, core_notice_text((enum core_notice_type)type));
        }
        json_out_string(out, NULL, "save_timeout");
        json_out_close(out, ']');
    } else if (entity->device_class != NULL && strcmp(entity->device_class, "enum") == 0) {
        json_out_open(out, "options", '[');
        for (int mode = 0; mode < CORE_MODE_COUNT; mode++) {
            json_out_string(out, NULL, core_mode_text((enum core_mode)mode));
        }
        json_out_close(out, ']');
    }
}

/* Home Assistant knows small letters, digits and underscores in an entity's id. */
static void add_ids(const struct message *message, const struct discovery_entity *entity)
{
    TEXT_LOCAL(unique, ID_SIZE + 32);
    TEXT_LOCAL(entity_id, ID_SIZE + 64);

    text_addf(&unique, "%s_%s", message->device, entity->key);
    text_addf(&entity_id, "%s.%s", entity->platform, unique.data);
    for (char *at = entity_id.data; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : *at;
    }
    json_out_string(message->out, "unique_id", unique.data);
    json_out_string(message->out, "default_entity_id", entity_id.data);
}

static void add_name(const struct message *message, const struct discovery_entity *entity)
{
    TEXT_LOCAL(name, 512);

    if (entity->needs == NEEDS_SECOND_RELAY && message->second_alias[0] != '\0') {
        text_addf(&name, "%s (commanded)", message->second_alias);
    } else {
        text_add(&name, entity->name);
    }
    json_out_string(message->out, "name", name.data);
}

static void add_state(struct message *message, const struct discovery_entity *entity)
{
    bool names = message->settings->homeassistant.show_names;
    const char *value =
        names || entity->value_nameless == NULL ? entity->value : entity->value_nameless;
    const char *attributes = names || entity->attributes_nameless == NULL
                                 ? entity->attributes
                                 : entity->attributes_nameless;

    add_topic(message, "state_topic", entity->topic, entity->topic_of);
    add_optional(message->out, "value_template", value);
    if (attributes != NULL) {
        add_topic(message, "json_attributes_topic", entity->topic, entity->topic_of);
        json_out_string(message->out, "json_attributes_template", attributes);
    }
    if (entity->topic == TOPIC_TELEMETRY) {
        json_out_integer(message->out, "expire_after", TELEMETRY_EXPIRES_S);
    }
    if (entity->unit != NULL) {
        json_out_string(message->out, "unit_of_measurement", entity->unit);
        json_out_string(message->out, "state_class", "measurement");
        json_out_integer(message->out, "suggested_display_precision", entity->decimals);
    }
    add_words(entity, message->out);
}

static bool is_there(const struct message *message, enum discovery_needs needs)
{
    switch (needs) {
    case NEEDS_NOTHING:
        return true;
    case NEEDS_SECOND_RELAY:
        return message->has_second_relay;
    case NEEDS_MAY_CLEAR:
        return message->settings->homeassistant.may_clear;
    }
    return false;
}

static void add_entity(struct message *message, const struct discovery_entity *entity)
{
    struct json_out *out = message->out;

    json_out_open(out, entity->key, '{');
    json_out_string(out, "platform", entity->platform);
    if (is_there(message, entity->needs)) {
        add_ids(message, entity);
        add_name(message, entity);
        add_optional(out, "device_class", entity->device_class);
        add_optional(out, "entity_category", entity->category);
        add_optional(out, "icon", entity->icon);
        if (entity->is_hidden) {
            json_out_bool(out, "enabled_by_default", false);
        }
        json_out_integer(out, "qos", 1);
        if (entity->word == NULL) {
            add_state(message, entity);
        } else {
            add_topic(message, "command_topic", entity->topic, NULL);
            json_out_string(out, "payload_press", entity->word);
            json_out_bool(out, "retain", false);
        }
        if (message->machine == NULL || entity->follows != FOLLOWS_LEADER) {
            add_availability(message, entity->follows);
        }
    }
    json_out_close(out, '}');
}

static void
add_device(const struct message *message, const char *name, const char *model, const char *version)
{
    struct json_out *out = message->out;
    TEXT_LOCAL(parent, ID_SIZE);

    json_out_open(out, "device", '{');
    json_out_open(out, "identifiers", '[');
    json_out_string(out, NULL, message->device);
    json_out_close(out, ']');
    json_out_string(out, "name", name);
    json_out_string(out, "manufacturer", "Tagout");
    json_out_string(out, "model", model);
    if (version[0] != '\0') {
        json_out_string(out, "sw_version", version);
    }
    if (message->machine != NULL) {
        add_device_id(message->settings, NULL, &parent);
        json_out_string(out, "via_device", parent.data);
    }
    json_out_close(out, '}');
    json_out_open(out, "origin", '{');
    json_out_string(out, "name", "Tagout");
    json_out_string(out, "sw_version", TAGOUT_VERSION);
    json_out_close(out, '}');
}

static void add_components(struct message *message, const struct discovery_entity *entities)
{
    json_out_open(message->out, "components", '{');
    for (const struct discovery_entity *entity = entities; entity->key != NULL; entity++) {
        add_entity(message, entity);
    }
    json_out_close(message->out, '}');
}

enum status discovery_print_machine(
    const struct settings *settings, const struct roster_machine *machine, const char *fw,
    struct text *text)
{
    struct json_out out = json_out(text);
    struct message message = {
        .settings = settings,
        .machine = machine->name,
        .has_second_relay = machine->config.second_relay.present,
        .second_alias = machine->second_alias,
        .out = &out,
    };
    struct text id = text_over(message.device, sizeof message.device);

    add_device_id(settings, machine->name, &id);
    json_out_open(&out, NULL, '{');
    add_device(&message, machine->display_name, "Machine", fw);
    add_availability(&message, FOLLOWS_LEADER); /* of each component that has none of its own */
    add_components(&message, discovery_machine_entities);
    json_out_close(&out, '}');
    return text->cut || message.failed ? STATUS_TOO_LONG : STATUS_OK;
}

enum status discovery_print_controller(const struct settings *settings, struct text *text)
{
    struct json_out out = json_out(text);
    struct message message = {.settings = settings, .second_alias = "", .out = &out};
    struct text id = text_over(message.device, sizeof message.device);
    TEXT_LOCAL(name, TOPIC_PREFIX_MAX + 32);

    add_device_id(settings, NULL, &id);
    /* Two shops on one broker have two prefixes. */
    text_add(&name, "Tagout");
    if (strcmp(settings->controller.prefix, "tagout") != 0) {
        text_addf(&name, " %s", settings->controller.prefix);
    }
    json_out_open(&out, NULL, '{');
    add_device(&message, name.data, "Controller", TAGOUT_VERSION);
    add_components(&message, discovery_controller_entities);
    json_out_close(&out, '}');
    return text->cut || message.failed ? STATUS_TOO_LONG : STATUS_OK;
}
