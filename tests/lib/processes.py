"""Processes that a test starts: private, on loopback, and gone with the test.

Each is known by its pid and killed by it. If the test's own process dies, the kernel kills what it
started (so start things from the test's main thread: the kernel watches the thread that forked).
"""
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

TIMEOUT_S = 60.0  # generous: a loaded machine is no reason to fail

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_reserved = []


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """A TCP port on loopback that no other test has, now or later in this process.

    It is below the ports that the kernel gives to outgoing connections, so that a service can be
    stopped and started again on it. An abstract Unix socket with the port's number, held until
    the process ends, keeps it from tests that run at the same time.
    """
    start = 10000 + os.getpid() * 37 % 20000
    for port in list(range(start, 30000)) + list(range(10000, start)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0tagout-test-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _reserved.append(claim)
        return port
    raise RuntimeError("no free port")


def wait_until(condition, what, timeout_s=TIMEOUT_S):
    """Polls for what has no event to wait for; returns the condition's first true value."""
    deadline = time.monotonic() + timeout_s
    while True:
        late = time.monotonic() > deadline  # asked before: whoever stood still looks once more
        value = condition()
        if value:
            return value
        if late:
            raise TimeoutError(f"{what}: not within {timeout_s} s")
        time.sleep(0.01)


class Process:
    """One child process. Its standard error (and output) is read all the time and kept; or it goes
    to the descriptor `unread`, if that is set before the start, and then there is no log."""

    def __init__(self, name, arguments, environment=None):
        self.name = name
        self.arguments = arguments
        self.environment = environment
        self.unread = None
        self.popen = None
        self._lines = []
        self._changed = threading.Condition()
        self._reader = None
        self._frozen = False

    def start(self):
        assert not self.is_running(), f"{self.name} runs already"
        self.popen = subprocess.Popen(
            self.arguments, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self.unread is None else self.unread,
            stderr=subprocess.STDOUT, preexec_fn=_die_with_parent)
        self._frozen = False
        if self.unread is not None:
            return self
        self._reader = threading.Thread(target=self._read, args=(self.popen.stdout,), daemon=True)
        self._reader.start()
        return self

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                self._add(line.decode(errors="replace").rstrip("\n"))
        self._add(None)

    def _add(self, line):
        with self._changed:
            self._lines.append(line)
            self._changed.notify_all()

    @property
    def pid(self):
        return self.popen.pid

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def lines(self):
        with self._changed:
            return [line for line in self._lines if line is not None]

    def log(self):
        """All that it has written, over restarts too."""
        return "\n".join(self.lines())

    def log_position(self):
        with self._changed:
            return len(self._lines)

    def wait_log(self, pattern, timeout_s=TIMEOUT_S, since=0):
        """The first line from position `since` on that the compiled pattern finds; fails when
        the process ends without it."""
        deadline = time.monotonic() + timeout_s
        position = since
        late = False
        with self._changed:
            while True:
                while position < len(self._lines):
                    line = self._lines[position]
                    position += 1
                    if line is None:
                        raise AssertionError(
                            f"{self.name} ended without {pattern.pattern!r}:\n{self._tail()}")
                    if pattern.search(line):
                        return line
                if late:
                    raise TimeoutError(
                        f"{self.name}: no {pattern.pattern!r} in {timeout_s} s:\n{self._tail()}")
                late = not self._changed.wait(deadline - time.monotonic())

    def _tail(self):
        return "\n".join(line for line in self._lines[-60:] if line is not None)

    def signal(self, number):
        self.popen.send_signal(number)

    def freeze(self):
        """Stops it in its tracks: its sockets stay open and answer nothing."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: state_of(self.pid) == "T", f"{self.name} is stopped")
        self._frozen = True

    def thaw(self):
        self.signal(signal.SIGCONT)
        self._frozen = False

    def kill(self):
        """Ends it as a power cut does. Does nothing when it does not run."""
        if self.popen is None:
            return
        if self.is_running():
            self.popen.kill()
        self.popen.wait(TIMEOUT_S)
        self._end_reading()

    def terminate(self, timeout_s=TIMEOUT_S):
        """Asks it to stop; returns its exit status."""
        if self._frozen:
            self.thaw()
        self.popen.terminate()
        return self.wait(timeout_s)

    def wait(self, timeout_s=TIMEOUT_S):
        try:
            status = self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.name} did not end:\n{self._tail()}") from None
        self._end_reading()
        return status

    def _end_reading(self):
        if self._reader is not None:
            self._reader.join(TIMEOUT_S)


def _stat(pid):
    """What the kernel tells of a process from its state on."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def state_of(pid):
    return _stat(pid)[0]


def processor_s(pid):
    """The processor's time that it has used, of all its threads."""
    return sum(int(ticks) for ticks in _stat(pid)[11:13]) / os.sysconf("SC_CLK_TCK")
