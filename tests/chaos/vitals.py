"""Whether each process is well: alive, without a complaint, and no bigger than it was."""
import os
import re
import threading
import time

from services import SANITIZER_REPORT

# Freed memory that a sanitizer holds back, and what the allocator keeps of a storm.
GROWTH_MAX_KIB = 48 * 1024
DESCRIPTORS_MORE = 6  # connections that are being made, files that are being read
THREADS_MORE = 4
SIZES = ("memory", "descriptors", "threads")
SETTLED_AFTER = 3     # calms of a life; until then it has not met everything


class HostLag:
    """How late a thread that sleeps is woken, in seconds: what a busy host adds to all limits."""

    def __init__(self):
        self._worst = self._worst_of_round = 0.0
        threading.Thread(target=self._measure, daemon=True).start()

    def _measure(self):
        while True:
            began = time.monotonic()
            time.sleep(0.05)
            late_s = time.monotonic() - began - 0.05
            self._worst = max(self._worst, late_s)
            self._worst_of_round = max(self._worst_of_round, late_s)

    def begin_round(self):
        self._worst_of_round = 0.0

    def worst(self):
        """Since the round began."""
        return self._worst_of_round

    def take(self):
        worst, self._worst = self._worst, 0.0
        return worst


class Vitals:
    def __init__(self, floor, breaker, fail):
        self.floor = floor
        self.breaker = breaker
        self.fail = fail
        self.first = {}   # (name, pid): [calms, its first numbers]
        self.read_to = {}

    def look_for_deaths(self):
        for name, process in self.floor.processes().items():
            if process not in self.breaker.down and not process.is_running():
                self.breaker.down.add(process)
                self.fail(None, f"{name} ended by itself, with status {process.popen.poll()}:\n"
                                + "\n".join(process.lines()[-60:]))

    def look_at_logs(self):
        for name in ("watcher", *self.floor.controllers, *self.floor.groups):
            process = self.floor.processes()[name]
            lines = process.lines()
            for line in lines[self.read_to.get(name, 0):]:
                if SANITIZER_REPORT.search(line):
                    self.fail(None, f"{name}: {line}")
            self.read_to[name] = len(lines)

    def look_at_sizes(self):
        for name in ("watcher", *self.floor.controllers):
            process = self.floor.processes()[name]
            if not process.is_running():
                continue
            now = sizes(process.pid)
            life = self.first.setdefault((name, process.pid), [0, now])
            life[0] += 1
            if life[0] <= SETTLED_AFTER:
                life[1] = {key: max(life[1][key], now[key]) for key in now}
                continue
            for key, more in zip(SIZES, (GROWTH_MAX_KIB, DESCRIPTORS_MORE, THREADS_MORE)):
                if now[key] > life[1][key] + more:
                    self.fail(None, f"{name}: {key} grew from {life[1][key]} to {now[key]}")

    def told(self):
        parts = []
        for name in ("watcher", *self.floor.controllers):
            process = self.floor.processes()[name]
            now = sizes(process.pid) if process.is_running() else dict.fromkeys(SIZES, 0)
            parts.append(f"{name} {now['memory'] // 1024} MiB, {now['descriptors']} descriptors, "
                         f"{now['threads']} threads")
        return "; ".join(parts)


def sizes(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        memory = re.search(r"VmRSS:\s*(\d+)", file.read())
    return {"memory": int(memory.group(1)), "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task"))}
