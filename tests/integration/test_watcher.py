"""tagout-watcher with a real broker and a fake Slack: alerts, audit, and Slack in all its moods
(C2, C8.2, C9.5)."""
import fcntl
import glob
import json
import os
import re
import signal
import subprocess
import time

import pytest

from fake_slack import (CloseBefore, CloseInBody, Endless, FakeSlack, Garbage, RateLimited, Refuse,
                        Slow, Status)
from harness import BIN, MACHINES, USERS, Process, clean_environment, wait_until

TOKEN = "xoxb-4711-secret"
READY = re.compile(r"\bready: watching")
SANITIZER_REPORT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")


class Watcher(Process):
    def __init__(self, scratch, broker, settings=None, environment=None):
        self.folder = scratch
        self.audit = os.path.join(scratch, "audit")
        self.ini = os.path.join(scratch, "watcher.ini")
        sections = {"controller": {"id": "one"}, "mqtt": {"url": broker.url},
                    "audit": {"directory": self.audit}}
        for section, keys in (settings or {}).items():
            sections.setdefault(section, {}).update(keys)
        with open(self.ini, "w", encoding="utf-8") as file:
            for section, keys in sections.items():
                file.write(f"[{section}]\n")
                file.writelines(f"{key} = {value}\n" for key, value in keys.items())
        super().__init__("tagout-watcher", [os.path.join(BIN, "tagout-watcher"), "-c", self.ini],
                         clean_environment(dict({"no_proxy": "*"}, **(environment or {}))))

    def start(self, ready=True):
        since = self.log_position()
        super().start()
        if ready:
            self.wait_log(READY, since=since)
        return self

    def stop(self):
        status = self.terminate()
        assert status == 0, f"ended with status {status}:\n{self.log()}"
        self.assert_sane()

    def assert_sane(self):
        assert not SANITIZER_REPORT.search(self.log()), self.log()
        assert TOKEN not in self.log()
        assert "/hook/" not in self.log()

    def audit_lines(self, kind=None):
        """The whole ones: a last line without its end is just being written, or torn."""
        lines = []
        for name in sorted(glob.glob(os.path.join(self.audit, "events-*.jsonl"))):
            with open(name, "rb") as file:
                lines += [json.loads(line) for line in file if line.endswith(b"\n")]
        return [line for line in lines if kind in (None, line["kind"])]

    def remembers(self, text):
        try:
            with open(os.path.join(self.audit, "watcher.json"), encoding="utf-8") as file:
                return text in file.read()
        except OSError:
            return False

    def memory_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1))


@pytest.fixture
def slack():
    server = FakeSlack()
    yield server
    server.close()


@pytest.fixture
def start_watcher(scratch, broker, slack):
    """With Slack's three channels; settings override and add."""
    watchers = []

    def make(settings=None, ready=True, start=True, **options):
        merged = {"slack": {"bot_token": TOKEN, "control_channel": "control",
                            "oops_channel": "oops", "activity_channel": "activity",
                            "api_url": slack.api_url}}
        for section, keys in (settings or {}).items():
            merged[section] = dict(merged.get(section, {}), **keys)
        watcher = Watcher(scratch, options.pop("broker", broker), merged, **options)
        watchers.append(watcher)
        return watcher.start(ready) if start else watcher

    yield make
    try:
        for watcher in watchers:
            if watcher.is_running():
                watcher.stop()
            watcher.assert_sane()
    finally:
        for watcher in watchers:
            watcher.kill()


class Shop:
    """What a controller says: events with growing `n`, and save timeouts."""

    def __init__(self, client):
        self.client = client
        self.n = {}
        self.count = {}

    def event(self, event_type, machine="saw", n=None, **more):
        self.n[machine] = n or self.n.get(machine, 0) + 1
        event = {"event_type": event_type, "n": self.n[machine], "machine": machine,
                 "display_name": machine.title(), "user": None, "account_id": None,
                 "source": "card", "reason": None, "text": f"{machine.title()}: {event_type}",
                 "epoch": 1, "rev": 1, "at": round(time.time(), 3)}
        event.update(more)
        self.client.publish(f"tagout/machine/{machine}/event", event)
        return event

    def save_timeout(self, machine="saw", count=None, wait=True):
        self.count[machine] = count or self.count.get(machine, 0) + 1
        self.client.publish("tagout/fleet/save_timeout",
                            {"machine": machine, "count": self.count[machine], "budget_ms": 2000,
                             "controller": "one", "at": round(time.time(), 3)}, wait=wait)

    def outage(self, machine="saw", over=False):
        self.event("save_timeout", machine, source="liveness", reason="over" if over else "started")


@pytest.fixture
def shop(client):
    client.subscribe("tagout/fleet/alert")
    client.subscribe("tagout/service/+")
    return Shop(client)


def alerts(client, kind=None):
    heard = [m.json for m in client.messages("tagout/fleet/alert")]
    return [alert for alert in heard if kind in (None, alert["alert"])]


def wait_alert(client, kind, **options):
    return client.wait_for("tagout/fleet/alert", lambda m: m.json["alert"] == kind, **options).json


def wait_service(client, name, status, **options):
    return client.wait_for(f"tagout/service/{name}",
                           lambda m: m.json["status"] == status, **options).json


# ---- the process ----


@pytest.mark.parametrize("arguments, status, words", [
    (["--version"], 0, "tagout-watcher 0"),
    (["--help"], 0, "Usage: tagout-watcher"),
    (["--nonsense"], 2, "Try 'tagout-watcher --help'"),
    (["extra"], 2, "unexpected argument"),
    (["-c", "/nowhere.ini"], 2, "/nowhere.ini"),
])
def test_C1_its_exit_status(arguments, status, words):
    done = subprocess.run([os.path.join(BIN, "tagout-watcher"), *arguments], text=True,
                          env=clean_environment(), capture_output=True, timeout=20, check=False)
    assert done.returncode == status
    assert words in done.stdout + done.stderr


def test_check_says_what_goes_where(start_watcher):
    watcher = start_watcher(start=False)
    done = subprocess.run([*watcher.arguments, "--check"], text=True, env=clean_environment(),
                          capture_output=True, timeout=20, check=False)
    assert done.returncode == 0
    assert "control goes to control" in done.stdout
    assert TOKEN not in done.stdout


def test_C2_its_own_last_will_and_goodbye(start_watcher, shop, client):
    watcher = start_watcher()
    assert wait_service(client, "watcher", "running")["since"] <= time.time()
    assert wait_service(client, "slack", "running")
    since = client.position()
    watcher.kill()
    assert wait_service(client, "watcher", "error", since=since)["reason"] == "lost"
    since = client.position()
    watcher.start()
    wait_service(client, "watcher", "running", since=since)
    watcher.stop()
    wait_service(client, "watcher", "stopped", since=since)
    wait_service(client, "slack", "stopped", since=since)


def test_without_slack_alerts_are_on_the_topic_and_in_the_log(start_watcher, shop, client):
    watcher = start_watcher({"slack": {"bot_token": "", "control_channel": ""}})
    assert wait_service(client, "slack", "stopped")["reason"] == "not configured"
    shop.save_timeout("saw")
    shop.save_timeout("lathe")
    alert = wait_alert(client, "fleet_save_timeouts")
    assert alert["count"] == 2
    watcher.wait_log(re.compile("alert: Fleet: storage hangs, 2 machines in 60 s"))


# ---- C9.5 ----


def test_C9_5_a_machines_second_timeout_is_one_alert(start_watcher, shop, client, slack):
    watcher = start_watcher({"watcher": {"threshold": 10}})
    for _ in range(4):
        shop.save_timeout("saw")
    alert = wait_alert(client, "machine_save_timeouts")
    assert alert["machine"] == "saw" and alert["count"] == 2
    slack.wait_for("saw: storage did not save its state within 2 s")
    watcher.stop()
    assert len(alerts(client)) == 1
    assert len(slack.requests()) == 1


def test_four_hundred_machines_are_a_handful_of_messages(start_watcher, shop, client, slack):
    watcher = start_watcher()
    for machine in range(400):
        shop.outage(f"m{machine:03}")
    for _ in range(3):
        for machine in range(400):
            shop.save_timeout(f"m{machine:03}", wait=False)
    wait_until(lambda: len(alerts(client, "machine_save_timeouts")) == 400, "one for each machine")
    assert len(alerts(client, "fleet_save_timeouts")) == 1
    first = slack.wait_for("Fleet: storage hangs")
    assert "400 machines in 60 s" in first.text
    assert "Cards still work; do not power-cycle anything." in first.text
    assert "Look at the server's disk and Redis." in first.text
    assert first.thread is None
    for machine in range(400):
        shop.outage(f"m{machine:03}", over=True)
    wait_alert(client, "save_timeouts_over")
    over = slack.wait_for("Storage answers again after")
    assert "nothing lost" in over.text
    assert over.thread == first.ts
    assert over.json["reply_broadcast"] is True
    watcher.stop()
    assert len(slack.requests()) <= 4
    assert {r.thread for r in slack.requests()[1:]} == {first.ts}
    assert len(watcher.audit_lines("save_timeout")) == 1200
    assert len(watcher.audit_lines("alert")) == 402


def test_a_restart_within_the_window_pages_nobody_twice(start_watcher, shop, client, slack):
    watcher = start_watcher()
    for _ in range(2):
        shop.save_timeout("saw")
        shop.save_timeout("lathe")
    root = slack.wait_for("Fleet: storage hangs")
    wait_until(lambda: watcher.remembers(root.ts), "the delivery is remembered")
    for end in (watcher.kill, watcher.stop):
        end()
        shop.save_timeout("saw")  # while it is away: its session keeps it
        watcher.start()
        shop.save_timeout("lathe")
        shop.save_timeout("drill")
    wait_until(lambda: len(watcher.audit_lines("save_timeout")) == 10, "all are in the audit")
    assert len(alerts(client, "fleet_save_timeouts")) == 1
    assert sorted(a["machine"] for a in alerts(client, "machine_save_timeouts")) == [
        "drill", "lathe", "saw"]
    # The thread, too, is the same one after the restart.
    shop.outage("saw")
    shop.outage("saw", over=True)
    assert slack.wait_for("Storage answers again").thread == root.ts


def test_it_misses_nothing_while_it_restarts(start_watcher, shop, slack):
    watcher = start_watcher()
    shop.event("oops")
    slack.wait_for("Saw: oops")
    watcher.kill()
    for number in range(200):
        shop.event("login", text=f"Saw: login {number:03}")
    watcher.start()
    wait_until(lambda: len(watcher.audit_lines("event")) == 201, "all are in the audit")
    assert watcher.audit_lines("gap") == []


# ---- the audit ----


def test_the_audit_has_every_event_and_marks_gaps(start_watcher, shop):
    watcher = start_watcher()
    heard = [shop.event("login"), shop.event("logout", session_s=12.5)]
    shop.event("login", n=6)
    shop.event("login", machine="lathe", n=90)
    wait_until(lambda: len(watcher.audit_lines()) == 5, "all are in the audit")
    lines = watcher.audit_lines()
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 5]
    for event, line in zip(heard, lines):
        assert {key: line[key] for key in event} == event
        assert abs(line["seen"] - time.time()) < 60
    assert lines[2]["kind"] == "gap"
    assert (lines[2]["after"], lines[2]["before"], lines[2]["missing"]) == (2, 6, 3)
    name = os.listdir(watcher.audit)
    assert time.strftime("events-%Y-%m.jsonl", time.gmtime()) in name
    mode = os.stat(watcher.audit).st_mode & 0o777
    assert mode & 0o027 == 0, oct(mode)


def test_what_is_no_event_is_counted_and_changes_nothing(start_watcher, shop, client):
    watcher = start_watcher()
    for payload in (b"", b"nonsense", b"[]", b"{}", b"\xff", b"{" * 5000,
                    b'{"event_type":"oops","machine":"lathe"}',
                    b'{"event_type":"oops","machine":"saw","kind":"alert"}'):
        client.publish("tagout/machine/saw/event", payload)
        client.publish("tagout/fleet/save_timeout", payload)
    client.publish("tagout/machine/saw/event",
                   {"event_type": "oops", "machine": "saw", "n": 7, "at": 1}, retain=True)
    client.publish("tagout/machine/saw/event",
                   b'{ "event_type": "oops",\r\n\t"machine": "saw", "n": 8, "text": "a\\nb" }')
    wait_until(lambda: len(watcher.audit_lines("event")) == 2, "the good ones are there")
    client.publish("tagout/machine/saw/event", b"", retain=True)
    lines = watcher.audit_lines("event")
    assert [line["n"] for line in lines] == [7, 8]
    assert lines[1]["text"] == "a\nb"


def test_a_torn_line_is_mended_at_the_start(start_watcher, shop):
    watcher = start_watcher()
    shop.event("login")
    wait_until(lambda: len(watcher.audit_lines()) == 1, "it is in the audit")
    watcher.kill()
    name = glob.glob(os.path.join(watcher.audit, "events-*.jsonl"))[0]
    with open(name, "ab") as file:
        file.write(b'{"line":2,"kind":"event","se\x00\xff')
    watcher.start()
    shop.event("logout")
    wait_until(lambda: os.path.getsize(name) and len(watcher.audit_lines()) == 3, "it goes on")
    lines = watcher.audit_lines()
    assert [line["kind"] for line in lines] == ["event", "torn", "event"]
    assert [line["line"] for line in lines] == [1, 2, 3]
    assert lines[1]["text"].startswith('{"line":2,"kind":"event","se')
    assert lines[1]["bytes"] == 30


def test_a_disk_that_hangs_stops_only_the_audit(start_watcher, shop, client, slack):
    """A pipe that nobody reads stands for it: writing blocks as soon as it is full."""
    watcher = start_watcher(start=False)
    os.mkdir(watcher.audit)
    pipe = os.path.join(watcher.audit, time.strftime("events-%Y-%m.jsonl", time.gmtime()))
    os.mkfifo(pipe)
    watcher.start()
    for number in range(2000):
        shop.event("login", text="x" * 200, machine=f"m{number % 50}", n=number // 50 + 1)
    shop.event("oops")
    slack.wait_for("Saw: oops", channel="control")
    shop.save_timeout("saw")
    shop.save_timeout("lathe")
    slack.wait_for("Fleet: storage hangs")
    watcher.wait_log(re.compile("audit: the disk has taken nothing for"), timeout_s=40)
    started = time.monotonic()
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # it thaws
    status = watcher.terminate()
    os.close(reader)
    assert status == 0
    assert time.monotonic() - started < 10


def test_a_disk_that_answers_late_brings_its_past_all_the_same(start_watcher, shop, slack):
    """Another process holds the folder's lock: the disk's answer comes when it lets go."""
    slack.close()
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    shop.event("oops")
    wait_until(lambda: len(watcher.audit_lines("event")) == 1, "it is in the audit")
    watcher.stop()  # killed, it may not have acknowledged the event, and would hear it again
    folder = os.open(watcher.audit, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    slack.open()
    watcher.start()
    shop.event("unoops")
    slack.wait_for("Saw: unoops")
    assert len(slack.requests()) == 1
    os.close(folder)
    slack.wait_for("Saw: oops")
    wait_until(lambda: len(watcher.audit_lines("event")) == 2, "the rest is in the audit")
    assert [line["line"] for line in watcher.audit_lines()] == [1, 2]
    shop.event("oops", n=4)
    wait_until(lambda: watcher.audit_lines("gap"), "the gap is marked")
    watcher.stop()
    watcher.start()
    shop.event("unoops")
    slack.wait_until(lambda: len(slack.taken()) == 4, "each was told once")


def test_an_event_that_comes_twice_is_told_once(start_watcher, shop, client, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    event = shop.event("oops")
    client.publish("tagout/machine/saw/event", event)
    shop.event("unoops")
    client.publish("tagout/machine/saw/event", event)
    shop.event("lockout")
    slack.wait_for("lockout")
    assert len(slack.requests()) == 3
    assert [line["n"] for line in watcher.audit_lines()] == [1, 2, 3]


# ---- Slack: who is told what ----


def test_control_activity_and_oops_each_hear_what_is_theirs(start_watcher, shop, slack):
    start_watcher()
    shop.event("login", text="Saw: Ada logged in")
    shop.event("oops", text="Saw: Oops pressed while Ada used it", user="Ada", source="button")
    shop.event("lockout", text="Saw: locked out by bob (Bob): blade & <belt>", by="bob")
    shop.event("unlock", text="Saw: unlocked by bob")
    shop.event("logout", text="Saw: Ada logged out after 2 min")
    shop.event("link_lost")
    shop.event("fault", fault="save_timeout")
    shop.event("fault", fault="relay_stuck_on", text="Saw: fault relay_stuck_on")
    slack.wait_for("relay_stuck_on")
    slack.wait_for("logged out")
    slack.wait_for("maintenance is over", channel="oops")
    assert slack.texts("activity") == ["Saw: Ada logged in", "Saw: Ada logged out after 2 min"]
    assert slack.texts("control") == [
        "Saw: Oops pressed while Ada used it\n"
        "Check it; when it is safe: tagoutctl clear saw --oops",
        "Saw: locked out by bob (Bob): blade &amp; &lt;belt&gt;",
        "Saw: unlocked by bob",
        "Saw: fault relay_stuck_on\nIts power may be on without a card: isolate it at the mains, "
        "then have relay and contactor checked.",
    ]
    assert slack.texts("oops") == [
        "Saw: Oops! Do not use it until it has been checked.",
        "Saw: down for maintenance.",
        "Saw: maintenance is over.",
    ]
    assert not any("Ada" in text or "bob" in text for text in slack.texts("oops"))
    for request in slack.requests():
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.path == "/api/chat.postMessage"


def test_activity_goes_to_control_where_it_has_no_channel(start_watcher, shop, slack):
    start_watcher({"slack": {"activity_channel": "", "oops_channel": ""}})
    shop.event("login")
    shop.event("oops")
    shop.event("logout")
    slack.wait_for("logout")
    assert [text.split("\n")[0] for text in slack.texts("control")] == [
        "Saw: login", "Saw: oops", "Saw: logout"]
    assert len(slack.requests()) == 3


def test_webhooks_work_in_place_of_a_bot(start_watcher, shop, client, slack):
    start_watcher({"slack": {"bot_token": "", "control_channel": "", "activity_channel": "",
                             "control_webhook": slack.webhook("control"),
                             "oops_webhook": slack.webhook("oops")}})
    shop.event("oops")
    slack.wait_for("Saw: oops", channel="/hook/control")
    slack.wait_for("Saw: Oops!", channel="/hook/oops")
    assert all("Authorization" not in r.headers for r in slack.requests())
    assert all("channel" not in r.json for r in slack.requests())
    assert client.request("test-alert")["data"] == {"slack": "delivered"}


# ---- Slack in all its moods ----


@pytest.mark.parametrize("mood", [Status(500), Status(503), Status(404, body=b"no_service"),
                                  Status(302, {"Location": "http://127.0.0.1:9/"}), CloseBefore()])
def test_what_broke_before_a_status_of_2xx_is_sent_again(start_watcher, shop, client, slack, mood):
    start_watcher()
    slack.mood(mood, mood)
    shop.event("oops")
    shop.event("unoops")
    slack.wait_for("Saw: unoops", channel="control")
    assert [text.split("\n")[0] for text in slack.texts("control")] == ["Saw: oops", "Saw: unoops"]
    wait_service(client, "slack", "error")
    wait_until(lambda: client.messages("tagout/service/slack")[-1].json["status"] == "running",
               "it works again")


@pytest.mark.parametrize("mood", [Garbage(), Garbage(b""), Garbage(b"\x00\xff" * 5000),
                                  CloseInBody(), Endless()])
def test_what_got_a_status_of_2xx_is_not_sent_again(start_watcher, shop, client, slack, mood):
    start_watcher({"slack": {"oops_channel": ""}})
    slack.mood(mood)
    shop.event("oops")
    shop.event("unoops")
    slack.wait_for("Saw: unoops")
    assert [r.text.split("\n")[0] for r in slack.requests()] == ["Saw: oops", "Saw: unoops"]


def test_ok_false_is_reported_with_slacks_reason_until_a_delivery_works(
        start_watcher, shop, client, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    wait_service(client, "slack", "running")
    slack.mood(Refuse("channel_not_found"), Refuse(f"odd {TOKEN}"))
    since = client.position()
    shop.event("oops")
    assert wait_service(client, "slack", "error", since=since)["reason"] == "channel_not_found"
    watcher.wait_log(re.compile("Slack refused .channel_not_found.: Saw: oops"))
    shop.event("unoops")
    wait_until(lambda: len(slack.requests()) == 2, "the next one")
    shop.event("lockout")
    since = client.position()
    wait_service(client, "slack", "running", since=since)
    assert len(slack.requests()) == 3
    retained = client.retained("tagout/service/watcher")
    assert retained["tagout/service/watcher"].json["status"] == "running"


def test_retry_after_stops_the_method(start_watcher, shop, slack):
    start_watcher()
    slack.mood(RateLimited(3))
    shop.event("oops")
    wait_until(lambda: slack.requests(), "the first request")
    refused = slack.requests()[0].at
    time.sleep(0.3)
    before = len(slack.requests())  # those that left together with it
    shop.event("login")
    slack.wait_for("login")
    slack.wait_for("Saw: oops")
    later = slack.requests()[before:]
    assert all(request.at - refused >= 3 for request in later), [r.at - refused for r in later]
    assert sorted(r.text for r in slack.taken()) == sorted(set(r.text for r in slack.taken()))


def test_a_slow_slack_holds_up_nothing_else(start_watcher, shop, client, slack):
    start_watcher()
    slack.mood_until_changed(Slow(3))
    shop.event("oops")
    wait_until(lambda: slack.requests(), "it has the request")
    began = time.monotonic()
    shop.save_timeout("saw")
    shop.save_timeout("lathe")
    wait_alert(client, "fleet_save_timeouts")
    assert time.monotonic() - began < 1
    slack.mood_until_changed(Status(200, body=b'{"ok":true}'))
    slack.wait_for("Saw: oops")


def test_one_message_a_second_after_a_burst(start_watcher, shop, slack):
    start_watcher()
    for number in range(6):
        shop.event("login", text=f"Saw: login {number}")
    slack.wait_for("login 5")
    at = [r.at - slack.requests()[0].at for r in slack.requests()]
    assert slack.texts() == [f"Saw: login {number}" for number in range(6)]
    assert at[2] < 0.9, at
    for early, late in zip(at[2:], at[3:]):
        assert 0.9 <= late - early < 2, at


def test_while_slack_is_away_memory_is_bounded(
        start_watcher, shop, client, slack):
    # What is freed stays in the sanitizer's quarantine for a while: that is not the watcher's.
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    watcher = start_watcher({"slack": {"oops_channel": ""}},
                            environment={"ASAN_OPTIONS": options})
    slack.close()
    for machine in range(20):
        shop.event("oops", machine=f"m{machine:02}")
    size = None
    for number in range(6000):
        shop.client.publish(
            "tagout/machine/lathe/event",
            {"event_type": "login", "n": number + 1, "machine": "lathe", "at": time.time(),
             "text": f"Lathe: login {number} " + "x" * 500}, wait=number % 100 == 99)
        if number == 2000:
            wait_until(lambda: len(watcher.audit_lines("event")) > 1900, "it keeps up")
            size = watcher.memory_kib()
    wait_until(lambda: len(watcher.audit_lines("event")) == 6020, "all are in the audit")
    assert watcher.memory_kib() < size + 8192
    wait_service(client, "slack", "error")
    slack.open()
    slack.wait_for("Lathe: login 3", timeout_s=90)
    slack.wait_for("M05: oops")
    assert [text.split("\n")[0] for text in slack.texts("control")[:5]] == [
        f"M{machine:02}: oops" for machine in range(5)]
    wait_until(lambda: client.messages("tagout/service/slack")[-1].json["status"] == "running",
               "it works again")


def test_killed_in_mid_delivery_only_that_one_may_double(start_watcher, shop, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    for number in range(3):
        shop.event("oops", machine=f"m{number}", text=f"message {number}")
    slack.wait_for("message 2")
    wait_until(lambda: watcher.remembers('"lanes":[3,'), "the delivery is remembered")
    slack.mood_until_changed(Slow(60))
    shop.event("oops", machine="m3", text="message 3")
    slack.wait_until(lambda: len(slack.requests()) == 4, "it is under way")
    for number in range(4, 7):
        shop.event("oops", machine=f"m{number}", text=f"message {number}")
    wait_until(lambda: len(watcher.audit_lines("event")) == 7, "all are in the audit")
    watcher.kill()
    slack.mood_until_changed(Status(200, body=b'{"ok":true,"ts":"1.2"}'))
    watcher.start()
    slack.wait_until(lambda: len(slack.requests()) == 8, "the rest")
    time.sleep(1.5)
    texts = [r.text.split("\n")[0] for r in slack.requests()]
    assert texts == [f"message {number}" for number in (0, 1, 2, 3, 3, 4, 5, 6)]


def test_a_clean_stop_lets_a_request_come_to_its_end(start_watcher, shop, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    slack.mood(Slow(1))
    shop.event("oops")
    slack.wait_until(slack.requests, "it is under way")
    shop.event("unoops")
    watcher.stop()
    watcher.start()
    slack.wait_for("Saw: unoops")
    slack.wait_for("Saw: oops")
    assert [r.text.split("\n")[0] for r in slack.requests()].count("Saw: oops") == 1


# ---- test-alert ----


def test_a_test_alert_goes_the_whole_way(start_watcher, start_controller, shop, client, slack):
    start_controller(MACHINES, USERS)
    watcher = start_watcher()
    answer = client.request("test-alert", {"by": "Ada"})
    assert answer["status"] == "ok" and answer["data"] == {"slack": "delivered"}
    assert "asked for by local (Ada)" in slack.wait_for("Test alert", channel="control").text
    assert wait_alert(client, "test")["by"] == "local (Ada)"
    slack.mood(Refuse("not_in_channel"))
    answer = client.request("test-alert")
    assert answer["status"] == "error"
    assert answer["error"] == ("it is on fleet/alert, but Slack did not take it: not_in_channel")
    # Exactly one answer each, and a `queued` before it: the controller keeps out of it.
    assert len(client.messages("tagout/response/local/test-alert")) == 4
    answer = client.request("test-alert", {"by": 17})
    assert answer["status"] == "error" and "/by" in answer["error"]
    assert len(watcher.audit_lines("alert")) == 2


def test_a_test_alert_without_slack_says_so(start_watcher, shop, client):
    start_watcher({"slack": {"bot_token": ""}})
    assert client.request("test-alert")["data"] == {"slack": "off"}


# ---- the broker ----


def test_it_comes_back_to_a_broker_that_comes_back(start_watcher, shop, client, broker, slack):
    watcher = start_watcher()
    broker.stop()
    watcher.wait_log(re.compile("not connected to the broker"))
    since = watcher.log_position()
    broker.start()
    watcher.wait_log(re.compile(r"(?<!not )connected to the broker"), since=since)
    client.wait_connected()
    retained = client.retained("tagout/service/+")
    wait_until(lambda: client.retained("tagout/service/slack"), "it has said so again")
    assert retained is not None
    shop.event("oops")
    slack.wait_for("Saw: oops")


def test_sigint_stops_it_too(start_watcher):
    watcher = start_watcher()
    watcher.signal(signal.SIGINT)
    assert watcher.wait() == 0
