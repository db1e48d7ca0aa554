"""tagout-sim against the real controller: each machine behaves as C7 says, and a fault is one."""
import json
import os
import re
import signal
import subprocess
import socket
import time

import pytest

from harness import BIN, ROOT, TIMEOUT_S, Process, wait_until
from secured import Secured
from services import clean_environment
from simulator import QUICK, Simulator

MACHINES = {
    "saw": {"authorizations_or": ["Wood"]},
    "laser": {"authorizations_or": ["Laser"],
              "second_relay": {"authorizations_or": ["Rotary"]}},
    "fan": {"authorizations_or": ["Wood"], "always_enabled": True},
}


def user(number, name, *authorizations, override=False):
    return {"fob_codes": [number], "account_id": name.lower(), "full_name": f"{name} Example",
            "first_name": name, "last_name": "Example", "preferred_name": name,
            "email": f"{name.lower()}@workshop.example", "expiration_ymd": "2031-01-01",
            "authorizations": list(authorizations), "oops_override": override}


USERS = [user("0008214577", "Ada", "Wood", "Laser", "Rotary", override=True),
         user("0011903264", "Rosa", "Wood"),
         user("0004471902", "Tomek", "Laser")]
NUMBERS = [number.lstrip("0") for one in USERS for number in one["fob_codes"]]


class Sim(Simulator):
    """With this file's machines and users."""

    def __init__(self, scratch, broker, *arguments, names=("saw", "laser", "fan"), quick=True):
        super().__init__(scratch, broker, MACHINES, USERS, *arguments, names=names, quick=quick)

    def stop(self):
        assert self.terminate() == 0, self.log()
        assert_clean(self)


def assert_clean(sim):
    assert "Sanitizer" not in sim.log() and "runtime error" not in sim.log(), sim.log()
    for number in NUMBERS:
        assert number not in sim.log(), "C7.9: a card's number was printed"


@pytest.fixture
def shop(start_controller):
    return start_controller(MACHINES, USERS)


@pytest.fixture
def start_sim(scratch, broker):
    """A simulator that takes lines, ready; it must stop cleanly."""
    sims = []

    def make(*arguments, **options):
        sim = Sim(scratch, options.pop("broker", broker), *arguments, **options)
        sims.append(sim.controlled(scratch))
        return sim.start().ready()

    yield make
    for sim in sims:
        try:
            if sim.is_running():
                sim.stop()
        finally:
            sim.kill()


def play(scratch, broker, story, *arguments, names=("saw", "laser", "fan")):
    """Plays a scenario to its end; returns the exit status and what was said."""
    path = os.path.join(scratch, "story.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(story)
    sim = Sim(scratch, broker, "--scenario", path, *arguments, names=names)
    try:
        status = sim.start().wait(2 * TIMEOUT_S)
    finally:
        sim.kill()
    assert_clean(sim)
    return status, sim.log()


SCENES = {
    "a_member_is_let_in_and_out": """
        saw card in Rosa
        expect saw relay on
        expect saw display "Welcome, / Rosa"
        expect saw led green
        expect saw state user Rosa
        expect saw state confirmed on
        saw card out
        expect saw relay off
        expect saw display "Please Insert / RFID Card"
        expect saw event logout
        """,
    "a_stranger_is_refused": """
        saw card in stranger
        expect saw display "Unknown RFID"
        expect saw event unknown_fob
        expect saw relay off for 500 ms
        """,
    "an_untrained_member_is_refused": """
        saw card in Tomek
        expect saw display Unauthorized
        expect saw event denied
        expect saw relay off for 500 ms
        """,
    "the_second_relay_has_its_own_authorization": """
        laser card in Tomek
        expect laser relay on
        expect laser second relay off for 500 ms
        laser card in Ada
        expect laser second relay on
        laser card out
        expect laser relay off
        expect laser second relay off
        """,
    "oops_cuts_at_once_and_stays": """
        saw card in Rosa
        expect saw relay on
        saw oops tap
        expect saw relay off within 100 ms
        expect saw display "Oops!! Please"
        expect saw oops on
        expect saw event oops
        saw card in Tomek
        expect saw event refused
        saw card in Ada
        expect saw display "OVERRIDE BY / Ada"
        expect saw relay on
        saw card out
        expect saw relay off
        request clear {"machine": "saw", "by": "test"}
        expect answer ok
        expect saw display "Please Insert"
        expect saw oops off
        """,
    "C6_a_lockout_from_outside_ends_a_session": """
        saw card in Rosa
        expect saw relay on
        request lockout {"machine": "saw", "value": true, "reason": "blade", "by": "test"}
        expect saw relay off
        expect answer ok
        expect saw display "Down for / maintenance"
        expect saw state confirmed off
        """,
    "C4_1_a_power_cut_starts_nothing_by_itself": """
        saw card in Rosa
        expect saw relay on
        saw power cut
        expect saw relay off within 100 ms
        expect saw link down
        after 300 ms saw power on
        expect saw link up
        expect saw boot
        expect saw relay off for 2 s
        saw card out
        after 1 s saw card in Rosa
        expect saw relay on
        """,
    "C7_1_the_window_is_missed": """
        expect saw display "Please Insert"
        saw link cut
        saw card in Rosa
        after 1500 ms saw link back
        expect saw refused "the card was put in"
        expect saw display "Card out, then / in again"
        expect saw relay off for 500 ms
        """,
    "C7_5_a_machine_without_a_card_starts_late": """
        expect fan display "STARTS in"
        expect fan relay on
        expect fan display "Always On"
        """,
    "a_reader_that_is_lost_cuts_what_needs_the_card": """
        saw card in Rosa
        expect saw relay on
        saw reader lost
        expect saw relay off
        saw reader back
        expect saw relay off for 1 s
        """,
    "C11_7_a_welded_contactor_is_seen": """
        saw stick closed
        saw card in Rosa
        expect saw contact on
        saw card out
        expect saw relay off
        expect saw contact on for 500 ms
        expect saw state confirmed on
        saw unstick
        expect saw contact off
        expect saw state confirmed off
        """,
    "short_losses_of_the_link_end_nothing": """
        saw card in Rosa
        expect saw relay on
        saw roam
        expect saw link down within 100 ms
        expect saw link up
        expect saw relay on for 500 ms
        saw flap for 3 s
        expect saw relay on for 4 s
        expect saw link up
        """,
    "a_restart_by_hand_says_goodbye": """
        saw card in Rosa
        expect saw relay on
        saw restart
        expect saw refused "a relay is on" within 100 ms
        expect saw relay on for 500 ms
        saw restart force
        expect saw relay off within 100 ms
        expect saw boot
        expect saw link up
        expect saw relay off for 1 s
        """,
}


# Where it is not the usual one, which leaves a busy host its time.
WINDOWS = {"C7_1_the_window_is_missed": ("--on-window", "1")}


@pytest.mark.parametrize("scene", SCENES, ids=list(SCENES))
def test_scene(scratch, broker, shop, scene):
    status, said = play(scratch, broker, SCENES[scene], "--start-delay", "1", "--heartbeat", "1",
                        *WINDOWS.get(scene, ()))
    assert status == 0, said


def test_a_failed_expectation_is_named_and_ends_with_1(scratch, broker, shop):
    status, said = play(scratch, broker, "\nsaw card in Tomek\nexpect saw display Unauthorized\n"
                                         "expect saw relay on within 200 ms\nprint never reached\n")
    assert status == 1
    assert re.search(r"story\.txt:4: expect saw relay on within 200 ms: not so within 0\.2 s; saw: "
                     r'relay off, display "Unauthorized / ", link up', said)
    assert "never reached" not in said


def test_what_has_to_stay_so_fails_as_soon_as_it_is_not(scratch, broker, shop):
    status, said = play(scratch, broker, "saw card in Rosa\nexpect saw relay on\n"
                                         "laser card in Tomek\nexpect saw not relay off for 1 s\n"
                                         "saw oops press\nexpect saw relay on for 1 s\n")
    assert status == 1
    assert "story.txt:6: " in said


@pytest.mark.parametrize("line, reason", [
    ("saw jump", "no such action: jump"),
    ("lathe card out", 'no machine "lathe" here'),
    ("saw card in Zoe", 'nobody is called "Zoe"'),
])
def test_a_wrong_line_is_found_before_anything_happens(scratch, broker, line, reason):
    status, said = play(scratch, broker, f"saw card in Rosa\n{line}\n")
    assert status == 2
    assert f"story.txt:2: {reason}" in said
    assert "card in" not in said.replace(line, "")


def test_C7_1_a_retained_on_from_before_a_power_cut_energises_nothing(client, shop, start_sim):
    """The controller is gone; what the broker keeps is its last word, an "on"."""
    sim = start_sim()
    sim.tell("saw card in Rosa", "expect saw relay on")
    shop.kill()
    held = client.retained("tagout/machine/saw/command")
    assert held["tagout/machine/saw/command"].json["relay"] is True
    sim.tell("saw power cut", "after 200 ms saw power on", "expect saw link up",
             'expect saw refused "it is for another boot"', "expect saw relay off for 1 s",
             "saw card out", "after 1 s saw card in Rosa", "expect saw relay off for 1 s")


def test_C8_1_lockout_of_a_machine_whose_link_is_cut(client, shop, start_sim):
    """It runs on, and nobody says that it is off; when it hears of the lockout it is, and says so."""
    sim = start_sim()
    sim.tell("saw card in Rosa", "expect saw relay on", "expect saw state confirmed on",
             "saw link cut")
    answer = client.request("lockout", {"machine": "saw", "value": True, "reason": "blade"})
    assert (answer["status"], answer["data"]["confirmed"]) == ("ok", "unknown")
    sim.tell("expect saw state confirmed unknown", "expect saw relay on for 1 s", "saw link back",
             "expect saw link up", "expect saw relay off", "expect saw state confirmed off")


def test_C7_6_a_restart_is_refused_while_a_relay_is_on(client, shop, start_sim):
    sim = start_sim()
    sim.tell("saw card in Rosa", "expect saw relay on")
    client.publish("tagout/machine/saw/restart", {"id": 1, "force": False})
    sim.wait_log(re.compile("saw +refused restart: a relay is on"))
    sim.tell("expect saw relay on for 300 ms")
    client.publish("tagout/machine/saw/restart", {"id": 2, "force": True})
    sim.wait_log(re.compile("saw +reboots"))
    sim.tell("expect saw link up", "expect saw relay off for 500 ms")


def test_C7_6_probes_are_answered_unless_it_hangs(client, start_sim):
    sim = start_sim(names=["saw"])
    client.subscribe("tagout/machine/saw/pong")

    def probe(number, timeout_s=TIMEOUT_S):
        client.publish("tagout/machine/saw/probe", {"id": number}, qos=0)
        client.wait_for("tagout/machine/saw/pong", lambda m: m.json["id"] == number, timeout_s)

    probe(1)
    sim.tell("saw hang")
    with pytest.raises(TimeoutError):
        probe(2, 2)
    sim.tell("saw resume", "saw hang with pongs")
    probe(3)
    client.subscribe("tagout/machine/saw/report")
    sim.tell("saw oops tap")
    client.expect_silence("tagout/machine/saw/report", 1)
    sim.tell("saw resume")
    client.wait_for("tagout/machine/saw/report")


def test_C7_3_a_press_outlives_a_power_cut(client, shop, start_sim):
    sim = start_sim()
    sim.tell("saw link cut", "saw oops tap", "after 500 ms saw power cut", "saw power on",
             'expect saw display "OOPS: power off"', "saw link back", "expect saw event oops",
             'expect saw display "Oops!! Please"')


def test_C2_link_says_online_offline_and_lost(client, start_sim):
    topic = "tagout/machine/+/link"
    client.subscribe(topic)
    sim = start_sim()
    for name in ("saw", "laser", "fan"):
        client.wait_for(f"tagout/machine/{name}/link", lambda m: m.text == "online")
    since = client.position()
    sim.tell("saw die", "laser switch off")
    client.wait_for("tagout/machine/saw/link", lambda m: m.text == "lost", since=since)
    client.wait_for("tagout/machine/laser/link", lambda m: m.text == "offline", since=since)
    client.expect_silence("tagout/machine/fan/link", 0.3, since=since)
    sim.signal(signal.SIGINT)
    assert sim.wait() == 0
    client.wait_for("tagout/machine/fan/link", lambda m: m.text == "offline", since=since)
    held = {name.split("/")[2]: m.text for name, m in connect_again(client).items()}
    assert held == {"saw": "lost", "laser": "offline", "fan": "offline"}


def connect_again(client):
    client.unsubscribe("tagout/machine/+/link")
    return client.retained("tagout/machine/+/link")


def test_a_killed_simulator_leaves_the_last_wills(client, start_sim):
    sim = start_sim(names=["saw"])
    client.subscribe("tagout/machine/saw/link")
    sim.kill()
    client.wait_for("tagout/machine/saw/link", lambda m: m.text == "lost")


def test_it_keeps_to_this_host_unless_really(scratch, broker):
    class Elsewhere:
        url = "mqtt://192.0.2.1:1883"

    sim = Sim(scratch, Elsewhere)
    assert sim.start().wait() == 2
    assert "192.0.2.1 is not this host" in sim.log() and "--really" in sim.log()
    # A look-alike of a loopback address is a name like any other.
    sim = Sim(scratch, type("Name", (), {"url": "mqtt://127.0.0.1.example.org"}))
    assert sim.start().wait() == 2
    sim = Sim(scratch, Elsewhere, "--really").start()
    try:
        sim.wait_log(re.compile("seed "))
        assert sim.terminate() == 0
    finally:
        sim.kill()


def test_it_takes_no_name_that_is_online(scratch, broker, client, start_sim):
    client.publish("tagout/machine/saw/link", "online", retain=True)
    sim = Sim(scratch, broker)
    assert sim.start().wait() == 1
    assert "saw is online already" in sim.log()
    assert client.retained("tagout/machine/saw/link")["tagout/machine/saw/link"].text == "online"
    taken = start_sim("--take-over")
    taken.tell("expect saw link up")


def test_a_name_that_was_lost_or_said_goodbye_is_free(client, start_sim):
    client.publish("tagout/machine/saw/link", "lost", retain=True)
    client.publish("tagout/machine/laser/link", "offline", retain=True)
    start_sim()


def test_a_connection_that_breaks_before_it_is_subscribed_is_made_again(scratch, broker, proxy):
    between = proxy(broker)
    between.severed_bytes = 4  # the CONNACK
    between.set("sever", "down")
    sim = Sim(scratch, between)
    try:
        sim.start()
        wait_until(lambda: between.severed >= 4, "connections break")
        between.set("pass")
        sim.ready()
        assert "can't subscribe" not in sim.log()
        sim.stop()
    finally:
        sim.kill()


def test_lines_from_standard_input_are_carried_out_to_the_end(scratch, broker, shop):
    """A wrong one is named and costs the exit status; the next is carried out all the same."""
    sim = Sim(scratch, broker, "--control", "-", names=["saw"])
    lines = ('expect saw display "Please Insert"\nsaw card in Rosa\nsaw jump\n'
             "expect saw led red within 100 ms\nexpect saw relay on\nprint so")
    done = subprocess.run(sim.arguments, input=lines, text=True, timeout=TIMEOUT_S, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 1
    assert "control:3: no such action: jump" in done.stdout
    assert "control:4: expect saw led red within 100 ms: not so" in done.stdout
    assert "control:5" not in done.stdout
    assert "\nso\n" in done.stdout


def test_json_is_one_object_a_line(scratch, broker, shop):
    status, said = play(scratch, broker, 'saw card in Rosa\nexpect saw relay on\nprint "so"\n'
                                         "saw card out\nexpect saw relay off\n", "--json")
    assert status == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    relay = [line["on"] for line in lines if line.get("machine") == "saw"
             and line["what"] == "relay"]
    assert relay == [True, False]
    assert {"what": "print", "text": '"so"'}.items() <= next(
        line for line in lines if line["what"] == "print").items()
    assert any(line["what"] == "display" and line["lines"] == ["Welcome,", "Rosa"]
               for line in lines)


def test_quiet_says_only_what_is_printed(scratch, broker, shop):
    status, said = play(scratch, broker, "saw card in Rosa\nexpect saw relay on\nprint so\n", "-q")
    assert (status, said) == (0, "so")


def test_it_connects_for_ever(scratch, broker, start_controller):
    start_controller(MACHINES, USERS)
    broker.stop()
    sim = Sim(scratch, broker).controlled(scratch).start()
    try:
        sim.wait_log(re.compile("no broker at "))
        broker.start()
        sim.ready()
        broker.restart()
        sim.tell("expect * link up within 10 s", 'expect saw display "Please Insert" within 10 s',
                 "saw card in Rosa", "expect saw relay on within 10 s")
        sim.stop()
    finally:
        sim.kill()


def test_a_silent_controller_gets_a_hint(broker, shop, start_sim):
    """Also one that knows other names, or another prefix."""
    stray = start_sim("--prefix", "elsewhere")
    stray.wait_log(re.compile(r'no controller has answered saw, laser, fan: does one run, with the '
                              r'prefix "elsewhere" and these names in its machines.json\?'))


@pytest.fixture
def secured(scratch):
    broker = Secured(scratch, MACHINES).add("saw")
    broker.start()
    yield broker
    broker.stop()


def start_secured(scratch, broker, door, *arguments):
    """A saw with its account at one of the broker's listeners."""
    ca_file = ("--ca-file", door.ca_file) if door.ca_file else ()
    sim = Sim(scratch, door, "--username", "saw", *ca_file, *arguments, names=("saw",))
    sim.environment = clean_environment({"TAGOUT_MQTT_PASSWORD": broker.passwords["saw"]})
    sim.start()
    return sim


@pytest.mark.parametrize("tls", [False, True])
def test_where_the_account_is_the_client_id_it_says_why_its_connections_end(
        scratch, secured, tls):
    door = secured.devices if tls else secured.services
    sim = start_secured(scratch, secured, door, "--quiet")
    sim.wait_log(re.compile(
        f"its connections throw each other out: at {door.url} the account saw is the client id"))
    sim.stop()


@pytest.mark.parametrize("tls", [False, True])
def test_at_the_listener_for_people_it_stands_beside_its_machine(scratch, secured, tls):
    sim = start_secured(scratch, secured, secured.people_tls if tls else secured.people,
                        "--heartbeat", "0.5", "--do", "expect saw link up for 5 s")
    assert sim.wait() == 0, sim.log()
    assert "connection lost" not in sim.log() and "no broker" not in sim.log()
    assert_clean(sim)


def test_only_machines_without_an_answer_are_in_the_hint(broker, shop, start_sim):
    sim = start_sim(names=["saw", "ghost"])
    sim.wait_log(re.compile(r"no controller has answered ghost: .* this name in"))


def test_random_life_is_replayed_by_its_seed(scratch, broker, shop):
    def cards(seed):
        sim = Sim(scratch, broker, "--life", "4000", "--seed", str(seed), names=["saw"]).start()
        try:
            wait_until(lambda: sim.log().count("card in: ") >= 4, "four visits")
            sim.stop()
        finally:
            sim.kill()
        assert f"seed {seed}" in sim.log()
        return re.findall("card in: (.*)", sim.log())[:4]

    assert cards(1) == cards(1) != cards(2)


def test_C7_2_a_broker_that_hangs_stops_nothing(proxy, broker, shop, start_sim):
    between = proxy(broker)
    sim = start_sim(broker=between)
    sim.tell("saw card in Rosa", "expect saw relay on")
    between.set("freeze")
    sim.tell("expect saw relay on for 1 s", "saw card out", "expect saw relay off within 1 s")
    between.set("pass")
    sim.tell("expect saw state user null within 10 s")


@pytest.mark.parametrize("arguments, reason", [
    ([], "no machine"),
    (["Saw"], "a machine's name is"),
    (["saw", "saw"], "named twice"),
    (["--count", "many"], "--count many: not a number"),
    (["--machines", "/nowhere.json"], "/nowhere.json: No such file"),
    (["--users", "/nowhere.json", "saw"], "/nowhere.json: No such file"),
    (["-b", "http://127.0.0.1", "saw"], "http://127.0.0.1: "),
    (["--prefix", "a/b", "saw"], "--prefix a/b"),
    (["--colour", "red", "saw"], "--colour red"),
    (["--no-such-option"], "no-such-option"),
])
def test_usage_errors_end_with_2(arguments, reason):
    sim = Process("tagout-sim", [os.path.join(BIN, "tagout-sim"), *arguments]).start()
    assert sim.wait() == 2
    assert reason in sim.log() and "--help" in sim.log()


def test_the_manual_names_every_option():
    sim = Process("tagout-sim", [os.path.join(BIN, "tagout-sim"), "--help"]).start()
    assert sim.wait() == 0
    with open(os.path.join(ROOT, "deploy/man/tagout-sim.1"), encoding="utf-8") as page:
        manual = page.read().replace("\\-", "-")
    for option in set(re.findall("--[a-z-]+", sim.log())):
        assert option in manual, option


def test_200_machines_at_once(scratch, broker, start_controller):
    machines = {f"sim-{number}": {"authorizations_or": ["Wood"]} for number in range(1, 201)}
    start_controller(machines, USERS)
    path = os.path.join(scratch, "story.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write('expect * display "Please Insert" within 20 s\n'
                   "* card in Rosa\nexpect * relay on within 20 s\n"
                   "* card out\nexpect * relay off within 20 s\n"
                   "expect * state user null within 20 s\n")
    sim = Process("tagout-sim", [
        os.path.join(BIN, "tagout-sim"), "-b", broker.url, "--count", "200", "--users",
        write_users(scratch), "--scenario", path, "--on-window", "20", *QUICK])
    began = time.monotonic()
    try:
        assert sim.start().wait(2 * TIMEOUT_S) == 0, sim.log()[-3000:]
    finally:
        sim.kill()
    print(f"note: 200 machines: {time.monotonic() - began:.1f} s")
    assert_clean(sim)


def write_users(scratch):
    path = os.path.join(scratch, "many-users.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(USERS, file)
    return path
