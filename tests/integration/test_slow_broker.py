"""A broker that reads what the controller says slowly, or not at all, while it goes on telling what
the machines report: with TLS and without. The loop waits for nobody, memory is bounded, commands
come as soon as the line lets them, nothing that was decided is lost, and all is well afterwards."""
import math
import threading
import time

import pytest

import flood as flooding
from flood import Flood
from harness import ADA, Machine, user, wait_until
from release import Release

CROWD = [f"m{number:03}" for number in range(300)]
QUIET = [f"q{number:04}" for number in range(6000)]  # all that there is to look at: 4 MiB
SHOP = {name: {"authorizations_or": ["woodshop"]} for name in ["saw", *CROWD, *QUIET]}
USERS = [user(1, "Ada", ["woodshop"])]
# What the line to the broker takes: 512 KiB a second, and what lies in it meanwhile.
TRICKLE_S = 0.016
TRICKLE_BYTES = 8192
BUFFER_BYTES = 32768
SLOW_S = 8
# Beyond what the broker takes for gone: half as long again as the keep-alive, which is 2 s.
MUTE_S = 6
ANSWER_S = 30
# What is in flight, a page of the status, and what the proxy holds, at that pace, and then some.
COMMAND_S = 6
TRIES = 3  # where a busy host was in the way; what a fault costs, it costs each time
LOOP_S = 5.0  # a turn of the loop on a busy host; its watchdog waits for 10 s
GROWTH_MAX_BYTES = 32 << 20


class Between:
    """The controller, and the line to its broker."""

    def __init__(self, scratch, broker, redis, line, tls):
        self.line = line
        url = f"{'mqtts' if tls else 'mqtt'}://127.0.0.1:{line.port}"
        mqtt = {"url": url, **({"ca_file": broker.certificate} if tls else {})}
        self.controller = Release(scratch, broker, redis, SHOP, USERS, settings={"mqtt": mqtt})
        self.before = 0
        self.peak = 0
        self.slowest_s = 0.0
        self._watching = False
        self._thread = None

    def connects(self):
        return self.controller.metrics()["tagout_mqtt_connects_total"]

    def has_said_all(self):
        metrics = self.controller.metrics()
        return metrics["tagout_mqtt_waiting"] + metrics["tagout_mqtt_in_flight"] == 0

    def watch(self):
        """How long a turn of the loop takes, as its HTTP server shows it, and its memory."""
        self.before = self.peak = self.controller.resident_bytes()
        self._watching = True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while self._watching:
            began = time.monotonic()
            self.controller.status_of("/healthz")
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.peak = max(self.peak, self.controller.resident_bytes())
            time.sleep(0.02)

    def stop_watching(self):
        self._watching = False
        self._thread.join()
        print(f"note: the slowest page {self.slowest_s * 1000:.0f} ms, memory "
              f"{(self.peak - self.before) / 2**20:+.1f} MiB")
        assert self.slowest_s < LOOP_S
        assert self.peak - self.before < GROWTH_MAX_BYTES


@pytest.fixture(params=["plain", "tls"])
def between(request, scratch, tls_broker, redis, proxy):
    tls = request.param == "tls"
    line = proxy(tls_broker.tls_address if tls else tls_broker, trickle_s=TRICKLE_S,
                 trickle_bytes=TRICKLE_BYTES, buffer_bytes=BUFFER_BYTES)
    one = Between(scratch, tls_broker, redis, line, tls)
    try:
        one.controller.start()
        yield one
        one.controller.stop()
    finally:
        print("\n".join(line for line in one.controller.log().splitlines() if "INFO" not in line))
        one.controller.kill()


@pytest.fixture
def client(connect, tls_broker):
    return connect(broker=tls_broker)


@pytest.fixture
def flood(tls_broker):
    one = Flood(tls_broker)
    yield one
    one.close()


def answer_to(saw, oops):
    """As a box does: a report that nobody answered is said again after 2 s."""
    for _ in range(ANSWER_S // 2):
        try:
            return saw.report(oops=oops, timeout_s=2)
        except TimeoutError:
            pass
    raise AssertionError("no answer to a report")


def look_again_and_again(client, stop, looked):
    """Somebody who looks at the whole shop all the time, page by page."""
    while not stop.is_set():
        for page in client.states(timeout_s=ANSWER_S):
            looked.append(len(page))
            if stop.is_set():
                return


def slowest_on_a_slow_line(between, client, flood, saw, looker):
    """What was urgent took so many seconds at most, while `looker` looked. Infinite, if the
    connection was lost: a host that stands still for long enough loses any."""
    connects = between.connects()
    stop, looked, took, wrong = threading.Event(), [], [], None
    thread = threading.Thread(target=look_again_and_again, args=(looker, stop, looked),
                              daemon=True)
    between.line.set("trickle", "up")
    thread.start()
    flood.start(CROWD, between.controller.heard)
    until = time.monotonic() + SLOW_S
    try:
        while time.monotonic() < until:
            took.append(time.monotonic())
            assert answer_to(saw, True)["oops_led"]
            took.append(time.monotonic())
            answer_to(saw, False)
            took.append(time.monotonic())
            answer = client.request("clear", {"machine": "saw"}, timeout_s=ANSWER_S)
            assert answer["status"] == "ok"
        took.append(time.monotonic())
    except (AssertionError, TimeoutError) as error:
        wrong = error
    stop.set()
    thread.join(ANSWER_S)
    since = client.position()
    seq = flood.stop()
    between.line.set("pass", "up")
    flood.repeat_until_answered(client, CROWD, seq + 1, since, 2 * ANSWER_S)
    if between.connects() > connects:
        return math.inf
    if wrong:
        raise wrong
    assert looked
    slowest_s = max(after - before for before, after in zip(took, took[1:]))
    print(f"note: {flood.sent} reports, what was urgent took {slowest_s:.2f} s at most, "
          f"{len(looked)} pages were looked at")
    return slowest_s


def test_C6_a_line_that_is_slow_delays_commands_by_what_is_on_it_and_by_nobody_who_looks(
        between, tls_broker, client, connect, flood):
    saw = Machine(connect(broker=tls_broker), "saw")
    saw.report()
    client.subscribe("tagout/machine/+/command")
    flood.say((name, flooding.report(name, 1)) for name in CROWD)
    wait_until(lambda: between.controller.heard() >= len(CROWD), "all were heard")
    between.watch()
    looker = connect(broker=tls_broker)
    for _ in range(TRIES):
        slowest_s = slowest_on_a_slow_line(between, client, flood, saw, looker)
        if slowest_s < COMMAND_S:
            break
    between.stop_watching()
    assert slowest_s < COMMAND_S


def test_C12_a_broker_that_does_not_hear_is_left_in_order_and_nothing_decided_is_lost(
        between, client, flood):
    controller = between.controller
    client.subscribe("tagout/machine/+/command")
    client.subscribe("tagout/machine/+/event")
    flood.say((name, flooding.report(name, 1)) for name in CROWD)
    wait_until(lambda: controller.heard() >= len(CROWD), "all were heard")
    since = client.position()
    between.watch()
    between.line.set("freeze", "up")
    # Each card goes in, is judged, and the session's beginning lies on the line.
    flood.say((name, flooding.report(name, 2, ADA)) for name in CROWD)
    wait_until(lambda: controller.metrics()["tagout_events_total"] >= len(CROWD), "all are judged")
    flood.start(CROWD, controller.heard)
    time.sleep(MUTE_S)
    flood.stop()
    wait_until(lambda: controller.status_of("/readyz")[0] == 503, "it has left the broker")
    between.line.set("pass", "up")
    flood.repeat_until_answered(client, CROWD, 1000000, since, 2 * ANSWER_S)
    between.stop_watching()
    wait_until(between.has_said_all, "the broker has all")
    client.retained("none")  # and the client, too
    told = {}
    for message in client.messages("tagout/machine/+/event", since):
        event = message.json
        told.setdefault(event["machine"], {})[event["n"]] = event["event_type"]
    for name in CROWD:
        assert told[name][1] == "login", name
        assert sorted(told[name]) == list(range(1, len(told[name]) + 1)), told[name]
