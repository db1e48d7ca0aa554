"""The harness itself: a test tool that does not do what it says hides faults."""
import json
import os
import re
import socket
import sys
import time

import pytest

from harness import ROOT, Broker, Controller, Machine, Process, Redis, free_port, wait_until
from recorder import Recorder


def test_ports_are_never_given_twice():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_a_client_hears_what_another_publishes(connect):
    ears, mouth = connect(), connect()
    ears.subscribe("tagout/machine/+/report")
    mouth.publish("tagout/machine/table-saw/report", {"oops": False})
    message = ears.wait_for("tagout/machine/+/report", lambda m: m.json["oops"] is False)
    assert (message.topic, message.retain) == ("tagout/machine/table-saw/report", False)


def test_wait_for_looks_only_at_what_came_since(client):
    client.subscribe("a")
    client.publish("a", "1")
    client.wait_for("a")
    since = client.position()
    with pytest.raises(TimeoutError):
        client.wait_for("a", timeout_s=0.2, since=since)
    client.publish("a", "2")
    assert client.wait_for("a", since=since).text == "2"


def test_expect_silence_fails_on_a_message(client):
    client.subscribe("a")
    client.expect_silence("a", 0.2)
    since = client.position()
    client.publish("a", "1")
    with pytest.raises(AssertionError, match="unexpected"):
        client.expect_silence("a", 5, since=since)


def test_retained_lists_what_the_broker_holds(client):
    for number in range(3000):
        client.publish(f"many/{number}", "x", retain=True, qos=0)
    client.publish("many/1", "newer", retain=True)
    held = client.retained("many/#")
    assert len(held) == 3000
    assert held["many/1"].text == "newer"


def test_a_restarted_broker_has_forgotten_everything(broker, connect):
    client = connect()
    client.publish("kept", "x", retain=True)
    assert client.retained("kept")
    broker.restart()
    assert not connect().retained("kept")


def test_a_client_comes_back_with_its_subscriptions(broker, connect):
    ears = connect()
    ears.subscribe("a")
    broker.stop()
    wait_until(lambda: not ears.is_connected(), "the client has noticed")
    broker.start()
    ears.wait_connected()
    connect().publish("a", "1")
    assert ears.wait_for("a").text == "1"


def test_a_dropped_client_leaves_its_last_will(connect):
    watcher = connect()
    watcher.subscribe("tagout/machine/lathe/link")
    device = connect(will=("tagout/machine/lathe/link", "lost", 1, True))
    device.drop()
    assert watcher.wait_for("tagout/machine/lathe/link").text == "lost"


def test_a_frozen_broker_answers_only_when_thawed(broker, connect):
    ears, mouth = connect(), connect()
    ears.subscribe("a")
    broker.freeze()
    mouth.publish("a", "1", qos=0)
    ears.expect_silence("a", 0.3)
    broker.thaw()
    assert ears.wait_for("a").text == "1"


def test_a_request_finds_its_own_answer(connect):
    """Past another's answer, and past `queued`."""
    asks, answers = connect(), connect()
    answers.subscribe("tagout/request/+/+")

    def answer(_client, _data, message):
        body = json.loads(message.payload)
        for status, transaction in (("error", "another"), ("queued", body["transaction"]),
                                    ("ok", body["transaction"])):
            answers._paho.publish("tagout/response/local/restart",
                                  f'{{"status": "{status}", "transaction": "{transaction}"}}', 1)

    answers._paho.on_message = answer
    assert asks.request("restart", {"machine": "lathe"})["status"] == "ok"
    assert asks.request("restart", {"machine": "lathe"}, final=False)["status"] == "queued"


def test_a_machine_takes_only_the_command_that_answers_it(client, connect):
    saw = Machine(client, "table-saw", boot_id="b1")
    other = connect()
    since = client.position()
    saw.send(card="0000000042")
    command = {"boot_id": "b0", "seq": 1, "relay": True}
    other.publish(saw.topic + "/command", command)
    other.publish(saw.topic + "/command", dict(command, boot_id="b1", seq=0))
    with pytest.raises(TimeoutError):
        saw.answer(since, timeout_s=0.2)
    other.publish(saw.topic + "/command", dict(command, boot_id="b1", relay=False))
    assert saw.answer(since)["relay"] is False


@pytest.mark.parametrize("tcp", [False, True])
def test_redis_answers_and_can_be_wiped(scratch, tcp):
    store = Redis(scratch, tcp=tcp)
    try:
        store.start()
        store.command("HSET", "tagout:machine:lathe", "oops", "1", "by", "Zoë")
        assert store.hash("tagout:machine:lathe") == {"oops": "1", "by": "Zoë"}
        with pytest.raises(RuntimeError, match="WRONGTYPE"):
            store.command("GET", "tagout:machine:lathe")
        store.wipe()
        assert store.hash("tagout:machine:lathe") == {}
        store.command("SET", "a", "1")
        store.kill()
        store.start()
        assert store.command("GET", "a") is None
    finally:
        store.kill()


def test_a_proxy_passes_freezes_and_lets_go(redis, proxy):
    between = proxy(redis)
    with via(between) as connection:
        assert ask(connection) == b"+PONG\r\n"
        between.set("freeze")
        connection.sendall(b"PING\r\n")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        between.set("pass")
        connection.settimeout(20)
        assert connection.recv(100) == b"+PONG\r\n"


def test_a_proxy_trickles_one_direction_only(redis, proxy):
    between = proxy(redis, trickle_s=0.05)
    between.set("trickle", "down")
    with via(between) as connection:
        began = time.monotonic()
        assert ask(connection) == b"+PONG\r\n"
        assert time.monotonic() - began >= 7 * 0.05


@pytest.mark.parametrize("severed_bytes", [2, 4])
def test_a_severing_proxy_lets_the_first_bytes_through(redis, proxy, severed_bytes):
    between = proxy(redis)
    between.severed_bytes = severed_bytes
    between.set("sever", "down")
    with via(between) as connection:
        connection.sendall(b"PING\r\n")
        with connection.makefile("rb") as stream:
            assert stream.read() == b"+PONG\r\n"[:severed_bytes]


def test_a_garbling_proxy_turns_one_bit_and_then_passes(redis, proxy):
    between = proxy(redis)
    between.set("garble", "down")
    with via(between) as connection:
        assert ask(connection) == b"+POOG\r\n"
        assert ask(connection) == b"+PONG\r\n"


def test_a_cut_proxy_closes_and_refuses_until_it_passes(redis, proxy):
    between = proxy(redis)
    with via(between) as connection:
        ask(connection)
        between.set("cut")
        assert closed(connection)
    with via(between) as connection:
        assert closed(connection)
    between.set("pass")
    with via(between) as connection:
        assert ask(connection) == b"+PONG\r\n"


def test_a_broker_behind_a_proxy(broker, connect, proxy):
    between = proxy(broker)
    watcher = connect()
    watcher.subscribe("link")
    connect(broker=between, will=("link", "lost", 1, True))
    between.set("cut")
    assert watcher.wait_for("link").text == "lost"


def test_what_a_test_started_dies_with_it(scratch):
    """Even when the test's process is killed."""
    child = Process("parent", [
        sys.executable, "-c",
        "import sys, time\n"
        "from processes import Process\n"
        "p = Process('child', ['sleep', '1000']).start()\n"
        "print('pid', p.pid, flush=True)\n"
        "time.sleep(1000)\n"],
        dict(os.environ, PYTHONPATH=os.path.join(ROOT, "tests/lib"))).start()
    try:
        pid = int(child.wait_log(re.compile(r"pid \d+")).split()[1])
    finally:
        child.kill()
    wait_until(lambda: not is_alive(pid), "the child is dead")


def test_a_process_that_ends_early_is_reported_with_what_it_said():
    process = Process("short", ["sh", "-c", "echo the reason; exit 3"]).start()
    with pytest.raises(AssertionError, match="the reason"):
        process.wait_log(re.compile("ready"))
    assert process.wait() == 3


def test_a_broker_that_cannot_start_is_reported(scratch):
    broken = Broker(scratch, extra="no_such_option true\n")
    with pytest.raises(AssertionError, match="no_such_option"):
        broken.start()


@pytest.mark.parametrize("line, is_ready", [
    ("2026-11-22 02:24:54.123 INFO  tagoutd: ready", True),
    ("2026-11-22 02:24:54.123 INFO  tagoutd: ready: controller one, epoch 7", True),
    ("2026-11-22 02:24:54.123 INFO  tagoutd: Redis is not ready", False),
    ("2026-11-22 02:24:54.123 INFO  tagoutd: already: there", False),
])
def test_the_controller_is_ready_when_it_says_so(line, is_ready):
    assert bool(Controller.READY.search(line)) == is_ready


def via(between):
    return socket.create_connection(between.address, timeout=20)


def ask(connection):
    connection.sendall(b"PING\r\n")
    answer = b""
    while not answer.endswith(b"\n"):
        piece = connection.recv(100)
        assert piece, "closed"
        answer += piece
    return answer


def closed(connection):
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("claims,is_right", [
    ([("one", 7)], True),
    ([("two", 7), ("one", 7)], True),
    ([("one", 7), ("two", 7), ("one", 8)], True),
    ([("one", 7), ("two", 7)], False),
    ([("two", 7), ("one", 7), ("two", 7)], False),
    ([("one", 7), ("two", 7), ("two", 8)], False),
    ([("one", 8), ("two", 7)], False),
])
def test_the_recorder_knows_who_may_lead(connect, claims, is_right):
    recorder, mouth = Recorder(connect(), {}), connect()
    for identity, epoch in claims:
        mouth.publish(f"tagout/controller/{identity}/status",
                      {"status": "running", "leader": True, "epoch": epoch, "redis": "down"})
    recorder.client.retained("none")  # all that was said before has come
    if is_right:
        recorder.check_leaders(0)
    else:
        with pytest.raises(AssertionError, match="led in|leads in"):
            recorder.check_leaders(0)
