"""What must hold when all faults are over: one leads, each box has its answer, all copies agree,
nothing that was promised is lost, and a card opens a machine again."""
import collections
import time

from harness import Client
from shop_floor import GUEST, IDS, LAMP, OVERRIDES, VICTIMS

ANSWER_S = 10.0    # the contract's
HOST_S = 6.0       # and what a busy host may add, besides the lag that was measured
AGREE_S = 10.0
SERVICES_S = 20.0
SWIPE_S = 6.0
SENTINELS_S = 60.0
DEATH_S = 8.0      # 5 s, and a busy host
KEPT = ("health", "mode", "relay", "second_relay", "oops", "lockout", "lockout_reason", "user",
        "account_id", "boot_id", "card", "event_n", "epoch", "rev")
# Faults of a machine that end with what caused them; the others last for a while.
OVER = {"save_timeout", "relay_stuck_on", "reader_failed"}
SERVICES = ("controller-one", "controller-two", "leader", "redis", "broker", "watcher")


class Calm:
    def __init__(self, floor, ear, truth, fail, vitals, host):
        self.floor = floor
        self.ear = ear
        self.truth = truth
        self.fail = fail
        self.vitals = vitals
        self.host = host

    def wait(self, condition, what, limit_s, machine=None):
        """`condition` returns what is still wrong; False when it did not end within the limit."""
        began = time.monotonic()
        self.host.take()
        while True:
            self.vitals.look_for_deaths()
            with self.ear.lock:
                wrong = condition()
            if not wrong:
                return time.monotonic() - began
            if time.monotonic() - began > limit_s + HOST_S + 3 * self.host.take():
                self.fail(machine, f"{what}: not within {time.monotonic() - began:.1f} s of calm: "
                                   f"{wrong}")
                return None
            time.sleep(0.1)

    # ---- in this order ----

    def answered(self):
        """Every box has said something since, and has its answer (C12.4); one leads. How long
        Sentinels take to agree on a master is their business."""
        self.wait(lambda: None if self.floor.store.master() else "none", "there is a Redis",
                  SENTINELS_S)
        took = self.wait(self._unanswered, "each report has its answer", ANSWER_S)
        one = self.wait(self._not_one_leader, "one leads, the other stands by", ANSWER_S)
        return took is not None and one is not None and took

    def _unanswered(self):
        missing = []
        for name in self.truth.boxes:
            reports = self.ear.reports.get(name, ())
            answers = self.ear.answers.get(name, ())
            if name in VICTIMS or self._is_away(name):
                continue  # what is said about them is forged; it gets no command
            if not reports:
                missing.append(f"{name} says nothing")
                continue
            boot, seq = reports[0][1:] if reports[0][1] == reports[-1][1] else reports[-1][1:]
            if not any(b == boot and (s or 0) >= seq for _, b, s in answers):
                missing.append(f"{name} {boot}:{seq}")
        return missing

    def _is_away(self, name):
        """Not set up, or about to be; once the files have been read it is certain."""
        return name in self.truth.roster.away or name in self.truth.unsure

    def _not_one_leader(self):
        said = {i: self.ear.statuses.get(i, {}) for i in IDS}
        leaders = [i for i in IDS if said[i].get("leader")]
        well = all(s.get("status") == "running" and s.get("redis") == "up" for s in said.values())
        return None if len(leaders) == 1 and well else said

    def configured(self):
        """Both have read what was written last: from here on rights are certain."""
        while True:
            request = self.ear.ask("reload", None, force=True)
            if self.wait(lambda: None if request.done else "no answer", "reload is answered",
                         ANSWER_S) is None:
                return
            if request.answer["status"] == "ok":
                break
            time.sleep(0.5)  # another one is under way
        self.wait(lambda: None if len({self.ear.statuses.get(i, {}).get("config")
                                       for i in IDS}) == 1
                  else self.ear.statuses, "both have read the same files", AGREE_S)
        with self.ear.lock:
            self.truth.unsure.clear()

    def agreed(self):
        self.wait(self._disagreements, "all copies agree", AGREE_S)

    def _disagreements(self):
        wrong = []
        redis = self.floor.store.master()
        if redis is None:
            return ["there is no Redis"]
        names = [name for name in self.truth.boxes if not self._is_away(name)]
        found = redis.commands([("HGETALL", f"tagout:machine:{name}") for name in names])
        for name, items in zip(names, found):
            kept = dict(zip(items[::2], items[1::2]))
            state = self.ear.states.get(name)
            if state is None:
                wrong.append(f"{name} has no state")
                continue
            wrong += [f"{name}: {key}: told {state[key]!r}, kept {kept.get(key)!r}" for key in KEPT
                      if key in state and key != "rev" and as_kept(state[key]) != kept.get(key, "")]
            wrong += self._box_disagrees(name, state)
        epochs = {redis.command("GET", "tagout:epoch"),
                  str(max((s.get("epoch") or 0 for s in self.ear.statuses.values()), default=0))}
        if len(epochs) != 1:
            wrong.append(f"epochs: {epochs}")
        return wrong

    def _box_disagrees(self, name, state):
        box = self.truth.boxes[name]
        wrong = []
        if name in VICTIMS:
            return wrong
        if state["health"] != "online":
            wrong.append(f"{name} is {state['health']}")
        if box.relay and not state["relay"]:
            wrong.append(f"{name} is on, and its state is not: {state['mode']}")
        if box.relay and box.user and box.holder == box.user and state["mode"] != "always_on" \
                and state["user"] != box.user:
            wrong.append(f"{name} is in use by {box.user}, and its state says {state['user']}")
        if state["confirmed"] != ("on" if box.relay else "off"):
            wrong.append(f"{name} is {'on' if box.relay else 'off'}, "
                         f"and confirmed {state['confirmed']}")
        if box.second and not state["second_relay"]:
            wrong.append(f"{name}: its second relay is on, and its state is not")
        if set(state["faults"]) & OVER:
            wrong.append(f"{name} has {state['faults']}")
        if state["mode"] == "always_on" and not box.relay:
            wrong.append(f"{name} is always on, and off")
        if box.stopped_at is not None and not state["oops"]:
            wrong.append(f"{name}: Oops was pressed at {box.stopped_at:.2f}; nobody cleared it")
        if state["lockout"] and not box.may_be_locked():
            wrong.append(f"{name} is locked out by {state['lockout_by']}, and nobody asked for it")
        for flag, promise in box.promises.items():
            if promise.holds_since is not None and not state[flag]:
                wrong.append(f"{name}: its {flag}, promised at {promise.holds_since:.2f}, is lost")
            if promise.holds_since is not None and box.relay and box.user != OVERRIDES:
                wrong.append(f"{name}: is on, its {flag} promised at {promise.holds_since:.2f}")
        return wrong

    def retained(self):
        """What the broker holds is what was said last, and by this epoch."""
        client = Client(self.floor.broker)
        try:
            began = time.monotonic()
            while wrong := self._stale(client.retained("tagout/machine/+/command")):
                if time.monotonic() - began > AGREE_S:
                    self.fail(None, f"C2: what the broker keeps: {wrong}")
                    return
                time.sleep(0.3)
        finally:
            client.close()

    def _stale(self, kept):
        with self.ear.lock:
            epoch = max((s.get("epoch") or 0 for s in self.ear.statuses.values()), default=0)
            wrong = []
            for name in self.truth.boxes:
                if self._is_away(name):
                    continue
                message = kept.get(f"tagout/machine/{name}/command")
                said = message.json if message else None
                newest = self.ear.retained_commands.get(name)
                if said is None or (said["epoch"] < epoch and name not in VICTIMS) \
                        or said["relay"] != newest["relay"]:
                    wrong.append(f"{name}: {said}, said last {newest}, epoch {epoch}")
        return wrong

    def watched(self):
        """C11.6: the watcher sees that all is well."""
        self.wait(lambda: {n: self.ear.services.get(n) for n in SERVICES if self.ear.services.get(
            n, {}).get("status") != "running"}, "the watcher sees all services", SERVICES_S)

    def told_of(self, fault):
        """C11.6: an unexpected death is told within 5 s."""
        limit_s = DEATH_S + 3 * self.host.take()
        with self.ear.lock:
            for name in fault.struck if fault.lasts_s > limit_s else ():
                if not any(told == name and 0 < at - fault.began_at < limit_s
                           for at, told in self.ear.service_errors):
                    self.fail(None, f"C11.6: the watcher did not tell of the death of {name}")

    def audited(self):
        """Each event that was heard is in the audit, once, or stands in a gap of it, or behind its
        end: then only the next one would show that it was missed; or before its beginning: of a
        machine that is new to it the watcher cannot know what it missed."""
        kept = {}
        audit = self.floor.watcher.audit_lines()
        self.truth.tally["heard late"] = sum(line.get("late", False) for line in audit)
        for line in audit:
            if line["kind"] in ("event", "gap"):
                kept.setdefault(line["machine"], []).append(line)
        for machine, events in self.ear.all_events.items():
            lines = kept.get(machine, [])
            told = collections.Counter((line["n"], line["at"], line["epoch"], line["event_type"])
                                       for line in lines if line["kind"] == "event")
            for event, times in told.items():
                if times > 1:
                    self.fail(machine, f"it is in the audit {times} times: {event}")
            known = {(n, at) for n, at, *_ in told}
            gaps = [line for line in lines if line["kind"] == "gap"]
            while events and (events[-1]["n"], events[-1]["at"]) not in known:
                events.pop()
            while events and (events[0]["n"], events[0]["at"]) not in known:
                events.pop(0)
            for event in events:
                if (event["n"], event["at"]) not in known and not any(
                        gap.get("restarted") or gap["after"] < event["n"] < gap["before"]
                        for gap in gaps):
                    self.fail(machine, f"it is not in the audit, and no gap is: {event}")

    def opens(self, dice):
        """A card that may opens a machine that is free, within the window."""
        free = [b for n, b in self.truth.boxes.items()
                if not b.is_victim and n not in (LAMP, GUEST) and b.holder is None
                and not self.truth.is_always_on(b)]
        for box in dice.sample(free, min(3, len(free))):
            clear = self.ear.ask("clear", box.name)
            if self.wait(lambda c=clear: None if c.done else "no answer", "clear is answered",
                         ANSWER_S) is None:
                continue
            for attempt in (1, 2, 3):
                self.floor.tell(box.name, "card in Ada")
                deadline = time.monotonic() + SWIPE_S
                while not box.relay and time.monotonic() < deadline:
                    time.sleep(0.02)
                opened = box.relay
                self.floor.tell(box.name, "card out")
                time.sleep(0.7)
                if opened:
                    self.truth.tally["opened in the calm"] += 1
                    break
                if attempt == 3:
                    self.fail(box.name, "all is calm, and Ada's card does not open it")

    def prompt(self, limit_s):
        """No report waited longer for its answer, all the while. The newest are not due yet, and
        of a boot that has ended nobody waits."""
        limit_s += 3 * self.host.take()
        now = time.monotonic()
        with self.ear.lock:
            for name, reports in self.ear.reports.items():
                if name in (*VICTIMS, GUEST) or name not in self.ear.answers:
                    continue
                answers = sorted(self.ear.answers[name])
                for at, boot, seq in reports:
                    goes_on = any(b == boot and t > at + limit_s for t, b, _ in reports)
                    if goes_on and now - at > limit_s and not any(
                            b == boot and (s or 0) >= seq and at - 0.5 < t < at + limit_s
                            for t, b, s in answers):
                        self.fail(name, f"no answer to {boot}:{seq} within {limit_s:.1f} s, and "
                                        f"nothing was in its way")
                        break

    def counted(self):
        """C8.2: where nothing was killed or cut off, `n` has no gaps and nothing comes twice."""
        with self.ear.lock:
            for name, events in self.ear.events.items():
                if name == GUEST:
                    continue  # away, it has no number
                numbers = [n for _, n, _ in events]
                if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
                    self.fail(name, f"C8.2: events are numbered {numbers}")


def as_kept(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
