"""Many live machines, each with one user, and what an outage of storage must leave of them."""
import statistics
import time

from mqtt_client import Machine
from processes import TIMEOUT_S, wait_until
from shop import ADA

SAVE_TIMEOUT = "tagout/fleet/save_timeout"
EVENTS = "tagout/machine/+/event"
STATES = "tagout/machine/+/state"

# Commands at the median: on a busy host they take less, and what waits for storage takes a budget.
BUDGET_MS = 2000
PROMPT_MS = 250
STALL_S = 4  # any of them; a look-up that blocks takes longer

# What Redis holds must be what was published, in these words (C9.1).
KEPT = ("machine", "health", "mode", "relay", "second_relay", "oops", "lockout", "lockout_reason",
        "user", "account_id", "boot_id", "card", "event_n", "save_timeouts", "epoch", "rev")


def machines(count):
    return {f"m{number:03}": {"authorizations_or": ["woodshop"]} for number in range(count)}


def _as_kept(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


class Fleet:
    """`count` machines on one client, which listens to all that is said about them."""

    def __init__(self, client, count):
        self.client = client
        self.reports = 0
        for topic in (SAVE_TIMEOUT, EVENTS, STATES):
            client.subscribe(topic)
        self.machines = [Machine(client, name) for name in machines(count)]

    def boot(self):
        for machine in self.machines:
            machine.report()
        return self

    def swipe(self):
        """A card into every machine, or out, one after the other. How long each command took, in
        seconds; every report changes the state."""
        took = []
        for machine in self.machines:
            began = time.monotonic()
            enters = not machine.card
            command = machine.report(card=ADA if enters else "")
            took.append(time.monotonic() - began)
            assert command["relay"] is enters, command
        self.reports += len(self.machines)
        return took

    def states(self):
        """The newest state published of each machine."""
        newest = {m.topic: m for m in self.client.messages(STATES)}
        return {message.json["machine"]: message.json for message in newest.values()}

    def timeouts(self, since=0):
        return [m.json for m in self.client.messages(SAVE_TIMEOUT, since)]

    def save_events(self, since=0):
        heard = (m.json for m in self.client.messages(EVENTS, since))
        return [(event["machine"], event["reason"]) for event in heard
                if event["event_type"] == "save_timeout"]

    def not_kept(self, redis):
        """Where the hashes in Redis differ from the published states: {machine: what}."""
        differ = {}
        for name, state in self.states().items():
            kept = redis.hash(f"tagout:machine:{name}")
            wrong = {key: (_as_kept(state[key]), kept.get(key)) for key in KEPT
                     if _as_kept(state[key]) != kept.get(key, "")}
            if wrong:
                differ[name] = wrong
        return differ

    def wait_kept(self, redis, timeout_s=TIMEOUT_S):
        """How long it took until every hash was the state published."""
        began = time.monotonic()
        try:
            wait_until(lambda: not self.not_kept(redis), "Redis holds the states", timeout_s)
        except TimeoutError as late:
            differ = self.not_kept(redis)
            raise TimeoutError(f"{late}; {len(differ)} differ: {list(differ.items())[:3]}") from None
        return time.monotonic() - began


def median_ms(took):
    return statistics.median(took) * 1000
