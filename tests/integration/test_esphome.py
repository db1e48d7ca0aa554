"""The ESP32 firmware: its YAML files by rule, and its ESPHome half run on this host."""
import copy
import glob
import os
import re
import subprocess

import pytest

import esphome_files
from esphome_files import BOXES, Box, machine_files, number_of, pins_of, rules
from harness import ROOT

MACHINES = machine_files()
LINK = "tagout/machine/{}/link"


@pytest.fixture(params=MACHINES)
def box(request):
    return Box(request.param)


def test_the_usual_builds_are_there():
    readers = {Box(name).config["tagout"]["reader"] for name in MACHINES}
    assert readers == set(rules.READERS)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machines_file_is_substitutions_and_includes(name):
    own = esphome_files.read(os.path.join(BOXES, name))
    assert set(own) == {"substitutions", "packages"}
    includes = own["packages"].values()
    assert all(isinstance(include, esphome_files.Tagged) and include.tag == "include"
               for include in includes)
    files = [include.value for include in includes]
    assert files.count("tagout.yaml") == 1
    assert len([file for file in files if file.startswith("parts/reader-")]) == 1
    assert own["substitutions"]["machine"] == name[:-len(".yaml")]
    assert repr(own["substitutions"]["mqtt_password"]).startswith("secret ")


def test_every_substitution_is_set_and_every_one_that_is_set_is_used(box):
    assert box.used - set(box.values) == set()
    assert set(box.values) - box.used - {"mqtt_password"} == set()


def test_every_secret_is_in_the_example(box):
    example = esphome_files.read(os.path.join(BOXES, "secrets.example.yaml"))
    assert box.secrets <= set(example)


def test_the_whole_keeps_to_the_rules(box):
    assert rules.whole(box.config) == []
    assert rules.reader(box.config["tagout"]) is None


def test_relays_and_inputs_are_on_quiet_pins(box):
    tagout = box.config["tagout"]
    for key in ("relay_pin", "second_relay_pin"):
        if key in tagout:
            assert rules.relay_pin(number_of(tagout[key]), False) is None
            assert isinstance(tagout[key], str)  # no `inverted`
    for key in ("oops_pin", "card_present_pin", "contact_pin", "second_contact_pin"):
        if key in tagout:
            assert rules.input_pin(number_of(tagout[key])) is None


def test_no_pin_is_used_twice(box):
    numbers = [number for _, number in pins_of(box.config)]
    assert len(numbers) >= 7
    assert len(numbers) == len(set(numbers))


def test_C2_link_words_are_what_the_contract_says(box):
    topic = LINK.format(box.values["machine"])
    for key, word in (("birth_message", "online"), ("will_message", "lost"),
                      ("shutdown_message", "offline")):
        assert box.config["mqtt"][key] == {
            "topic": topic, "payload": word, "qos": 1, "retain": True}
    assert box.config["mqtt"]["client_id"] == f"tagout-{box.values['machine']}"
    assert box.config["mqtt"]["username"] == box.values["machine"]


def test_a_loop_that_hangs_is_restarted_within_five_seconds(box):
    assert box.config["esp32"]["watchdog_timeout"] == "5s"


def test_C7_9_no_entity_tells_anything_but_to_the_box(box):
    for kind in ("sensor", "light"):
        for entity in box.config[kind]:
            assert entity["internal"] is True
            assert "name" not in entity


def test_an_update_tells_the_box_and_asks_for_a_password(box):
    update = box.config["ota"][0]
    assert repr(update["password"]) == repr(box.config["tagout"]["update_password"])
    assert "update_begins" in repr(update["on_begin"][0]["lambda"])
    assert "update_failed" in repr(update["on_error"][0]["lambda"])


GONE = "gone"


@pytest.mark.parametrize("path, value, word", [
    (("mqtt", "clean_session"), False, "clean_session"),
    (("mqtt", "clean_session"), GONE, "clean_session"),
    (("mqtt", "idf_send_async"), GONE, "idf_send_async"),
    (("mqtt", "discovery"), GONE, "discovery"),
    (("mqtt", "discover_ip"), GONE, "discover_ip"),
    (("mqtt", "enable_on_boot"), GONE, "enable_on_boot"),
    (("mqtt", "log_topic"), "tagout/log", "log_topic"),
    (("mqtt", "topic_prefix"), "tagout", "topic_prefix"),
    (("mqtt", "certificate_authority"), GONE, "certificate_authority"),
    (("mqtt", "skip_cert_cn_check"), True, "certificate_authority"),
    (("mqtt", "reboot_timeout"), GONE, "mqtt: reboot_timeout"),
    (("mqtt", "reboot_timeout"), "15min", "mqtt: reboot_timeout"),
    (("wifi", "reboot_timeout"), GONE, "wifi: reboot_timeout"),
    (("wifi", "ap"), {}, "wifi: ap"),
    (("mqtt",), GONE, "mqtt: is missing"),
    (("api",), None, "api"),
    (("web_server",), {}, "web_server"),
    (("switch",), [], "switch"),
    (("output",), [], "output"),
    (("logger", "level"), "DEBUG", "card numbers"),
    (("logger",), GONE, "card numbers"),
])
def test_each_rule_bites(path, value, word):
    config = copy.deepcopy(Box(MACHINES[0]).config)
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    if value == GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    assert [wrong for wrong in rules.whole(config) if word in wrong]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
                                    34, 35, 36, 39])
def test_no_relay_goes_on_a_pin_that_pulses(number):
    assert f"GPIO{number} " in rules.relay_pin(number, False)


def test_no_relay_is_active_low():
    assert "active high" in rules.relay_pin(25, True)


def test_a_wiegand_reader_needs_a_card_present_line():
    assert "never that it left" in rules.reader({"reader": "wiegand"})
    assert rules.reader({"reader": "wiegand", "card_present_pin": 33}) is None
    assert rules.reader({"reader": "pn532"}) is None


@pytest.mark.parametrize("name", ["", "Saw", "table saw", "table_saw", "saw/1", "saw+", "x" * 32])
def test_a_machine_is_one_level_of_a_topic_and_a_host(name):
    assert "a machine's name" in rules.machine(name)


@pytest.mark.parametrize("name", ["", "Tagout", "a/b", "#", "x" * 33])
def test_a_prefix_is_one_level_of_a_topic(name):
    assert "the prefix" in rules.prefix(name)


def test_C7_8_an_emergency_card_is_a_salted_hash():
    assert "SHA-256" in rules.card_hash("0001234567")
    assert "SHA-256" in rules.card_hash("A" * 64)
    assert rules.card_hash("a" * 64) is None
    cards = {"emergency_cards": ["a" * 64], "emergency_salt": "x" * 15}
    assert "16 random" in rules.emergency(cards)
    assert rules.emergency({**cards, "emergency_salt": "x" * 16}) is None
    assert rules.emergency({"emergency_cards": [], "emergency_salt": ""}) is None


def test_the_wiring_table_is_true():
    """Each row of README's table: what, the substitution that sets it, the pin it has."""
    with open(os.path.join(BOXES, "README.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| .* \| `(\w+)` \| (?:GPIO )?(\d+|none)\b.*\|$", file.read(), re.M)
    told = {name: None if pin == "none" else f"GPIO{pin}" for name, pin in rows}
    defaults = {}
    for path in [os.path.join(BOXES, "tagout.yaml")] + glob.glob(os.path.join(BOXES, "parts/*.yaml")):
        defaults.update((esphome_files.read(path) or {}).get("substitutions", {}))
    pins = {name: pin for name, pin in defaults.items() if name.endswith("_pin")}
    assert {name: pin for name, pin in told.items() if pin} == pins
    assert [name for name, pin in told.items() if not pin] == ["card_present_pin"]


def test_the_box_on_this_host(scratch):
    """tests/esphome/box_test.cpp, under the sanitizers: all cases pass."""
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g"]
    objects = []
    sources = sorted(glob.glob("devices/device*.c", root_dir=ROOT)
                     + glob.glob("devices/esphome/*.c", root_dir=ROOT)
                     + glob.glob("devices/esphome/components/tagout/*.cpp", root_dir=ROOT)
                     + glob.glob("tests/esphome/*.cpp", root_dir=ROOT))
    for source in sources:
        output = os.path.join(scratch, source.replace("/", "_") + ".o")
        compiler = ["gcc", "-std=c11"] if source.endswith(".c") else [
            "g++", "-std=gnu++20", "-Itests/esphome/stub"]
        subprocess.run(compiler + ["-Wall", "-Wextra", "-Wshadow", "-Werror", "-I.", "-c", "-o",
                                   output, source] + sanitizers, cwd=ROOT, check=True)
        objects.append(output)
    program = os.path.join(scratch, "box_test")
    subprocess.run(["g++", "-o", program] + objects + sanitizers + ["-lcmocka"], check=True)
    result = subprocess.run([program], check=False, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT,
                            env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "STDOUT"})
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("[       OK ]") >= 27
