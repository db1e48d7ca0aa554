"""`make demo` is a test as well: its story is checked line by line, and it leaves nothing behind."""
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from harness import BIN, ROOT, TIMEOUT_S, wait_until

RUN = os.path.join(ROOT, "deploy/demo/run")
STORY_S = 240  # the demo itself allows 200


@pytest.fixture
def place(scratch):
    """Where the demo makes its scratch folder; by its name its processes are known, too."""
    yield scratch
    wait_until(lambda: not left_in(scratch), "nothing is left")


def left_in(place):
    """Files, and processes that run with them."""
    return os.listdir(place) + [one for one in processes() if place in one]


def processes():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                command = file.read().replace("\0", " ")
            folder = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        yield f"{pid}: {command} in {folder}"


def start(place, output=subprocess.PIPE, run=RUN, **environment):
    return subprocess.Popen(
        ["/usr/bin/python3", run], stdin=subprocess.DEVNULL, stdout=output,
        stderr=subprocess.STDOUT, start_new_session=True,
        env=dict(os.environ, BIN=BIN, TMPDIR=place, **environment))


def end(process):
    """Whatever the test came to."""
    if process.poll() is None:
        process.kill()
        process.wait()


def read_until(process, word):
    """What it wrote up to that word."""
    said = b""
    deadline = time.monotonic() + 3 * TIMEOUT_S
    while word.encode() not in said:
        assert time.monotonic() < deadline, said.decode()
        if select.select([process.stdout], [], [], 0.5)[0]:
            piece = os.read(process.stdout.fileno(), 65536)
            assert piece, said.decode()
            said += piece
    return said.decode()


def test_the_story_is_told_and_nothing_is_left(place):
    demo = start(place, DEMO_S="1")
    try:
        said = demo.communicate(timeout=STORY_S)[0].decode()
    finally:
        end(demo)
    assert demo.returncode == 0, said
    assert re.search(r"mosquitto_sub -p \d+ -v -t 'tagout/#'", said)
    assert "The demo ends in 1 s." in said and "Ctrl-C ends" not in said
    for scene in range(1, 9):
        assert re.search(rf"^{scene}\. ", said, re.MULTILINE), f"scene {scene}"
    for line in ("[Welcome,        |Rosa            ] green",
                 "[Unknown RFID    |                ] red",
                 "[Unauthorized    |                ] orange",
                 "[OVERRIDE BY     |Ada             ] green",
                 "[Down for        |maintenance     ] orange",
                 "ALERT  Fleet: storage hangs, ", "ALERT  Storage answers again after "):
        assert line in said
    assert "table-saw: " in said.split("That was the story.")[1], "the board"
    assert "@redis" not in said, "an order to the demo is not the story's"
    assert "\033" not in said, "colours in a pipe"
    assert "Sanitizer" not in said and "runtime error" not in said
    assert left_in(place) == []


def test_a_story_that_is_not_so_fails_loudly(place):
    """The demo, beside a story of our own."""
    folder = os.path.join(place, "tree/deploy/demo")
    os.makedirs(folder)
    os.symlink(os.path.join(ROOT, "deploy/etc"), os.path.join(place, "tree/deploy/etc"))
    with open(RUN, encoding="utf-8") as original:
        text = original.read()
    with open(os.path.join(folder, "run"), "w", encoding="utf-8") as copy:
        copy.write(text)
    with open(os.path.join(folder, "story.txt"), "w", encoding="utf-8") as story:
        story.write("table-saw card in stranger\nexpect table-saw relay on within 500 ms\n")
    inner = os.path.join(place, "inner")
    os.mkdir(inner)
    demo = start(inner, run=os.path.join(folder, "run"), DEMO_S="1")
    try:
        said = demo.communicate(timeout=STORY_S)[0].decode()
    finally:
        end(demo)
    assert demo.returncode == 1, said
    assert "story.txt:2: expect table-saw relay on within 500 ms: not so" in said
    assert "demo: the story failed" in said
    assert left_in(inner) == []
    subprocess.run(["rm", "-r", inner, os.path.join(place, "tree")], check=True)


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)])
def test_however_it_ends_nothing_is_left(place, number, status):
    demo = start(place)
    try:
        read_until(demo, "1. Rosa")
        demo.send_signal(number)
        assert demo.wait(TIMEOUT_S) == status
        if number == signal.SIGINT:
            said = demo.stdout.read().decode()
            assert "no broker" not in said and "connection lost" not in said, said
            assert said.endswith("stopped\n")
    finally:
        end(demo)
    wait_until(lambda: not left_in(place), "nothing is left")


def test_it_ends_while_redis_is_frozen_too(place):
    demo = start(place)
    try:
        read_until(demo, "ALERT  Fleet")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(TIMEOUT_S) == 0
    finally:
        end(demo)


def test_on_a_terminal_the_board_stays_until_ctrl_c(place):
    """In colour, and the board is updated in place."""
    ours, theirs = pty.openpty()
    demo = subprocess.Popen(
        ["/usr/bin/python3", RUN], stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, env=dict(os.environ, BIN=BIN, TMPDIR=place, DEMO_PACE="0.1",
                                         TERM="xterm", DEMO_S=""))
    os.close(theirs)
    said = b""
    try:
        deadline = time.monotonic() + 3 * TIMEOUT_S
        while b"Ctrl-C ends the demo" not in said or b"MACHINE" not in said:
            assert time.monotonic() < deadline, said.decode(errors="replace")
            if select.select([ours], [], [], 0.5)[0]:
                said += os.read(ours, 65536)
        assert b"\033[" in said
        demo.send_signal(signal.SIGINT)
        assert demo.wait(TIMEOUT_S) == 0
    finally:
        end(demo)
        os.close(ours)
