"""Programs with a library of ours loaded ahead of the C library.

A sanitizer wants to be that first library, so these are the release programs.
"""
import mmap
import os
import struct
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
