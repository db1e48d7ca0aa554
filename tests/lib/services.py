"""A private broker, a private Redis, and the controller."""
import json
import os
import re
import signal
import socket
import urllib.error
import urllib.request

from processes import TIMEOUT_S, Process, free_port, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("BIN", os.path.join(ROOT, "build/sanitize/bin"))

SANITIZER_REPORT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")


class Service(Process):
    """A server that is started, stopped and started again at one address."""

    def start(self):
        super().start()
        wait_until(self._answers, f"{self.name} answers")
        return self

    def _answers(self):
        if not self.is_running():
            raise AssertionError(f"{self.name} ended with status {self.wait()}:\n{self.log()}")
        try:
            self._connect().close()
        except OSError:
            return False
        return True

    def stop(self):
        if self.is_running():
            self.terminate()

    def restart(self):
        self.stop()
        return self.start()

    def _connect(self):
        raise NotImplementedError


class Broker(Service):
    """mosquitto. It keeps nothing on disk, so a restart forgets every retained message.

    `extra` is added to its configuration, such as a TLS listener.
    """

    def __init__(self, scratch, extra="", port=None):
        self.port = port or free_port()
        config = os.path.join(scratch, f"mosquitto-{self.port}.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"listener {self.port} 127.0.0.1\n"
                       "allow_anonymous true\n"
                       "persistence false\n"
                       "set_tcp_nodelay true\n"
                       "max_inflight_messages 0\n"
                       "max_queued_messages 0\n"
                       "sys_interval 0\n"
                       "log_dest stderr\n"
                       + ("user root\n" if os.getuid() == 0 else "")
                       + extra)
        path = os.environ["PATH"] + ":/usr/sbin"
        super().__init__(f"mosquitto:{self.port}", ["mosquitto", "-c", config],
                         dict(os.environ, PATH=path))

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def _connect(self):
        return socket.create_connection(self.address, timeout=TIMEOUT_S)


class Redis(Service):
    """redis-server that keeps nothing on disk, on a Unix socket (`tcp=True`: on a port)."""

    def __init__(self, scratch, tcp=False):
        self.port = free_port() if tcp else None
        self.path = None if tcp else os.path.join(scratch, f"redis-{free_port()}.sock")
        place = (["--bind", "127.0.0.1", "--port", str(self.port)] if tcp
                 else ["--port", "0", "--unixsocket", self.path])
        super().__init__(
            f"redis:{self.port or self.path}",
            ["redis-server", *place, "--save", "", "--appendonly", "no", "--dir", scratch,
             "--daemonize", "no"])

    @property
    def url(self):
        return f"unix://{self.path}" if self.path else f"redis://127.0.0.1:{self.port}/0"

    @property
    def address(self):
        return self.path or ("127.0.0.1", self.port)

    def _connect(self):
        if self.port:
            return socket.create_connection(self.address, timeout=TIMEOUT_S)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection

    def command(self, *words):
        """Sends one command; strings come back as str, errors as RuntimeError."""
        return self.commands([words])[-1]

    def commands(self, commands):
        """Several on one connection."""
        request = b""
        for words in commands:
            request += b"*%d\r\n" % len(words)
            for word in words:
                word = word if isinstance(word, bytes) else str(word).encode()
                request += b"$%d\r\n%s\r\n" % (len(word), word)
        with self._connect() as connection, connection.makefile("rb") as reply:
            connection.sendall(request)
            return [_read_reply(reply) for _ in commands]

    def hash(self, key):
        """HGETALL as a dict."""
        items = self.command("HGETALL", key)
        return dict(zip(items[::2], items[1::2]))

    def wipe(self):
        self.command("FLUSHALL")

    def wait_loaded(self):
        """One with something on disk answers before it has read it."""
        def is_loaded():
            try:
                return self.command("PING") == "PONG"
            except RuntimeError:
                return False

        wait_until(is_loaded, f"{self.name} has loaded")
        return self


def _read_reply(stream):
    line = stream.readline()
    assert line.endswith(b"\r\n"), "Redis closed the connection"
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise RuntimeError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return None if rest == b"-1" else [_read_reply(stream) for _ in range(int(rest))]
    raise AssertionError(f"Redis answered {line!r}")


class Pages:
    """The HTTP server of a process, on `http_port`."""

    def get(self, path):
        """A page of its HTTP server; OSError when there is none (yet)."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return answer.read().decode()

    def status_of(self, path):
        """Its status and its body, whatever the status is."""
        try:
            return 200, self.get(path)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        """What /metrics says: {"tagout_reports_total": 3.0, …}; where there are labels, also the
        sum over all of them under the bare name."""
        found = {}
        for line in self.get("/metrics").splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                bare = name.partition("{")[0]
                found[name] = float(value)
                if bare != name:
                    found[bare] = found.get(bare, 0) + float(value)
        return found


class Controller(Pages, Process):
    """tagoutd with files of its own: `machines` and `users` as in C10.2.

    `settings` overrides tagout.ini, {"redis": {"save_timeout_ms": 200}}; a section or key that is
    None is left out. `environment` is added to the process's.
    """

    READY = re.compile(r"(?<!not )\bready(:|$)")  # C1

    def __init__(self, scratch, broker, redis, machines, users, settings=None, environment=None,
                 identity="one", prefix="tagout"):
        self.prefix = prefix
        self.identity = identity
        self.folder = os.path.join(scratch, f"controller-{identity}")
        os.makedirs(self.folder, exist_ok=True)
        self.machines_file = os.path.join(self.folder, "machines.json")
        self.users_file = os.path.join(self.folder, "users.json")
        self.ini_file = os.path.join(self.folder, "tagout.ini")
        self.http_port = free_port()
        self.settings = {
            "controller": {"id": identity, "prefix": prefix, "machines": "machines.json",
                           "users": "users.json"},
            "mqtt": {"url": broker.url},
            "redis": {"url": redis.url},
            "http": {"listen": f"127.0.0.1:{self.http_port}"},
            # A machine of a test reports when the test wants it: its silence is no doubt.
            "liveness": {"recent_report_s": 300},
        }
        for section, keys in (settings or {}).items():
            self.settings.setdefault(section, {}).update(keys)
        self.write_ini()
        self.write(machines, users)
        super().__init__(f"tagoutd {identity}", self.command_line("-c", self.ini_file),
                         clean_environment(environment))

    @staticmethod
    def command_line(*arguments):
        return [os.path.join(BIN, "tagoutd"), *arguments]

    def write_ini(self):
        with open(self.ini_file, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)  # there may be secrets in it
            for section, keys in self.settings.items():
                file.write(f"[{section}]\n")
                for key, value in keys.items():
                    if value is not None:
                        file.write(f"{key} = {value}\n")

    def write(self, machines=None, users=None):
        """Replaces the files; a running controller sees them with reload()."""
        for path, content in ((self.machines_file, machines), (self.users_file, users)):
            if content is not None:
                with open(path + ".new", "w", encoding="utf-8") as file:
                    file.write(content if isinstance(content, str) else json.dumps(content))
                os.replace(path + ".new", path)

    def start(self, ready=True):
        since = self.log_position()
        super().start()
        if ready:
            self.wait_log(self.READY, since=since)
        return self

    def reload(self):
        self.signal(signal.SIGHUP)

    def stop(self):
        """A clean stop: exit status 0, and not a word from a sanitizer."""
        status = self.terminate()
        assert status == 0, f"{self.name} ended with status {status}:\n{self.log()}"
        self.assert_sane()

    def assert_sane(self):
        report = SANITIZER_REPORT.search(self.log())
        assert not report, f"{self.name}:\n{self.log()}"


# What a supervisor gave to whoever runs the tests.
IGNORED = ("CREDENTIALS_DIRECTORY", "JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_PID",
           "WATCHDOG_USEC")


def clean_environment(extra=None):
    """This process's environment without what would change a controller's mind."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith("TAGOUT_") and key not in IGNORED}
    kept["TAGOUTCTL_DIRECTORY"] = "/nonexistent"  # nor what this host is set up with
    return dict(kept, **(extra or {}))
