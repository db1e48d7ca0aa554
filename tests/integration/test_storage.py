"""Storage may hang, the shop may not (C9.2, C9.3): commands come as fast as ever, every report is
one timeout, and when Redis answers again it holds what was published."""
import re
import time

import pytest

from fleet import BUDGET_MS, PROMPT_MS, STALL_S, Fleet, machines, median_ms
from harness import USERS, Redis, wait_until
from nameserver import Nameserver
from preload import preloaded
from refusing_redis import RefusingRedis
from watcher import alerts, storage_alerts, wait_alert

FEW, MANY = 40, 200
ROUNDS = 2

SETTINGS = {"redis": {"save_timeout_ms": BUDGET_MS}}


def outage(fleet, redis, begin, rounds=ROUNDS):
    """Swipes before and during an outage; returns when the last budget is over. What was reported
    before is saved first, so that what is counted is the outage's."""
    count = len(fleet.machines)
    usual = median_ms(fleet.swipe())
    fleet.wait_kept(redis)
    assert fleet.timeouts() == []
    begin()
    since = fleet.client.position()
    took = [seconds for _ in range(rounds) for seconds in fleet.swipe()]
    during = median_ms(took)
    print(f"note: a command at the median: {usual:.2f} ms, without storage {during:.2f} ms")
    assert during < PROMPT_MS
    assert max(took) < STALL_S
    wait_until(lambda: len(fleet.timeouts(since)) >= rounds * count, "every report's timeout")
    assert_all_late(fleet, since, rounds)
    return since


def assert_all_late(fleet, since, rounds):
    """Exactly one timeout for each report, counted for life; the fault is told, and told once."""
    names = [machine.name for machine in fleet.machines]
    counts = {name: [] for name in names}
    for message in fleet.timeouts(since):
        counts[message["machine"]].append(message["count"])
        assert message["budget_ms"] == BUDGET_MS
        assert message["controller"] == "one"
    lasting = list(range(1, rounds + 1))
    assert counts == {name: lasting for name in names}
    assert sorted(fleet.save_events(since)) == [(name, "started") for name in names]
    for state in fleet.states().values():
        assert state["problem"] is True and state["faults"] == ["save_timeout"], state


def caught_up(fleet, redis, since, rounds=ROUNDS):
    """Storage answers again: no fault is left, nothing was counted twice, nothing was lost."""
    began = time.monotonic()
    names = [machine.name for machine in fleet.machines]
    wait_until(lambda: not any(s["problem"] for s in fleet.states().values()), "no fault is left")
    fleet.wait_kept(redis)
    print(f"note: Redis holds every state after {time.monotonic() - began:.2f} s")
    assert sorted(fleet.save_events(since)) == sorted(
        (name, reason) for name in names for reason in ("over", "started"))
    assert len(fleet.timeouts(since)) == rounds * len(names)
    for state in fleet.states().values():
        assert state["faults"] == [] and state["save_timeouts"] == rounds, state


@pytest.fixture
def started(client, start_controller):
    """Starts a controller for `count` machines: fleet = started(40, redis=…)."""
    def start(count, **options):
        start.controller = start_controller(machines(count), USERS, settings=SETTINGS, **options)
        return Fleet(client, count).boot()

    return start


def test_C9_2_a_stopped_redis_delays_nobody_misses_nothing_and_is_told_once(
        started, redis, client, start_watcher, slack):
    watcher = start_watcher()
    client.subscribe("tagout/fleet/alert")
    fleet = started(MANY)
    since = outage(fleet, redis, redis.freeze)
    wait_until(lambda: len(alerts(client, "machine_save_timeouts")) >= MANY,
               "one for each machine's second timeout")
    slack.wait_for("Fleet: storage hangs", channel="control")
    redis.thaw()
    caught_up(fleet, redis, since)
    metrics = started.controller.metrics()
    assert metrics["tagout_save_timeouts_total"] == ROUNDS * MANY

    # The end is told once no machine has been late again for a moment; nothing comes after it.
    over = wait_alert(client, "save_timeouts_over")
    assert over["certain"] is True
    slack.wait_for("Storage answers again", channel="control")
    watcher.stop()
    assert sorted(a["machine"] for a in alerts(client, "machine_save_timeouts")) == sorted(
        machine.name for machine in fleet.machines)
    assert [a["count"] for a in alerts(client, "fleet_save_timeouts")] == [2]  # the threshold
    assert len(storage_alerts(client)) == MANY + 2
    assert_a_handful(slack)
    assert len(watcher.audit_lines("save_timeout")) == ROUNDS * MANY


def assert_a_handful(slack):
    """What the control channel was told of one outage of many machines: one thread, and enough to
    act upon."""
    told = [message for message in slack.taken("control") if not message.text.startswith("Redis: ")]
    root = told[0]
    assert 2 <= len(told) <= 5, slack.texts("control")
    assert re.match(r"Fleet: storage hangs, \d+ machines in 60 s\. Cards still work; do not "
                    r"power-cycle anything\. Look at the server's disk and Redis\.", root.text)
    assert root.thread is None
    assert {message.thread for message in told[1:]} == {root.ts}
    assert re.match(r"Storage answers again after \d+ s; nothing lost\.", told[-1].text)
    assert told[-1].json["reply_broadcast"] is True
    details = "".join(message.text for message in told[:-1])
    named = sum(int(more) for more in re.findall(r" and (\d+) more", details))
    named += len(set(re.findall(r"\bm\d{3}\b", details)))
    assert named == MANY, details


def test_C9_3_a_change_from_outside_is_one_timeout_more(started, redis):
    fleet = started(FEW)
    name = fleet.machines[0].name
    since = outage(fleet, redis, redis.freeze)
    answer = fleet.client.request("lockout", {"machine": name, "value": True, "by": "Zoë",
                                              "reason": "blade"})
    assert answer["status"] == "ok" and answer["data"]["persisted"] is False, answer
    wait_until(lambda: len(fleet.timeouts(since)) > ROUNDS * FEW, "its timeout")
    late = fleet.timeouts(since)[ROUNDS * FEW:]
    assert [(m["machine"], m["count"]) for m in late] == [(name, ROUNDS + 1)]
    redis.thaw()
    wait_until(lambda: not any(s["problem"] for s in fleet.states().values()), "it is over")
    fleet.wait_kept(redis)
    assert redis.hash(f"tagout:machine:{name}")["lockout"] == "true"
    answer = fleet.client.request("lockout", {"machine": name, "value": False, "by": "Zoë"})
    assert answer["data"]["persisted"] is True, answer
    assert len(fleet.timeouts(since)) == ROUNDS * FEW + 1


def test_C9_3_timeouts_are_counted_for_life_and_each_outage_has_its_two_events(started, redis):
    """Between outages nothing is late: answers that came late belong to the saves that they
    answer, and to no other."""
    fleet = started(FEW)
    first = outage(fleet, redis, redis.freeze)
    redis.thaw()
    caught_up(fleet, redis, first)
    fleet.swipe()
    fleet.wait_kept(redis)
    assert len(fleet.timeouts()) == ROUNDS * FEW

    redis.freeze()
    since = fleet.client.position()
    fleet.swipe()
    wait_until(lambda: len(fleet.timeouts(since)) >= FEW, "every report's timeout")
    redis.thaw()
    wait_until(lambda: len(fleet.save_events(since)) == 2 * FEW, "it is over")
    fleet.wait_kept(redis)
    assert {m["count"] for m in fleet.timeouts(since)} == {ROUNDS + 1}
    assert len(fleet.timeouts()) == (ROUNDS + 1) * FEW
    assert len(fleet.save_events()) == 4 * FEW
    started.controller.stop()
    started.controller.start()
    kept = fleet.client.request("status")["data"]["machines"]
    assert {state["save_timeouts"] for state in kept} == {ROUNDS + 1}


def test_C9_2_replies_that_trickle_stretch_no_budget(started, redis, proxy):
    slow = proxy(redis, trickle_s=1)
    fleet = started(FEW, redis=Behind(slow))
    since = outage(fleet, redis, lambda: slow.set("trickle", "down"))
    slow.set("pass")
    caught_up(fleet, redis, since)


def test_C9_2_connections_that_break_in_mid_reply_lose_nothing(started, redis, proxy):
    cutting = proxy(redis)
    fleet = started(FEW, redis=Behind(cutting))
    since = outage(fleet, redis, lambda: cutting.set("sever", "down"))
    assert cutting.severed > 1  # it was tried again and again
    cutting.set("pass")
    caught_up(fleet, redis, since)


def read_only(redis):
    redis.command("REPLICAOF", "127.0.0.1", "1")


def writable(redis):
    redis.command("REPLICAOF", "NO", "ONE")


def full(redis):
    redis.command("CONFIG", "SET", "maxmemory", "1")


def roomy(redis):
    redis.command("CONFIG", "SET", "maxmemory", "0")


@pytest.mark.parametrize("begin, end, word", [(read_only, writable, "READONLY"),
                                              (full, roomy, "OOM")])
def test_C9_3_a_redis_that_refuses_is_asked_until_it_takes(started, redis, begin, end, word):
    fleet = started(FEW)
    since = outage(fleet, redis, lambda: begin(redis))
    started.controller.wait_log(re.compile(f"refuses.*{word}"))
    end(redis)
    caught_up(fleet, redis, since)


def test_C9_3_a_redis_that_is_loading_is_asked_until_it_has_loaded(started, redis):
    loading = RefusingRedis(redis)
    try:
        fleet = started(FEW, redis=Behind(loading))
        error = "LOADING Redis is loading the dataset in memory"
        since = outage(fleet, redis, lambda: loading.refuse(error))
        assert loading.refused > 0
        loading.refuse(None)
        caught_up(fleet, redis, since)
    finally:
        loading.close()


def test_C9_3_a_redis_killed_and_back_empty_is_told_everything(started, redis):
    fleet = started(FEW)
    since = outage(fleet, redis, redis.kill)
    redis.start()
    caught_up(fleet, redis, since)


class Behind:
    """Where the controller finds a Redis that has something in front of it."""

    def __init__(self, proxy):
        self.url = proxy.redis_url


class Named:
    """A Redis whose host must be looked up first."""

    def __init__(self, redis):
        self.url = f"redis://storage.example:{redis.port}/0"


@pytest.mark.parametrize("answer", ["nothing", "silence"])
def test_C9_2_a_redis_that_cannot_be_found_delays_nobody(scratch, broker, client, answer):
    """Names are looked up without waiting: here none is found, or no name server answers."""
    redis = Redis(scratch, tcp=True)
    nameserver = Nameserver({"storage.example": "127.0.0.1"}, answer)
    controller = preloaded(scratch, broker, Named(redis), machines(FEW), USERS, ["resolv_conf"],
                           settings={**SETTINGS, "redis": {"save_timeout_ms": BUDGET_MS,
                                                           "load_timeout_ms": 500}},
                           environment={"RESOLV_CONF": nameserver.resolv_conf(scratch)})
    try:
        redis.start()
        controller.start()
        fleet = Fleet(client, FEW).boot()
        took = [seconds for _ in range(ROUNDS) for seconds in fleet.swipe()]
        assert nameserver.asked > 0
        assert max(took) < STALL_S
        wait_until(lambda: len(fleet.timeouts()) >= (ROUNDS + 1) * FEW, "every report's timeout")
        assert_all_late(fleet, 0, ROUNDS + 1)
        nameserver.answer = "address"
        caught_up(fleet, redis, 0, ROUNDS + 1)
        usual, during = median_ms(fleet.swipe()), median_ms(took)
        print(f"note: a command at the median: {usual:.2f} ms, without storage {during:.2f} ms")
        assert during < PROMPT_MS
        controller.stop()
    finally:
        controller.kill()
        redis.kill()
        nameserver.close()


def test_a_redis_that_refuses_the_account_is_told_with_the_key_to_set(
        client, redis, start_controller):
    """It stays a condition that is tried again, and no password is printed."""
    redis.command("CONFIG", "SET", "requirepass", "right")
    controller = start_controller(machines(1), USERS)
    controller.wait_log(re.compile(
        r"Redis refuses this controller \(it wants a password, and \[redis\] password is empty\): "
        "machines go on, nothing is saved"))
    status = client.retained("tagout/controller/one/status")["tagout/controller/one/status"].json
    assert (status["redis"], status["redis_refuses"]) == (
        "down", "it wants a password, and [redis] password is empty")
    Fleet(client, 1).boot()
    client.subscribe("tagout/controller/one/status")
    redis.commands([("AUTH", "right"), ("CONFIG", "SET", "requirepass", "")])
    controller.wait_log(re.compile("Redis answers at"))
    client.wait_for("tagout/controller/one/status", lambda m: m.json["redis"] == "up"
                    and "redis_refuses" not in m.json, since=0)


LACKS_A_RIGHT = ('its user "tagout" ([redis] username) lacks a right that deploy/redis/tagout.conf '
                 "gives: NOPERM")


@pytest.mark.parametrize("settings, users, words", [
    ({"password": "hunter2"}, [("CONFIG", "SET", "requirepass", "right")],
     "it does not take [redis] password"),
    ({"username": "tagout", "password": "hunter2"},
     [("ACL", "SETUSER", "tagout", "on", ">right", "~*", "+@all")],
     'it does not take [redis] username "tagout" with that [redis] password, or this user is off'),
    ({"username": "tagout", "password": "hunter2"},
     [("ACL", "SETUSER", "tagout", "on", ">hunter2", "~tagout:*", "+select", "+ping")],
     LACKS_A_RIGHT),
    ({"username": "tagout", "password": "hunter2"},
     [("ACL", "SETUSER", "tagout", "on", ">hunter2", "~other:*", "+@all")],
     LACKS_A_RIGHT),
    ({"password": "hunter2"}, [], "its default user has no password: leave [redis] password empty"),
])
def test_what_redis_has_against_an_account(redis, start_controller, settings, users, words):
    for command in users:
        redis.command(*command)
    controller = start_controller(machines(1), USERS, settings={"redis": settings})
    controller.wait_log(re.compile(r"Redis refuses this controller \(" + re.escape(words)))
    assert "hunter2" not in controller.log()
