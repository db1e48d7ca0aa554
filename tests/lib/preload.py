"""Programs with a library of ours loaded ahead of the C library.

A sanitizer wants to be that first library, so these are the release programs; or it is named first.
"""
import mmap
import os
import re
import struct
import subprocess
import time

from processes import wait_until
from services import ROOT, Controller
from watcher import Watcher

RELEASE_BIN = os.path.join(ROOT, "build/bin")
LIBRARIES = os.path.join(ROOT, "build/release/lib")


def preload(*names):
    """The environment that loads tests/lib/<name>.c."""
    paths = [os.path.join(LIBRARIES, f"{name}.so") for name in names]
    for path in paths:
        assert os.path.exists(path), f"{path} is not built: make VARIANT=release all preloads"
    return {"LD_PRELOAD": ":".join(paths)}


def preload_into(program, *names):
    """The same, for a program that may be sanitized."""
    environment = preload(*names)
    linked = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    sanitizer = re.search(r"=> (/\S*/lib[at]san\.so\S*)", linked)
    if sanitizer:
        environment["LD_PRELOAD"] = f"{sanitizer.group(1)}:{environment['LD_PRELOAD']}"
    return environment


class _ReleaseController(Controller):
    @staticmethod
    def command_line(*arguments):
        return [os.path.join(RELEASE_BIN, "tagoutd"), *arguments]


def preloaded(scratch, broker, redis, machines, users, names, environment, **options):
    """A controller, not started, with the libraries `names`."""
    return _ReleaseController(scratch, broker, redis, machines, users,
                              environment={**environment, **preload(*names)}, **options)


class ReleaseWatcher(Watcher):
    """With the libraries that `environment` names."""

    @staticmethod
    def program():
        return os.path.join(RELEASE_BIN, "tagout-watcher")


class Disk:
    """The host's disk, as tests/lib/frozen_disk.c has it for every process in `environment`."""

    _FROZEN, _HELD = 0, 4  # two 32-bit words

    def __init__(self, scratch):
        path = os.path.join(scratch, "disk")
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self._words = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.environment = {"FROZEN_DISK": path, **preload("frozen_disk")}

    def freeze(self):
        self._words[self._FROZEN:self._FROZEN + 4] = struct.pack("=I", 1)

    def thaw(self):
        self._words[self._FROZEN:self._FROZEN + 4] = struct.pack("=I", 0)

    @property
    def held(self):
        """How many calls wait for the disk now."""
        return struct.unpack("=I", self._words[self._HELD:self._HELD + 4])[0]

    def wait_held(self, count=1):
        wait_until(lambda: self.held >= count, f"{count} calls wait for the disk")


class _Page:
    """A file that a process and its test map."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def _get(self, form, at):
        return struct.unpack_from(form, self._bytes, at)[0]

    def _set(self, form, at, value):
        struct.pack_into(form, self._bytes, at, value)


class WrongClock(_Page):
    """A wall clock that can be set, as tests/lib/wrong_clock.c has it. Of a process that has it in
    `environment` and loads "wrong_clock"."""

    def __init__(self, scratch, name):
        super().__init__(os.path.join(scratch, f"clock-{name}"))
        self.environment = {"WRONG_CLOCK": self.path}

    def set(self, ahead_s):
        self._set("=q", 0, round(ahead_s * 1000))

    @property
    def ahead_s(self):
        return self._get("=q", 0) / 1000


class FullDisk(_Page):
    """A disk that can be full, as tests/lib/full_disk.c has it. Of a process that has it in
    `environment` and loads "full_disk"."""

    def __init__(self, scratch, name):
        super().__init__(os.path.join(scratch, f"disk-{name}"))
        self.environment = {"FULL_DISK": self.path}

    def fill(self, room_bytes=0):
        self._set("=I", 0, 1 + room_bytes)

    def fill_late(self):
        """It takes writes, and cannot synchronise them."""
        self._set("=I", 8, 1)

    def empty(self):
        self._set("=I", 0, 0)
        self._set("=I", 8, 0)

    @property
    def refused(self):
        return self._get("=I", 4)


class PowerCut:
    """What the host's disk has for certain, as tests/lib/synced_disk.c notes it for every process
    in `environment`; and what a power cut leaves of a folder."""

    def __init__(self, scratch, name):
        self._notes = os.path.join(scratch, f"synced-{name}")
        with open(self._notes, "wb"):
            pass
        self.environment = {"SYNCED_DISK": self._notes, **preload("synced_disk")}

    def _synced(self):
        with open(self._notes, encoding="ascii") as file:
            lines = (tuple(map(int, line.split())) for line in file)
            return {(device, inode): size for device, inode, size in lines}

    def age_s(self):
        """How long ago something was synced the last time."""
        return time.time() - os.stat(self._notes).st_mtime

    def strike(self, folder, random=None):
        """Takes away what the disk need not have: all of it, or with a generator of numbers, of
        each file from some byte on. How many bytes that were."""
        synced = self._synced()
        lost = 0
        for top, _, files in os.walk(folder):
            for path in (os.path.join(top, name) for name in files):
                about = os.stat(path)
                kept = min(synced.get((about.st_dev, about.st_ino), 0), about.st_size)
                if random is not None:
                    kept = random.randint(kept, about.st_size)
                os.truncate(path, kept)
                lost += about.st_size - kept
        return lost
