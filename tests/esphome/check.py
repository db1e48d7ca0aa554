#!/usr/bin/env python3
"""make check-esphome: the firmware's files as ESPHome itself sees them.

A virtual environment under build/ with the ESPHome that they are tested with, from the Python
registry; then `esphome config` for every build, the code that ESPHome makes of one, and our half
of it compiled against ESPHome's own headers. What must be refused is refused. Ends with 1, and
says why, if any of it fails or cannot be done.
"""
import glob
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERSION = os.environ.get("ESPHOME_VERSION", "2026.6.5")
VENV = os.path.join(ROOT, "build", "esphome")
WORK = os.path.join(ROOT, "build", "check-esphome")
BOXES = os.path.join(WORK, "devices", "esphome")
STUB = os.path.join(ROOT, "tests", "esphome", "stub")

READERS = {
    "wiegand": {"card_present_pin": "GPIO33", "contact_pin": "GPIO16", "second_contact_pin": "GPIO17"},
    "rdm6300": {"second_contact_pin": "GPIO17"},
    "pn532": {},
}
PARTS = [[], ["second-relay"], ["current", "contact"],
         ["second-relay", "contact", "second-contact", "current"]]

# What must be refused: parts, substitutions, more YAML, and a word of the reason.
REFUSED = [
    ("rdm6300", {"relay_pin": "GPIO12"}, "", "strapping"),
    ("rdm6300", {"relay_pin": "GPIO34"}, "", "GPIO34"),
    ("rdm6300", {"oops_pin": "GPIO0"}, "", "GPIO0"),
    ("rdm6300", {}, "tagout:\n  relay_pin:\n    number: GPIO25\n    inverted: true\n", "active high"),
    ("rdm6300", {"prefix": "tagout/x"}, "", "prefix is"),
    ("rdm6300", {}, "status_led:\n  pin: GPIO25\n", "multiple places"),
    ("rdm6300", {}, "tagout:\n  emergency_cards: [0001234567]\n", "SHA-256"),
    ("rdm6300", {}, f"tagout:\n  emergency_salt: short\n  emergency_cards: [{'a' * 64}]\n",
     "16 random"),
    ("rdm6300", {}, "switch:\n  - platform: gpio\n    id: cheat\n    pin: GPIO13\n", "switch"),
    ("rdm6300", {}, "mqtt:\n  clean_session: false\n", "clean_session"),
    ("rdm6300", {}, "mqtt:\n  reboot_timeout: 15min\n", "reboot_timeout"),
    ("rdm6300", {}, "wifi:\n  reboot_timeout: 15min\n", "reboot_timeout"),
    ("rdm6300", {}, "mqtt:\n  topic_prefix: tagout/box\n", "topic_prefix"),
    ("rdm6300", {}, "logger:\n  level: DEBUG\n", "card numbers"),
    ("rdm6300", {}, "api:\n", "api"),
    ("rdm6300", {}, "tagout:\n  reader: wiegand\n", "card_present_pin"),
]


def give_up(why):
    print(f"check-esphome: not checked: {why}")
    sys.exit(1)


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def prepare():
    """ESPHome in its environment. Made anew when another version is asked for."""
    esphome = os.path.join(VENV, "bin", "esphome")
    if os.path.exists(esphome) and VERSION in run([esphome, "version"]).stdout:
        return esphome
    print(f"check-esphome: installing ESPHome {VERSION}")
    shutil.rmtree(VENV, ignore_errors=True)
    for command in ([sys.executable, "-m", "venv", VENV],
                    [os.path.join(VENV, "bin", "pip"), "install", "-q", f"esphome=={VERSION}"]):
        result = run(command)
        if result.returncode != 0:
            shutil.rmtree(VENV, ignore_errors=True)
            give_up(f"`{' '.join(command)}` says: {result.stdout.strip()[-600:]}")
    return esphome


def write_box(name, reader, parts, substitutions, more=""):
    """A machine's file, as somebody would write it."""
    values = {"machine": name, "mqtt_password": "secret", **substitutions}
    lines = ["substitutions:"] + [f"  {key}: {value}" for key, value in values.items()]
    lines += ["packages:", "  box: !include tagout.yaml",
              f"  reader: !include parts/reader-{reader}.yaml"]
    lines += [f"  {part}: !include parts/{part}.yaml" for part in parts]
    path = os.path.join(BOXES, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n" + more)
    return path


def report(what, failed, output=""):
    print(f"  {'FAIL' if failed else 'ok':<5}{what}", flush=True)
    if failed:
        print(output.strip()[-3000:])
    return failed


def check_builds(esphome):
    """The files of the tree, and each reader with each set of parts."""
    failed = False
    paths = [path for path in sorted(glob.glob(os.path.join(BOXES, "*.yaml")))
             if os.path.basename(path) not in ("tagout.yaml", "secrets.yaml", "secrets.example.yaml")]
    for reader, substitutions in READERS.items():
        for number, parts in enumerate(PARTS, 1):
            paths.append(write_box(f"{reader}-{number}", reader, parts, substitutions))
    for path in paths:
        result = run([esphome, "config", path])
        wrong = result.returncode != 0 or "WARNING" in result.stdout
        failed = report(f"config {os.path.basename(path)}", wrong, result.stdout) or failed
    return failed


def check_refusals(esphome):
    failed = False
    cases = REFUSED + [("wiegand", {}, "", "card_present_pin")]
    for number, (reader, substitutions, more, word) in enumerate(cases, 1):
        path = write_box(f"refused-{number}", reader, [], substitutions, more)
        result = run([esphome, "config", path])
        wrong = result.returncode == 0 or word not in result.stdout
        failed = report(f"refused for {word}", wrong, result.stdout) or failed
    return failed


def check_code(esphome):
    """Code made of the fullest build. Compiling all of it takes Espressif's compiler."""
    path = os.path.join(BOXES, "laser.yaml")
    result = run([esphome, "compile", "--only-generate", path])
    made = os.path.join(BOXES, ".esphome", "build", "laser", "src")
    there = all(os.path.exists(os.path.join(made, "devices", name)) for name in
                ("device.c", "device_inside.h", "esphome/guard.c", "esphome/wire.h"))
    return report("code of laser.yaml", result.returncode != 0 or not there, result.stdout)


def check_headers():
    """Our half against ESPHome's headers, those for a host; MQTT and ESP-IDF are stubs."""
    packages = glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages"))[0]
    stub = os.path.join(WORK, "stub")
    for name in ("esp_system.h", "esp_task_wdt.h", "esp_timer.h", "freertos/FreeRTOS.h",
                 "freertos/task.h", "esphome/components/mqtt/mqtt_client.h"):
        os.makedirs(os.path.dirname(os.path.join(stub, name)), exist_ok=True)
        shutil.copy(os.path.join(STUB, name), os.path.join(stub, name))
    os.makedirs(os.path.join(stub, "esphome", "core"), exist_ok=True)
    defines = ["USE_OTA", "USE_OTA_VERSION 2", "USE_OTA_PASSWORD", "USE_MD5", "USE_LIGHT",
               "USE_SENSOR", "USE_LOGGER", "USE_NETWORK", "USE_SOCKET_IMPL_BSD_SOCKETS",
               "ESPHOME_THREAD_MULTI_ATOMICS", 'ESPHOME_BOARD "host"', 'ESPHOME_VARIANT "host"',
               "ESPHOME_COMPONENT_COUNT 20", "ESPHOME_ENTITY_LIGHT_COUNT 1",
               "ESPHOME_ENTITY_SENSOR_COUNT 4"]
    with open(os.path.join(stub, "esphome", "core", "defines.h"), "w", encoding="utf-8") as file:
        file.write("#pragma once\n" + "".join(f"#define {line}\n" for line in defines))
    failed = False
    for source in sorted(glob.glob(os.path.join(ROOT, "devices/esphome/components/tagout/*.cpp"))):
        result = run(["g++", "-std=gnu++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                      "-DUSE_HOST", "-DESPHOME_LOG_LEVEL=3", f"-I{stub}", f"-isystem{packages}",
                      f"-I{ROOT}", source])
        failed = report(f"{os.path.basename(source)} and ESPHome's headers",
                        result.returncode != 0, result.stdout) or failed
    return failed


def main():
    esphome = prepare()
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(os.path.join(ROOT, "devices"), os.path.join(WORK, "devices"),
                    ignore=shutil.ignore_patterns("secrets.yaml", ".esphome", "__pycache__"))
    shutil.copy(os.path.join(BOXES, "secrets.example.yaml"), os.path.join(BOXES, "secrets.yaml"))
    failed = check_builds(esphome)
    failed = check_refusals(esphome) or failed
    failed = check_code(esphome) or failed
    failed = check_headers() or failed
    print(f"check-esphome: ESPHome {VERSION}: {'FAILED' if failed else 'nothing to complain about'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
