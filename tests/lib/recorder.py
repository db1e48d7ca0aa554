"""Hears all that is said in a shop with several controllers, and holds it against C12."""
import collections
import json

TOPICS = ("machine/+/command", "machine/+/state", "machine/+/report", "machine/+/event",
          "controller/+/status", "response/#")


def version(message):
    return (message["epoch"], message["rev"])


class Recorder:
    """`relays`: {machine: (relay, second relay)}, as they have to stay."""

    def __init__(self, client, relays):
        self.client = client
        self.relays = relays
        for topic in TOPICS:
            client.subscribe(f"{client.prefix}/{topic}")

    def position(self):
        return self.client.position()

    def by_machine(self, kind, since):
        """{machine: [(message, its JSON)]} in the order of arrival."""
        found = collections.defaultdict(list)
        for message in self.client.messages(f"{self.client.prefix}/machine/+/{kind}", since):
            if not message.retain and message.payload:
                found[message.topic.split("/")[2]].append((message, message.json))
        return found

    def leaders(self, since=0):
        """[(id, epoch)] of every status that says `leader`, in the order of arrival."""
        said = []
        for message in self.client.messages(f"{self.client.prefix}/controller/+/status", since):
            status = message.json
            if not message.retain and status["status"] == "running" and status["leader"]:
                said.append((message.topic.split("/")[2], status["epoch"]))
        return said

    def leaders_with_redis(self):
        """{epoch: {ids}}: an epoch that Redis gave is one controller's alone."""
        said = collections.defaultdict(set)
        for message in self.client.messages(f"{self.client.prefix}/controller/+/status"):
            status = message.json
            if status["status"] == "running" and status["leader"] and status["redis"] == "up":
                said[status["epoch"]].add(message.topic.split("/")[2])
        return said

    def unanswered(self, since, until=None):
        """Reports that no command answers so far: [(machine, boot, seq)]."""
        return [key for key, took in self.answers(since, until).items() if took is None]

    def answers(self, since, until=None):
        """How long each report waited for its command, in seconds: {(machine, boot, seq): s}, None
        for those still without. Said again unchanged, it waits since it was first said."""
        commands = self.by_machine("command", since)
        took = {}
        for machine, reports in self.by_machine("report", since).items():
            later = commands[machine]
            position = 0
            for message, report in reports:
                key = (machine, report["boot_id"], report["seq"])
                if key in took or (until is not None and message.at > until):
                    continue
                while position < len(later) and not self._answers(later[position][1], report):
                    position += 1
                took[key] = (max(0.0, later[position][0].at - message.at)
                             if position < len(later) else None)
        return took

    @staticmethod
    def _answers(command, report):
        return (command["boot_id"] == report["boot_id"]
                and (command["seq"] or 0) >= report["seq"])

    # ---- what has to be so whatever happens ----

    def check(self, since):
        """Fails with what was wrong; returns how many commands a device's filter drops."""
        self.check_relays(since)
        self.check_leaders(since)
        self.check_states(since)
        return self.check_commands(since)

    def check_relays(self, since):
        """No relay flips: neither is one told to, nor does one."""
        for machine, (relay, second) in self.relays.items():
            for kind, keys in (("command", ("relay", "second_relay")),
                               ("report", ("relay_state", "second_relay_state"))):
                for _, said in self.by_machine(kind, since)[machine]:
                    is_now = (said[keys[0]], said.get(keys[1], False))
                    assert is_now == (relay, second), f"{machine}: {kind} {json.dumps(said)}"

    def check_leaders(self, since):
        """An epoch has one leader, and none leads under an older one once a newer was seen. Of two
        who announce themselves without Redis at one time, under one epoch, the smaller id stays:
        the last word is its own, under that epoch or the next."""
        said = self.leaders()
        newest = 0
        for epoch in {epoch for _, epoch in said}:
            claims = [identity for identity, claimed in said if claimed == epoch]
            words = said[max(i for i, (_, claimed) in enumerate(said) if claimed == epoch):]
            if words[0][0] != min(claims):
                assert words[1:] and words[1][0] == min(claims), f"{set(claims)} led in {epoch}"
        for epoch, claims in self.leaders_with_redis().items():
            assert len(claims) == 1, f"{claims} led in {epoch}"
        for identity, epoch in self.leaders(since):
            assert epoch >= newest, f"{identity} leads in {epoch} after {newest}"
            newest = epoch

    def check_states(self, since):
        """Sessions go on: nobody is logged in or out, and nothing starts anew."""
        for machine, states in self.by_machine("state", since).items():
            if machine not in self.relays:
                continue
            first = states[0][1]
            for _, state in states:
                for key in ("user", "mode", "session_since"):
                    assert state[key] == first[key], f"{machine}: {key}: {first} then {state}"
        for machine, events in self.by_machine("event", since).items():
            for _, event in events:
                assert machine not in self.relays or event["event_type"] == "save_timeout", event

    def check_commands(self, since):
        """What a device makes of them by their versions (C7): of what it takes, epochs never fall,
        and no version says two things."""
        dropped = 0
        for machine, commands in self.by_machine("command", since).items():
            newest = (0, 0)
            said = {}
            for _, command in commands:
                if version(command) < newest:
                    dropped += 1
                    off = not command["relay"] and (command["oops_led"] or command["lockout"])
                    assert not off or machine in self.relays, f"{machine}: stale and obeyed"
                    continue
                newest = version(command)
                wish = {key: value for key, value in command.items()
                        if key not in ("boot_id", "seq")}
                assert said.setdefault(newest, wish) == wish, f"{machine}: two of {newest}"
        return dropped
