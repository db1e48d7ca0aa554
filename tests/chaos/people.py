"""Who comes to the machines, and who asks the controller for things. All by one seed each; when
each of it happens is the clock's."""
import http.client
import os
import random
import socket
import subprocess
import threading
import time

from services import BIN, SANITIZER_REPORT, clean_environment
from shop_floor import NAMES, SHY
from truth import Request

CTL_LIMIT_S = 60.0
NOT_SAVED = "Redis has not confirmed"


class Visitors:
    """At one machine: a card in, some time, now and then bad luck, a card out."""

    def __init__(self, floor, machine, seed):
        self.floor = floor
        self.machine = machine
        self.dice = random.Random(f"{machine} {seed}")
        self.card = False
        self.mends = None

    def act(self):
        """Does the next thing; returns after how many seconds there is another."""
        if self.mends is not None:
            self.tell(self.mends)
            self.mends = None
            return self.dice.uniform(0.5, 2)
        if self.card:
            return self._leave_or_worse()
        who = self.dice.choice((*NAMES, *NAMES, "stranger"))
        self.tell(f"card in {who}")
        self.card = True
        return self.dice.choice((0.1, 1, 3, 6, 15))

    def _leave_or_worse(self):
        roll = self.dice.random()
        if roll < 0.08:
            self.tell("oops tap")
            return self.dice.uniform(0.1, 4)
        if roll < 0.12:
            self.tell("power cut")
            self.mends = "power on"
            return self.dice.uniform(0.1, 5)
        if roll < 0.14:
            self.tell("reader lost")
            self.mends = "reader back"
            return self.dice.choice((0.1, 0.6))
        if roll < 0.18:
            self.tell(self.dice.choice(("roam", "flap for 3 s")))
            return self.dice.uniform(0.1, 4)
        if roll < 0.22:
            self.tell(f"card in {self.dice.choice(NAMES)}")  # pulled and another one put in
            return self.dice.uniform(0.1, 8)
        if roll < 0.27:
            self.tell("card out")  # for a blink of the reader
            self.tell("card in " + self.dice.choice(NAMES))
            return self.dice.uniform(0.1, 8)
        self.tell("card out")
        self.card = False
        return self.dice.choice((0.1, 0.4, 2, 10))

    def rest(self):
        """Until there is calm: nothing stays broken."""
        if self.mends is not None:
            self.tell(self.mends)
            self.mends = None

    def tell(self, what):
        self.floor.tell(self.machine, what)


class Operators:
    """Requests as MQTT messages, as Home Assistant's buttons, and by tagoutctl."""

    def __init__(self, floor, ear, fail, seed):
        self.floor = floor
        self.ear = ear
        self.fail = fail
        self.dice = random.Random(f"operators {seed}")
        self.running = []

    def act(self):
        dice = self.dice
        machine = dice.choice(sorted(self.floor.roster.machines))
        with self.ear.lock:
            just_opened = sorted(name for name, box in self.ear.truth.boxes.items()
                                 if box.relay and time.monotonic() - box.relay_at < 5)
        if just_opened and dice.random() < 0.5:
            machine = dice.choice(just_opened)
        roll = dice.random()
        if roll < 0.15:
            self.ear.ask("lockout", machine, value=True, reason="chaos")
        elif roll < 0.22:
            self.ear.ask("oops", machine, value=True)
        elif roll < 0.27:
            self.ear.ask(dice.choice(("oops", "lockout")), machine, value=dice.random() < 0.5,
                         by_set=True)
        elif roll < 0.62:
            self._clear_one()
        elif roll < 0.69:
            self.ear.ask("end", machine)
        elif roll < 0.76:
            self.ear.ask(dice.choice(("block", "unblock")), None,
                         account_id=str(NAMES.index(SHY) + 1))
        elif roll < 0.80:
            self.ear.ask("restart", machine, **dice.choice(({}, {"force": True},
                                                            {"when_idle": True})))
        elif roll < 0.84:
            self.reload()
        elif roll < 0.86:
            self.ear.ask("handover")
        elif roll < 0.89:
            self._look_at_pages()
        elif roll < 0.94:
            self.ear.ask(dice.choice(("status", "why", "card")), machine)
        else:
            self._by_hand(machine)
        return dice.uniform(0.05, 1.0)

    def _clear_one(self):
        """Mostly one that needs it, or all would be locked out in the end."""
        with self.ear.lock:
            stopped = sorted(m for m, s in self.ear.states.items() if s["oops"] or s["lockout"])
        machine = self.dice.choice(stopped or sorted(self.floor.roster.machines))
        self.ear.ask("clear", machine)

    def reload(self):
        with self.ear.lock:
            what = self.floor.roster.change(self.dice)
            self.ear.truth.unsure[what] = time.monotonic()
        self.floor.write_roster()
        self.ear.ask("reload", None, force=True)

    def _look_at_pages(self):
        """Metrics, and somebody who asks and does not read on."""
        pages = self.dice.choice((self.floor.watcher, *self.floor.controllers.values()))

        def look():
            try:
                pages.get("/metrics")
                pages.status_of("/readyz")
                with socket.create_connection(("127.0.0.1", pages.http_port), 1) as idle:
                    idle.sendall(b"GET /metr")
                    time.sleep(2)
            except (OSError, http.client.HTTPException):
                pass  # it does not run, or stands still

        threading.Thread(target=look, daemon=True).start()

    def _by_hand(self, machine):
        verb = self.dice.choice(("lockout", "clear", "status", "why"))
        words = {"lockout": ["lockout", machine, "--now", "--reason", "by hand", "--wait", "5"],
                 "clear": ["clear", machine, "--both"], "status": ["status"],
                 "why": ["why", machine]}[verb]
        thread = threading.Thread(target=self._run, args=(verb, machine, words), daemon=True)
        self.running = [t for t in self.running if t.is_alive()] + [thread]
        thread.start()

    def _run(self, verb, machine, words):
        request = Request(verb, machine, {"value": verb == "lockout"}, time.monotonic())
        with self.ear.lock:
            self.ear.journal(request.at, "tagoutctl", " ".join(words), None)
            self.ear.truth.asks(request)
        try:
            done = subprocess.run(
                [os.path.join(BIN, "tagoutctl"), "-c", self.floor.ctl_ini, *words],
                env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=CTL_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            self.fail(machine, f"tagoutctl {' '.join(words)}: no end within {CTL_LIMIT_S} s")
            return
        with self.ear.lock:
            at = time.monotonic()
            self.ear.journal(at, "tagoutctl", done.returncode, done.stdout)
            if SANITIZER_REPORT.search(done.stdout) or done.returncode not in (0, 1, 3):
                self.fail(machine, f"tagoutctl {' '.join(words)}: status {done.returncode}: "
                                   f"{done.stdout}")
            if done.returncode in (0, 3):
                self.ear.truth.answered(request, {"status": "ok", "data": {
                    "persisted": NOT_SAVED not in done.stdout}}, at)

    def wait_by_hand(self):
        for thread in self.running:
            thread.join(CTL_LIMIT_S)
