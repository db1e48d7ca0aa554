"""What tests/chaos sees: each rule that it holds a shop against fails for what breaks it. And one
short round of it with real processes."""
import argparse
import os
import random
import subprocess
import sys

import pytest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/chaos"))

from faults import Fault, is_gentle  # noqa: E402
from host import CLOCKS, Durations, ahead_s, clocks_of  # noqa: E402
from shop_floor import Roster  # noqa: E402
from truth import Request, Truth  # noqa: E402

SAW = "m01"      # wants "wood"
MILL = "m00"     # wants "metal"
ROUND_S = 600


class Story:
    """What a box at `machine` says, one second after the other."""

    def __init__(self, machine=SAW):
        self.machine = machine
        self.at = 100.0
        self.wrong = []
        self.truth = Truth(Roster(12), lambda _machine, what: self.wrong.append(what))
        self.say("power", text="boots")

    def say(self, what, after_s=1.0, **said):
        self.at += after_s
        self.truth.box_said(self.at, dict(said, machine=self.machine, what=what))
        return self

    def card_in(self, who, **more):
        return self.say("card", text=f"card in: {who}", **more)

    def card_out(self, **more):
        return self.say("card", text="card out", **more)

    def relay(self, on, after_s=1.0):
        return self.say("relay", after_s, on=on)

    def press(self):
        self.say("button", text="Oops pressed")
        return self.say("button", text="Oops let go")

    def ask(self, verb, status="ok", machine=None, **body):
        self.at += 1
        request = Request(verb, machine or self.machine, body, self.at)
        self.truth.asks(request)
        if status is not None:
            self.at += 1
            self.truth.answered(request, {"status": status, "data": {"persisted": True}}, self.at)
        return self

    def end(self):
        self.truth.settle(self.at + 10)
        return " / ".join(self.wrong)


def test_a_member_comes_and_goes():
    story = Story().card_in("Ada").relay(True).card_out().relay(False, after_s=0.3)
    assert story.end() == ""


def test_C7_1_no_card():
    assert "no card is in" in Story().relay(True).end()


def test_C7_1_a_card_without_the_right():
    assert "no right" in Story().card_in("Dan").relay(True).end()


def test_C7_1_a_card_that_was_in_at_the_boot():
    story = Story().card_in("Ada").say("power", text="power cut").say("power", text="boots")
    assert "not put in since its boot" in story.relay(True).end()


@pytest.mark.parametrize("after_s, is_wrong", [(5.0, False), (5.2, True)])
def test_C7_1_later_than_the_window(after_s, is_wrong):
    assert bool(Story().card_in("Ada").relay(True, after_s=after_s).end()) is is_wrong


def test_C4_2_a_press_that_nobody_has_cleared():
    story = Story().press().card_in("Ada").relay(True)
    assert "nobody asked to clear" in story.end()
    assert Story().press().ask("clear").card_in("Ada").relay(True).end() == ""


@pytest.mark.parametrize("let_go_after_boot", [False, True])
def test_C7_3_a_press_while_the_box_boots_counts_if_it_is_still_down_then(let_go_after_boot):
    story = Story().say("power", text="reboots").say("button", text="Oops pressed")
    if not let_go_after_boot:
        story.say("button", text="Oops let go")
    story.say("power", text="boots")
    if let_go_after_boot:
        story.say("button", text="Oops let go")
    story.card_in("Ada").relay(True)
    assert ("nobody asked to clear" in story.end()) is let_go_after_boot


def test_C6_a_lockout_that_was_promised():
    story = Story().ask("lockout", value=True).card_in("Ada").relay(True)
    assert "lockout was promised" in story.end()


def test_C6_no_promise_while_a_clear_is_under_way():
    story = Story().ask("clear", status=None).ask("lockout", value=True).card_in("Ada").relay(True)
    assert story.end() == ""


def test_C6_a_lockout_that_was_refused_promises_nothing():
    assert Story().ask("lockout", "error", value=True).card_in("Ada").relay(True).end() == ""


def test_C4_5_who_may_override_does():
    assert Story().ask("lockout", value=True).card_in("Max").relay(True).end() == ""


def test_C6_blocked_cards():
    story = Story().ask("block", account_id="8").card_in("Hal").relay(True)
    assert "blocked" in story.end()


def test_C4_a_session_that_nobody_ended():
    assert "nobody and nothing cut it" in Story().card_in("Ada").relay(True).relay(False).end()


@pytest.mark.parametrize("verb, body", [
    ("lockout", {"value": True}), ("oops", {"value": True}), ("end", {}),
    ("restart", {"force": True})])
def test_C4_a_session_that_somebody_ended(verb, body):
    story = Story().card_in("Ada").relay(True).ask(verb, **body).relay(False)
    assert story.end() == ""


@pytest.mark.parametrize("verb, body", [
    ("lockout", {"value": False}), ("clear", {}), ("restart", {}), ("status", {})])
def test_C4_what_ends_no_session(verb, body):
    story = Story().card_in("Ada").relay(True).ask(verb, **body).relay(False)
    assert "nobody and nothing cut it" in story.end()


def test_C4_a_lockout_that_was_cleared_before_the_session_ends_nothing():
    story = Story().ask("lockout", value=True).ask("clear").card_in("Ada", after_s=3)
    assert "nobody and nothing cut it" in story.relay(True).relay(False).end()


def test_C6_a_session_that_was_ended_does_not_come_back_with_its_card():
    story = Story().card_in("Ada").relay(True).ask("end").relay(False).relay(True)
    assert "its card was in when the session ended (end)" in story.end()


def test_C7_2_an_old_lockout_is_obeyed_and_the_session_comes_back():
    story = Story().card_in("Ada").relay(True)
    for epoch, is_old in ((2, False), (1, True)):
        story.truth.commanded(story.at, SAW, {
            "epoch": epoch, "rev": 1, "relay": False, "second_relay": False, "display": "",
            "oops_led": False, "lockout": is_old, "boot_id": "b", "seq": 1})
    assert story.relay(False).relay(True).end() == ""


def test_C7_3_what_hands_do_ends_a_session():
    pressed = Story().card_in("Ada").relay(True).say("button", text="Oops pressed")
    assert pressed.relay(False, after_s=0).say("button", 0.25, text="Oops let go").end() == ""
    unplugged = Story().card_in("Ada").relay(True).say("power", text="power cut")
    assert unplugged.relay(False, after_s=0).say("power", text="boots").end() == ""
    assert Story().card_in("Ada").relay(True).card_in("Cleo").relay(False, 0).end() == ""


def event(kind, **more):
    return {"event_type": kind, **more}


@pytest.mark.parametrize("session_s, is_wrong", [
    (5.0, False), (94.9, False), (95.1, True), (3605.0, True), (-1.0, True)])
def test_C8_2_a_session_that_was_longer_or_shorter_than_it_is_told(session_s, is_wrong):
    wrong = []
    durations = Durations(lambda _machine, what: wrong.append(what))
    durations.hear(100.0, SAW, event("override_login"))
    durations.hear(105.0, SAW, event("logout", session_s=session_s))
    assert bool(wrong) is is_wrong


def test_C8_2_where_it_is_said_to_be_approximate_a_wall_clock_may_have_been_set():
    wrong = []
    durations = Durations(lambda _machine, what: wrong.append(what))
    durations.hear(100.0, SAW, event("login"))
    durations.hear(105.0, SAW, event("logout", session_s=3605.0, approx=True))
    assert not wrong


def test_only_a_clock_of_Redis_may_move_the_lead():
    seen = set()
    for number in range(1000):
        fault = Fault("clock", 0, 1, random.Random(number))
        seen.add((clocks_of(fault), ahead_s(fault) > 0))
        assert is_gentle(fault) is ("redis" not in clocks_of(fault))
    assert len(seen) == 2 * len(CLOCKS)


def test_a_round_of_it(scratch):
    """Two controllers, eight machines, and faults of each sort that end soon."""
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests/chaos/run"), "--seconds", "1", "--seed", "1",
         "--machines", "8", "--journal", os.path.join(scratch, "journal")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=ROUND_S, check=False)
    assert done.returncode == 0, done.stdout
