"""Every step that was observed on the system before Tagout, through the real controller, a real
broker and a real Redis: command, second relay, user and events.

A trace is an episode of a machine that starts fresh, so each gets a machine of its own, and all
traces of a shop run beside each other in one controller. A step's command, events and state carry
the same version, which tells what belongs to what.
"""
import gzip
import json
import os

import pytest

from harness import ROOT

STEPS = 4034
OUTSIDE = {"oops": ("oops", True), "unoops": ("oops", False),
           "lockout": ("lockout", True), "unlock": ("lockout", False)}
SESSION = ("Welcome", "OVERRIDE")


def read_shops():
    with gzip.open(os.path.join(ROOT, "tests/traces/decisions.jsonl.gz"), "rt") as file:
        return [json.loads(line) for line in file]


SHOPS = read_shops()


def test_all_observed_steps_are_here():
    assert sum(len(trace["steps"]) for shop in SHOPS for trace in shop["traces"]) == STEPS


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop["users"][0]["full_name"])
def test_C4_every_observed_step_is_decided_alike(shop, client, start_controller):
    machines = {f"{trace['machine']}-t{number}": without_aliases(shop["machines"][trace["machine"]])
                for number, trace in enumerate(shop["traces"])}
    start_controller(machines, shop["users"])
    # What the start published comes too: it says what a machine shows before its first step.
    client.subscribe("tagout/machine/+/command")
    client.subscribe("tagout/machine/+/event")
    client.subscribe("tagout/machine/+/state")
    client.subscribe("tagout/response/+/+")
    episodes = {name: Episode(client, name, trace["steps"])
                for name, trace in zip(machines, shop["traces"])}
    play(client, episodes)
    for episode in episodes.values():
        episode.compare()


def without_aliases(config):
    """They are unique in a file, and several machines share this configuration."""
    config = {key: value for key, value in config.items() if key != "alias"}
    if "second_relay" in config:
        config["second_relay"] = without_aliases(config["second_relay"])
    return config


def play(client, episodes):
    """Each machine's next step is told when its last one was answered."""
    position = 0
    client.publish("tagout/request/local/status", {"transaction": "all seen"})
    while any(episode.is_playing for episode in episodes.values()):
        message = client.wait_for("tagout/#", since=position)
        position += 1
        level = message.topic.split("/")
        if level[1] == "machine":
            episodes[level[2]].hear(level[3], message.json)
            continue
        answer = message.json
        assert answer["status"] == "ok", answer
        if answer["transaction"] == "all seen":
            for episode in episodes.values():
                episode.take_step()
        else:
            episodes[answer["transaction"]].hear("answer", answer["data"])
    # Behind the last command come its events and its state.
    assert client.request("status")["status"] == "ok"
    for message in client.messages("tagout/machine/#", since=position):
        episodes[message.topic.split("/")[2]].hear(*message.topic.split("/")[3:], message.json)


class Episode:
    def __init__(self, client, machine, steps):
        self.client = client
        self.machine = machine
        self.steps = steps
        self.next = 0
        self.is_playing = True
        self.waits_for = None
        self.commands = {}
        self.states = {}
        self.events = {}
        self.versions = []  # one for each step
        self.changed = []

    def hear(self, what, payload):
        """`what` is `command`, `state`, `event`, or `answer` for that of a request."""
        if what == "answer":
            self.changed[-1] = payload["changed"]
        else:
            version = (payload["epoch"], payload["rev"])
            if what == "event":
                self.events.setdefault(version, []).append(payload)
            elif what == "state":
                self.states[version] = payload
            else:
                # Two commands of one version are the same command.
                assert self.commands.setdefault(version, payload) == payload
        if what == self.waits_for and (what == "answer" or version > self.versions[-1]):
            self.waits_for = None
            self.take_step()

    def take_step(self):
        if self.next > 0:
            self.versions[-1] = max(self.commands)
        if self.next == len(self.steps):
            self.is_playing = False
            return
        step = self.steps[self.next]
        self.next += 1
        self.versions.append(max(self.commands))
        self.changed.append(True)
        if step["op"] == "report":
            self.waits_for = "command"
            self.client.publish(f"tagout/machine/{self.machine}/report", step["data"])
        else:
            self.waits_for = "answer"
            verb, value = OUTSIDE[step["op"]]
            self.client.publish(f"tagout/request/local/{verb}", {
                "machine": self.machine, "value": value, "transaction": self.machine})

    def compare(self):
        """A step that changed nothing, from outside, has no version of its own."""
        assert len(self.versions) == len(self.steps)
        last = None
        locked_out = False
        had_session = False
        for number, (step, version, changed) in enumerate(
                zip(self.steps, self.versions, self.changed)):
            where = f"{self.machine}, step {number}, {step['op']} {step.get('data', '')}"
            locked_out = {"lockout": True, "unlock": False}.get(step["op"], locked_out)
            assert (version != last) or (not changed and not step["events"]), where
            self.compare_command(where, step, self.commands[version], locked_out)
            state = self.states[max(known for known in self.states if known <= version)]
            assert state["user" if step["user"] is None else "account_id"] == step["user"], where
            assert (state["second_relay_authorization"]
                    == step["second_relay_authorization"]), where
            assert (state["relay"], state["oops"], state["lockout"], state["display"]) == (
                step["expect"]["relay"], step["expect"]["oops_led"], locked_out,
                step["expect"]["display"]), where
            has_session = step["expect"]["display"].startswith(SESSION)
            heard = self.events.get(version, []) if version != last else []
            self.compare_events(where, step["events"], heard, had_session, has_session)
            had_session, last = has_session, version
        numbers = [event["n"] for version in sorted(self.events) for event in self.events[version]]
        assert numbers == list(range(1, len(numbers) + 1)), self.machine

    @staticmethod
    def compare_command(where, step, command, locked_out):
        expect = step["expect"]
        assert {key: command[key] for key in expect} == expect, where
        assert command["lockout"] is locked_out, where
        assert command["boot_id"] is None and command["seq"] is None, where

    @staticmethod
    def compare_events(where, observed, heard, had_session, has_session):
        """There, `warn_only` was an event of its own, and `logout` also marked the removal of a
        card that had opened no session; here it stands exactly where a session is over."""
        words = []
        for event in heard:
            words += ["warn_only"] if event.get("warn_only") else []
            words += [event["event_type"]]
        assert ([word for word in words if word != "logout"]
                == [word for word in observed if word != "logout"]), where
        opened = any(word in ("login", "override_login") for word in observed)
        over = had_session and (not has_session or opened)
        assert words.count("logout") == over, where
