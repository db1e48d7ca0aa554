"""Judges deploy/homeassistant with Home Assistant's own code: the blueprints are blueprints, and make
an automation that it accepts; each template can be read. usage: check_files.py FOLDER"""
import asyncio
import glob
import logging
import os
import sys
import tempfile
import unittest.mock

for name in ("hass_nabucasa", "home_assistant_intents", "hassil", "hassil.expression",
             "hassil.intents", "hassil.recognize", "hassil.string_matcher", "hassil.trie",
             "hassil.util"):
    sys.modules[name] = unittest.mock.MagicMock()

from homeassistant import core  # noqa: E402
from homeassistant.components.automation import config  # noqa: E402
from homeassistant.components.blueprint import models  # noqa: E402
from homeassistant.helpers import frame  # noqa: E402
from homeassistant.helpers.template import Template, is_template_string  # noqa: E402
from homeassistant.util.yaml import loader  # noqa: E402

INPUTS = {"machines": ["binary_sensor.one", "binary_sensor.two"], "wait": 5, "run_on": 60,
          "closing": "22:00:00", "extraction": {"entity_id": ["switch.extraction"]},
          "actions": [{"action": "notify.somebody", "data": {"message": "{{ message }}"}}]}


def judge_templates(hass, value):
    """How many there are; one that can't be read raises."""
    if isinstance(value, dict):
        return sum(judge_templates(hass, inner) for inner in value.values())
    if isinstance(value, list):
        return sum(judge_templates(hass, inner) for inner in value)
    if isinstance(value, str) and is_template_string(value):
        Template(value, hass).ensure_valid()
        return 1
    return 0


def judge_blueprint(hass, path):
    blueprint = models.Blueprint(loader.load_yaml_dict(path), path=path,
                                 expected_domain="automation",
                                 schema=config.AUTOMATION_BLUEPRINT_SCHEMA)
    assert blueprint.validate() is None, blueprint.validate()
    inputs = {key: value for key, value in INPUTS.items() if key in blueprint.inputs}
    made = models.BlueprintInputs(blueprint, {"use_blueprint": {"path": path, "input": inputs}})
    made.validate()
    automation = made.async_substitute()
    automation.pop("blueprint", None)
    config.PLATFORM_SCHEMA(dict(automation, id="one", alias="One"))
    return judge_templates(hass, automation)


async def main(folder):
    hass = core.HomeAssistant(tempfile.gettempdir())
    frame.async_setup(hass)
    logging.disable(logging.WARNING)
    blueprints = sorted(glob.glob(os.path.join(folder, "blueprints", "*.yaml")))
    templates = sum(judge_blueprint(hass, path) for path in blueprints)
    templates += judge_templates(hass, loader.load_yaml_dict(os.path.join(folder,
                                                                          "dashboard.yaml")))
    assert blueprints and templates
    print(f"{len(blueprints)} blueprints, {templates} templates: accepted")


asyncio.run(main(sys.argv[1]))
