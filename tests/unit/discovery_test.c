/* C8.3: what Home Assistant is told of a device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/discovery_message.h"
#include "tests/lib/discovery_check.h"

static struct settings *settings;

static int load_settings(void **state)
{
    TEXT_LOCAL(why, 256);

    (void)state;
    return settings_load(NULL, &settings, &why) == STATUS_OK ? 0 : -1;
}

static int free_settings(void **state)
{
    (void)state;
    settings_free(settings);
    return 0;
}

static struct roster_machine machine_of(const char *name, const char *display_name, bool second)
{
    struct roster_machine machine = {
        .display_name = display_name,
        .alias = display_name,
        .second_alias = "",
        .config.second_relay.present = second,
    };

    text_copy(machine.name, sizeof machine.name, name);
    return machine;
}

static char payload_bytes[DISCOVERY_BYTES_MAX];

/* Checked against the tables; to be freed by json_free. */
static struct json *message_of(const struct roster_machine *machine, const char *fw)
{
    struct text payload = text_over(payload_bytes, sizeof payload_bytes);

    assert_int_equal(
        machine == NULL ? discovery_print_controller(settings, &payload)
                        : discovery_print_machine(settings, machine, fw, &payload),
        STATUS_OK);
    return discovery_check(payload_bytes);
}

static void allow(bool may_clear, bool show_names)
{
    settings->homeassistant.may_clear = may_clear;
    settings->homeassistant.show_names = show_names;
}

static const struct json *component_of(const struct json *message, const char *key)
{
    const struct json *component = json_get(json_get(message, "components"), key);

    if (component == NULL) {
        fail_msg("there is no %s", key);
    }
    return component;
}

static bool is_there(const struct json *message, const char *key)
{
    return json_count(component_of(message, key)) > 1;
}

static void C8_3_every_message_keeps_Home_Assistants_rules(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 16; which++) {
        struct roster_machine machine = machine_of("saw", "Table Saw", (which & 1) != 0);
        allow((which & 2) != 0, (which & 4) != 0);
        json_free(message_of(&machine, (which & 8) != 0 ? "2026.11.0" : ""));
        json_free(message_of(NULL, ""));
    }
}

/* Permanent: with another one Home Assistant makes a second entity. */
static const struct {
    const char *key;
    const char *unique_id;
    const char *entity_id;
    const char *name;
} entities[] = {
    {"power", "tagout_saw-2_power", "binary_sensor.tagout_saw_2_power", "Power (confirmed)"},
    {"second_relay", "tagout_saw-2_second_relay", "binary_sensor.tagout_saw_2_second_relay",
     "Second relay (commanded)"},
    {"oops", "tagout_saw-2_oops", "binary_sensor.tagout_saw_2_oops", "Oops"},
    {"locked_out", "tagout_saw-2_locked_out", "binary_sensor.tagout_saw_2_locked_out",
     "Locked out (not isolated)"},
    {"in_use_by", "tagout_saw-2_in_use_by", "sensor.tagout_saw_2_in_use_by", "In use by"},
    {"mode", "tagout_saw-2_mode", "sensor.tagout_saw_2_mode", "Mode"},
    {"amps", "tagout_saw-2_amps", "sensor.tagout_saw_2_amps", "Current"},
    {"signal", "tagout_saw-2_signal", "sensor.tagout_saw_2_signal", "Wi-Fi signal"},
    {"temperature", "tagout_saw-2_temperature", "sensor.tagout_saw_2_temperature",
     "Controller box temperature"},
    {"last_boot", "tagout_saw-2_last_boot", "sensor.tagout_saw_2_last_boot", "Last boot"},
    {"connectivity", "tagout_saw-2_connectivity", "binary_sensor.tagout_saw_2_connectivity",
     "Connectivity"},
    {"attention", "tagout_saw-2_attention", "binary_sensor.tagout_saw_2_attention",
     "Needs attention"},
    {"access", "tagout_saw-2_access", "event.tagout_saw_2_access", "Access"},
    {"lockout_button", "tagout_saw-2_lockout_button", "button.tagout_saw_2_lockout_button",
     "Lock out"},
    {"oops_button", "tagout_saw-2_oops_button", "button.tagout_saw_2_oops_button", "Press Oops"},
    {"unlock_button", "tagout_saw-2_unlock_button", "button.tagout_saw_2_unlock_button", "Unlock"},
    {"oops_clear_button", "tagout_saw-2_oops_clear_button", "button.tagout_saw_2_oops_clear_button",
     "Clear oops"},
};

static void C8_3_these_are_the_entities_of_a_machine_and_their_names_for_ever(void **state)
{
    struct roster_machine machine = machine_of("saw-2", "Table Saw", true);
    struct json *message;

    (void)state;
    allow(true, true);
    message = message_of(&machine, "");
    assert_int_equal(
        json_count(json_get(message, "components")), sizeof entities / sizeof entities[0]);
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        const struct json *component = component_of(message, entities[i].key);
        assert_string_equal(discovery_string(component, "unique_id"), entities[i].unique_id);
        assert_string_equal(
            discovery_string(component, "default_entity_id"), entities[i].entity_id);
        assert_string_equal(discovery_string(component, "name"), entities[i].name);
    }
    json_free(message);
}

static void no_key_is_the_end_of_another_so_that_no_two_machines_share_an_id(void **state)
{
    (void)state;
    for (const struct discovery_entity *a = discovery_machine_entities; a->key != NULL; a++) {
        for (const struct discovery_entity *b = discovery_machine_entities; b->key != NULL; b++) {
            size_t longer = strlen(a->key);
            size_t shorter = strlen(b->key);
            if (longer > shorter && a->key[longer - shorter - 1] == '_' &&
                strcmp(a->key + longer - shorter, b->key) == 0) {
                fail_msg("%s ends like %s", a->key, b->key);
            }
        }
    }
}

static void C8_3_the_device_stands_below_the_controllers_and_tells_its_firmware(void **state)
{
    struct roster_machine machine = machine_of("saw", "Säge \"groß\"", false);
    struct json *message = message_of(&machine, "2026.11.0");
    const struct json *device = json_get(message, "device");
    char topic[TOPIC_SIZE];

    (void)state;
    assert_string_equal(json_string(json_first(json_get(device, "identifiers"))), "tagout_saw");
    assert_string_equal(discovery_string(device, "name"), "Säge \"groß\"");
    assert_string_equal(discovery_string(device, "sw_version"), "2026.11.0");
    assert_string_equal(discovery_string(device, "via_device"), "tagout-controller");
    json_free(message);
    assert_int_equal(discovery_topic(settings, "saw", topic), STATUS_OK);
    assert_string_equal(topic, "homeassistant/device/tagout_saw/config");
    message = message_of(NULL, "");
    device = json_get(message, "device");
    assert_string_equal(
        json_string(json_first(json_get(device, "identifiers"))), "tagout-controller");
    json_free(message);
    assert_int_equal(discovery_topic(settings, NULL, topic), STATUS_OK);
    assert_string_equal(topic, "homeassistant/device/tagout-controller/config");
}

static void C8_3_without_may_clear_nothing_says_OFF(void **state)
{
    struct roster_machine machine = machine_of("saw", "Table Saw", true);
    struct json *message;

    (void)state;
    allow(false, true);
    message = message_of(&machine, "");
    assert_false(is_there(message, "unlock_button"));
    assert_false(is_there(message, "oops_clear_button"));
    assert_null(strstr(payload_bytes, "\"OFF\""));
    json_free(message);
    allow(true, true);
    message = message_of(&machine, "");
    assert_true(is_there(message, "unlock_button"));
    assert_true(is_there(message, "oops_clear_button"));
    json_free(message);
}

static void a_button_says_its_word_and_the_broker_forgets_it(void **state)
{
    static const char *const words[][3] = {
        {"lockout_button", "tagout/machine/saw/set/lockout", "ON"},
        {"oops_button", "tagout/machine/saw/set/oops", "ON"},
        {"unlock_button", "tagout/machine/saw/set/lockout", "OFF"},
        {"oops_clear_button", "tagout/machine/saw/set/oops", "OFF"},
    };
    struct roster_machine machine = machine_of("saw", "Table Saw", false);
    struct json *message;

    (void)state;
    allow(true, false);
    message = message_of(&machine, "");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct json *button = component_of(message, words[i][0]);
        assert_string_equal(discovery_string(button, "command_topic"), words[i][1]);
        assert_string_equal(discovery_string(button, "payload_press"), words[i][2]);
        assert_false(json_bool(json_get(button, "retain")));
        /* An action on a whole area leaves out what has a category. */
        assert_string_equal(
            discovery_string(button, "entity_category"),
            strcmp(words[i][2], "OFF") == 0 ? "config" : "");
    }
    json_free(message);
}

static void
C8_3_a_second_relay_that_is_no_more_is_removed_and_one_with_an_alias_is_called_so(void **state)
{
    struct roster_machine machine = machine_of("laser", "Laser", false);
    struct json *message = message_of(&machine, "");

    (void)state;
    assert_false(is_there(message, "second_relay"));
    json_free(message);
    machine = machine_of("laser", "Laser", true);
    machine.second_alias = "Air assist";
    message = message_of(&machine, "");
    assert_string_equal(
        discovery_string(component_of(message, "second_relay"), "name"), "Air assist (commanded)");
    json_free(message);
}

/* The topics that an entity's availability follows: of its own, or else the device's. */
static void assert_follows(const struct json *message, const char *key, const char *topics)
{
    const struct json *own = json_get(component_of(message, key), "availability");
    const struct json *list = own != NULL ? own : json_get(message, "availability");
    TEXT_LOCAL(followed, 512);

    for (const struct json *source = list == NULL ? NULL : json_first(list); source != NULL;
         source = json_next(source)) {
        text_addf(
            &followed, "%s%s", followed.length > 0 ? " " : "", discovery_string(source, "topic"));
        assert_true(strlen(discovery_string(source, "value_template")) > 0);
    }
    if (strcmp(followed.data, topics) != 0) {
        fail_msg("%s follows \"%s\", not \"%s\"", key, followed.data, topics);
    }
}

static void C8_3_relays_and_measurements_follow_machine_and_leader_all_else_the_leader(void **state)
{
    static const char *const of_machine = " power second_relay amps signal temperature ";
    struct roster_machine machine = machine_of("saw", "Table Saw", true);
    struct json *message;

    (void)state;
    allow(true, true);
    message = message_of(&machine, "");
    assert_string_equal(discovery_string(message, "availability_mode"), "all");
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        TEXT_LOCAL(word, 64);
        text_addf(&word, " %s ", entities[i].key);
        assert_follows(
            message, entities[i].key,
            strstr(of_machine, word.data) != NULL ? "tagout/service/leader tagout/machine/saw/link"
                                                  : "tagout/service/leader");
    }
    json_free(message);
    message = message_of(NULL, "");
    assert_follows(message, "leader", "tagout/service/watcher");
    assert_follows(message, "watcher", "");
    assert_follows(message, "attention", "");
    json_free(message);
}

static void without_show_names_nothing_asks_who_it_was(void **state)
{
    static const char *const who[] = {
        "_by,",
        "value_json.account_id",
        "value_json.text",
        "value_json.by",
        "value_json.last_user",
        "value_json.user or",
        "value_json.display"};
    struct roster_machine machine = machine_of("saw", "Table Saw", true);
    struct json *message;

    (void)state;
    allow(false, false);
    message = message_of(&machine, "");
    for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
        if (strstr(payload_bytes, who[i]) != NULL) {
            fail_msg("it asks for %s", who[i]);
        }
    }
    assert_string_not_equal(
        discovery_string(component_of(message, "access"), "value_template"), "");
    json_free(message);
    allow(false, true);
    message = message_of(&machine, "");
    assert_non_null(strstr(payload_bytes, "value_json.user or"));
    assert_non_null(strstr(payload_bytes, "value_json.oops_by"));
    assert_non_null(strstr(payload_bytes, "value_json.account_id"));
    assert_string_equal(discovery_string(component_of(message, "access"), "value_template"), "");
    json_free(message);
}

static void assert_words(const struct json *list, const char *words)
{
    TEXT_LOCAL(found, 1024);

    for (const struct json *word = json_first(list); word != NULL; word = json_next(word)) {
        text_addf(&found, "%s%s", found.length > 0 ? " " : "", json_string(word));
    }
    assert_string_equal(found.data, words);
}

static void every_event_of_C8_2_and_every_mode_of_C8_1_is_expected(void **state)
{
    struct roster_machine machine = machine_of("saw", "Table Saw", false);
    struct json *message = message_of(&machine, "");

    (void)state;
    assert_words(
        json_get(component_of(message, "access"), "event_types"),
        "login logout denied unknown_fob refused override_login emergency_login oops unoops "
        "lockout unlock reboot link_lost machine_error machine_recovered machine_offline fault "
        "fault_cleared save_timeout");
    assert_words(
        json_get(component_of(message, "mode"), "options"),
        "idle in_use override emergency always_on denied unknown_fob oops lockout");
    json_free(message);
}

/* A retained message starts the timer anew at each subscription. */
static void only_what_is_not_retained_expires(void **state)
{
    struct roster_machine machine = machine_of("saw", "Table Saw", true);
    struct json *message = message_of(&machine, "");
    const struct json *components = json_get(message, "components");

    (void)state;
    for (const struct json *one = json_first(components); one != NULL; one = json_next(one)) {
        bool is_telemetry =
            strcmp(discovery_string(one, "state_topic"), "tagout/machine/saw/telemetry") == 0;
        assert_int_equal(json_get(one, "expire_after") != NULL, is_telemetry);
    }
    json_free(message);
}

static void the_longest_names_fit(void **state)
{
    struct roster_machine machine = machine_of("", "", true);
    char *prefix = settings->controller.prefix;
    char longest[TOPIC_PREFIX_MAX + 1];
    char name[CORE_NAME_SIZE] = "";
    char second[CORE_NAME_SIZE] = "";

    (void)state;
    memset(longest, 'p', TOPIC_PREFIX_MAX);
    longest[TOPIC_PREFIX_MAX] = '\0';
    settings->controller.prefix = longest;
    memset(machine.name, 'm', TOPIC_MACHINE_MAX);
    memset(name, '"', sizeof name - 1);
    memset(second, '\\', sizeof second - 1);
    machine.display_name = name;
    machine.second_alias = second;
    allow(true, true);
    json_free(message_of(&machine, "0123456789012345678901234567890123456789"));
    json_free(message_of(NULL, ""));
    settings->controller.prefix = prefix;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C8_3_every_message_keeps_Home_Assistants_rules),
        cmocka_unit_test(C8_3_these_are_the_entities_of_a_machine_and_their_names_for_ever),
        cmocka_unit_test(no_key_is_the_end_of_another_so_that_no_two_machines_share_an_id),
        cmocka_unit_test(C8_3_the_device_stands_below_the_controllers_and_tells_its_firmware),
        cmocka_unit_test(C8_3_without_may_clear_nothing_says_OFF),
        cmocka_unit_test(a_button_says_its_word_and_the_broker_forgets_it),
        cmocka_unit_test(
            C8_3_a_second_relay_that_is_no_more_is_removed_and_one_with_an_alias_is_called_so),
        cmocka_unit_test(
            C8_3_relays_and_measurements_follow_machine_and_leader_all_else_the_leader),
        cmocka_unit_test(without_show_names_nothing_asks_who_it_was),
        cmocka_unit_test(every_event_of_C8_2_and_every_mode_of_C8_1_is_expected),
        cmocka_unit_test(only_what_is_not_retained_expires),
        cmocka_unit_test(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, load_settings, free_settings);
}
