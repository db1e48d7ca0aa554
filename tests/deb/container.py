"""A Debian 12 of its own, booted: systemd and all that it starts, on a network of its own.

Its root is made with debootstrap and kept in build/, so that the next run begins at once. Where its
packages come from is asked of this host's apt.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time

SUITE = "bookworm"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_S = 120
COMMAND_S = 300


class Failed(Exception):
    pass


def run(*command, env=None, timeout_s=COMMAND_S):
    """Standard output and error together; Failed unless it ends with 0."""
    result = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False)
    if result.returncode != 0:
        raise Failed(f"{' '.join(command)}\nended with {result.returncode}:\n{result.stdout}")
    return result.stdout


def mirrors():
    """apt's own lines for this host's Debian: [deb URI SUITE COMPONENT, ...], the main suite first."""
    answer = run("apt-get", "indextargets", "Created-By: Packages", "Origin: Debian", "--format",
                 "$(REPO_URI) $(RELEASE) $(COMPONENT)")
    lines = [line.split() for line in answer.splitlines()]
    lines = sorted({tuple(line) for line in lines if line[1].startswith(SUITE) and line[2] == "main"},
                   key=lambda line: line[1])
    if not lines or lines[0][1] != SUITE:
        raise Failed(f"apt on this host knows nothing of Debian's {SUITE}: run apt-get update")
    return [f"deb {uri} {suite} {component}" for uri, suite, component in lines]


def ways():
    """How this host's apt gets there: proxies and the like, but not what it does with packages."""
    names = ("http", "https", "Check-Date", "Check-Valid-Until", "ForceIPv4", "ForceIPv6")
    return "".join(line + "\n" for line in run("apt-config", "dump", "Acquire").splitlines()
                   if line.startswith(tuple(f"Acquire::{name}" for name in names)))


class Container:
    def __init__(self, folder):
        self.base = os.path.join(os.path.dirname(folder), "debian")
        self.root = os.path.join(folder, "root")
        self.log = os.path.join(folder, "boot.log")
        self._spawn = None
        self._leader = None

    def make(self):
        """A fresh root. Nothing runs in it yet."""
        done = os.path.join(self.base, ".made")
        if not os.path.exists(done):
            shutil.rmtree(self.base, ignore_errors=True)
            lines = mirrors()
            run("debootstrap", "--variant=minbase", SUITE, self.base, lines[0].split()[1],
                timeout_s=1800)
            with open(os.path.join(self.base, "etc/apt/sources.list"), "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines)
            with open(os.path.join(self.base, "etc/apt/apt.conf.d/99host"), "w",
                      encoding="utf-8") as file:
                file.write(ways())
            with open(done, "w", encoding="utf-8"):
                pass
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(os.path.dirname(self.root), exist_ok=True)
        run("cp", "-a", self.base, self.root)
        for name in "/etc/resolv.conf", "/etc/hosts":
            shutil.copy(name, self.path(name))

    def path(self, name):
        return self.root + name

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def prepare(self, *commands):
        """Shell commands in the root, before anything runs in it, by this host's network: once it
        is booted it has none."""
        for command in commands:
            run("chroot", self.root, "sh", "-c", command, timeout_s=1800,
                env={"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive"})

    @contextlib.contextmanager
    def booted(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self._spawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", self.root, "--boot", "--register=no",
                 "--keep-unit", "--private-network", "--machine=tagout-check", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            self._wait_booted()
            yield self
        finally:
            self._spawn.send_signal(signal.SIGTERM)  # shuts it down
            try:
                self._spawn.wait(60)
            except subprocess.TimeoutExpired:
                self._spawn.kill()
                self._spawn.wait()

    def _wait_booted(self):
        end = time.monotonic() + BOOT_S
        while time.monotonic() < end:
            if self._spawn.poll() is not None:
                break
            self._leader = self._leader or first_process(self._spawn.pid)
            if self._leader and self.try_run("systemctl", "is-system-running").strip() in (
                    "running", "degraded"):
                return
            time.sleep(0.2)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            raise Failed(f"it does not boot:\n{file.read()[-2000:]}")

    def _inside(self, command):
        return ("nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net", "--pid",
                "--root", "--wd", "env", "-i", f"PATH={PATH}", "LANG=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *command)

    def run(self, *command, timeout_s=COMMAND_S):
        return run(*self._inside(command), timeout_s=timeout_s)

    def try_run(self, *command, timeout_s=COMMAND_S):
        """Whatever it says, however it ends."""
        return subprocess.run(self._inside(command), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=timeout_s, check=False).stdout

    def fails(self, *command, timeout_s=COMMAND_S):
        """What it says; Failed if it succeeds."""
        try:
            said = self.run(*command, timeout_s=timeout_s)
        except Failed as failure:
            return str(failure)
        raise Failed(f"{' '.join(command)}\nshould have failed:\n{said}")


def first_process(pid):
    """The process below `pid` that is the first one of a namespace, or None."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            numbers = next(line.split()[1:] for line in file if line.startswith("NSpid:"))
        if len(numbers) > 1 and numbers[-1] == "1":
            return pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            children = [int(word) for word in file.read().split()]
        return next((found for found in map(first_process, children) if found), None)
    return None


def wait_for(what, condition, limit_s=60):
    """Polls: a container has no other events for us. Returns the condition's first true value."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {limit_s} s: {what}")
        time.sleep(0.2)


def usable():
    """Why it can't be done here, or None."""
    if os.geteuid() != 0:
        return "needs root: debootstrap and systemd-nspawn do"
    for program in ("debootstrap", "systemd-nspawn", "nsenter"):
        if shutil.which(program) is None:
            return f"needs {program}: deploy/install-deps deb"
    return None


if __name__ == "__main__":
    sys.exit("run tests/deb/run")
