"""tagoutctl watch: a live board on a terminal, a line for each change in a pipe."""
import json
import re
import signal
import subprocess
import termios
import threading

import pytest

from ctl_shop import ADA, CTL, MEANWHILE, shop, terminal  # noqa: F401
from harness import TIMEOUT_S, free_port

class Lines:
    """tagoutctl watch in a pipe."""

    def __init__(self, shop, *arguments):
        self.popen = subprocess.Popen([CTL, "-c", shop.ini, *arguments, "watch"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      env=shop.environment)
        self.lines = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.popen.stdout:
            with self._changed:
                self.lines.append(line.decode().rstrip("\n"))
                self._changed.notify_all()

    def wait_for(self, pattern, since=0):
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(re.search(pattern, line) for line in self.lines[since:]),
                TIMEOUT_S), "\n".join(self.lines)

    def close(self):
        self.popen.kill()
        self.popen.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        self.popen.stdout.close()


@pytest.fixture
def watch_lines(shop):
    opened = []

    def make(*arguments):
        opened.append(Lines(shop, *arguments))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_watch_in_a_pipe_prints_a_line_for_each_change(shop, watch_lines):
    shop.box("table-saw")
    watching = watch_lines()
    watching.wait_for(r"table-saw: idle; relay off$")
    shop.boxes["table-saw"].tell(fw="2")
    shop.wait_state("table-saw", lambda s: s["fw"] == "2")
    shop.card_in("table-saw", ADA)
    watching.wait_for(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  table-saw: Table Saw: Ada logged in$")
    watching.wait_for(r"  table-saw: in use by Ada; relay on$")
    shop.boxes["table-saw"].tell(card="")
    watching.wait_for(r"logged out after")
    assert "\033" not in "".join(watching.lines)
    assert len([line for line in watching.lines if "lathe" in line]) == 1
    logged_in = next(i for i, line in enumerate(watching.lines) if "logged in" in line)
    assert len([line for line in watching.lines[:logged_in] if "table-saw: idle" in line]) == 1


def test_watch_outlives_the_broker(shop, watch_lines):
    shop.box("table-saw")
    watching = watch_lines()
    watching.wait_for(r"table-saw: idle; relay off$")
    shop.broker.stop()
    watching.wait_for("The broker is out of reach: " + MEANWHILE)
    since = len(watching.lines)
    shop.broker.start()
    watching.wait_for("tagout: all is well", since)
    shop.client.wait_connected()
    shop.card_in("table-saw", ADA)
    watching.wait_for(r"in use by Ada; relay on$", since)


def test_watch_as_json_is_one_object_a_line(shop, watch_lines):
    shop.box("table-saw")
    watching = watch_lines("--json")
    watching.wait_for(r'"kind":"state","machine":"table-saw"')
    shop.card_in("table-saw", ADA)
    watching.wait_for(r'"kind":"event","machine":"table-saw".*"event_type":"login"')
    for line in watching.lines:
        json.loads(line)


def test_watch_ends_when_nobody_reads(shop):
    watching = subprocess.Popen([CTL, "-c", shop.ini, "watch"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=shop.environment)
    watching.stdout.readline()
    watching.stdout.close()
    shop.box("table-saw")
    shop.card_in("table-saw", ADA)
    watching.wait(TIMEOUT_S)
    assert watching.stderr.read() == b""
    watching.stderr.close()


def test_watch_on_a_terminal_is_updated_in_place_and_Ctrl_C_restores_it(shop, terminal):
    shop.box("table-saw")
    watching = terminal("watch")
    watching.wait_for(r"\x1b\[\?1049h\x1b\[\?25l.*table-saw +\S*idle")
    assert not watching.modes()[3] & termios.ECHO
    since = watching.position()
    shop.card_in("table-saw", ADA)
    frame = watching.wait_for("\x1b\\[H(?:(?!\x1b\\[H).)*in use by Ada", since).group()
    assert "\x1b[2J" not in frame, "it is drawn over what is there"
    watching.wait_for("Table Saw: Ada logged in", since)
    watching.send("\x03")
    assert watching.wait() == 0
    watching.wait_for(r"\x1b\[\?25h\x1b\[\?1049l$")
    assert watching.modes() == watching.before


def test_watch_heeds_a_new_size(shop, terminal):
    shop.box("table-saw")
    shop.run("lockout", "table-saw", "--reason", "r" * 40)
    watching = terminal("watch", size=(24, 140))
    watching.wait_for("r" * 40)
    since = watching.position()
    watching.resize(10, 50)
    frame = watching.wait_for("\x1b\\[H(.*?)\x1b\\[J", since).group(1)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", frame).replace("\r", "")
    assert max(len(line) for line in plain.split("\n")) < 50
    assert len(plain.split("\n")) <= 10
    assert "\u2026" in plain
    watching.send("q")
    assert watching.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_watch_restores_the_terminal_when_it_is_ended(shop, terminal, number):
    watching = terminal("watch")
    watching.wait_for("MACHINE")
    watching.popen.send_signal(number)
    assert watching.wait() == 0
    assert watching.modes() == watching.before


def test_Ctrl_Z_gives_the_terminal_back_and_fg_takes_it_again(shop, terminal):
    watching = terminal("watch")
    watching.wait_for("MACHINE")
    watching.send("\x1a")
    watching.wait_for(r"\x1b\[\?1049l$")
    watching.wait_stopped()
    assert watching.modes() == watching.before
    since = watching.position()
    watching.popen.send_signal(signal.SIGCONT)
    watching.wait_for("MACHINE", since)
    watching.send("q")
    assert watching.wait() == 0


def test_watch_says_that_the_broker_is_away(shop, terminal):
    watching = terminal("watch", environment={"TAGOUT_MQTT_URL": f"mqtt://127.0.0.1:{free_port()}"})
    watching.wait_for("The broker is out of reach")
    watching.send("q")
    assert watching.wait() == 0
