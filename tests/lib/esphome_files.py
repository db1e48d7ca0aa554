"""Reads the firmware's YAML files as ESPHome does, as far as the tests need it: packages merged,
substitutions put in. What ESPHome itself makes of them is `make check-esphome`."""
import os
import re
import sys

import yaml

from harness import ROOT

BOXES = os.path.join(ROOT, "devices/esphome")
SHARED = ("tagout.yaml", "secrets.yaml", "secrets.example.yaml")
SUBSTITUTION = re.compile(r"\$\{(\w+)\}")

sys.path.insert(0, os.path.join(BOXES, "components/tagout"))
import rules  # noqa: E402 pylint: disable=wrong-import-position,unused-import


class Tagged:
    def __init__(self, tag, value):
        self.tag = tag
        self.value = value

    def __repr__(self):
        return f"{self.tag} {self.value}"


class Loader(yaml.SafeLoader):  # pylint: disable=too-many-ancestors
    pass


Loader.add_multi_constructor("!", lambda loader, tag, node: Tagged(tag, node.value))


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def machine_files(folder=BOXES):
    return [name for name in sorted(os.listdir(folder))
            if name.endswith(".yaml") and name not in SHARED]


def merge(under, over):
    if isinstance(under, dict) and isinstance(over, dict):
        merged = dict(under)
        for key, value in over.items():
            merged[key] = merge(under[key], value) if key in under else value
        return merged
    if isinstance(under, list) and isinstance(over, list):
        return under + over
    return over


def substitute(value, values, used):
    if isinstance(value, dict):
        return {key: substitute(inner, values, used) for key, inner in value.items()}
    if isinstance(value, list):
        return [substitute(inner, values, used) for inner in value]
    if isinstance(value, str):
        used.update(SUBSTITUTION.findall(value))
        return SUBSTITUTION.sub(lambda match: str(values.get(match.group(1), match.group(0))), value)
    return value


def secrets_of(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {name for inner in value for name in secrets_of(inner)}
    return {value.value} if isinstance(value, Tagged) and value.tag == "secret" else set()


class Box:
    """One machine's file with all that it includes."""

    def __init__(self, name, folder=BOXES):
        self.own = read(os.path.join(folder, name))
        self.included = [include.value for include in self.own["packages"].values()]
        merged = {}
        for included in self.included:
            merged = merge(merged, read(os.path.join(folder, included)))
        self.values = {**merged.get("substitutions", {}), **self.own["substitutions"]}
        self.secrets = secrets_of(merged) | secrets_of(self.own)
        self.used = set()
        merged.pop("substitutions", None)
        self.config = substitute(merged, self.values, self.used)


def number_of(pin):
    """25 for GPIO25, or for a mapping whose `number` it is."""
    if isinstance(pin, dict):
        pin = pin["number"]
    return int(re.fullmatch(r"GPIO(\d+)", pin).group(1))


def pins_of(value, key=""):
    """(key, number) of every pin in a configuration."""
    if isinstance(value, dict):
        if set(value) <= {"number", "inverted", "mode"} and "number" in value:
            return [(key, number_of(value))]
        return [pair for name, inner in value.items() for pair in pins_of(inner, name)]
    if isinstance(value, list):
        return [pair for inner in value for pair in pins_of(inner, key)]
    if isinstance(value, str) and re.fullmatch(r"GPIO\d+", value):
        return [(key, number_of(value))]
    return []
