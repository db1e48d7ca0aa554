/* The entities of Home Assistant (C8.3). Never a switch: whoever turns off everything in the
 * woodshop must not unlock it. Unlock and Clear oops are of the category `config`, which actions on
 * a whole area leave out.
 *
 * No key is the end of another one behind an underscore, so that the `unique_id` of a machine "saw"
 * is never that of a machine "saw_x".
 */
#include "controller/daemon/discovery_message.h"

/* JSON's null, and a word that Home Assistant takes for "unknown". */
#define MOMENT(key) "(as_datetime(value_json." key ").isoformat() if value_json." key " else none)"
#define KNOWN(key) "'" key "': value_json." key
#define OPTIONAL_KEY(key) "'" key "': value_json." key " | default(none)"
#define RUNS "{{ 'ON' if value_json.status == 'running' else 'OFF' }}"
#define SERVICE_ATTRIBUTES                                                                         \
    "{{ {" KNOWN("status") ", " OPTIONAL_KEY("reason") ", 'since': " MOMENT(                       \
        "since") "}"                                                                               \
                 " | to_json }}"

#define CONFIRMED                                                                                  \
    "{{ 'ON' if value_json.confirmed == 'on' else 'OFF' if value_json.confirmed == 'off'"          \
    " else 'None' }}"
#define FLAG(key) "{{ 'ON' if value_json." key " else 'OFF' }}"
/* A telemetry message carries the numbers that the device has; an empty state is ignored. */
#define NUMBER(key) "{{ value_json." key " | default('') }}"

const struct discovery_entity discovery_machine_entities[] = {
    {
        .key = "power",
        .platform = "binary_sensor",
        .name = "Power (confirmed)",
        .topic = TOPIC_STATE,
        .value = CONFIRMED,
        .device_class = "power",
        .follows = FOLLOWS_MACHINE,
    },
    {
        .key = "second_relay",
        .platform = "binary_sensor",
        .name = "Second relay (commanded)",
        .topic = TOPIC_STATE,
        .value = FLAG("second_relay"),
        .device_class = "power",
        .follows = FOLLOWS_MACHINE,
        .needs = NEEDS_SECOND_RELAY,
    },
    {
        .key = "oops",
        .platform = "binary_sensor",
        .name = "Oops",
        .topic = TOPIC_STATE,
        .value = FLAG("oops"),
        .attributes = "{{ {'by': value_json.oops_by, 'at': " MOMENT("oops_at") "} | to_json }}",
        .attributes_nameless = "{{ {'at': " MOMENT("oops_at") "} | to_json }}",
        .device_class = "problem",
        .icon = "mdi:alert-octagon",
    },
    {
        .key = "locked_out",
        .platform = "binary_sensor",
        .name = "Locked out (not isolated)",
        .topic = TOPIC_STATE,
        .value = FLAG("lockout"),
        .attributes = "{{ {'by': value_json.lockout_by, 'reason': value_json.lockout_reason, "
                      "'at': " MOMENT("lockout_at") "} | to_json }}",
        .attributes_nameless = "{{ {'reason': value_json.lockout_reason, "
                               "'at': " MOMENT("lockout_at") "} | to_json }}",
        .icon = "mdi:lock-alert",
    },
    {
        .key = "in_use_by",
        .platform = "sensor",
        .name = "In use by",
        .topic = TOPIC_STATE,
        .value = "{{ value_json.user or ('an emergency card' if value_json.emergency"
                 " else 'nobody') }}",
        .value_nameless = "{{ 'a member' if value_json.user else 'an emergency card'"
                          " if value_json.emergency else 'nobody' }}",
        .attributes = "{{ {'account_id': value_json.account_id, "
                      "'since': " MOMENT("session_since") "} | to_json }}",
        .attributes_nameless = "{{ {'since': " MOMENT("session_since") "} | to_json }}",
        .icon = "mdi:account",
    },
    {
        .key = "mode",
        .platform = "sensor",
        .name = "Mode",
        .topic = TOPIC_STATE,
        .value = "{{ value_json.mode }}",
        .device_class = "enum",
        .icon = "mdi:card-account-details-outline",
    },
    {
        .key = "amps",
        .platform = "sensor",
        .name = "Current",
        .topic = TOPIC_TELEMETRY,
        .value = NUMBER("amps"),
        .device_class = "current",
        .unit = "A",
        .decimals = 1,
        .follows = FOLLOWS_MACHINE,
    },
    {
        .key = "signal",
        .platform = "sensor",
        .name = "Wi-Fi signal",
        .topic = TOPIC_TELEMETRY,
        .value = NUMBER("wifi_signal_db"),
        .device_class = "signal_strength",
        .unit = "dBm",
        .category = "diagnostic",
        .follows = FOLLOWS_MACHINE,
        .is_hidden = true,
    },
    {
        .key = "temperature",
        .platform = "sensor",
        .name = "Controller box temperature",
        .topic = TOPIC_TELEMETRY,
        .value = NUMBER("internal_temperature_c"),
        .device_class = "temperature",
        .unit = "°C",
        .category = "diagnostic",
        .decimals = 1,
        .follows = FOLLOWS_MACHINE,
    },
    {
        .key = "last_boot",
        .platform = "sensor",
        .name = "Last boot",
        .topic = TOPIC_STATE,
        .value = "{{ as_datetime(value_json.booted_at).isoformat() if value_json.booted_at"
                 " else 'None' }}",
        .device_class = "timestamp",
        .category = "diagnostic",
    },
    {
        .key = "connectivity",
        .platform = "binary_sensor",
        .name = "Connectivity",
        .topic = TOPIC_STATE,
        .value = "{{ 'None' if value_json.health == 'unknown' else 'ON' if value_json.health =="
                 " 'online' else 'OFF' }}",
        .device_class = "connectivity",
        .category = "diagnostic",
    },
    {
        .key = "attention",
        .platform = "binary_sensor",
        .name = "Needs attention",
        .topic = TOPIC_STATE,
        .value = FLAG("problem"),
        .attributes = "{{ {'reasons': (['not answering'] if value_json.health == 'error' else [])"
                      " + (value_json.faults | map('replace', '_', ' ') | list)} | to_json }}",
        .device_class = "problem",
    },
    {
        .key = "access",
        .platform = "event",
        .name = "Access",
        .topic = TOPIC_EVENT,
        .value_nameless =
            "{{ {" KNOWN("event_type") ", " KNOWN("source") ", " KNOWN("reason") ", " OPTIONAL_KEY("fault") ", " OPTIONAL_KEY(
                "warn_only") ", " OPTIONAL_KEY("session_s") ", " KNOWN("n") ", " KNOWN("at") "} | "
                                                                                             "to_"
                                                                                             "json "
                                                                                             "}}",
        .icon = "mdi:badge-account-horizontal-outline",
    },
    {
        .key = "lockout_button",
        .platform = "button",
        .name = "Lock out",
        .topic = TOPIC_SET_LOCKOUT,
        .word = "ON",
        .icon = "mdi:lock-alert",
    },
    {
        .key = "oops_button",
        .platform = "button",
        .name = "Press Oops",
        .topic = TOPIC_SET_OOPS,
        .word = "ON",
        .icon = "mdi:alert-octagon",
    },
    {
        .key = "unlock_button",
        .platform = "button",
        .name = "Unlock",
        .topic = TOPIC_SET_LOCKOUT,
        .word = "OFF",
        .category = "config",
        .icon = "mdi:lock-open-variant",
        .needs = NEEDS_MAY_CLEAR,
    },
    {
        .key = "oops_clear_button",
        .platform = "button",
        .name = "Clear oops",
        .topic = TOPIC_SET_OOPS,
        .word = "OFF",
        .category = "config",
        .icon = "mdi:alert-octagon-outline",
        .needs = NEEDS_MAY_CLEAR,
    },
    {0},
};

const struct discovery_entity discovery_controller_entities[] = {
    {
        .key = "leader",
        .platform = "binary_sensor",
        .name = "Controller",
        .topic = TOPIC_SERVICE,
        .topic_of = "leader",
        .value = RUNS,
        .attributes = SERVICE_ATTRIBUTES,
        .device_class = "running",
        .follows = FOLLOWS_WATCHER, /* which finds it out */
    },
    {
        .key = "watcher",
        .platform = "binary_sensor",
        .name = "Watcher",
        .topic = TOPIC_SERVICE,
        .topic_of = "watcher",
        .value = RUNS,
        .attributes = SERVICE_ATTRIBUTES,
        .device_class = "running",
        .follows = FOLLOWS_NOBODY, /* its last will speaks for it */
    },
    {
        .key = "redis",
        .platform = "binary_sensor",
        .name = "Redis",
        .topic = TOPIC_SERVICE,
        .topic_of = "redis",
        .value = RUNS,
        .attributes = SERVICE_ATTRIBUTES,
        .device_class = "running",
        .category = "diagnostic",
        .follows = FOLLOWS_WATCHER,
    },
    {
        .key = "slack",
        .platform = "binary_sensor",
        .name = "Slack",
        .topic = TOPIC_SERVICE,
        .topic_of = "slack",
        .value = RUNS,
        .attributes = SERVICE_ATTRIBUTES,
        .device_class = "running",
        .category = "diagnostic",
        .follows = FOLLOWS_WATCHER,
    },
    {
        .key = "attention",
        .platform = "binary_sensor",
        .name = "Needs attention",
        .topic = TOPIC_CONTROLLER_STATUS,
        .value = "{{ 'ON' if value_json.status != 'running' or value_json.redis != 'up' or"
                 " value_json.watcher == 'missing' else 'OFF' }}",
        .attributes =
            "{{ {'reasons': (['the controller does not run'] if value_json.status != 'running'"
            " else (['Redis is down'] if value_json.redis != 'up' else [])"
            " + (['the watcher does not run'] if value_json.watcher == 'missing' else []))}"
            " | to_json }}",
        .device_class = "problem",
        .follows = FOLLOWS_NOBODY, /* the controller's last will speaks for it */
    },
    {
        .key = "alert",
        .platform = "event",
        .name = "Alert",
        .topic = TOPIC_ALERT,
        .value = "{{ {'event_type': 'alert', " KNOWN("alert") ", " KNOWN("text") ", " OPTIONAL_KEY(
            "machine") ", " OPTIONAL_KEY("service") ", " OPTIONAL_KEY("count") ", " KNOWN("at") "} "
                                                                                                "| "
                                                                                                "to"
                                                                                                "_j"
                                                                                                "so"
                                                                                                "n "
                                                                                                "}"
                                                                                                "}",
        .icon = "mdi:bell-alert",
        .follows = FOLLOWS_WATCHER,
    },
    {0},
};
