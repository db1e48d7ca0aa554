"""tagout-sim as a process of a test: machines of the device's own code, told what happens."""
import json
import os
import re

from processes import Process
from services import BIN

TELL_S = 240.0  # what is told has limits of its own

# Short waits, so that a test does not take as long as a workshop's day.
QUICK = ["--boot", "0.3", "--reconnect", "0.3", "--confirm-out", "0.3"]


class Simulator(Process):
    """On a private broker; lines go to it through a FIFO. `names`: which of the machines."""

    def __init__(self, scratch, broker, machines, users, *arguments, names=(), quick=True):
        self.machines_file = os.path.join(scratch, "sim-machines.json")
        self.users_file = os.path.join(scratch, "sim-users.json")
        for path, content in ((self.machines_file, machines), (self.users_file, users)):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(content, file)
        super().__init__("tagout-sim", [
            os.path.join(BIN, "tagout-sim"), "--broker", broker.url, "--machines",
            self.machines_file, "--users", self.users_file, *(QUICK if quick else ()),
            *arguments, *names])
        self.fifo = None
        self.marks = 0
        self.began = 0

    def start(self):
        self.began = self.log_position()
        return super().start()

    def controlled(self, scratch):
        self.fifo = os.path.join(scratch, "control")
        if os.path.exists(self.fifo):
            os.remove(self.fifo)
        os.mkfifo(self.fifo)
        self.arguments[1:1] = ["--control", self.fifo]
        return self

    def tell(self, *lines):
        """Returns when they have been carried out; an expectation that fails ends the test."""
        self.marks += 1
        mark = f"mark {self.marks}."
        with open(self.fifo, "w", encoding="utf-8") as fifo:
            fifo.write("\n".join(lines) + f"\nprint {mark}\n")
        self.wait_log(re.compile(re.escape(mark)), TELL_S)
        failed = [line for line in self.lines() if line.startswith("control:")]
        assert not failed, self.log()

    def ready(self):
        self.wait_log(re.compile(r"ready: "), since=self.began)
        return self
