"""A shop that tagoutctl is pointed at, and the terminal on which it runs.

Test files import the fixtures `shop` and `terminal` from here.
"""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time

import pytest

from mqtt_client import Machine
from processes import TIMEOUT_S, state_of, wait_until
from services import BIN, SANITIZER_REPORT, clean_environment

CTL = os.path.join(BIN, "tagoutctl")
MACHINES = {
    "table-saw": {"authorizations_or": ["wood"], "alias": "Table Saw"},
    "lathe": {"authorizations_or": ["metal"]},
    "printer": {"authorizations_or": ["print"], "always_enabled": True},
}
ADA, ROSA, UNKNOWN = "0001234567", "0007654321", "0000000042"
MEANWHILE = "running machines keep running, no new card opens, emergency cards work"


def user(name, account, fob, **more):
    return dict({"fob_codes": [fob], "account_id": account, "full_name": name, "first_name": name,
                 "last_name": name, "preferred_name": name, "email": "", "expiration_ymd": "",
                 "authorizations": ["wood"]}, **more)


USERS = [user("Ada", "17", ADA), user("Rosa", "18", ROSA, oops_override=True)]


class Box(Machine):
    """A machine that obeys: it reports the relay that it was commanded, and acknowledges."""

    def __init__(self, client, name):
        super().__init__(client, name)
        self.obeys = True
        self._seen = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.tell()
        self._thread.start()

    def _command(self):
        commands = self.client.messages(f"{self.topic}/command")
        return commands[-1].json if commands and commands[-1].payload else None

    def tell(self, card=None, **more):
        with self._lock:
            command = self._command()
            if command:
                more = dict({"relay_state": command["relay"], "ack": {
                    "epoch": command["epoch"], "rev": command["rev"],
                    "oops": command["oops_led"], "lockout": command["lockout"]}}, **more)
            self.send(card=card, **more)

    def _follow(self):
        while not self._ended.wait(0.02):
            command = self._command()
            shown = command and (command["relay"], command["oops_led"], command["lockout"],
                                 command["epoch"])
            if self.obeys and shown and shown != self._seen:
                self.tell()
                self._seen = shown

    def is_settled(self):
        return self._seen is not None

    def end(self):
        self._ended.set()
        self._thread.join(TIMEOUT_S)


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()
        assert not SANITIZER_REPORT.search(self.err), self.err

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"{self.code}\n{self.out}\n{self.err}"


class Shop:
    """A broker, a Redis, a controller and boxes, and how tagoutctl is pointed at them."""

    def __init__(self, controller, client, broker):
        self.controller = controller
        self.client = client
        self.broker = broker
        self.boxes = {}
        self.ini = controller.ini_file
        self.environment = clean_environment({"USER": "ada", "TZ": "UTC"})
        self.environment.pop("SUDO_USER", None)

    def box(self, name):
        if name not in self.boxes:
            self.boxes[name] = Box(self.client, name)
            wait_until(self.boxes[name].is_settled, f"{name} has obeyed")
            self.wait_state(name, lambda s: s["confirmed"] in ("on", "off"))
        return self.boxes[name]

    def card_in(self, name, card):
        self.box(name).tell(card=card)
        self.wait_state(name, lambda s: s["card"] is not None and s["confirmed"] != "unknown")

    def run(self, *arguments, ini=None, environment=None, stdin=subprocess.DEVNULL):
        done = subprocess.run([CTL, "-c", ini or self.ini, *arguments], stdin=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=2 * TIMEOUT_S,
                              env=dict(self.environment, **(environment or {})), check=False)
        return Result(done)

    def wait_state(self, name, predicate):
        def fits():
            answer = self.client.request("status", {"machine": name})
            return answer["status"] == "ok" and predicate(answer["data"]) and answer["data"]

        return wait_until(fits, f"{name} is as expected")

    def end(self):
        for box in self.boxes.values():
            box.end()


@pytest.fixture
def shop(start_controller, client, broker):
    one = Shop(start_controller(MACHINES, USERS), client, broker)
    yield one
    one.end()


class Terminal:
    """tagoutctl on a pseudo-terminal of its own."""

    def __init__(self, shop, *arguments, size=(24, 100), environment=None):
        self._master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self._output = b""
        self._changed = threading.Condition()
        self.popen = subprocess.Popen(
            [CTL, "-c", shop.ini, *arguments], stdin=slave, stdout=slave, stderr=slave,
            env=dict(shop.environment, TERM="xterm", **(environment or {})),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                return
            with self._changed:
                self._output += piece
                self._changed.notify_all()

    @property
    def text(self):
        with self._changed:
            return self._output.decode(errors="replace")

    def position(self):
        return len(self.text)

    def wait_for(self, pattern, since=0):
        compiled = re.compile(pattern, re.DOTALL)
        deadline = time.monotonic() + TIMEOUT_S
        with self._changed:
            while True:
                found = compiled.search(self._output.decode(errors="replace")[since:])
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise TimeoutError(f"no {pattern!r} in:\n{self._output[-3000:]}")

    def send(self, keys):
        os.write(self._master, keys.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self):
        return termios.tcgetattr(self._slave)

    def wait_stopped(self):
        """Its last words come before it stops; a SIGCONT between the two would be lost."""
        wait_until(lambda: state_of(self.popen.pid) == "T", "tagoutctl stops")

    def wait(self):
        code = self.popen.wait(TIMEOUT_S)
        assert not SANITIZER_REPORT.search(self.text), self.text
        return code

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(TIMEOUT_S)
        os.close(self._slave)
        self._reader.join(TIMEOUT_S)
        os.close(self._master)


@pytest.fixture
def terminal(shop):
    opened = []

    def make(*arguments, **options):
        opened.append(Terminal(shop, *arguments, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def bare(*arguments, environment=None):
    done = subprocess.run([CTL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=2 * TIMEOUT_S,
                          env=clean_environment(environment), check=False)
    return Result(done)
