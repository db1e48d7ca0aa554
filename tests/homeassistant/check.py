"""Reads announcements, one a line behind its topic, and judges them with Home Assistant's own code:
each is accepted, no key of it is dropped, and each template gives what it should.
usage: check.py SHOW_NAMES < messages
"""
import asyncio
import importlib
import json
import logging
import sys
import tempfile
import unittest.mock

# Not installed, and not used: Home Assistant imports it on the way.
sys.modules["hass_nabucasa"] = unittest.mock.MagicMock()

from homeassistant import const, core  # noqa: E402
from homeassistant.components.mqtt import discovery, schemas  # noqa: E402
from homeassistant.components.mqtt.models import MqttValueTemplate  # noqa: E402
from homeassistant.helpers.template import Template  # noqa: E402

# Known to newer versions than the one at hand may be, and dropped without harm by older ones.
NEWER = {"default_entity_id", "visible_by_default"}
PLATFORMS = ("binary_sensor", "button", "event", "sensor")

IDLE = {"machine": "laser", "health": "online", "mode": "idle", "relay": False, "confirmed": "off",
        "second_relay": False, "oops": False, "oops_by": None, "oops_at": None, "lockout": False,
        "lockout_by": None, "lockout_reason": None, "lockout_at": None, "emergency": False,
        "user": None, "account_id": None, "session_since": None, "booted_at": None,
        "problem": False, "faults": []}
BUSY = dict(IDLE, mode="in_use", relay=True, confirmed="on", second_relay=True, user="Zoë \"Z\"",
            account_id="17", session_since=1767636000.25, booted_at=1767630000.5)
BAD = dict(IDLE, health="error", confirmed="unknown", oops=True, oops_by="Ada", oops_at=1767636000,
           lockout=True, lockout_by="Max", lockout_reason="blade", lockout_at=1767636000.5,
           problem=True, faults=["link_lost", "relay_stuck_on"])
CARD = dict(BUSY, mode="emergency", emergency=True, user=None, account_id=None)
EVENT = {"event_type": "logout", "n": 7, "machine": "laser", "display_name": "Laser",
         "user": "Ada", "account_id": "17", "source": "card", "reason": "card_removed",
         "text": "Ada is done", "session_s": 60.5, "epoch": 1, "rev": 2, "at": 1767636000.5}
RUNNING = {"status": "running", "reason": None, "since": 1767636000.5}
LOST = {"status": "error", "reason": "lost", "since": None}
STATUS = {"status": "running", "leader": True, "redis": "up", "watcher": "running"}
ALERT = {"alert": "test", "text": "All is well", "at": 1767636000.5}
AT = "2026-01-05T18:00:00.500000+00:00"

# Key, message, state; a third one holds without names.
STATES = [
    ("power", IDLE, "OFF"), ("power", BUSY, "ON"), ("power", BAD, "None"),
    ("second_relay", IDLE, "OFF"), ("second_relay", BUSY, "ON"),
    ("oops", IDLE, "OFF"), ("oops", BAD, "ON"),
    ("locked_out", IDLE, "OFF"), ("locked_out", BAD, "ON"),
    ("in_use_by", IDLE, "nobody"), ("in_use_by", CARD, "an emergency card"),
    ("in_use_by", BUSY, "Zoë \"Z\"", "a member"),
    ("mode", BUSY, "in_use"),
    ("amps", {"uptime": 1, "amps": 3.25}, "3.25"), ("amps", {"uptime": 1}, ""),
    ("amps", {"uptime": 1, "amps": 0}, "0"),
    ("signal", {"wifi_signal_db": -61}, "-61"), ("signal", {}, ""),
    ("temperature", {"internal_temperature_c": 31.5}, "31.5"),
    ("last_boot", IDLE, "None"), ("last_boot", BUSY, "2026-01-05T16:20:00.500000+00:00"),
    ("connectivity", IDLE, "ON"), ("connectivity", BAD, "OFF"),
    ("connectivity", dict(IDLE, health="unknown"), "None"),
    ("connectivity", dict(IDLE, health="settling"), "OFF"),
    ("attention", IDLE, "OFF"), ("attention", BAD, "ON"),
]
OWN_STATES = [
    ("leader", RUNNING, "ON"), ("leader", LOST, "OFF"), ("watcher", {"status": "stopped"}, "OFF"),
    ("redis", RUNNING, "ON"), ("slack", LOST, "OFF"),
    ("attention", STATUS, "OFF"), ("attention", dict(STATUS, watcher="unknown"), "OFF"),
    ("attention", dict(STATUS, watcher="missing"), "ON"),
    ("attention", dict(STATUS, redis="down"), "ON"), ("attention", {"status": "lost"}, "ON"),
]
ATTRIBUTES = [
    ("oops", IDLE, {"by": None, "at": None}, {"at": None}),
    ("locked_out", BAD, {"by": "Max", "reason": "blade", "at": AT}, {"reason": "blade", "at": AT}),
    ("in_use_by", BUSY, {"account_id": "17", "since": "2026-01-05T18:00:00.250000+00:00"},
     {"since": "2026-01-05T18:00:00.250000+00:00"}),
    ("attention", IDLE, {"reasons": []}),
    ("attention", BAD, {"reasons": ["not answering", "link lost", "relay stuck on"]}),
]
OWN_ATTRIBUTES = [
    ("leader", RUNNING, {"status": "running", "reason": None, "since": AT}),
    ("leader", {"status": "stopped"}, {"status": "stopped", "reason": None, "since": None}),
    ("attention", dict(STATUS, watcher="missing", redis="down"),
     {"reasons": ["Redis is down", "the watcher does not run"]}),
    ("attention", {"status": "lost"}, {"reasons": ["the controller does not run"]}),
]
NAMELESS_EVENT = {"event_type": "logout", "n": 7, "source": "card", "reason": "card_removed",
                  "fault": None, "warn_only": None, "session_s": 60.5, "at": 1767636000.5}


class Checker:
    def __init__(self, hass, show_names):
        self.hass = hass
        self.show_names = show_names
        self.complaints = []
        self.checked = 0

    def expect(self, what, found, expected):
        self.checked += 1
        if found != expected:
            self.complaints.append(f"{what}: {found!r}, not {expected!r}")

    def judge(self, topic, payload):
        """The way of a message through discovery.py; {key: what its platform made of it}."""
        match = discovery.TOPIC_MATCHER.match(topic.removeprefix("homeassistant/"))
        self.expect(f"{topic}: it is a topic", bool(match) and match.group(1), "device")
        message = json.loads(payload)
        schemas.DEVICE_DISCOVERY_SCHEMA(message)
        accepted = {}
        for key, component in message["components"].items():
            platform = component.pop("platform")
            self.expect(f"{topic}: {key} is of a known platform", platform in PLATFORMS, True)
            if component:
                accepted[key] = self.judge_component(topic, key, platform, component, message)
        return message, accepted

    def judge_component(self, topic, key, platform, component, message):
        own = set(component)
        component = discovery.MQTTDiscoveryPayload(component)
        component["device"] = message["device"]
        component["origin"] = message["origin"]
        discovery._merge_common_device_options(component, message)
        module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
        config = module.DISCOVERY_SCHEMA(dict(component))
        self.expect(f"{topic}: {key}: keys that Home Assistant drops",
                    own - set(config) - NEWER, set())
        return config

    def render(self, config, key, payload):
        text = json.dumps(payload) if isinstance(payload, dict) else payload
        template = config.get(key)
        if template is None:
            return text
        template = Template(str(getattr(template, "template", template)), self.hass)
        return MqttValueTemplate(template).async_render_with_possible_json_value(text)

    def judge_values(self, accepted, states, attributes):
        for key, payload, *expected in states:
            if key in accepted:
                wanted = expected[0] if self.show_names else expected[-1]
                self.expect(key, self.render(accepted[key], const.CONF_VALUE_TEMPLATE, payload),
                            wanted)
        for key, payload, *expected in attributes:
            wanted = expected[0] if self.show_names else expected[-1]
            found = self.render(accepted[key], "json_attributes_template", payload)
            self.expect(f"{key}'s attributes", json.loads(found), wanted)

    def judge_availability(self, accepted, key, payload, expected):
        for source in accepted[key]["availability"]:
            word = "leader" if "service" in source["topic"] else "link"
            if word in payload:
                self.expect(f"{key}'s availability by {source['topic']}",
                            self.render(source, const.CONF_VALUE_TEMPLATE, payload[word]), expected)

    def judge_machine(self, accepted):
        self.judge_values(accepted, STATES, ATTRIBUTES)
        event = json.loads(self.render(accepted["access"], const.CONF_VALUE_TEMPLATE, EVENT))
        self.expect("access", event, EVENT if self.show_names else NAMELESS_EVENT)
        for link, word in (("online", "online"), ("offline", "offline"), ("lost", "offline"),
                           ("", "offline")):
            self.judge_availability(accepted, "power", {"link": link}, word)
        self.judge_availability(accepted, "power", {"leader": RUNNING}, "online")
        self.judge_availability(accepted, "oops", {"leader": LOST}, "offline")
        self.expect("what oops follows", len(accepted["oops"]["availability"]), 1)
        self.expect("what power follows", len(accepted["power"]["availability"]), 2)
        self.expect("how", accepted["power"]["availability_mode"], "all")

    def judge_own(self, accepted):
        self.judge_values(accepted, OWN_STATES, OWN_ATTRIBUTES)
        alert = json.loads(self.render(accepted["alert"], const.CONF_VALUE_TEMPLATE, ALERT))
        self.expect("alert", (alert["event_type"], alert["text"]), ("alert", "All is well"))


async def main():
    logging.disable(logging.WARNING)
    checker = Checker(core.HomeAssistant(tempfile.gettempdir()), sys.argv[1] == "true")
    messages = [line.rstrip("\n").split(" ", 1) for line in sys.stdin]
    for topic, payload in messages:
        _, accepted = checker.judge(topic, payload)
        if topic.endswith("-controller/config"):
            checker.judge_own(accepted)
        else:
            checker.judge_machine(accepted)
    for complaint in checker.complaints:
        print(complaint)
    print(f"Home Assistant {const.__version__}, names {'' if checker.show_names else 'not '}shown: "
          f"{len(messages)} messages, {checker.checked} checks, {len(checker.complaints)} failed")
    return 1 if checker.complaints or not messages else 0


sys.exit(asyncio.run(main()))
