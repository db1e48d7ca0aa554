"""What goes wrong, and ends. A plan is drawn from the seed alone: which faults, when each begins
and how long it lasts. Who leads is found out when it begins."""
import os
import random
import signal
import threading
import time

from host import HostFaults, moves_the_lease, told
from shop_floor import GROUPS, IDS, VICTIMS

MODES = (("cut", "both"), ("freeze", "both"), ("freeze", "up"), ("freeze", "down"),
         ("trickle", "both"), ("trickle", "up"), ("trickle", "down"), ("sever", "down"),
         ("sever", "up"))
# Only TLS sees that a bit is another.
TLS_MODES = (*MODES, *MODES[-2:], ("garble", "both"), ("garble", "up"), ("garble", "down"))
SEVERED_BYTES = (2, 9, 60)  # of a TLS record: in its head, and in what is encrypted
LONG_S = 12.0
# As what they come back when they were killed.
BROKER_IS = ("empty", "old")
REDIS_IS = ("empty", "old", "whole")
# What forgets: two of them at once would leave nobody who knows (C9.4).
FORGET_BROKER = ("broker-kill",)
FORGET_REDIS = ("redis-kill", "redis-wipe")
KINDS = ("freeze", "kill", "stop", "starve", "broker-freeze", *FORGET_BROKER, "redis-freeze",
         *FORGET_REDIS, "boxes-freeze", "watcher-freeze", "watcher-kill", "wire-broker",
         "wire-redis", "wire-boxes", "wire-watcher", "junk", "forge", "handover", "blink",
         "echo", "clock", "redis-full", "watcher-full")
# After these an event may be missing: who told it, or heard it, was cut off or gone.
GENTLE = ("redis-freeze", "redis-kill", "redis-wipe", "watcher-freeze", "watcher-kill",
          "wire-redis", "wire-watcher", "junk", "redis-full", "watcher-full")

# What one controller of the two survives, alone.
SURVIVED = ("freeze", "kill", "stop", "starve", "wire-broker", "blink")
AT_ONCE_S = 4.0
TAKE_OVER_S = 16.0  # C12.4, and a busy host


class Fault:
    def __init__(self, kind, begins_s, lasts_s, dice):
        self.kind = kind
        self.begins_s = begins_s
        self.lasts_s = lasts_s
        self.who = dice.choice(("leader", "standby", "both"))
        self.mode = dice.choice(MODES)
        self.tls_mode = dice.choice(TLS_MODES)
        self.group = f"boxes-{dice.randrange(GROUPS)}"
        self.trickle_s = dice.choice((0.0005, 0.005, 0.05))
        self.identity = dice.choice(IDS)
        self.number = dice.randrange(1 << 20)
        self.undo = []
        self.began_at = None
        self.struck = []  # who was hit, where the watcher has to say so

    def __repr__(self):
        more = {"redis-kill": " " + REDIS_IS[self.number // 3 % 3],
                "broker-kill": " " + BROKER_IS[self.number % 2]}.get(self.kind, told(self))
        if self.kind.startswith("wire-"):
            more = f" {self.mode[0]} {self.mode[1]}"
        who = f" {self.who}" if self.kind in ("freeze", "kill", "stop", "starve", "wire-broker",
                                              "wire-redis") else ""
        group = f" {self.group}" if "boxes" in self.kind else ""
        return f"{self.kind}{who}{group}{more} at {self.begins_s:.1f} s for {self.lasts_s:.1f} s"


def is_gentle(fault):
    return fault.kind in GENTLE or (fault.kind == "clock" and not moves_the_lease(fault))


def plan(seed, number, kinds, tls=False):
    """The faults of one round, in the order in which they begin."""
    dice = random.Random(f"round {number} {seed}")
    faults = []
    forgets = dice.choice((FORGET_BROKER, FORGET_REDIS))
    for _ in range(dice.choice((1, 1, 2, 3, 4, 6))):
        kind = dice.choice([k for k in kinds if k not in forgets] or kinds)
        lasts_s = dice.choice((dice.uniform(0.1, 1), dice.uniform(1, 4), dice.uniform(4, LONG_S)))
        faults.append(Fault(kind, dice.uniform(0.2, 6), lasts_s, dice))
        if tls and kind.startswith("wire-") and kind != "wire-redis":
            faults[-1].mode = faults[-1].tls_mode
    return sorted(faults, key=lambda fault: fault.begins_s)


def answered_within_s(faults, handed_over=False):
    """How long a report may wait meanwhile; None where that is the fault's business."""
    if all(is_gentle(fault) for fault in faults):
        return TAKE_OVER_S if handed_over else AT_ONCE_S
    if all(is_gentle(fault) or fault.kind == "clock" for fault in faults):
        return TAKE_OVER_S
    if len(faults) == 1 and faults[0].kind in SURVIVED and faults[0].who != "both":
        return TAKE_OVER_S
    return None


class Breaker(HostFaults):
    """Carries faults out and mends them. What was killed starts again with the end."""

    def __init__(self, floor, ear, say, fail):
        self.floor = floor
        self.ear = ear
        self.say = say
        self.fail = fail
        self.down = set()   # processes that are meant to be dead

    # ---- who ----

    def leader(self):
        with self.ear.lock:
            for identity, status in sorted(self.ear.statuses.items()):
                if identity in IDS and status.get("leader"):
                    return identity
        return IDS[0]

    def identities(self, fault):
        leader = self.leader()
        return {"leader": [leader], "standby": [i for i in IDS if i != leader],
                "both": list(IDS)}[fault.who]

    # ---- begin and end ----

    def begin(self, fault):
        self.say(f"begins: {fault!r}")
        fault.began_at = time.monotonic()
        kind = fault.kind.replace("-", "_")
        getattr(self, f"_{kind}")(fault)

    def end(self, fault):
        while fault.undo:
            fault.undo.pop()()
        self.say(f"ends: {fault!r}")

    def _freeze_one(self, fault, process):
        if process.is_running() and process not in self.down:
            process.signal(signal.SIGSTOP)
            fault.undo.append(lambda: self._thaw(process))

    @staticmethod
    def _thaw(process):
        if process.is_running():
            process.signal(signal.SIGCONT)

    def _kill_one(self, fault, process, start, clean=False):
        if not process.is_running() or process in self.down:
            return
        self.down.add(process)
        if clean:
            process.signal(signal.SIGCONT)
            process.popen.terminate()
        else:
            process.kill()
        fault.undo.append(lambda: self._start_again(process, start, clean))

    def _start_again(self, process, start, clean):
        if clean and process.wait() != 0:
            self.fail(None, f"C1: {process.name} was asked to stop and ended with status "
                            f"{process.popen.returncode}")
        start()
        self.down.discard(process)

    def _freeze(self, fault):
        for identity in self.identities(fault):
            self._freeze_one(fault, self.floor.controllers[identity])

    def _kill(self, fault):
        for identity in self.identities(fault):
            controller = self.floor.controllers[identity]
            fault.struck.append(f"controller-{identity}")
            self._kill_one(fault, controller, lambda c=controller: c.start(ready=False))

    def _stop(self, fault):
        for identity in self.identities(fault):
            controller = self.floor.controllers[identity]
            self._kill_one(fault, controller, lambda c=controller: c.start(ready=False),
                           clean=True)

    def _blink(self, fault):
        """Killed and started at once: its old life's lease and connection are still there."""
        for identity in self.identities(fault):
            controller = self.floor.controllers[identity]
            if controller.is_running() and controller not in self.down:
                controller.kill()
                controller.start(ready=False)

    def _starve(self, fault):
        """Runs for a tenth of the time."""
        processes = [self.floor.controllers[i] for i in self.identities(fault)]
        if fault.number % 4 == 0:
            processes.append(self.floor.broker)

        def once(ended):
            self._signal(processes, signal.SIGSTOP)
            ended.wait(0.18)
            self._signal(processes, signal.SIGCONT)
            ended.wait(0.02)

        self._again_and_again(fault, once)

    @staticmethod
    def _again_and_again(fault, act):
        ended = threading.Event()

        def go_on():
            while not ended.is_set():
                act(ended)

        def stop():
            ended.set()
            thread.join()

        thread = threading.Thread(target=go_on, daemon=True)
        thread.start()
        fault.undo.append(stop)

    @staticmethod
    def _signal(processes, number):
        for process in processes:
            if process.is_running():
                process.signal(number)

    def _broker_freeze(self, fault):
        self._freeze_one(fault, self.floor.broker)

    def _broker_kill(self, fault):
        what = BROKER_IS[fault.number % 2]
        self._kill_one(fault, self.floor.broker, lambda: self.floor.broker.start_with(what))
        if fault.undo:
            with self.ear.lock:
                self.ear.broker_dies()

    def _redis_freeze(self, fault):
        self._freeze_one(fault, self._store(fault))

    def _redis_kill(self, fault):
        redis = self._store(fault)
        what = REDIS_IS[fault.number // 3 % 3]
        with self.ear.lock:
            self.ear.truth.forgotten()
        self._kill_one(fault, redis, lambda: self.floor.store.start_with(redis, what))

    def _redis_wipe(self, _fault):
        self.floor.store.wipe()
        with self.ear.lock:
            self.ear.truth.forgotten()

    def _store(self, fault):
        """Mostly the master; where there are Sentinels, the replica or one of them too."""
        processes = list(self.floor.store.processes.values())
        master = self.floor.store.master()
        return master if master and fault.number % 3 else processes[fault.number % len(processes)]

    def _boxes_freeze(self, fault):
        fault.lasts_s = min(fault.lasts_s, 8.0)
        self._freeze_one(fault, self.floor.groups[fault.group])

    def _watcher_freeze(self, fault):
        self._freeze_one(fault, self.floor.watcher)

    def _watcher_kill(self, fault):
        self._kill_one(fault, self.floor.watcher, lambda: self.floor.watcher.start(ready=False))

    # ---- wires ----

    def _wire(self, fault, names):
        mode, direction = fault.mode
        for name in names:
            proxy = self.floor.proxies.get(name)
            if proxy is not None:
                proxy.trickle_s = fault.trickle_s
                if name.endswith("-broker"):
                    proxy.severed_bytes = SEVERED_BYTES[fault.number % len(SEVERED_BYTES)]
                proxy.set(mode, direction)
                fault.undo.append(lambda p=proxy: p.set("pass"))

    def _wire_broker(self, fault):
        self._wire(fault, [f"{i}-broker" for i in self.identities(fault)])

    def _wire_redis(self, fault):
        self._wire(fault, [f"{i}-redis" for i in self.identities(fault)])

    def _wire_boxes(self, fault):
        self._wire(fault, [f"{fault.group}-broker"])

    def _wire_watcher(self, fault):
        self._wire(fault, ["watcher-broker"])

    # ---- what others say ----

    def _handover(self, _fault):
        self.ear.ask("handover")

    def _junk(self, fault):
        """Payloads that mean nothing, on every topic that a controller or the watcher reads."""
        dice = random.Random(fault.number)
        machines = sorted(self.floor.roster.machines) + ["nobody", "x" * 64]
        for _ in range(200):
            machine = dice.choice(machines)
            topic = dice.choice((f"machine/{machine}/report", f"machine/{machine}/pong",
                                 f"machine/{machine}/set/oops", f"machine/{machine}/telemetry",
                                 f"request/local/{dice.choice(('lockout', 'x', 'clear', 'why'))}",
                                 "controller/none/status", "service/x", "fleet/save_timeout",
                                 f"machine/{machine}/event"))
            self.ear.publish(f"tagout/{topic}", junk(dice), qos=dice.randrange(2), wait=False,
                             retain=topic.endswith("report") and dice.random() < 0.1)

    def _echo(self, fault):
        """What was said of late is said again: by a broker that was restored, a leader that was
        late, a network that repeats. Not a press, which counts each time (C3); nor what an earlier
        boot said: of one that this leader has not heard live the box recovers by rebooting (C7.7),
        which takes longer than the calm."""
        dice = random.Random(fault.number)

        def once(ended):
            with self.ear.lock:
                passed = list(self.ear.passed)
            topic, payload = dice.choice(passed)
            machine = topic.split("/")[2]
            heard = self.ear.reports.get(machine) or [(0, "", 0)]
            if topic.endswith("command") or (b'"oops":true' not in payload
                                             and heard[-1][1].encode() in payload):
                self.ear.publish(topic, payload, retain=topic.endswith("command"), wait=False)
            ended.wait(0.02)

        self._again_and_again(fault, once)

    def _forge(self, fault):
        """Reports in the name of a victim, which is nobody else's business."""
        dice = random.Random(fault.number)
        for _ in range(dice.choice((1, 3, 20))):
            machine = dice.choice(VICTIMS)
            with self.ear.lock:
                heard = self.ear.reports.get(machine) or [(0, "0", 1)]
            _, boot, seq = heard[-1]
            report = {"oops": dice.random() < 0.1, "rfid_value": dice.choice(("", "1", "9", "3")),
                      "uptime": dice.choice((0, 5, 1e9)), "forged": True,
                      "boot_id": dice.choice((boot, boot, "forged", f"f{dice.randrange(9)}")),
                      "seq": dice.choice((1, seq, seq + 1, seq + 50, 4294967295)),
                      "ack": {"epoch": dice.choice((1, 1 << 40, int(time.time()) + 3600)),
                              "rev": dice.choice((0, 4294967295)), "oops": dice.random() < 0.2,
                              "lockout": dice.random() < 0.2}}
            self.ear.publish(f"tagout/machine/{machine}/report", report, wait=False)
            if dice.random() < 0.3:
                self.ear.publish(f"tagout/machine/{machine}/link",
                                 dice.choice(("lost", "offline", "online")), retain=True,
                                 wait=False)


def junk(dice):
    kind = dice.randrange(8)
    if kind == 0:
        return os.urandom(0) + bytes(dice.randrange(256) for _ in range(dice.randrange(300)))
    if kind == 1:
        return b""
    if kind == 2:
        return b"{" * dice.choice((1, 9, 3000))
    if kind == 3:
        return b'{"oops": false, "rfid_value": "1", "uptime": -1}'
    if kind == 4:
        return b'{"oops": 1, "rfid_value": "\\u0000", "uptime": 1e999, "seq": 0}'
    if kind == 5:
        return b'{"machine": 7, "value": "yes"}'
    if kind == 6:
        return b"x" * dice.choice((1, 4095, 4097, 100000))
    return b"[1, 2, 3]"
