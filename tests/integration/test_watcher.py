"""tagout-watcher with a real broker and a fake Slack: alerts and the audit (C2, C8.2, C9.5)."""
import fcntl
import glob
import os
import re
import signal
import subprocess
import time

import pytest

from fake_slack import Refuse
from harness import BIN, MACHINES, USERS, clean_environment, wait_until
from watcher import TOKEN, alerts, wait_alert, wait_service


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
    details = "".join(message.text for message in slack.taken()[:-1])
    named = sum(int(more) for more in re.findall(r" and (\d+) more", details))
    assert named + len(set(re.findall(r"\bm\d{3}\b", details.lower()))) == 400, details
    assert len(watcher.audit_lines("save_timeout")) == 1200
    assert len(watcher.audit_lines("alert")) == 402


def test_a_restart_within_the_window_pages_nobody_twice(start_watcher, shop, client, slack):
    watcher = start_watcher()
    for _ in range(2):
        shop.save_timeout("saw")
        shop.save_timeout("lathe")
    root = slack.wait_for("Fleet: storage hangs")
    wait_until(lambda: watcher.remembers(root.ts), "the delivery is remembered")
    # What the broker has handed over and the audit has not, a kill takes along.
    wait_until(lambda: len(watcher.audit_lines("save_timeout")) == 4, "the first are in the audit")
    for end in (watcher.kill, watcher.stop):
        end()
        shop.save_timeout("saw")  # while it is away: its session keeps it
        watcher.start()
        shop.save_timeout("lathe")
        last = client.position()
        shop.save_timeout("drill")
    # What was not acknowledged before the kill may be there twice.
    wait_until(lambda: len({(line["machine"], line["count"]) for line in
                            watcher.audit_lines("save_timeout")}) == 10, "all are in the audit")
    wait_alert(client, "machine_save_timeouts", since=last)
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


def test_it_misses_nothing_while_it_stops_in_a_flood(start_watcher, shop):
    watcher = start_watcher({"slack": {"control_channel": "", "bot_token": "", "oops_channel": "",
                                       "activity_channel": ""}})
    for _ in range(4):
        for number in range(600):
            shop.event("login", machine=f"m{number % 20}", wait=False)
            if number == 300:
                watcher.signal(signal.SIGTERM)
        assert watcher.wait() == 0
        watcher.start()
    wait_until(lambda: len(watcher.audit_lines("event")) >= 2400, "all are in the audit")
    assert watcher.audit_lines("gap") == []
    assert len({(line["machine"], line["n"]) for line in watcher.audit_lines("event")}) == 2400
    assert len(watcher.audit_lines("event")) == 2400


def in_audit(watcher):
    return [(line["machine"], line["n"]) for line in watcher.audit_lines("event")]


def test_a_kill_takes_nothing_along_that_was_acknowledged(start_watcher, shop, scratch):
    """The disk hangs, as a pipe that nobody reads; so all that is heard waits in memory."""
    watcher = start_watcher(start=False, environment={"RUNTIME_DIRECTORY": scratch})
    os.mkdir(watcher.audit)
    pipe = os.path.join(watcher.audit, time.strftime("events-%Y-%m.jsonl", time.gmtime()))
    os.mkfifo(pipe)
    watcher.start()
    for number in range(400):
        shop.event("login", machine=f"m{number % 20}", text="x" * 500, wait=False)
    shop.save_timeout("saw")
    wait_until(lambda: watcher.metrics()["tagout_watcher_events_total"] == 400, "all are heard")
    wait_until(lambda: watcher.metrics()["tagout_watcher_save_timeouts_total"] == 1, "and that")
    watcher.kill()
    os.unlink(pipe)
    watcher.start()
    wait_until(lambda: len(in_audit(watcher)) == 400, "all are in the audit")
    assert len(watcher.audit_lines("save_timeout")) == 1
    watcher.kill()
    watcher.start()  # hears them once more, and knows them
    shop.event("logout", machine="m7")
    wait_until(lambda: ("m7", 21) in in_audit(watcher), "the last one is in the audit")
    assert len(set(in_audit(watcher))) == len(in_audit(watcher)) == 401
    assert len(watcher.audit_lines()) == 402, "no gap either"


def test_kills_in_a_flood_lose_nothing_and_tell_nothing_twice(start_watcher, shop, scratch):
    watcher = start_watcher(environment={"RUNTIME_DIRECTORY": scratch})
    for _ in range(4):
        for number in range(600):
            shop.event("login", machine=f"m{number % 20}", wait=False)
            if number == 300:
                watcher.kill()
        watcher.start()
    wait_until(lambda: len(in_audit(watcher)) >= 2400, "all are in the audit")
    assert len(set(in_audit(watcher))) == len(in_audit(watcher)) == 2400
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
    assert time.monotonic() - started < 20


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
    wait_until(lambda: [line["n"] for line in watcher.audit_lines()] == [1, 2, 3],
               "each is in the audit once")


def test_what_a_cut_off_leader_tells_late_is_in_the_audit_and_told_once(start_watcher, shop,
                                                                        client, slack):
    watcher = start_watcher()
    shop.event("login", text="Saw: Ada logged in", epoch=1)
    cut_off_at = round(time.time(), 3) - 600
    shop.event("unoops", n=2, epoch=2)
    late = [shop.event("oops", n=2, epoch=1, at=cut_off_at, text="Saw: Oops by Bob"),
            shop.event("logout", n=3, epoch=1, at=cut_off_at + 1, text="Saw: Ada logged out")]
    for channel in ("control", "oops", "activity"):
        slack.wait_for("(Heard late, 10 min after it happened.)", channel=channel)
    for end in (watcher.stop, watcher.kill):  # a kill may come before it remembers a delivery
        end()
        watcher.start()
        for event in late:
            client.publish("tagout/machine/saw/event", event)
    shop.event("lockout", n=3, epoch=2, text="Saw: locked out")
    slack.wait_for("Saw: locked out")
    wait_until(lambda: any(line["event_type"] == "lockout" for line in watcher.audit_lines("event")),
               "the last one is in the audit")
    assert [(line["kind"], line.get("n"), line.get("epoch"), line.get("late", False))
            for line in watcher.audit_lines()] == [
        ("event", 1, 1, False), ("event", 2, 2, False), ("event", 2, 1, True),
        ("event", 3, 1, True), ("event", 3, 2, False)]
    texts = [request.text for request in slack.requests()]
    assert sum("Oops by Bob" in text for text in texts) == 1
    assert sum("Ada logged out" in text for text in texts) == 1


# ---- test-alert ----


def test_a_test_alert_goes_the_whole_way(start_watcher, start_controller, shop, client, slack):
    start_controller(MACHINES, USERS)
    watcher = start_watcher()
    answer = client.request("test-alert", {"by": "Ada"})
    assert answer["status"] == "ok" and answer["data"] == {"slack": "delivered",
                                                          "channel": "control"}
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
    wait_until(lambda: len(watcher.audit_lines("alert")) == 2, "both are in the audit")


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
