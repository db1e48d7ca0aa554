"""What is measured: clients that only echo, and controllers, each under a prefix of its own on one
private broker, so that rounds of one can follow rounds of another; and what they cost."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("BIN", os.path.join(ROOT, "build/bin"))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
from processes import Process, wait_until  # noqa: E402 pylint: disable=wrong-import-position
from services import Broker, Controller, Redis  # noqa: E402 pylint: disable=wrong-import-position

BENCH_BIN = os.path.join(ROOT, "build/release/bin")
CARD = "0001234567"
SEQ_STEP = 2_000_000  # more than one machine says in one round
START_S = 60


def machines(count):
    return {f"m{number:05}": {"authorizations_or": ["wood"]} for number in range(count)}


def users(count, generation=0):
    """The first holds CARD. Another generation changes every user."""
    def user(number):
        return {"fob_codes": [CARD if number == 0 else f"{9_000_000 + number:010}"],
                "account_id": str(1000 + number), "full_name": f"Member {number} {generation}",
                "first_name": "Member", "last_name": str(number), "preferred_name": f"M{number}",
                "email": f"m{number}@example.org", "expiration_ymd": "2099-12-31",
                "authorizations": ["wood", "metal"]}
    return [user(number) for number in range(count)]


class Echo(Process):
    def __init__(self, prefix, program, broker, *arguments):
        self.prefix = prefix
        super().__init__(prefix, [os.path.join(BENCH_BIN, program), str(broker.port), prefix,
                                  *arguments])

    def start(self):
        super().start()
        self.wait_log(re.compile("^ready"))
        return self


class Tagoutd(Controller):
    """Machines are live from their first report on and are not doubted while it is not their round.
    It logs to a file: whoever read the lines as they come would take part in what is measured."""

    def __init__(self, prefix, folder, broker, redis, machine_count, user_count=200,
                 identity="one", environment=None):
        self.machine_count = machine_count
        self.log_path = os.path.join(folder, f"{prefix}-{identity}.log")
        super().__init__(os.path.join(folder, prefix), broker, redis, machines(machine_count),
                         users(user_count), {"liveness": {"recent_report_s": 3600}},
                         environment, identity, prefix)

    def start(self, ready=True):
        with open(self.log_path, "ab") as log:
            since = self.log_position()
            self.unread = log
            super().start(ready=False)
        if ready:
            self.wait_log(self.READY, START_S, since)
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def log_position(self):
        return len(self.log())

    def wait_log(self, pattern, timeout_s=START_S, since=0):
        wait_until(lambda: pattern.search(self.log()[since:]) or not self.is_running(),
                   f"{pattern.pattern!r} in the log", timeout_s)
        if not self.is_running():
            raise RuntimeError(f"{self.name} ended:\n{self.log()[since:]}")


def cpu_ns(pid):
    """Time of all its threads on a processor so far."""
    spent = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                spent += int(file.read().split()[0])
        except OSError:
            continue  # a thread that has just ended
    return spent


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024


class Services:
    """A broker and a Redis of the run's own, and everything that was started on them."""

    def __init__(self):
        self._scratch = tempfile.TemporaryDirectory(prefix="tagout-bench-")
        self.folder = self._scratch.name
        self._started = []
        self._seq = 1000
        self.broker = self.add(Broker(self.folder))
        self.redis = self.add(Redis(self.folder))

    def add(self, process):
        self._started.append(process)
        return process.start()

    def echo(self, prefix, program, *arguments):
        return self.add(Echo(prefix, program, self.broker, *arguments))

    def controller(self, prefix, machine_count, redis=None, **more):
        return self.add(Tagoutd(prefix, self.folder, self.broker, redis or self.redis,
                                machine_count, **more))

    def end(self):
        for process in reversed(self._started):
            process.kill()
        self._scratch.cleanup()

    def next_seq(self):
        self._seq += SEQ_STEP
        return self._seq

    def _command(self, program, *arguments):
        return [os.path.join(BENCH_BIN, program), str(self.broker.port), *map(str, arguments),
                str(self.next_seq())]

    def load_command(self, subject, machine_count, window, mix, seconds, before=0.0):
        return self._command("bench-load", subject.prefix, machine_count, window, mix, CARD,
                             seconds, before)

    def load(self, subject, machine_count, window, mix, seconds, before=0.0, redis=None):
        """One round: what the load saw, and microseconds of processor time per thousand reports."""
        command = self.load_command(subject, machine_count, window, mix, seconds, before)
        watched = {"subject": subject, "broker": self.broker, "redis": redis or self.redis}
        watched = {name: process for name, process in watched.items() if process.is_running()}
        then = {name: cpu_ns(process.pid) for name, process in watched.items()}
        result = finish(subprocess.run(command, capture_output=True, text=True, check=False))
        per_1000 = result["all_reports"] / 1000 * 1000  # nanoseconds to microseconds, too
        for name, process in watched.items():
            result[f"{name}_cpu_us"] = (cpu_ns(process.pid) - then[name]) / per_1000
        return result

    def storm(self, subject, devices):
        command = self._command("bench-storm", subject.prefix, devices)
        return finish(subprocess.run(command, capture_output=True, text=True, check=False))


def finish(done):
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(done.args)}: {done.stderr.strip()}")
    return json.loads(done.stdout)
