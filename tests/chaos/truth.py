"""What is true of each box, by what its own hands, button and relay did, and what must then hold
(C4, C7): which relay may go on, which may not go off, and what was promised.

Times are the monotonic clock's. A box's lines carry its own; when it goes on in a line is exact,
however late the line is read."""
import collections

from shop_floor import GUEST, LAMP, OVERRIDES, SHY, START_DELAY_S, VICTIMS

WINDOW_S = 5.0       # C7.1
CONFIRM_OUT_S = 0.3  # as the boxes are started
SLACK_S = 0.1        # between two readings of one box's clock
LATE_S = 60.0        # so long a request without an answer may still be carried out
JUDGED_AFTER_S = 1.0  # what a box says of the cause of an "off" may follow it
KEPT_EVENTS = 60
OLD_WORD = "an old oops or lockout"


class Request:
    """What somebody asked for. `done` is when it was answered; before that it may be carried out
    at any time, or never."""

    def __init__(self, verb, machine, body, at):
        self.verb, self.machine, self.body, self.at = verb, machine, body, at
        self.done = None
        self.answer = None

    def may_act(self, since, until):
        """Whether it may have been carried out between the two."""
        if self.at > until + SLACK_S:
            return False
        if self.done is None:
            return since - self.at < LATE_S
        return self.done >= since - SLACK_S

    def clears(self, flag):
        return self.verb == "clear" or (self.verb == flag and not self.body.get("value"))

    def sets(self, flag):
        return self.verb == flag and bool(self.body.get("value"))

    def __repr__(self):
        return f"{self.verb} {self.body} at {self.at:.2f}, done {self.done}: {self.answer}"


class Promise:
    """Somebody was told that it is so, and that it is kept."""

    def __init__(self, flag):
        self.flag = flag
        self.holds_since = None


class Box:
    def __init__(self, name):
        self.name = name
        self.holder = None       # whose card is in
        self.card_at = None
        self.was_put_in = False  # seen since the boot, and not pressed since
        self.seen_empty = False  # since the boot
        self.empty_at = None     # since when the reader reads nothing
        self.reader_ok = True
        self.last_holder = None
        self.out_at = -1e9
        self.power_at = -1e9
        self.reader_at = -1e9
        self.button_at = -1e9
        self.boot_at = -1e9
        self.is_down = False     # the button
        self.has_power = True
        self.relay = False
        self.second = False
        self.relay_at = -1e9
        self.user = None         # whose card opened it
        self.opened_by = None    # when the card went in that opened it last
        self.off_reason = None   # why it went off last, if that is known
        self.stopped_at = None   # a press that nobody has asked to clear since
        self.requests = []
        self.promises = {flag: Promise(flag) for flag in ("oops", "lockout")}
        self.events = collections.deque(maxlen=KEPT_EVENTS)

    @property
    def is_victim(self):
        return self.name in VICTIMS

    def note(self, at, what):
        self.events.append((at, what))

    def may_be_locked(self):
        """Somebody asked for it, and nobody who has an answer took it back since."""
        cleared = max((r.at for r in self.requests if r.clears("lockout") and r.answer
                       and r.answer["status"] == "ok"), default=-1e9)
        return any(r.sets("lockout") and (r.at > cleared or r.done is None or r.done > cleared)
                   for r in self.requests)

    def asked(self, predicate, since, until):
        return [r for r in self.requests if predicate(r) and r.may_act(since, until)]


class Truth:
    """`fail(machine, what)` is called for each thing that must not be."""

    def __init__(self, roster, fail):
        self.roster = roster
        self.fail = fail
        self.boxes = {name: Box(name) for name in roster.machines}
        self.unsure = {}       # holder or LAMP: since when it is being changed
        self.blocking = []     # requests to block and unblock SHY
        self.blocked_since = None
        self.pending_offs = collections.deque()
        self.tally = collections.Counter()
        self.commands = {}     # machine: [(at, command)] of late
        self.newest = {}

    # ---- what the boxes say ----

    def box_said(self, at, said):
        box = self.boxes.get(said.get("machine"))
        if box is None:
            return
        what, text = said["what"], said.get("text", "")
        handler = getattr(self, f"_on_{what}", None)
        if what in ("card", "relay", "second_relay", "button", "power", "fault", "refused", "link"):
            box.note(at, f"{what} {text or said.get('on')}")
        if handler is not None:
            handler(box, at, said["on"] if "on" in said else text)
        self.settle(at - JUDGED_AFTER_S)

    def _on_card(self, box, at, text):
        if not text.startswith("card in: "):
            box.last_holder, box.holder = box.holder, None
            box.out_at = box.empty_at = at
            return
        holder = text[len("card in: "):]
        was = box.holder or (box.last_holder if at - box.out_at < CONFIRM_OUT_S else None)
        box.holder = holder
        self.tally["cards"] += 1
        if was == holder:
            return  # the reader has not noticed
        if box.empty_at is not None and at - box.empty_at > CONFIRM_OUT_S - SLACK_S:
            box.seen_empty = True
        if was is not None:
            box.out_at = at
        box.empty_at = None
        box.card_at = at
        box.was_put_in = box.has_power and box.reader_ok and box.seen_empty

    def _on_button(self, box, at, text):
        box.is_down = text == "Oops pressed"
        box.button_at = at
        if box.is_down:
            self.tally["presses"] += 1
            box.was_put_in = False
            if box.has_power:
                self._pressed(box, at)

    @staticmethod
    def _pressed(box, at):
        if not box.asked(lambda r: r.clears("oops"), at, at):
            box.stopped_at = at

    def _on_power(self, box, at, text):
        box.was_put_in = box.seen_empty = False
        if text == "boots":
            box.has_power = True
            box.boot_at = at
            box.empty_at = at if box.holder is None else None
            if box.is_down:
                self._pressed(box, at)  # one that was let go before, a box without power missed
        else:
            box.has_power = False
            box.power_at = at

    def _on_fault(self, box, at, text):
        if text not in ("reader lost", "reader back"):
            return
        box.reader_ok = text == "reader back"
        if box.holder is None or (box.reader_ok
                                  and at - box.reader_at > CONFIRM_OUT_S + SLACK_S):
            box.seen_empty = box.was_put_in = False
            box.empty_at = at if box.holder is None and box.reader_ok else None
        box.reader_at = at

    # ---- a relay goes on ----

    def _on_relay(self, box, at, on):
        if on:
            wrong = self._wrong_start(box, at)
            self.tally["starts"] += 1
            if wrong:
                self.fail(box.name, f"C7.1: its relay goes on: {wrong}")
            box.user = box.holder
            box.opened_by = box.card_at if box.holder else None
            box.relay, box.relay_at = True, at
        else:
            off = (at, box, box.relay_at, box.user)
            if not self._counts(*off):
                self.pending_offs.append(off)
            box.relay, box.relay_at, box.user = False, at, None
            self.tally["ends"] += 1

    def _on_second_relay(self, box, at, on):
        box.second = on
        if on and not box.relay:
            self.fail(box.name, "I3: its second relay goes on and the first is off")

    def is_always_on(self, box):
        """True, False, or None where a reload is under way."""
        if box.name == LAMP and LAMP in self.unsure:
            return None
        return self.roster.machines[box.name].get("always_enabled", False)

    def _wrong_start(self, box, at):
        if box.is_down:
            return "the Oops button is down"
        if not box.has_power:
            return "it has no power"
        if box.name in self.roster.away and box.name not in self.unsure:
            return "it is not set up"
        overrides = box.holder == OVERRIDES
        if box.stopped_at is not None and not overrides and not box.asked(
                lambda r: r.clears("oops"), box.stopped_at, at):
            return f"after a press at {box.stopped_at:.2f} that nobody asked to clear"
        for flag, promise in box.promises.items():
            if promise.holds_since is not None and not overrides:
                return f"{flag} was promised at {promise.holds_since:.2f}"
        if self.is_always_on(box) is False:
            return self._wrong_card(box, at)
        if box.holder is None and at - max(box.boot_at, box.relay_at) < START_DELAY_S - SLACK_S:
            return "it starts by itself without a delay"
        return None

    def _wrong_card(self, box, at):
        if box.holder is None:
            return "no card is in"
        if not box.was_put_in:
            return "the card was not put in since its boot, or since a press"
        if at - box.card_at > WINDOW_S + SLACK_S:
            return f"the card went in {at - box.card_at:.1f} s ago"
        if box.opened_by == box.card_at and not self._old_word(box, box.relay_at):
            return f"its card was in when the session ended ({box.off_reason})"
        if box.is_victim:
            return None  # who forges its reports may claim any card
        if box.holder.startswith("stranger"):
            return "nobody knows that card"
        if box.holder == SHY and self.blocked_since is not None:
            return f"{SHY}'s cards are blocked since {self.blocked_since:.2f}"
        if box.holder == OVERRIDES or box.holder in self.unsure:
            return None
        if not self.roster.may(box.holder, box.name):
            return f"{box.holder} has no right to it"
        return None

    # ---- a relay goes off ----

    def _counts(self, at, box, on_at, user):
        reason = box.off_reason = self._reason_for_off(box, at, on_at, user)
        if reason is not None:
            self.tally[f"off: {reason}"] += 1
        return reason is not None

    def settle(self, until):
        """What is said of an "off" may stand behind it."""
        while self.pending_offs and self.pending_offs[0][0] <= until:
            off = at, box, on_at, user = self.pending_offs.popleft()
            if not self._counts(*off):
                self.fail(box.name, f"C4, C7.2: its relay goes off at {at:.2f}, and nobody and "
                                    f"nothing cut it ({user or 'always on'} since {on_at:.2f})")

    def _reason_for_off(self, box, at, on_at, user):
        def near(moment, within_s):
            return -SLACK_S <= at - moment <= within_s + SLACK_S

        if near(box.power_at, 0) or abs(box.power_at - at) < SLACK_S or box.boot_at > at - SLACK_S:
            return "power"
        if abs(box.button_at - at) < SLACK_S:
            return "button"
        if user is not None and (near(box.out_at, 1.5) or box.card_at >= at - SLACK_S):
            return "card"
        if near(box.reader_at, 1.5):
            return "reader"
        if box.asked(lambda r: r.sets("oops") or r.sets("lockout"), on_at, at):
            return "oops or lockout"
        if box.asked(lambda r: r.verb == "end", on_at, at):
            return "end"
        if user == OVERRIDES and box.asked(lambda r: r.clears("oops") or r.clears("lockout"),
                                       on_at, at):
            return "override over"
        if box.asked(lambda r: r.verb == "restart" and r.body.get("force"), on_at, at):
            return "restart"
        if user == SHY and any(r.verb == "block" and r.may_act(on_at, at) for r in self.blocking):
            return "block"
        if box.name == LAMP and self.is_always_on(box) is not True:
            return "reload"
        if box.name in self.unsure or box.name in self.roster.away:
            return "reload"
        if box.is_victim:
            return "forged"
        if box.stopped_at is not None and box.stopped_at > on_at:
            return "button"
        return self._old_word(box, at)

    def _old_word(self, box, at):
        """C7.2: an "off" with oops or lockout is obeyed however old it is."""
        for heard, command, is_old in self.commands.get(box.name, ()):
            if is_old and abs(heard - at) < 3.0 and (command["oops_led"] or command["lockout"]):
                return OLD_WORD
        return None

    # ---- what controllers say ----

    def commanded(self, at, machine, command):
        box = self.boxes.get(machine)
        if box is None:
            return
        version = (command["epoch"], command["rev"])
        is_old = version < self.newest.get(machine, (0, 0))
        self.newest[machine] = max(version, self.newest.get(machine, (0, 0)))
        self.commands.setdefault(machine, collections.deque(maxlen=40)).append(
            (at, command, is_old))
        box.note(at, "command {} {}{}{} for {}:{} v {}.{}{}".format(
            "ON" if command["relay"] else "off", command["display"].replace("\n", "/"),
            " oops" if command["oops_led"] else "", " lockout" if command["lockout"] else "",
            command["boot_id"], command["seq"], *version, " OLD" if is_old else ""))
        if command["relay"] and (command["oops_led"] or command["lockout"]) \
                and not command["display"].startswith("OVERRIDE"):
            self.fail(machine, f"I1: commanded on while oopsed or locked out: {command}")
        if command["second_relay"] and not command["relay"]:
            self.fail(machine, f"I3: the second relay commanded on, the first off: {command}")

    def forgotten(self):
        """What Redis knew is gone, and it alone knew of a machine that is not set up (C2)."""
        if GUEST in self.unsure or GUEST in self.roster.away:
            for promise in self.boxes[GUEST].promises.values():
                promise.holds_since = None
            self.boxes[GUEST].stopped_at = None

    # ---- what people ask for ----

    def asks(self, request):
        box = self.boxes.get(request.machine)
        if box is not None:
            box.requests.append(request)
            box.note(request.at, f"asked: {request.verb} {request.body}")
            del box.requests[:-KEPT_EVENTS]
            for flag, promise in box.promises.items():
                if request.clears(flag):
                    promise.holds_since = None
            if request.clears("oops"):
                box.stopped_at = None
        if request.verb in ("block", "unblock"):
            self.blocking.append(request)
            if request.verb == "unblock":
                self.blocked_since = None

    def answered(self, request, answer, at):
        if answer["status"] == "queued":
            return
        request.done, request.answer = at, answer
        self.tally[f"{request.verb} {answer['status']}"] += 1
        box = self.boxes.get(request.machine)
        kept = answer["status"] == "ok" and (answer.get("data") or {}).get("persisted")
        if box is not None:
            box.note(at, f"answered: {request.verb} {answer}")
        for flag in ("oops", "lockout"):
            if box is not None and kept and request.sets(flag) \
                    and not box.asked(lambda r, f=flag: r.clears(f), request.at, at):
                box.promises[flag].holds_since = at
                self.tally["promises"] += 1
        if request.verb == "block" and kept and not any(
                r.verb == "unblock" and r.may_act(request.at, at) for r in self.blocking):
            self.blocked_since = at
            self.tally["promises"] += 1
