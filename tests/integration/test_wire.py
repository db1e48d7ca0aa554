"""What comes over the wire, good, bad and too much of it (C3), and how the connection is made."""
import os
import re
import signal
import statistics
import subprocess
import time

import pytest

from harness import ADA, BOB, MACHINES, USERS, Broker, Machine, free_port, user, wait_until
from tls_broker import make_certificate

EVENTS = "tagout/machine/+/event"
SAW = "tagout/machine/saw"


@pytest.fixture
def controller(start_controller):
    return start_controller(MACHINES, USERS + [user(4, "Kim", ["woodshop"]) | {
        "fob_codes": ["4"]}])


def events(client, since=0):
    return [m.json["event_type"] for m in client.messages(EVENTS, since)]


def state_of(client, machine):
    """Behind the answer nothing is on its way of what went before."""
    return client.request("status", {"machine": machine})["data"]


# ---- bad reports ----

def good(**more):
    """Would end the session that is open, if it were taken."""
    return dict({"oops": True, "rfid_value": "", "uptime": 5, "boot_id": "other", "seq": 1}, **more)


def lacking(key):
    return {name: value for name, value in good().items() if name != key}


def deep(levels):
    return b'{"oops":true,"rfid_value":"","uptime":1,"x":' + b"[" * levels + b"]" * levels + b"}"


ACK = {"epoch": 1, "rev": 1, "oops": True, "lockout": True}

BAD_REPORTS = [
    b"", b" ", b"{", b"null", b"[]", b'"oops"', b"oops", b"\xff\xfe", b"\x00",
    b'{"oops":true,"rfid_value":"","uptime":1}x',
    b'{"oops":true,"rfid_value":"","uptime":1}{}',
    b'{"oops":true,"rfid_value":"","uptime":1}\x00',
    b'{"oops":true,"oops":true,"rfid_value":"","uptime":1}',
    b'{"oops":true,"rfid_value":"","uptime":1,"x":{"y":1,"y":1}}',
    b'{"oops":true,"rfid_value":"","uptime":1,"x":"\xc3\x28"}',
    b'{"oops":true,"rfid_value":"","uptime":1,"x":"\\ud800"}',
    b'{"oops":true,"rfid_value":"","uptime":1,"x":"\\u0000"}',
    b'{"oops":true,"rfid_value":"4\\u00002","uptime":1}',
    b'{"oops":true,"rfid_value":"","uptime":1e999}',
    b'{"oops":true,"rfid_value":"","uptime":NaN}',
    b'{"oops":true,"rfid_value":"","uptime":01}',
    b"{'oops':true,'rfid_value':'','uptime':1}",
    b'{"oops":true,"rfid_value":"","uptime":1,}',
    b'{"oops":True,"rfid_value":"","uptime":1}',
    b'{"oops":true,"rfid_value":"","uptime":1,"x":"' + b"y" * 4096 + b'"}',
    deep(8), deep(100), deep(2000),
    lacking("oops"), lacking("rfid_value"), lacking("uptime"),
    {"Oops": True, "rfid_value": "", "uptime": 1},
    good(oops=None), good(oops=1), good(oops="true"),
    good(rfid_value=None), good(rfid_value=4), good(rfid_value=["4"]),
    good(rfid_value="4" * 65), good(rfid_value="4\n"), good(rfid_value="é"),
    good(uptime=None), good(uptime="1"), good(uptime=-1),
    good(boot_id=""), good(boot_id="b" * 33), good(boot_id='b"'), good(boot_id="b\\"),
    good(boot_id=7), good(seq=0), good(seq=-1), good(seq=1.5), good(seq=4294967296), good(seq="1"),
    good(ack=1), good(ack={}), good(ack=dict(ACK, oops=1)), good(ack=dict(ACK, rev=-1)),
    good(ack=dict(ACK, rev=4294967296)), good(ack=dict(ACK, epoch=2 ** 40 + 1)),
    good(relay_state="ON"), good(second_relay_state=1), good(relay_feedback="pin"),
    good(emergency="yes"), good(reader_ok=1), good(fw="f" * 33), good(fw=1),
    good(reset_reason="r" * 33), good(wifi_signal_db="-60"), good(wifi_signal_percent=True),
    good(internal_temperature_c={}), good(amps="0"),
]


def test_C3_a_malformed_report_changes_nothing_is_counted_and_gets_no_command(controller, client):
    saw = Machine(client, "saw")
    saw.report()
    saw.report(card=ADA)
    before = state_of(client, "saw")
    client.subscribe(EVENTS)
    client.subscribe(f"{SAW}/state")
    client.wait_for(f"{SAW}/state", lambda m: m.retain)
    with client.hears_nothing(f"{SAW}/#"):
        for payload in BAD_REPORTS:
            client.publish(f"{SAW}/report", payload, wait=False)
        wait_until(lambda: controller.metrics()["tagout_bad_reports_total"] >= len(BAD_REPORTS),
                   "all are counted")
        assert controller.metrics()["tagout_bad_reports_total"] == len(BAD_REPORTS)
        assert state_of(client, "saw") == before
    # The reason is logged, and not for each of a storm.
    assert len(re.findall("saw: bad report", controller.log())) == 1
    command = saw.report()
    assert (command["relay"], command["rev"]) == (True, before["rev"] + 1)


@pytest.mark.parametrize("payload, reason", [
    (b'{"oops":false,"rfid_value":"4\\u00002","uptime":1}', "\\u0000 in a string at byte 29"),
    (good(uptime="1"), "/uptime: must be a number, is a string"),
    (lacking("oops"), "/oops: missing"),
])
def test_C3_the_reason_is_logged(controller, client, payload, reason):
    client.publish(f"{SAW}/report", payload)
    assert reason in controller.wait_log(re.compile("saw: bad report, ignored: "))


def test_C3_a_hidden_NUL_is_not_the_card_in_front_of_it(controller, client):
    saw = Machine(client, "saw")
    saw.report()
    client.publish(f"{SAW}/report",
                   b'{"oops":false,"rfid_value":"4\\u00002","uptime":200,"boot_id":"%s","seq":2}'
                   % saw.boot_id.encode())
    saw.seq = 2
    assert saw.report()["relay"] is False
    assert saw.report(card="4")["display"] == "Welcome,\nKim"


def test_C3_unknown_keys_and_nulls_do_no_harm(controller, client):
    saw = Machine(client, "saw")
    saw.report(amps=None, ack=None, fw=None, emergency=None, colour="red", nested={"a": [1, {}]})
    assert saw.report(card=ADA, relay_state=None)["relay"] is True
    assert controller.metrics()["tagout_bad_reports_total"] == 0


def test_C2_a_machine_that_is_not_configured_gets_no_command(controller, client):
    client.subscribe("tagout/machine/router/+")
    for seq in range(1, 21):
        client.publish("tagout/machine/router/report", {
            "oops": False, "rfid_value": ADA, "uptime": 100, "boot_id": "b", "seq": seq})
    wait_until(lambda: controller.metrics()["tagout_stranger_messages_total"] == 20, "counted")
    client.request("status")
    assert {m.topic for m in client.messages("tagout/machine/router/#")} == {
        "tagout/machine/router/report"}
    controller.wait_log(re.compile("router is not configured"))
    assert len(re.findall("router is not configured", controller.log())) == 1


# ---- duplicates, and boots that are over ----

def test_C3_a_duplicate_gets_the_current_command_and_nothing_else(controller, client):
    saw = Machine(client, "saw")
    saw.report()
    command = saw.report(card=ADA)
    state_of(client, "saw")
    client.subscribe(EVENTS)
    client.subscribe(f"{SAW}/state")
    client.wait_for(f"{SAW}/state")
    with client.hears_nothing(f"{SAW}/state"):
        for seq, card in ((1, ""), (2, ""), (2, ADA), (1, BOB)):  # late or again, whatever it says
            since = client.position()
            saw.seq = seq - 1
            saw.send(card=card)
            assert client.wait_for(f"{SAW}/command", since=since).json == command
        assert state_of(client, "saw")["mode"] == "in_use"
    assert events(client) == []
    assert controller.metrics()["tagout_reports_duplicate_total"] == 4


def test_C3_oops_always_counts_in_a_duplicate_too(controller, client):
    client.subscribe(EVENTS)
    saw = Machine(client, "saw")
    saw.report()
    saw.report(card=ADA)
    client.wait_for(EVENTS)
    saw.seq = 1
    since = client.position()
    saw.send(oops=True)
    command = client.wait_for(f"{SAW}/command", since=since).json
    assert (command["relay"], command["oops_led"]) == (False, True)
    state_of(client, "saw")
    assert events(client, since) == ["oops", "logout"]


def test_C3_a_report_of_a_boot_that_is_over_is_dropped(controller, client):
    client.subscribe(EVENTS)
    saw = Machine(client, "saw", boot_id="first")
    saw.report()
    saw.report(card=ADA)
    saw.reboot(boot_id="second")
    assert saw.report(card="")["relay"] is False
    command = saw.report(card=ADA)
    assert command["relay"] is True
    old = Machine(client, "saw", boot_id="first")
    old.seq = 2
    state_of(client, "saw")
    with client.hears_nothing(f"{SAW}/#"):
        old.send(oops=True)
        wait_until(lambda: controller.metrics()["tagout_reports_superseded_total"] == 1, "counted")
        state = state_of(client, "saw")
    assert (state["mode"], state["boot_id"], state["rev"]) == ("in_use", "second", command["rev"])


# ---- a storm ----

def test_C3_in_a_storm_of_heartbeats_no_press_and_no_card_is_lost(controller, client):
    client.subscribe(EVENTS)
    saw, mill = Machine(client, "saw"), Machine(client, "mill")
    saw.report()
    mill.report()
    since = client.position()
    total = 5000
    special = {1200: {"rfid_value": ADA}, 2400: {"rfid_value": BOB}, 3600: {"oops": True},
               4800: {"rfid_value": ADA}}
    for seq in range(2, total + 2):
        client.publish(f"{SAW}/report", dict(
            {"oops": False, "rfid_value": "", "uptime": 100 + seq, "boot_id": saw.boot_id,
             "seq": seq}, **special.get(seq, {})), wait=False)
    saw.seq = total + 1
    command = saw.answer(since)
    assert (command["relay"], command["oops_led"], command["seq"]) == (False, True, total + 1)
    assert mill.report(card=ADA)["relay"] is True
    state_of(client, "saw")
    assert events(client, since) == ["login", "logout", "denied", "oops", "refused", "login"]
    commands = [m.json for m in client.messages(f"{SAW}/command", since)]
    on = [c["seq"] for c in commands if c["relay"]]
    # Answered as a whole state: the card's own report, or the newest that told the same.
    assert on in ([], [1200])
    assert [c["seq"] for c in commands] == sorted(c["seq"] for c in commands)
    metrics = controller.metrics()
    assert (metrics["tagout_reports_total"] + metrics["tagout_reports_merged_total"]
            == total + 3)
    assert metrics["tagout_inbox_dropped_total"] == 0


# ---- the connection ----

def test_the_answer_does_not_wait_for_an_acknowledgement(controller, client):
    """With Nagle's algorithm on each takes 44 ms; on a busy host many take longer, but not all."""
    saw = Machine(client, "saw")
    saw.report()
    times = []
    for _ in range(200):
        began = time.monotonic()
        saw.report()
        times.append(time.monotonic() - began)
    assert statistics.quantiles(times, n=4)[0] < 0.030


def run(*command):
    subprocess.run(command, check=True, capture_output=True,
                   env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))


def test_a_session_over_TLS(tls_broker, connect, start_controller):
    start_controller(MACHINES, USERS, settings={
        "mqtt": {"url": tls_broker.tls_url, "ca_file": tls_broker.certificate}}, broker=tls_broker)
    saw = Machine(connect(broker=tls_broker), "saw")
    saw.report()
    assert saw.report(card=ADA)["relay"] is True
    assert saw.report(card="")["relay"] is False


def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(scratch, tls_broker, connect,
                                                           start_controller):
    other, _ = make_certificate(scratch, "other", "127.0.0.1")
    controller = start_controller(MACHINES, USERS, ready=False, settings={
        "mqtt": {"url": tls_broker.tls_url, "ca_file": other, "username": "controller",
                 "password": "opensesame"}}, broker=tls_broker)
    line = controller.wait_log(re.compile("no broker at " + tls_broker.tls_url))
    assert "certificate" in line, line
    assert connect(broker=tls_broker).retained("tagout/#") == {}
    assert "opensesame" not in controller.log()


def test_a_wrong_password_is_told_readably_and_tried_again(scratch, redis, connect,
                                                           start_controller):
    passwords = os.path.join(scratch, "passwords")
    run("mosquitto_passwd", "-b", "-c", passwords, "tagout", "another")
    run("mosquitto_passwd", "-b", passwords, "test", "test")
    os.chmod(passwords, 0o644)
    os.chmod(scratch, 0o755)
    broker = Broker(scratch, extra=f"allow_anonymous false\npassword_file {passwords}\n").start()
    try:
        controller = start_controller(
            MACHINES, USERS, ready=False, broker=broker, settings={"mqtt": {"username": "tagout"}},
            environment={"TAGOUT_MQTT_PASSWORD": "opensesame"})
        line = controller.wait_log(re.compile("no broker at"))
        assert "not authorised (user name or password?)" in line, line
        run("mosquitto_passwd", "-b", passwords, "tagout", "opensesame")
        broker.signal(signal.SIGHUP)  # it reads its passwords again
        controller.wait_log(controller.READY)
        assert "opensesame" not in controller.log()
        saw = Machine(connect(broker=broker, username="test", password="test"), "saw")
        assert saw.report()["display"] == "Please Insert\nRFID Card"
        controller.stop()
    finally:
        broker.kill()


def test_a_broker_that_swallows_what_the_controller_says_is_told_of(
        scratch, redis, start_controller):
    """It refuses no subscription and no message, and without a word of this nobody would know what the
    controller waits for."""
    rules = os.path.join(scratch, "acl")

    def allow(what):
        with open(rules, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(what)

    allow("topic readwrite other/#\n")
    os.chmod(scratch, 0o755)
    # With no limit here, Mosquitto 2.0.11 throws out whom it denies a message of QoS 1.
    broker = Broker(scratch, extra=f"acl_file {rules}\nmax_queued_messages 1000\n").start()
    try:
        controller = start_controller(MACHINES, USERS, ready=False, broker=broker)
        line = controller.wait_log(re.compile("the broker brings back nothing"))
        assert "(tagout/controller/one/marker)" in line
        assert line.endswith("does the broker's access list let clients without an account write "
                             'and read what stands under [controller] prefix "tagout"? When it does, '
                             "restart the broker")
        status, page = controller.status_of("/readyz")
        assert status == 503 and "the broker brings back nothing of its own: see the log" in page
        allow("topic readwrite tagout/#\n")
        broker.stop()
        broker.start()
        controller.wait_log(controller.READY)
        assert controller.status_of("/readyz")[0] == 200
        controller.stop()
    finally:
        broker.kill()
