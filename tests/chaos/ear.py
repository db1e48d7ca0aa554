"""A client that hears all that is said in the shop, tells it at once, and keeps what the checks
after a fault want; and that asks the controller for things."""
import collections
import json
import time
import uuid

from harness import Client
from host import Durations
from truth import Request

TOPICS = ("machine/+/command", "machine/+/state", "machine/+/report", "machine/+/event",
          "machine/+/link", "controller/+/status", "response/#", "fleet/alert", "service/+",
          "request/#")
PASSED = 400


class Ear(Client):
    """`journal(kind, …)` is given every message; `truth` what it has to judge."""

    def __init__(self, broker, truth, journal, fail, lock):
        self.truth = truth
        self.journal = journal
        self.fail = fail
        self.lock = lock
        self.asked = {}        # transaction: Request
        self.statuses = {}
        self.old_statuses = {}  # as the broker's old file has them
        self.states = {}
        self.leaders = {}      # epoch: who led in it with Redis's word
        self.services = {}
        self.service_errors = []  # (at, name)
        self.all_events = {}      # machine: [event]
        self.retained_commands = {}
        self.reports = {}      # machine: [(at, boot, seq)] since `mark`
        self.answers = {}      # machine: [(at, boot, seq)] since `mark`
        self.events = {}       # machine: [(at, n, type)] since `mark`
        self.alerts = []
        self.marked_at = 0.0
        self.durations = Durations(fail)
        self.wishes = {}       # machine: {version: command}
        self.passed = collections.deque(maxlen=PASSED)  # (topic, payload) that may come again
        super().__init__(broker)
        for topic in TOPICS:
            self.subscribe(f"{self.prefix}/{topic}")

    def _on_message(self, _client, _data, message):
        at = time.monotonic()
        parts = message.topic.split("/")[1:]
        payload = bytes(message.payload)
        with self.lock:
            self.journal(at, "heard", "/".join(parts), payload.decode(errors="replace"),
                         bool(message.retain))
            if parts[-1] in ("command", "report") and not message.retain:
                self.passed.append((message.topic, payload))
            try:
                said = json.loads(payload) if payload else None
            except ValueError:
                said = None
            if isinstance(said, dict):
                self._take(at, parts, said, bool(message.retain))

    def _take(self, at, parts, said, retained):
        kind = parts[0] if parts[0] != "machine" else parts[2]
        taker = getattr(self, f"_take_{kind}", None)
        if taker is not None and (parts[0] != "machine" or parts[1] in self.truth.boxes):
            taker(at, parts[1], said, retained)

    def _take_command(self, at, machine, command, retained):
        self.truth.commanded(at, machine, command)
        if not retained:
            self.answers.setdefault(machine, []).append((at, command["boot_id"], command["seq"]))
            self._check_version(machine, command)
        self.retained_commands[machine] = command

    def _check_version(self, machine, command):
        """No version says two things, whichever controller says it. The last command of a machine
        that is taken out tells of no state of it, and has the version of the last one that does."""
        if command["display"].startswith("Not set up"):
            return
        wish = {key: value for key, value in command.items() if key not in ("boot_id", "seq")}
        said = self.wishes.setdefault(machine, {})
        version = (command["epoch"], command["rev"])
        if said.setdefault(version, wish) != wish:
            self.fail(machine, f"C12.1: two commands of one version: {said[version]} and {wish}")
        while len(said) > 200:
            del said[next(iter(said))]

    def _take_state(self, at, machine, state, _retained):
        self.states[machine] = state
        override = state["mode"] == "override"
        if state["relay"] and (state["oops"] or state["lockout"]) and not override:
            self.fail(machine, f"I1: its state is on while oopsed or locked out: {state}")
        if state["relay"] and not state["user"] and state["mode"] not in ("always_on",):
            self.fail(machine, f"I2: its state is on, and nobody is there: {state}")

    def _take_report(self, at, machine, report, _retained):
        if "boot_id" in report and "forged" not in report:
            self.reports.setdefault(machine, []).append((at, report["boot_id"], report["seq"]))

    def _take_event(self, at, machine, event, _retained):
        if "n" not in event:
            return  # junk
        self.all_events.setdefault(machine, []).append(event)
        self.events.setdefault(machine, []).append((at, event["n"], event["event_type"]))
        self.durations.hear(at, machine, event)
        self.truth.boxes[machine].note(
            at, f"event {event['n']} {event['event_type']} {event['text']}")

    def _take_controller(self, at, identity, status, retained):
        if "status" not in status:
            return  # its marker, its blocks
        if retained and status == self.old_statuses.get(identity):
            return
        self.statuses[identity] = status
        if not retained and status.get("leader") and status["redis"] == "up":
            first = self.leaders.setdefault(status["epoch"], identity)
            if first != identity:
                self.fail(None, f"C12: {first} and {identity} led in epoch {status['epoch']}, and "
                                f"Redis was there")

    def _take_service(self, at, name, service, retained):
        self.services[name] = service
        if not retained and service.get("status") == "error":
            self.service_errors.append((at, name))

    def _take_fleet(self, at, _which, alert, _retained):
        self.alerts.append((at, alert))
        del self.alerts[:-200]

    def _take_response(self, at, _account, answer, _retained):
        request = self.asked.get(answer.get("transaction"))
        if request is None:
            return
        if request.done is not None:
            self.fail(request.machine, f"C6: two answers to one request: {request} and {answer}")
        self.truth.answered(request, answer, at)

    def broker_dies(self):
        """Each controller says who it is on each connect: until then it is not there."""
        self.statuses = {}

    def broker_remembers(self):
        with self.lock:
            self.old_statuses = dict(self.statuses)

    def mark(self):
        """From now on reports, answers and events are counted anew."""
        with self.lock:
            self.reports, self.answers, self.events = {}, {}, {}
            self.marked_at = time.monotonic()

    def handed_over(self):
        """Somebody asked for it since `mark`."""
        return any(r.verb == "handover" and r.at >= self.marked_at for r in self.asked.values())

    def ask(self, verb, machine=None, **body):
        at = time.monotonic()
        if machine is not None:
            body["machine"] = machine
        request = Request(verb, machine, body, at)
        transaction = uuid.uuid4().hex
        with self.lock:
            self.asked[transaction] = request
            self.truth.asks(request)
            self.journal(at, "ask", verb, body)
        if verb in ("oops", "lockout") and body.pop("by_set", False):
            # As Home Assistant does: there is no answer.
            self.publish(f"{self.prefix}/machine/{machine}/set/{verb}",
                         "ON" if body["value"] else "OFF", wait=False)
        else:
            self.publish(f"{self.prefix}/request/local/{verb}",
                         dict(body, transaction=transaction), wait=False)
        return request
