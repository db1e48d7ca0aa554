"""What `make bench` measures, one function a part; each returns plain data."""
import os
import re
import statistics
import sys
import threading
import time

from subjects import BENCH_BIN, Redis, cpu_ns, resident_bytes, users
from mqtt_client import Client
from processes import wait_until

WINDOWS = (1, 16, 200)
FLEETS = (1, 200, 2000, 10000)
TAKE_OVER_LIMIT_S = 60
IDLE_S = 3


class Effort:
    def __init__(self, full):
        self.full = full
        self.rounds = 9 if full else 3
        self.seconds = 2.0 if full else 0.6
        self.took_s = time.monotonic()

    def say(self, text):
        passed = time.monotonic() - self.took_s
        print(f"  {passed:5.0f} s  {text}", file=sys.stderr, flush=True)


def medians(rounds):
    return {key: statistics.median(result[key] for result in rounds) for key in rounds[0]}


def interleave(services, effort, what, cases):
    """`cases`: {name: arguments of Services.load}. Each round runs all, beginning with another."""
    found = {name: [] for name in cases}
    names = list(cases)
    for number in range(effort.rounds):
        effort.say(f"{what}: round {number + 1} of {effort.rounds}")
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            found[name].append(services.load(*cases[name]))
    return {name: medians(rounds) for name, rounds in found.items()}


def beside_the_floor(services, effort):
    """The controller and the echoing clients, at each window."""
    subjects = {
        "echo, libmosquitto": services.echo("floor", "bench-echo-mosquitto"),
        "echo, bare Paho": services.echo("paho", "bench-echo-paho"),
        "echo, our adapter": services.echo("adapter", "bench-echo-adapter", "0"),
        "tagoutd, heartbeats": services.controller("main", 200),
    }
    cases = {}
    for window in WINDOWS:
        for name, subject in subjects.items():
            cases[name, window] = (subject, 200, window, "heartbeats", effort.seconds)
        for mix in ("mixed", "swipes"):
            cases[f"tagoutd, {mix}", window] = (
                subjects["tagoutd, heartbeats"], 200, window, mix, effort.seconds)
    found = interleave(services, effort, "beside the floor", cases)
    rows = []
    for (name, window), result in found.items():
        floor = found["echo, libmosquitto", window]
        rows.append(dict(result, name=name, window=window,
                         latency_ratio=result["p50_us"] / floor["p50_us"],
                         p99_ratio=result["p99_us"] / floor["p99_us"],
                         rate_ratio=result["rate"] / floor["rate"],
                         cpu_ratio=result["subject_cpu_us"] / floor["subject_cpu_us"]))
    return sorted(rows, key=lambda row: row["window"])


def fleet_sizes(services, effort):
    controllers = {}
    starts = {}
    for count in FLEETS:
        effort.say(f"fleets: {count} machines")
        controllers[count] = services.controller(f"fleet{count}", count)
    cases = {}
    for count, subject in controllers.items():
        for window in (1, 200):
            cases[count, window] = (subject, count, min(window, count), "heartbeats",
                                    effort.seconds)
    found = interleave(services, effort, "fleets", cases)
    effort.say(f"fleets: idle for {IDLE_S} s")
    then = {count: cpu_ns(subject.pid) for count, subject in controllers.items()}
    time.sleep(IDLE_S)
    idle = {count: (cpu_ns(subject.pid) - then[count]) / IDLE_S / 1e6
            for count, subject in controllers.items()}
    memory = {count: resident_bytes(subject.pid) for count, subject in controllers.items()}
    for count, subject in controllers.items():
        subject.stop()
        began = time.monotonic()
        subject.start()
        starts[count] = time.monotonic() - began
    rows = [dict(result, machines=count, window=min(window, count), resident=memory[count],
                 start_s=starts[count], idle_ms_a_second=idle[count]) for (count, window), result in found.items()]
    per_machine = (memory[FLEETS[-1]] - memory[FLEETS[0]]) / (FLEETS[-1] - FLEETS[0])
    for subject in controllers.values():
        subject.stop()
    return {"rows": rows, "bytes_a_machine": per_machine, "base_bytes": memory[FLEETS[0]]}


def redis_troubles(services, effort):
    """Window 1 with Redis well; frozen, before and after the first saves miss their budget; away."""
    redis = services.add(Redis(services.folder))
    subject = services.controller("troubled", 200, redis=redis)
    budget_s = 2.2
    found = {"up": [], "frozen": [], "frozen, saves late": [], "away": []}

    def measure(name, before=0.0):
        found[name].append(services.load(subject, 200, 1, "heartbeats", effort.seconds, before,
                                         redis))

    for number in range(effort.rounds):
        effort.say(f"Redis: round {number + 1} of {effort.rounds}")
        measure("up")
        redis.freeze()
        measure("frozen")
        measure("frozen, saves late", budget_s)
        redis.thaw()
        settle(subject)
        redis.kill()
        measure("away")
        redis.start()
        settle(subject)
    subject.kill()
    rows = []
    for name, rounds in found.items():
        for result in rounds:
            result.setdefault("redis_cpu_us", 0.0)
        result = medians(rounds)
        rows.append(dict(result, name=name))
    for row in rows:
        row["latency_ratio"] = row["p50_us"] / rows[0]["p50_us"]
    return rows


def settle(subject, limit_s=30):
    """Until Redis has taken what waited."""
    end = time.monotonic() + limit_s
    last = None
    while time.monotonic() < end:
        saves = subject.metrics()["tagout_saves_total"]
        if saves == last:
            return
        last = saves
        time.sleep(0.5)


def preloaded(services, name):
    """A controller with one of the libraries that count, and what reads its first two counters."""
    variable, library = {"allocations": ("BENCH_ALLOCATIONS", "count_allocations"),
                         "paho": ("BENCH_PAHO", "time_paho")}[name]
    counters = os.path.join(services.folder, f"{name}.counters")
    with open(counters, "wb") as file:
        file.truncate(4096)

    def read():
        with open(counters, "rb") as file:
            return [int.from_bytes(file.read(8), "little") for _ in range(2)]

    folder = os.path.join(os.path.dirname(BENCH_BIN), "lib")
    return read, services.controller(name, 200, environment={
        "LD_PRELOAD": os.path.join(folder, f"{library}.so"), variable: counters})


def inside(services, effort):
    """Calls of malloc and its kin a report, by Paho and by all others, and Paho's share of the
    processor time."""
    read_allocations, counted = preloaded(services, "allocations")
    read_spent, timed = preloaded(services, "paho")
    rows = []
    for mix in ("heartbeats", "swipes"):
        for window in (1, 200):
            effort.say(f"inside tagoutd: {mix}, window {window}")
            row = {"mix": mix, "window": window}
            services.load(counted, 200, window, mix, effort.seconds)
            then = read_allocations()
            result = services.load(counted, 200, window, mix, effort.seconds)
            row["allocations"], row["paho_allocations"] = (
                (now - past) / result["all_reports"] for now, past in zip(read_allocations(), then))
            then = read_spent()
            result = services.load(timed, 200, window, mix, effort.seconds)
            spent_us = (read_spent()[0] - then[0]) / result["all_reports"]
            row["paho_share"] = spent_us / result["subject_cpu_us"]
            rows.append(row)
    counted.stop()
    timed.stop()
    return rows


def reload_under_load(services, effort, user_count=10_000):
    subject = services.controller("reloaded", 200, user_count=user_count)
    effort.say(f"reload of {user_count} users under load")
    quiet = services.load(subject, 200, 1, "heartbeats", 3)
    subject.write(users=users(user_count, 1))
    since = subject.log_position()
    timer = threading.Timer(1, subject.reload)
    timer.start()
    loaded = services.load(subject, 200, 1, "heartbeats", 3)
    timer.join()
    subject.wait_log(re.compile(r"updated|reload", re.IGNORECASE), since=since)
    subject.stop()
    return {"quiet": quiet, "reloading": loaded}


def storms(services, effort, devices=2000):
    rows = []
    for name, subject in (("echo, libmosquitto", services.echo("stormfloor",
                                                               "bench-echo-mosquitto")),
                          ("tagoutd", services.controller("storm", devices))):
        effort.say(f"reconnect storm of {devices} devices: {name}")
        rows.append(dict(services.storm(subject, devices), name=name))
        subject.kill()
    return rows


def take_over(services, effort):
    """The leader is killed: until every machine has a command of the new one."""
    machine_count = 10_000 if effort.full else 2000
    effort.say(f"take-over of {machine_count} machines")
    leader = services.controller("pair", machine_count)
    standby = services.controller("pair", machine_count, identity="two")
    services.load(leader, machine_count, 200, "heartbeats", 0.1)
    topic = "pair/machine/+/command"
    client = Client(services.broker)
    client.subscribe(topic)
    wait_until(lambda: len(client.messages(topic)) >= machine_count, "what is retained has come")
    since = client.position()
    began = time.monotonic()
    heard = {}
    leader.kill()
    while len(heard) < machine_count:
        now = time.monotonic() - began
        if now > TAKE_OVER_LIMIT_S:
            raise TimeoutError(f"take-over: {len(heard)} of {machine_count} had a command")
        for message in client.messages(topic, since):
            heard.setdefault(message.topic, now)
        time.sleep(0.05)
    client.close()
    standby.kill()
    return {"machines": machine_count, "first_s": min(heard.values()),
            "last_s": max(heard.values())}


PARTS = {
    "floor": beside_the_floor,
    "fleets": fleet_sizes,
    "redis": redis_troubles,
    "inside": inside,
    "reload": reload_under_load,
    "storms": storms,
    "take_over": take_over,
}
