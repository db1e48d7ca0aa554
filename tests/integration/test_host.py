"""What hosts do: a wall clock that is set, forwards or back, by seconds and by years; a disk that is
full, the audit's and Redis'. Clocks are for people; a full disk stops no card."""
import os
import subprocess
import sys
import time

import pytest

from fleet import BUDGET_MS, STALL_S, Fleet, machines
from harness import ADA, MAX, USERS, Controller, Machine, Redis, wait_until
from preload import FullDisk, ReleaseWatcher, WrongClock, preload, preloaded
from watcher import TOKEN, alerts, wait_alert

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
YEAR_S = 365 * DAY_S
LEASE_S = 5.0
COUNT = 8


@pytest.fixture
def clock(scratch):
    return WrongClock(scratch, "host")


@pytest.fixture
def disk(scratch):
    return FullDisk(scratch, "host")


@pytest.fixture
def run():
    """Starts processes, and ends them with the test."""
    started = []

    def start(process, **options):
        started.append(process)
        return process.start(**options)

    yield start
    for process in reversed(started):
        process.kill()


def with_clock(clock):
    return {**clock.environment, **preload("wrong_clock")}


def with_disk(disk):
    return {**disk.environment, **preload("full_disk")}


def watcher_settings(slack):
    return {"slack": {"bot_token": TOKEN, "control_channel": "control",
                      "activity_channel": "activity", "api_url": slack.api_url}}


# ---- the tools ----


@pytest.mark.parametrize("ahead_s", [-40 * YEAR_S, -1.5, 0, 90, 20 * YEAR_S])
def test_a_clock_that_is_set_is_set_for_its_programs_only(clock, ahead_s):
    clock.set(ahead_s)
    before = time.time()
    said = subprocess.run(["date", "+%s.%N"], env={**os.environ, **with_clock(clock)}, check=True,
                          capture_output=True, text=True).stdout
    assert before - 0.01 < float(said) - ahead_s < time.time() + 0.01


WRITES = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
print(os.write(fd, b"x" * 100), end=" ", flush=True)
print(os.write(fd, b"x" * 100))
"""


@pytest.mark.parametrize("room, exists, output, error", [
    (None, False, "100 100\n", ""), (250, True, "100 100\n", ""),
    (160, True, "100 60\n", ""), (60, True, "60 ", "No space left"),
    (0, True, "", "No space left"), (1000, False, "", "No space left")])
def test_a_full_disk_has_room_for_so_many_bytes_and_for_no_new_file(
        scratch, disk, room, exists, output, error):
    path = os.path.join(scratch, "file")
    if exists:
        with open(path, "wb"):
            pass
    if room is not None:
        disk.fill(room)
    done = subprocess.run([sys.executable, "-B", "-c", WRITES, path], capture_output=True, text=True,
                          env={**os.environ, **with_disk(disk)}, check=False)
    assert done.stdout == output
    assert error in done.stderr
    assert bool(disk.refused) is bool(error)


# ---- clocks ----


def test_C12_a_wall_clock_that_is_set_moves_no_lead_and_no_budget_and_lengthens_no_session(
        scratch, broker, redis, client, clock, slack, run):
    watcher = run(ReleaseWatcher(scratch, broker, watcher_settings(slack), with_clock(clock)))
    controller = run(preloaded(scratch, broker, redis, machines(1), USERS, ["wrong_clock"],
                               clock.environment))
    for topic in ("tagout/fleet/alert", "tagout/controller/+/status", "tagout/service/+",
                  "tagout/machine/+/event"):
        client.subscribe(topic)
    machine = Machine(client, "m000")
    machine.report()
    since = client.position()
    for ahead_s in (HOUR_S, -DAY_S, 20 * YEAR_S, 3600 - time.time(), 0):
        assert machine.report(card=ADA)["relay"] is True
        clock.set(ahead_s)
        assert machine.report()["relay"] is True
        assert machine.report(card="")["relay"] is False
        logout = client.wait_for("tagout/machine/m000/event",
                                 lambda m: m.json["event_type"] == "logout", since=since).json
        assert 0 <= logout["session_s"] < 60 and "approx" not in logout
        assert abs(logout["at"] - ahead_s - time.time()) < 60
        wait_until(lambda n=logout["n"]: n in [line["n"] for line in watcher.audit_lines("event")],
                   "it is in the audit")
        since = client.position()
    leaders = {m.json["epoch"] for m in client.messages("tagout/controller/+/status")
               if m.json.get("leader")}
    assert len(leaders) == 1
    assert alerts(client) == []
    assert [m.json for m in client.messages("tagout/service/+", since=0)
            if m.json["status"] == "error"] == []
    assert not watcher.audit_lines("gap")
    controller.stop()
    watcher.stop()


def test_C12_4_a_clock_that_is_put_back_keeps_no_standby_out(
        scratch, broker, client, clock, run):
    """Redis keeps by the wall clock when the lease runs out."""
    redis = Redis(scratch)
    redis.environment = {**os.environ, **with_clock(clock)}
    run(redis)
    one, two = (Controller(scratch, broker, redis, machines(1), USERS, identity=identity)
                for identity in ("one", "two"))
    run(one)
    run(two)
    client.subscribe("tagout/controller/two/status")
    one.kill()
    clock.set(-HOUR_S)
    client.wait_for("tagout/controller/two/status", lambda m: m.json.get("leader"))
    assert redis.command("PTTL", "tagout:lease") <= LEASE_S * 1000
    two.stop()


# ---- disks ----


def test_an_audit_on_a_full_disk_is_told_and_has_each_event_when_there_is_room_again(
        scratch, broker, client, shop, disk, slack, run):
    watcher = run(ReleaseWatcher(scratch, broker, watcher_settings(slack), with_disk(disk)))
    shop.event("login")
    wait_until(lambda: len(watcher.audit_lines("event")) == 1, "it is in the audit")
    disk.fill(room_bytes=60)
    for number in range(20):
        shop.event("login" if number % 2 else "logout")
    shop.event("oops")
    slack.wait_for("Saw: oops", channel="control")  # nobody who is told waits for the disk
    wait_until(lambda: watcher.status_of("/readyz")[0] == 503, "it says so")
    assert "No space left on device" in watcher.log()
    assert disk.refused > 0
    assert len(watcher.audit_lines("event")) == 1  # and part of a line
    disk.empty()
    wait_until(lambda: watcher.status_of("/readyz")[0] == 200, "it has recovered")
    wait_until(lambda: [line["n"] for line in watcher.audit_lines("event")] == list(range(1, 23)),
               "every event is in the audit")
    lines = watcher.audit_lines()
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    assert not {line["kind"] for line in lines} & {"gap", "torn", "dropped"}
    watcher.stop()


def test_an_audit_on_a_disk_that_is_full_when_it_synchronises_is_told_and_recovers(
        scratch, broker, client, shop, disk, slack, run):
    watcher = run(ReleaseWatcher(scratch, broker, watcher_settings(slack), with_disk(disk)))
    disk.fill_late()
    shop.event("login")
    wait_until(lambda: watcher.status_of("/readyz")[0] == 503, "it says so")
    assert watcher.log().count("No space left on device") == 1
    assert "it is written again" not in watcher.log()
    disk.empty()
    wait_until(lambda: watcher.status_of("/readyz")[0] == 200, "it has recovered")
    assert watcher.log().count("it is written again") == 1
    watcher.stop()


def test_a_watcher_that_starts_on_a_full_disk_works_and_takes_up_its_past_later(
        scratch, broker, client, shop, disk, slack, run):
    watcher = run(ReleaseWatcher(scratch, broker, watcher_settings(slack), with_disk(disk)))
    shop.event("login")
    wait_until(lambda: len(watcher.audit_lines("event")) == 1, "it is in the audit")
    disk.fill(room_bytes=30)
    shop.event("logout")
    wait_until(lambda: disk.refused > 0, "the disk is full")
    watcher.kill()
    watcher.start()
    shop.event("oops")
    slack.wait_for("Saw: oops", channel="control")
    wait_until(lambda: watcher.status_of("/readyz")[0] == 503, "it says so")
    disk.empty()
    # The gap shows once the past is known, which may be behind the event.
    wait_until(lambda: watcher.audit_lines("event")[1:] and watcher.audit_lines("gap"),
               "it is in the audit, and that one is missing")
    lines = watcher.audit_lines()
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["n"] for line in watcher.audit_lines("event")] == [1, 3]
    assert [(line["after"], line["before"]) for line in watcher.audit_lines("gap")] == [(1, 3)]
    assert len(watcher.audit_lines("torn")) == 1  # of the disk's last 30 bytes
    watcher.stop()


class LoggingRedis(Redis):
    """With a log of its commands, as it is recommended; on that disk."""

    def __init__(self, scratch, disk):
        super().__init__(scratch)
        self.arguments += ["--appendonly", "yes", "--appendfsync", "everysec"]
        self.environment = {**os.environ, **with_disk(disk)}
        self.folder = os.path.join(scratch, "appendonlydir")


def test_C9_2_a_redis_whose_disk_is_full_stops_no_card_is_told_and_keeps_what_it_promised(
        scratch, broker, client, disk, slack, start_watcher, start_controller, run):
    redis = run(LoggingRedis(scratch, disk))
    start_watcher()
    controller = start_controller(machines(COUNT), USERS, redis=redis,
                                  settings={"redis": {"save_timeout_ms": BUDGET_MS}})
    client.subscribe("tagout/fleet/alert")
    client.subscribe("tagout/controller/one/status")
    fleet = Fleet(client, COUNT).boot()
    fleet.swipe()
    assert lock_out(client, "m000")["persisted"] is True
    fleet.wait_kept(redis)
    epoch = redis.command("GET", "tagout:epoch")

    disk.fill(room_bytes=60)
    took = [s for _ in range(3) for s in fleet_of_others(fleet).swipe()]
    assert max(took) < STALL_S
    wait_until(lambda: disk.refused > 0, "the disk is full")
    assert lock_out(client, "m001")["persisted"] is False
    wait_alert(client, "fleet_save_timeouts")
    slack.wait_for("Fleet: storage hangs", channel="control")

    disk.empty()
    slack.wait_for("Storage answers again", channel="control")
    fleet.wait_kept(redis)
    assert lock_out(client, "m002")["persisted"] is True
    assert redis.command("GET", "tagout:epoch") == epoch  # it led on
    controller.kill()
    redis.kill()
    redis.start().wait_loaded()
    for name in ("m000", "m001", "m002"):
        assert redis.hash(f"tagout:machine:{name}")["lockout"] == "true"


def lock_out(client, name):
    answer = client.request("lockout", {"machine": name, "value": True})
    assert answer["status"] == "ok", answer
    return answer["data"]


def fleet_of_others(fleet):
    """All but those that are locked out on the way."""
    fleet.machines = [m for m in fleet.machines if m.name > "m002"]
    return fleet


def test_C9_4_a_redis_killed_on_a_full_disk_has_what_it_acknowledged_before(
        scratch, broker, client, disk, start_controller, run):
    redis = run(LoggingRedis(scratch, disk))
    controller = start_controller(machines(COUNT), USERS, redis=redis,
                                  settings={"redis": {"save_timeout_ms": BUDGET_MS}})
    Fleet(client, COUNT).boot()
    for number in range(3):
        assert lock_out(client, f"m{number:03}")["persisted"] is True
    disk.fill(room_bytes=100)
    wait_until(lambda: not lock_out_again(client, "m003")["persisted"], "Redis refuses")
    redis.kill()
    controller.kill()
    redis.start().wait_loaded()
    for number in range(3):
        assert redis.hash(f"tagout:machine:m{number:03}")["lockout"] == "true"
    disk.empty()
    controller.start()
    assert lock_out(client, "m004")["persisted"] is True


def test_C9_4_a_redis_whose_disk_is_full_can_still_be_read_at_a_start(
        scratch, broker, client, disk, start_controller, run):
    """The broker has forgotten, and the boxes had no power: nobody else knows of the lockout."""
    redis = run(LoggingRedis(scratch, disk))
    controller = start_controller(machines(COUNT), USERS, redis=redis)
    client.subscribe("tagout/machine/m000/state")
    Machine(client, "m000").report()
    assert lock_out(client, "m000")["persisted"] is True
    assert client.request("block", {"fob": MAX})["data"]["persisted"] is True
    disk.fill()
    client.request("lockout", {"machine": "m001", "value": True})
    wait_until(lambda: refuses(redis), "Redis refuses to write")
    controller.kill()
    broker.restart()
    client.wait_connected()
    controller.start()
    assert Machine(client, "m000").report(card=ADA)["lockout"] is True
    machine = Machine(client, "m002")
    machine.report()
    assert machine.report(card=MAX)["relay"] is False
    disk.empty()
    assert client.request("clear", {"machine": "m000"})["status"] == "ok"
    wait_until(lambda: redis.hash("tagout:machine:m000")["lockout"] == "false", "it is kept")


def refuses(redis):
    try:
        return redis.command("PING") != "PONG"
    except RuntimeError as error:
        return str(error).startswith("MISCONF")


def lock_out_again(client, name):
    assert client.request("clear", {"machine": name})["status"] == "ok"
    return lock_out(client, name)
