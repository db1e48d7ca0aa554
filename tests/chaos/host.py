"""What hosts do to who runs on them: a wall clock is set, forwards or back; a disk is full. And
what must hold then."""
import time

from preload import FullDisk, WrongClock, preload_into

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
# As NTP corrects; as somebody types; back to 1970, where a battery is empty.
JUMPS_S = (2.0, 9.0, 90.0, HOUR_S, DAY_S, 40 * DAY_S, 330 * DAY_S, 1500 * DAY_S, 20700 * DAY_S)
CLOCKS = ("one", "two", "redis", "watcher", "broker", "all")
ROOM_BYTES = (0, 1, 60, 3000, None)  # None: a disk that says it only when it synchronises
SAID_S = 9.0          # so long full, it is said: 5 s of the contract's, and a busy host
DURATION_DOUBT_S = 90  # how late events are heard, at worst; clocks jump further than that
WRITTEN_S = 10.0
QUIET_S = 0.3         # later than that woken, a host's own lateness may miss budgets


class Hosts:
    """The clocks and the disks: {name: …}. A process is started with its `environment`."""

    def __init__(self, scratch):
        self.clocks = {name: WrongClock(scratch, name) for name in CLOCKS[:-1]}
        self.disks = {name: FullDisk(scratch, name) for name in ("redis", "watcher")}

    def environment(self, name, program):
        libraries = ["wrong_clock"]
        environment = dict(self.clocks[name].environment)
        if name in self.disks:
            libraries.append("full_disk")
            environment.update(self.disks[name].environment)
        environment.update(preload_into(program, *libraries))
        return environment


class HostFaults:
    """The part of a Breaker that knows how hosts fail."""

    def _clock(self, fault):
        who = clocks_of(fault)
        before = [(self.floor.hosts.clocks[name], self.floor.hosts.clocks[name].ahead_s)
                  for name in who]
        for clock, _ in before:
            clock.set(ahead_s(fault))
        if fault.number % 3:
            fault.undo.append(lambda: [clock.set(0) for clock, _ in before])

    def _redis_full(self, fault):
        self._fill(fault, "redis")

    def _watcher_full(self, fault):
        self._fill(fault, "watcher")

    def _fill(self, fault, name):
        disk = self.floor.hosts.disks[name]
        room = ROOM_BYTES[fault.number % len(ROOM_BYTES)]
        if room is None:
            disk.fill_late()
        else:
            disk.fill(room)
        fault.undo.append(disk.empty)


def clocks_of(fault):
    chosen = CLOCKS[fault.number // 3 % len(CLOCKS)]
    return CLOCKS[:-1] if chosen == "all" else (chosen,)


def ahead_s(fault):
    jump_s = JUMPS_S[fault.number // 18 % len(JUMPS_S)]
    return -jump_s if fault.number // 162 % 2 else jump_s


def told(fault):
    if fault.kind == "clock":
        return f" of {'+'.join(clocks_of(fault))} {ahead_s(fault):+.0f} s" + (
            "" if fault.number % 3 else " for good")
    if fault.kind.endswith("-full"):
        room = ROOM_BYTES[fault.number % len(ROOM_BYTES)]
        return " when it synchronises" if room is None else f" but for {room} bytes"
    return ""


def moves_the_lease(fault):
    """Redis reckons with the wall clock when a key has run out."""
    return fault.kind == "clock" and "redis" in clocks_of(fault)


class HostChecks:
    """What must hold after a round of them."""

    def __init__(self, floor, ear, fail):
        self.floor, self.ear, self.fail = floor, ear, fail
        self.began_at = 0.0
        self.epoch = 0
        self.heard = {}

    def begin(self):
        self.began_at = time.monotonic()
        with self.ear.lock:
            self.epoch = self._newest_epoch()
            self.heard = {name: len(events) for name, events in self.ear.all_events.items()}

    def _newest_epoch(self):
        return max((s.get("epoch") or 0 for s in self.ear.statuses.values()), default=0)

    def end(self, faults, host):
        """All faults are over; `host` tells how late threads were woken meanwhile."""
        kinds = {fault.kind for fault in faults}
        if kinds == {"clock"} and not any(moves_the_lease(fault) for fault in faults):
            self._nothing_is_late(host.worst() < QUIET_S)

    def _nothing_is_late(self, was_quiet):
        """A wall clock is for people: no leader, no service and no save is judged by it."""
        with self.ear.lock:
            if self._newest_epoch() != self.epoch and not self.ear.handed_over():
                self.fail(None, f"C12: a clock was set, and the lead moved: epoch {self.epoch}, "
                                f"then {self.ear.statuses}")
            for at, name in self.ear.service_errors if was_quiet else ():
                if at >= self.began_at:
                    self.fail(None, f"C11.6: a clock was set, and {name} was told to be dead")
            for name, events in self.ear.events.items() if was_quiet else ():
                if any(kind == "save_timeout" for _, _, kind in events):
                    self.fail(name, "C9.2: a clock was set, and a save missed its budget")

    def full(self, fault):
        """Just before the disk has room again. `fault` has lasted, and was alone."""
        if time.monotonic() - fault.began_at < SAID_S:
            return
        if fault.kind == "watcher-full":
            status, body = self.floor.watcher.status_of("/readyz")
            if status != 503:
                self.fail(None, f"the audit's disk is full, and /readyz says {status}: {body}")
        if fault.kind == "redis-full":
            with self.ear.lock:
                alerted = [a for _, a in self.ear.alerts if a["alert"] == "fleet_save_timeouts"]
            if not alerted or not any(alerted[-1]["text"] in text
                                      for text in self.floor.slack.texts("control")):
                self.fail(None, f"C9.5: Redis' disk is full, and Slack was not told: "
                                f"{self.floor.slack.texts('control')[-5:]}")

    def written(self, calm, faults):
        """The audit has all that was told while its disk was full, also when the watcher was killed
        meanwhile: what it had acknowledged outlives it."""
        if {fault.kind for fault in faults} - {"watcher-full", "redis-full", "clock",
                                               "watcher-kill"}:
            return
        calm.wait(self._missing, "the audit has each event", WRITTEN_S)

    def _missing(self):
        kept = {(line["machine"], line["n"], line["at"])
                for line in self.floor.watcher.audit_lines("event")}
        missing = [(name, event["n"], event["event_type"])
                   for name, events in self.ear.all_events.items()
                   for event in events[self.heard.get(name, 0):]
                   if (name, event["n"], event["at"]) not in kept]
        return missing[:5] or None


class Durations:
    """C8.2: how long a session was is monotonic, unless it is `approx`."""

    def __init__(self, fail):
        self.fail = fail
        self.opened = {}  # machine: when it was heard

    def hear(self, at, machine, event):
        kind = event["event_type"]
        if kind.endswith("login"):
            self.opened[machine] = at
        if kind != "logout":
            return
        began = self.opened.pop(machine, None)
        took_s = event["session_s"]
        if took_s < 0 or (began is not None and not event.get("approx")
                          and abs(took_s - (at - began)) > DURATION_DOUBT_S):
            self.fail(machine, f"C8.2: a session of {at - (began or at):.1f} s: {event}")
