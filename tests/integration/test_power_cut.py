"""A power cut: every process is killed at once, and each file loses what was not on the disk yet.
No oops and no lockout that was answered `persisted` more than two seconds before is lost."""
import contextlib
import glob
import os
import random
import signal
import time

from harness import ROOT, Broker, Client, Controller, Redis, wait_until
from preload import PowerCut, ReleaseWatcher

BOUND_S = 2.0
SYNC_S = 1.3  # at the latest so long after the last
ROUNDS = 2
PACE_S = 0.03  # there are machines for some ten seconds of it
MACHINES = {f"m{number:03}": {"authorizations_or": ["woodshop"]} for number in range(999)}


def recommended():
    """What deploy/redis says about the disk."""
    with open(os.path.join(ROOT, "deploy/redis/tagout.conf"), encoding="utf-8") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    keys = ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "save")
    return {line[0]: line[1].strip('"') for line in lines if line and line[0] in keys}


class DurableRedis(Redis):
    """As deploy/redis sets it up; what it says goes into a file."""

    def __init__(self, scratch, environment, **changed):
        self.folder = os.path.join(scratch, "redis")
        os.mkdir(self.folder)
        super().__init__(scratch)
        disk = recommended()
        assert set(disk) == {"appendonly", "appendfsync", "no-appendfsync-on-rewrite", "save"}
        disk.update(changed)
        self.arguments += ["--dir", self.folder, "--logfile", os.path.join(scratch, "redis.log")]
        for key, value in disk.items():
            self.arguments += [f"--{key}", value]
        self.environment = {**os.environ, **environment}


class Site:
    """A shop's services on one host, and what people have asked for and were told."""

    def __init__(self, scratch, **redis):
        self.random = random.Random(4711)
        self.cut = PowerCut(scratch, "redis")
        self.audit_cut = PowerCut(scratch, "audit")
        self.broker = Broker(scratch)
        self.redis = DurableRedis(scratch, self.cut.environment, **redis)
        self.controllers = [Controller(scratch, self.broker, self.redis, MACHINES, [],
                                       identity=name) for name in ("one", "two")]
        self.watcher = ReleaseWatcher(scratch, self.broker,
                                      environment=self.audit_cut.environment)
        self.syncs = recommended()["appendfsync"] == redis.get("appendfsync", "everysec")
        self.client = None
        self.persisted = {}  # machine: (verb, when the answer said so)
        self.certain = set()  # outlived a cut already
        self.unused = list(MACHINES)

    def processes(self):
        return [self.broker, self.redis, *self.controllers, self.watcher]

    def start(self):
        self.broker.start()
        self.redis.start()
        programs = [*self.controllers, self.watcher]
        since = [program.log_position() for program in programs]
        for program in programs:
            program.start(ready=False)
        for program, position in zip(programs, since):
            program.wait_log(Controller.READY, since=position)
        self.client = Client(self.broker)
        return self

    def work(self, seconds):
        """One oops or lockout after the other, each on a machine of its own, until the first that
        was persisted is so old."""
        until = None
        while until is None or time.monotonic() < until:
            machine, verb = self.unused.pop(), self.random.choice(["oops", "lockout"])
            answer = self.client.request(verb, {"machine": machine, "value": True})
            if answer["data"]["persisted"]:
                self.persisted[machine] = (verb, time.monotonic())
                until = until or time.monotonic() + seconds
            time.sleep(self.random.uniform(0, PACE_S))
            if self.syncs and until and self.cut.age_s() > SYNC_S:
                until = max(until, time.monotonic() + 0.1)  # a busy host's disk is late

    def strike(self, spares=False):
        """Returns what had to be on the disk by then, and how many bytes were not. The disk may
        have more than it has to (`spares`), up to any byte."""
        now = time.monotonic()
        for process in self.processes():
            os.kill(process.pid, signal.SIGKILL)
        for process in self.processes():
            process.kill()
        self.client.close()
        dice = self.random if spares else None
        lost = self.cut.strike(self.redis.folder, dice)
        self.audit_cut.strike(self.watcher.audit, dice)
        return {machine for machine, (_, at) in self.persisted.items()
                if at < now - BOUND_S} | self.certain, lost

    def survivors(self):
        flags = {state["machine"]: state for page in self.client.states() for state in page}
        return {machine for machine, (verb, _) in self.persisted.items() if flags[machine][verb]}

    def stop(self):
        for process in self.processes():
            process.kill()
        if self.client:
            self.client.close()


def tear_last_line(audit):
    path = sorted(glob.glob(os.path.join(audit, "events-*.jsonl")))[-1]
    with open(path, "rb") as file:
        content = file.read()
    assert content.count(b"\n") > 1
    os.truncate(path, len(content.rstrip(b"\n")) - 20)


@contextlib.contextmanager
def site(scratch, **options):
    one = Site(scratch, **options)
    try:
        yield one.start()
    finally:
        one.stop()


def test_what_was_persisted_two_seconds_before_a_power_cut_is_there_after_it(scratch):
    with site(scratch) as shop:
        for number in range(ROUNDS):
            shop.work(shop.random.uniform(2.3, 3.6))
            due, lost = shop.strike(spares=number % 2 == 1)
            told = len(shop.persisted)
            assert due
            shop.start()
            there = shop.survivors()
            print(f"note: {told} oopses and lockouts persisted, {told - len(there)} of the last "
                  f"{BOUND_S:g} s lost with {lost} bytes")
            assert not due - there
            shop.certain = there
            shop.persisted = {m: value for m, value in shop.persisted.items() if m in there}
        # The audit goes on behind a line that the last cut tore, and says so.
        shop.work(2.3)  # what a cut spared counts as on the disk from the next sync on
        shop.strike()
        tear_last_line(shop.watcher.audit)
        shop.start()
        assert shop.certain <= shop.survivors()
        wait_until(lambda: shop.watcher.audit_lines("torn"), "the torn line is in the audit")
        shop.client.request("lockout", {"machine": "m000", "value": True})
        wait_until(lambda: "m000" in {line.get("machine") for line in
                                      shop.watcher.audit_lines("event")}, "it is in the audit")
        events = {line["machine"] for line in shop.watcher.audit_lines("event")}
        assert len(events & shop.certain) > len(shop.certain) / 4
        for process in shop.controllers:
            process.assert_sane()


def test_without_a_sync_each_second_it_would_be_lost(scratch):
    """A proof that this power cut takes something."""
    with site(scratch, appendfsync="no") as shop:
        shop.work(2.3)
        due, lost = shop.strike()
        assert due and lost
        shop.start()
        assert due - shop.survivors()
