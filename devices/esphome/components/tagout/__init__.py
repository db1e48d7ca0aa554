"""The box at a machine: checks its configuration and connects devices/device.h to ESPHome."""
import pathlib

import esphome.codegen as cg
import esphome.config_validation as cv
import esphome.final_validate as fv
from esphome import pins
from esphome.components import light, mqtt, sensor
from esphome.components.esp32 import VARIANT_ESP32, get_esp32_variant
from esphome.components.esphome.ota import ESPHomeOTAComponent
from esphome.const import CONF_ID, CONF_INVERTED, CONF_NUMBER
from esphome.core import CORE
from esphome.helpers import copy_file_if_changed

from . import rules

DEPENDENCIES = ["esp32", "mqtt", "wifi"]
AUTO_LOAD = ["light", "sensor", "sha256"]

DEVICES = pathlib.Path(__file__).resolve().parents[3]

tagout_ns = cg.esphome_ns.namespace("tagout")
Box = tagout_ns.class_("Box", cg.Component)

KINDS = {"wiegand": "SLOT_LINE", "rdm6300": "SLOT_REPEATING", "pn532": "SLOT_HELD"}


def obeys(rule, schema=cv.string_strict):
    """What the schema makes of a value, if the rule has nothing against it."""
    def check(value):
        value = schema(value)
        wrong = rule(value)
        if wrong:
            raise cv.Invalid(wrong)
        return value
    return check


relay_pin = obeys(lambda pin: rules.relay_pin(pin[CONF_NUMBER], pin[CONF_INVERTED]),
                  pins.internal_gpio_output_pin_schema)
input_pin = obeys(lambda pin: rules.input_pin(pin[CONF_NUMBER]),
                  pins.internal_gpio_input_pullup_pin_schema)

CONFIG_SCHEMA = cv.All(
    cv.Schema({
        cv.GenerateID(): cv.declare_id(Box),
        cv.Required("mqtt_id"): cv.use_id(mqtt.MQTTClientComponent),
        cv.Required("prefix"): obeys(rules.prefix),
        cv.Required("machine"): obeys(rules.machine),
        cv.Required("fw"): cv.All(cv.string_strict, cv.Length(min=1, max=32)),
        cv.Required("relay_pin"): relay_pin,
        cv.Optional("second_relay_pin"): relay_pin,
        cv.Optional("contact_pin"): input_pin,
        cv.Optional("second_contact_pin"): input_pin,
        cv.Required("oops_pin"): input_pin,
        cv.Optional("oops_led_pin"): pins.internal_gpio_output_pin_schema,
        cv.Required("reader"): cv.one_of(*rules.READERS, lower=True),
        cv.Optional("card_present_pin"): input_pin,
        cv.Optional("reader_id"): cv.use_id(cg.Component),
        cv.Optional("display"): cv.use_id(cg.PollingComponent),
        cv.Optional("status_light"): cv.use_id(light.LightState),
        cv.Optional("wifi_signal"): cv.use_id(sensor.Sensor),
        cv.Optional("internal_temperature"): cv.use_id(sensor.Sensor),
        cv.Optional("current"): cv.use_id(sensor.Sensor),
        cv.Required("updates"): cv.use_id(ESPHomeOTAComponent),
        cv.Required("update_password"): cv.All(cv.string_strict, cv.Length(min=8)),
        cv.Optional("emergency_salt", default=""): cv.string_strict,
        cv.Optional("emergency_cards", default=[]): cv.ensure_list(obeys(rules.card_hash, cv.string)),
    }).extend(cv.COMPONENT_SCHEMA),
    obeys(rules.reader, lambda config: config),
    obeys(rules.emergency, lambda config: config),
)


def final_validate(config):
    wrong = rules.whole(fv.full_config.get())
    if get_esp32_variant() != VARIANT_ESP32:
        wrong.append("esp32: variant: the pins that are quiet are known of the plain ESP32 only")
    if wrong:
        raise cv.Invalid("; ".join(wrong))
    return config


FINAL_VALIDATE_SCHEMA = final_validate


def copy_sources():
    """The device and the firmware's own C files: the very ones that the simulator and tests use."""
    for pattern in ("device*.[ch]", "esphome/*.[ch]"):
        for source in sorted(DEVICES.glob(pattern)):
            target = pathlib.Path(
                CORE.relative_src_path("devices", *source.relative_to(DEVICES).parts))
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file_if_changed(source, target)


async def add_pins(var, config):
    for key, call in (
            ("relay_pin", lambda pin: var.set_relay_pin(0, pin)),
            ("second_relay_pin", lambda pin: var.set_relay_pin(1, pin)),
            ("contact_pin", lambda pin: var.set_contact_pin(0, pin)),
            ("second_contact_pin", lambda pin: var.set_contact_pin(1, pin)),
            ("oops_pin", var.set_button_pin),
            ("oops_led_pin", var.set_button_led_pin),
            ("card_present_pin", var.set_card_present_pin)):
        if key in config:
            cg.add(call(await cg.gpio_pin_expression(config[key])))


async def to_code(config):
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    copy_sources()
    cg.add(var.set_machine(config["prefix"], config["machine"]))
    cg.add(var.set_mqtt(await cg.get_variable(config["mqtt_id"])))
    cg.add(var.set_fw(config["fw"]))
    await add_pins(var, config)
    kind = "SLOT_LINE" if "card_present_pin" in config else KINDS[config["reader"]]
    reader = cg.nullptr
    if "reader_id" in config:
        reader = await cg.get_variable(config["reader_id"])
    cg.add(var.set_reader(cg.RawExpression(kind), reader))
    for key, call in (
            ("display", var.set_display),
            ("status_light", var.set_status_light),
            ("wifi_signal", var.set_wifi_signal),
            ("internal_temperature", var.set_temperature),
            ("current", var.set_current)):
        if key in config:
            cg.add(call(await cg.get_variable(config[key])))
    cg.add(var.set_updates(await cg.get_variable(config["updates"]), config["update_password"]))
    cg.add(var.set_emergency_salt(config["emergency_salt"]))
    for card in config["emergency_cards"]:
        cg.add(var.add_emergency_card(card))
