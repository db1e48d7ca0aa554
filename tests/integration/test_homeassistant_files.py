"""deploy/homeassistant: what is to be pasted or imported parses, and names only what is there."""
import glob
import json
import os
import re
import subprocess

import pytest
import yaml

from harness import BIN, ROOT

FOLDER = os.path.join(ROOT, "deploy/homeassistant")
BLUEPRINTS = sorted(glob.glob(os.path.join(FOLDER, "blueprints/*.yaml")))

MACHINES = {"table-saw": {"authorizations_or": []},
            "laser": {"authorizations_or": [], "second_relay": {"authorizations_or": ["air"]}}}

ENTITY = re.compile(r"\b(?:binary_sensor|sensor|event|button)\.tagout_\w+")
# In a dashboard's template: 'sensor[.]tagout_.*_(oops|power)$'
PATTERN = re.compile(r"'(\w+)\[[.]\]tagout_\.\*_\(?([a-z_|]+)\)?\$'")

CARDS = {"button", "entities", "history-graph", "logbook", "markdown"}


class Loader(yaml.SafeLoader):
    """With Home Assistant's own tag for a blueprint's input."""


class Input(str):
    pass


Loader.add_constructor("!input", lambda loader, node: Input(loader.construct_scalar(node)))


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


@pytest.fixture
def announced(scratch):
    """The ids of all entities of a shop with the examples' machines."""
    for name, content in (("machines.json", json.dumps(MACHINES)), ("users.json", "[]"),
                          ("tagout.ini", "[controller]\nmachines = machines.json\n"
                                         "users = users.json\n")):
        with open(os.path.join(scratch, name), "w", encoding="utf-8") as file:
            file.write(content)
    lines = subprocess.run(
        [os.path.join(BIN, "print_discovery"), os.path.join(scratch, "tagout.ini")],
        check=True, capture_output=True, text=True).stdout.splitlines()
    messages = [json.loads(line.split(" ", 1)[1]) for line in lines]
    return {component["default_entity_id"] for message in messages
            for component in message["components"].values() if "default_entity_id" in component}


def strings(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def test_the_dashboard_names_only_entities_that_are_announced(announced):
    dashboard = load(os.path.join(FOLDER, "dashboard.yaml"))
    text = list(strings(dashboard))
    named = {entity for one in text for entity in ENTITY.findall(one)}
    assert len(named) > 10
    assert named <= announced
    patterns = [found for one in text for found in PATTERN.findall(one)]
    assert len(patterns) == sum(one.count("tagout_.*") for one in text) > 0
    for domain, ends in patterns:
        for end in ends.split("|"):
            assert [e for e in announced if re.fullmatch(rf"{domain}\.tagout_.*_{end}", e)], end


def test_the_dashboard_has_only_cards_that_Home_Assistant_brings_along():
    for view in load(os.path.join(FOLDER, "dashboard.yaml"))["views"]:
        assert {card["type"] for card in view["cards"]} <= CARDS


def inputs_used(value):
    if isinstance(value, Input):
        return {str(value)}
    if isinstance(value, dict):
        return set().union(*(inputs_used(inner) for inner in value.values()), set())
    if isinstance(value, list):
        return set().union(*(inputs_used(inner) for inner in value), set())
    return set()


@pytest.mark.parametrize("path", BLUEPRINTS, ids=os.path.basename)
def test_a_blueprint_uses_the_inputs_that_it_asks_for(path):
    content = load(path)
    blueprint = content.pop("blueprint")
    assert blueprint["domain"] == "automation" and blueprint["name"].startswith("Tagout: ")
    assert inputs_used(content) == set(blueprint["input"])
    assert content["triggers"] and content["actions"]


@pytest.mark.parametrize("path", BLUEPRINTS, ids=os.path.basename)
def test_a_blueprint_presses_no_button_of_a_machine(path):
    assert not [one for one in strings(load(path)) if "button." in one]


def test_there_are_three_blueprints():
    assert [os.path.basename(path) for path in BLUEPRINTS] == [
        "closing_time.yaml", "extraction.yaml", "needs_attention.yaml"]
