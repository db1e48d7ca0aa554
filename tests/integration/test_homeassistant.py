"""C8.3: what a Home Assistant finds on the broker, from the first start to the last reload."""
import os
import re

import pytest

from harness import ADA, ROOT, Broker, Client, Machine, user, wait_until
from home_assistant import HomeAssistant

SAW = {"saw": {"authorizations_or": ["woodshop"], "alias": "Table Saw"}}
LATHE = {"lathe": {"authorizations_or": ["woodshop"]}}
LASER = {"laser": {"authorizations_or": ["woodshop"],
                   "second_relay": {"authorizations_or": ["woodshop"]}}}
USERS = [user(1, "Ada", ["woodshop"])]

OWN = "tagout-controller"


@pytest.fixture
def home(broker):
    home = HomeAssistant(broker)
    yield home
    home.close()


@pytest.fixture
def open_shop(start_controller):
    def make(machines, **keys):
        return start_controller(machines, USERS, settings={
            "homeassistant": dict({"discovery": "true"}, **keys)})

    return make


def name(message):
    return message["device"]["name"]


def wait_for_devices(home, *expected):
    """The retained set is this, and nothing else."""
    wait_until(lambda: set(home.devices()) == {OWN, *expected}, f"the devices are {expected}")
    return home.devices()


def test_the_whole_tour(home, client, broker, open_shop):
    controller = open_shop(dict(SAW, **LATHE))
    first = wait_for_devices(home, "tagout_saw", "tagout_lathe")
    assert name(first["tagout_saw"]) == "Table Saw"
    assert first["tagout_saw"]["device"]["via_device"] == OWN

    # Home Assistant restarts.
    since = home.heard.position()
    home.stop()
    home.start()
    for device in first:
        assert home.wait_for(device, since=since).json == first[device]
    assert wait_for_devices(home, "tagout_saw", "tagout_lathe") == first

    # The broker restarts, and has forgotten everything.
    broker.stop()
    wait_until(lambda: not home.heard.is_connected(), "the broker is gone")
    broker.start()
    client.wait_connected()
    home.heard.wait_connected()
    assert wait_for_devices(home, "tagout_saw", "tagout_lathe") == first

    # The controller restarts.
    since = home.heard.position()
    controller.stop()
    controller.start()
    for device in first:
        home.wait_for(device, since=since)
    assert wait_for_devices(home, "tagout_saw", "tagout_lathe") == first

    # A machine is added, one renamed, one removed.
    renamed = {"saw": dict(SAW["saw"], alias="Big Saw")}
    since = home.heard.position()
    controller.write(machines=dict(renamed, **LASER))
    controller.reload()
    home.wait_for("tagout_saw", lambda m: name(m.json) == "Big Saw", since)
    home.wait_for("tagout_lathe", lambda m: m.payload == b"", since)
    last = wait_for_devices(home, "tagout_saw", "tagout_laser")
    assert name(last["tagout_saw"]) == "Big Saw"
    assert {c["unique_id"] for c in last["tagout_saw"]["components"].values()
            if "unique_id" in c} == {
        c["unique_id"] for c in first["tagout_saw"]["components"].values() if "unique_id" in c}
    assert len(last["tagout_laser"]["components"]["second_relay"]) > 1

    # What it had removed stays away when Home Assistant starts anew, and when the controller does.
    since = home.heard.position()
    home.start()
    home.wait_for("tagout_laser", since=since)
    wait_for_devices(home, "tagout_saw", "tagout_laser")


def test_what_is_deleted_in_Home_Assistant_stays_away_until_it_starts_again(home, open_shop):
    controller = open_shop(dict(SAW, **LATHE))
    first = home.wait_for("tagout_saw")
    # A new leader says everything twice (C12.1).
    home.wait_for("tagout_saw", lambda m: m.at > first.at)
    wait_for_devices(home, "tagout_saw", "tagout_lathe")
    since = home.heard.position()
    home.delete("tagout_saw")
    controller.write(machines=dict(SAW, **LATHE, **LASER))
    controller.reload()
    home.wait_for("tagout_laser", since=since)
    wait_for_devices(home, "tagout_lathe", "tagout_laser")
    home.start()
    wait_for_devices(home, "tagout_saw", "tagout_lathe", "tagout_laser")


def test_firmware_that_a_report_tells_of_is_shown(home, client, open_shop):
    open_shop(SAW)
    wait_for_devices(home, "tagout_saw")
    Machine(client, "saw").report(fw="2026.11.0")
    home.wait_for("tagout_saw", lambda m: m.json["device"].get("sw_version") == "2026.11.0")


def flags(client, machine):
    state = client.request("status", {"machine": machine})["data"]
    return state["oops"], state["lockout"]


def set_everything(client, machine, payload, retain=False):
    for what in ("oops", "lockout"):
        client.publish(f"tagout/machine/{machine}/set/{what}", payload, retain=retain)


def test_without_may_clear_ON_sets_and_OFF_clears_nothing(home, client, open_shop):
    controller = open_shop(dict(SAW, **LATHE))
    devices = wait_for_devices(home, "tagout_saw", "tagout_lathe")
    for message in devices.values():
        assert not [c for c in message["components"].values() if c.get("payload_press") == "OFF"]
    machine = Machine(client, "saw")
    machine.report()
    assert machine.report(card=ADA)["relay"] is True
    home.press(devices["tagout_saw"], "lockout_button")
    home.press(devices["tagout_saw"], "oops_button")
    wait_until(lambda: flags(client, "saw") == (True, True), "the saw is oopsed and locked out")
    assert machine.report()["relay"] is False
    for payload in ("OFF", "off", "", "UNLOCK", "0"):
        set_everything(client, "saw", payload)
    set_everything(client, "saw", "OFF", retain=True)
    command = machine.report()  # behind all of them
    assert command["oops_led"] and command["lockout"]
    assert flags(client, "saw") == (True, True)
    assert flags(client, "lathe") == (False, False)
    controller.wait_log(re.compile("OFF refused"))


def test_with_may_clear_its_buttons_clear(home, client, open_shop):
    open_shop(SAW, may_clear="true")
    message = wait_for_devices(home, "tagout_saw")["tagout_saw"]
    Machine(client, "saw").report()
    home.press(message, "lockout_button")
    home.press(message, "oops_button")
    wait_until(lambda: flags(client, "saw") == (True, True), "the saw is oopsed and locked out")
    home.press(message, "unlock_button")
    wait_until(lambda: flags(client, "saw") == (True, False), "the saw is unlocked")
    home.press(message, "oops_clear_button")
    wait_until(lambda: flags(client, "saw") == (False, False), "the saw is clear")


@pytest.fixture
def guarded_broker(scratch):
    """With the access list that we ship; who gives a name needs no password here."""
    acl = os.path.join(ROOT, "deploy/mosquitto/tagout.acl")
    service = Broker(scratch, extra=f"acl_file {acl}\n")
    try:
        yield service.start()
    finally:
        service.kill()


def test_its_own_account_reads_and_presses_and_can_neither_command_nor_see_a_card(
        guarded_broker, start_controller):
    start_controller(SAW, USERS, broker=guarded_broker, settings={
        "homeassistant": {"discovery": "true"}, "mqtt": {"username": "svc.controller-one"}})
    saw_account = Client(guarded_broker, username="saw")
    home = Client(guarded_broker, username="ha.home")
    forger = Client(guarded_broker, username="ha.home")
    try:
        machine = Machine(saw_account, "saw")
        for topic in ("homeassistant/#", "tagout/#"):
            home.subscribe(topic)
        assert machine.report()["lockout"] is False
        assert machine.report(card=ADA)["relay"] is True
        message = home.wait_for("homeassistant/device/tagout_saw/config").json
        home.wait_for("tagout/machine/saw/event", lambda m: m.json["event_type"] == "login")
        since = saw_account.position()
        # A connection of its own: mosquitto throws out who publishes what is denied.
        forger.publish("tagout/machine/saw/command", {"forged": True}, qos=0)
        button = message["components"]["lockout_button"]
        home.publish(button["command_topic"], button["payload_press"])
        saw_account.wait_for("tagout/machine/saw/command", lambda m: m.json.get("lockout"),
                             since=since)
        machine.report()
        assert not [m for m in saw_account.messages("tagout/machine/saw/command", since)
                    if "forged" in m.json]
        heard = {m.topic for m in home.messages()}
        assert "tagout/machine/saw/state" in heard
        assert not heard & {"tagout/machine/saw/report", "tagout/machine/saw/command"}
    finally:
        for client in (saw_account, home, forger):
            client.close()
