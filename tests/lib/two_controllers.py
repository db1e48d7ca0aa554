"""A shop at work with two controllers, each behind proxies of its own to broker and Redis."""
import os
import re
import time

from harness import (MACHINES, TIMEOUT_S, USERS, Broker, Client, Controller, Proxy, Redis,
                     wait_until)
from recorder import Recorder
from simulator import Simulator

LATE_S = 10  # so soon after a fault every report has its answer (C12.4) ...
HOST_S = 20  # ... or so much later if the host is busy
HEARTBEAT_S = 0.4
IDS = ("one", "two")
REDIS = re.compile("Redis (answers at|is out of reach)")

# Busy boxes that report often, every other one in use; and some whose button is pressed.
LOAD = [f"box{number:02}" for number in range(20)]
PRESSED = [f"button{number}" for number in range(20)]
BOXLESS = "shelf"  # nobody reports it: only a take-over publishes its command
SHOP = dict(MACHINES, **{name: {"authorizations_or": ["woodshop"]}
                         for name in (*LOAD, *PRESSED, BOXLESS)})

# What every relay has to be, the second with it, whatever happens to the controllers.
IN_USE = {"saw": (True, False), "laser": (True, True), "press": (True, False),
          "drill": (True, False), "fan": (True, False), **{name: (True, False)
                                                           for name in LOAD[::2]}}
RELAYS = {name: IN_USE.get(name, (False, False)) for name in SHOP if name not in PRESSED}


class Floor:
    """Controllers one and two, which were started at the same time, and boxes that obey C7."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.broker = Broker(scratch)
        self.redis = Redis(scratch)
        self.proxies = []
        self.to_broker = {}
        self.to_redis = {}
        self.controllers = {}
        self.sims = []
        self.client = None
        self.unpressed = list(PRESSED)

    # ---- opening and closing ----

    def start(self):
        self.broker.start()
        self.redis.start()
        self.client = Client(self.broker)
        self.recorder = Recorder(self.client, RELAYS)
        for identity in IDS:
            broker, redis = Proxy(self.broker), Proxy(self.redis)
            self.proxies += [broker, redis]
            self.to_broker[identity], self.to_redis[identity] = broker, redis
            self.controllers[identity] = Controller(
                self.scratch, broker, redis, SHOP, USERS, identity=identity,
                settings={"redis": {"url": redis.redis_url, "load_timeout_ms": 2500}})
        for controller in self.controllers.values():
            controller.start(ready=False)
        self.wait_one_leader()
        quiet = [name for name in SHOP if name not in (*LOAD, BOXLESS)]
        self.busy = self._sim("busy", LOAD, "--heartbeat", str(HEARTBEAT_S))
        self.quiet = self._sim("quiet", quiet, "--start-delay", "0.5")
        return self

    def _sim(self, folder, names, *arguments):
        scratch = os.path.join(self.scratch, folder)
        os.makedirs(scratch)
        sim = Simulator(scratch, self.broker, SHOP, USERS, *arguments, names=names)
        self.sims.append(sim.controlled(scratch))
        return sim.start().ready()

    def open(self):
        """Each machine in its state of RELAYS; the lathe oopsed, the mill locked out, the drill
        locked out and running by override."""
        self.busy.tell(f"{','.join(LOAD[::2])} card in Ada",
                       f"expect {','.join(LOAD[::2])} relay on within 10 s")
        for name in ("mill", "drill"):
            self.lock_out(name)
        self.quiet.tell("saw,laser card in Ada", "press card in Bob", "drill card in Max",
                        "lathe oops tap", "expect lathe oops on within 10 s",
                        "expect saw,laser,press,drill,fan relay on within 10 s",
                        "expect laser second relay on within 10 s")
        return self

    def close(self):
        for sim in self.sims:
            sim.kill()
            assert "Sanitizer" not in sim.log() and "runtime error" not in sim.log(), sim.log()
        for controller in self.controllers.values():
            if controller.is_running():
                controller.stop()
            controller.assert_sane()

    def kill(self):
        for process in (*self.sims, *self.controllers.values(), self.redis, self.broker):
            process.kill()
        if self.client is not None:
            self.client.close()
        for proxy in self.proxies:
            proxy.close()

    # ---- who leads ----

    def statuses(self):
        newest = {}
        for message in self.client.messages("tagout/controller/+/status"):
            newest[message.topic.split("/")[2]] = message.json
        return newest

    def leaders(self):
        return [identity for identity, status in self.statuses().items()
                if status["status"] == "running" and status["leader"]]

    def wait_one_leader(self):
        """Until one leads, the other stands by, and Redis knows it; returns its id."""

        def settled():
            statuses = self.statuses()
            leaders = self.leaders()
            return (len(leaders) == 1
                    and all(statuses.get(i, {}).get("status") == "running" for i in IDS)
                    and (self.redis.command("GET", "tagout:lease") or "").endswith(leaders[0])
                    and self.redis.command("GET", "tagout:epoch")
                    == str(statuses[leaders[0]]["epoch"]) and leaders[0])

        return wait_until(settled, "one leader", TIMEOUT_S)

    def pair(self):
        """All as it should be: (the leader, the standby)."""
        for controller in self.controllers.values():
            wait_until(lambda: self._sees_redis(controller), f"{controller.name} sees Redis")
        leader = self.wait_one_leader()
        return (self.controllers[leader],
                self.controllers[IDS[1 - IDS.index(leader)]])

    @staticmethod
    def _sees_redis(controller):
        said = [line for line in controller.lines() if REDIS.search(line)]
        return said and "answers" in said[-1]

    def epoch(self):
        return max(epoch for _, epoch in self.recorder.leaders())

    def retained(self, topic):
        """What the broker holds; by another client, for this one is subscribed to it."""
        client = Client(self.broker)
        try:
            return client.retained(topic)
        finally:
            client.close()

    # ---- what people do ----

    def lock_out(self, name):
        answer = self.client.request("lockout", {"machine": name, "value": True})
        assert answer["status"] == "ok", answer

    # ---- a fault ----

    def fault(self, what):
        return Fault(self, what)


class Fault:
    """From when it happens until all is well again:

        with floor.fault("what happens") as fault:
            …
    """

    def __init__(self, floor, what):
        self.floor = floor
        self.recorder = floor.recorder
        self.what = what
        self.exempt = set()  # machines that get no answers meanwhile
        self.notes = []

    def __enter__(self):
        self.epoch = self.floor.epoch()
        self.since = self.recorder.position()
        self.at = time.monotonic()
        self.button = self.floor.unpressed.pop()
        return self

    def __exit__(self, failed, *_):
        try:
            if failed is None:
                self.end()
        except BaseException:
            failed = True
            raise
        finally:
            for controller in self.floor.controllers.values() if failed else ():
                print(controller.name, *controller.lines()[-15:], sep="\n    ")

    def press(self):
        """Somebody presses Oops while nobody may be leading."""
        self.floor.quiet.tell(f"{self.button} oops tap")

    def wait_leader(self, controller):
        """Until that controller says that it leads, under a newer epoch."""
        self.floor.client.wait_for(
            f"tagout/controller/{controller.identity}/status",
            lambda m: m.json.get("leader") and m.json["epoch"] > self.epoch, since=self.since)
        self.notes.append(f"{controller.identity} leads after {self.so_far_s():.1f} s")

    def so_far_s(self):
        return time.monotonic() - self.at

    def end(self):
        self.floor.wait_one_leader()
        settled = self.recorder.position()
        deadline = time.monotonic() + LATE_S + HOST_S
        for name in LOAD:
            self.floor.client.wait_for(f"tagout/machine/{name}/report", since=settled)
        until = time.monotonic()
        while missing := self.missing(until):
            assert time.monotonic() < deadline, f"never answered: {missing}"
            time.sleep(0.2)
        took = [s for key, s in self.recorder.answers(self.since, until).items()
                if key[0] not in self.exempt]
        dropped = self.recorder.check(self.since)
        self.check_oops()
        print(f"note: {self.what}: {', '.join(self.notes + [''])}{len(took)} reports answered "
              f"within {max(took):.1f} s, {dropped} stale commands")
        assert max(took) < LATE_S + HOST_S

    def missing(self, until):
        return [key for key in self.recorder.unanswered(self.since, until)
                if key[0] not in self.exempt]

    def check_oops(self):
        """One press is one event, however many controllers heard of it."""
        topic = f"tagout/machine/{self.button}"
        pressed = [m for m in self.floor.client.messages(f"{topic}/report", self.since)
                   if m.json["oops"]]
        if pressed:
            self.floor.client.wait_for(f"{topic}/command", lambda m: m.json["oops_led"],
                                       since=self.since)
        events = [m.json["event_type"]
                  for m in self.floor.client.messages(f"{topic}/event", self.since)
                  if m.json["event_type"] != "save_timeout"]
        assert events == ["oops"] * bool(pressed), events
