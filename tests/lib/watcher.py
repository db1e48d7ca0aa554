"""tagout-watcher, and what it hears and says: events and save timeouts as a controller tells them,
alerts and the state of services.

The fixtures `slack`, `start_watcher` and `shop` are in tests/integration/conftest.py.
"""
import glob
import json
import os
import re
import time

from processes import Process, free_port
from services import BIN, SANITIZER_REPORT, Pages, clean_environment

TOKEN = "xoxb-4711-secret"
READY = re.compile(r"\bready: watching")


class Watcher(Pages, Process):
    """`identity`: one of several, with a folder of its own."""

    def __init__(self, scratch, broker, settings=None, environment=None, identity=None):
        self.folder = os.path.join(scratch, f"watcher-{identity}") if identity else scratch
        os.makedirs(self.folder, exist_ok=True)
        self.audit = os.path.join(self.folder, "audit")
        self.ini = os.path.join(self.folder, "watcher.ini")
        self.http_port = free_port()
        sections = {"controller": {"id": "one"}, "mqtt": {"url": broker.url},
                    "audit": {"directory": self.audit},
                    "http": {"watcher_listen": f"127.0.0.1:{self.http_port}"}}
        if identity:
            sections["watcher"] = {"id": identity}
        for section, keys in (settings or {}).items():
            sections.setdefault(section, {}).update(keys)
        with open(self.ini, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)  # there may be secrets in it
            for section, keys in sections.items():
                file.write(f"[{section}]\n")
                file.writelines(f"{key} = {value}\n" for key, value in keys.items())
        super().__init__("tagout-watcher", [self.program(), "-c", self.ini],
                         clean_environment(dict({"no_proxy": "*"}, **(environment or {}))))

    @staticmethod
    def program():
        return os.path.join(BIN, "tagout-watcher")

    def start(self, ready=True):
        since = self.log_position()
        super().start()
        if ready:
            self.wait_log(READY, since=since)
        return self

    def stop(self):
        status = self.terminate()
        assert status == 0, f"ended with status {status}:\n{self.log()}"
        self.assert_sane()

    def assert_sane(self):
        assert not SANITIZER_REPORT.search(self.log()), self.log()
        assert TOKEN not in self.log()
        assert "/hook/" not in self.log()

    def audit_lines(self, kind=None):
        """The whole ones: a last line without its end is just being written, or torn."""
        lines = []
        for name in sorted(glob.glob(os.path.join(self.audit, "events-*.jsonl"))):
            with open(name, "rb") as file:
                lines += [json.loads(line) for line in file if line.endswith(b"\n")]
        return [line for line in lines if kind in (None, line["kind"])]

    def remembers(self, text):
        try:
            with open(os.path.join(self.audit, "watcher.json"), encoding="utf-8") as file:
                return text in file.read()
        except OSError:
            return False

    def memory_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1))


class Voice:
    """What a controller says: events with growing `n`, and save timeouts."""

    def __init__(self, client):
        self.client = client
        self.n = {}
        self.count = {}

    def event(self, event_type, machine="saw", n=None, wait=True, **more):
        self.n[machine] = n or self.n.get(machine, 0) + 1
        event = {"event_type": event_type, "n": self.n[machine], "machine": machine,
                 "display_name": machine.title(), "user": None, "account_id": None,
                 "source": "card", "reason": None, "text": f"{machine.title()}: {event_type}",
                 "epoch": 1, "rev": 1, "at": round(time.time(), 3)}
        event.update(more)
        self.client.publish(f"tagout/machine/{machine}/event", event, wait=wait)
        return event

    def save_timeout(self, machine="saw", count=None, wait=True):
        self.count[machine] = count or self.count.get(machine, 0) + 1
        self.client.publish("tagout/fleet/save_timeout",
                            {"machine": machine, "count": self.count[machine], "budget_ms": 2000,
                             "controller": "one", "at": round(time.time(), 3)}, wait=wait)

    def outage(self, machine="saw", over=False):
        self.event("save_timeout", machine, source="liveness", reason="over" if over else "started")


def alerts(client, kind=None):
    heard = [m.json for m in client.messages("tagout/fleet/alert")]
    return [alert for alert in heard if kind in (None, alert["alert"])]


def storage_alerts(client):
    """Without those about Redis as a service: of an outage that lasts people are told so, too."""
    return [alert for alert in alerts(client) if "save_timeouts" in alert["alert"]]


def wait_alert(client, kind, **options):
    return client.wait_for("tagout/fleet/alert", lambda m: m.json["alert"] == kind, **options).json


def wait_service(client, name, status, **options):
    return client.wait_for(f"tagout/service/{name}",
                           lambda m: m.json["status"] == status, **options).json
