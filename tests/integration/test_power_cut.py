"""A power cut: every process is killed at once, and each file loses what was not on the disk yet. No
oops and no lockout that was answered `persisted` more than two seconds before is lost."""
import contextlib
import os
import random
import signal
import time

from harness import ROOT, Broker, Client, Controller, Redis, wait_until
from preload import PowerCut, ReleaseWatcher

BOUND_S = 2.0
ROUNDS = 3
PACE_S = 0.03  # there are machines for some ten seconds of it
MACHINES = {f"m{number:03}": {"authorizations_or": ["woodshop"]} for number in range(999)}


def recommended():
    """What deploy/redis says about the disk."""
    with open(os.path.join(ROOT, "deploy/redis/tagout.conf"), encoding="utf-8") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    return {line[0]: line[1].strip('"') for line in lines
            if line and line[0] in ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "save")}


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
        self.cut = PowerCut(scratch)
        self.broker = Broker(scratch)
        self.redis = DurableRedis(scratch, self.cut.environment, **redis)
        self.controllers = [Controller(scratch, self.broker, self.redis, MACHINES, [],
                                       identity=name) for name in ("one", "two")]
        self.watcher = ReleaseWatcher(scratch, self.broker, environment=self.cut.environment)
        self.client = None
        self.persisted = {}  # machine: (verb, when the answer said so)
        self.certain = set()  # outlived a cut already
        self.unused = list(MACHINES)

    def processes(self):
        return [self.broker, self.redis, *self.controllers, self.watcher]

    def start(self):
        self.broker.start()
        self.redis.start()
        for process in (*self.controllers, self.watcher):
            process.start(ready=False)
        self.client = Client(self.broker)
        self.client.subscribe("tagout/controller/+/status")
        wait_until(self._is_led, "a controller leads")
        return self

    def _is_led(self):
        newest = {m.topic: m.json for m in self.client.messages("tagout/controller/+/status")}
        return any(status.get("leader") for status in newest.values())

    def work(self, seconds):
        """One oops or lockout after the other, each on a machine of its own."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            machine, verb = self.unused.pop(), self.random.choice(["oops", "lockout"])
            answer = self.client.request(verb, {"machine": machine, "value": True})
            if answer["data"]["persisted"]:
                self.persisted[machine] = (verb, time.monotonic())
            time.sleep(self.random.uniform(0, PACE_S))

    def strike(self, spares=False):
        """Returns what had to be on the disk by then, and how many bytes were not. The disk may have
        more than it has to (`spares`), up to any byte."""
        now = time.monotonic()
        for process in self.processes():
            os.kill(process.pid, signal.SIGKILL)
        for process in self.processes():
            process.kill()
        self.client.close()
        lost = self.cut.strike(self.redis.folder, self.watcher.audit,
                               random=self.random if spares else None)
        return {machine for machine, (_, at) in self.persisted.items()
                if at < now - BOUND_S} | self.certain, lost

    def survivors(self):
        states = self.client.request("status")["data"]["machines"]
        flags = {state["machine"]: state for state in states}
        return {machine for machine, (verb, _) in self.persisted.items() if flags[machine][verb]}

    def stop(self):
        for process in self.processes():
            process.kill()
        if self.client:
            self.client.close()


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
        # The audit goes on, and says of each torn line that it was torn.
        shop.client.request("lockout", {"machine": "m000", "value": True})
        wait_until(lambda: "m000" in {line.get("machine") for line in
                                      shop.watcher.audit_lines("event")}, "it is in the audit")
        events = {line["machine"] for line in shop.watcher.audit_lines("event")}
        assert len(events & shop.certain) > len(shop.certain) / 2
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
