"""`tagoutctl log`: the audit's files, as a person asks about them."""
import glob
import json
import os
import re
import time

import pytest

from ctl_shop import bare
from harness import wait_until
from watcher import Voice

ADA = {"user": "Ada", "account_id": "17"}
BOB = {"user": "Bob", "account_id": "18"}
SAW = {"machine": "table-saw", "display_name": "Table Saw"}
LATHE = {"machine": "lathe", "display_name": "Lathe"}


def month(at):
    return time.strftime("events-%Y-%m.jsonl", time.gmtime(at))


class Audit:
    def __init__(self, folder):
        self.folder = folder
        self.line = 0
        self.now = time.time()
        self.ini = os.path.join(folder, "tagout.ini")
        with open(self.ini, "w", encoding="utf-8") as file:
            file.write(f"[audit]\ndirectory = {folder}\n[mqtt]\nurl = mqtt://127.0.0.1:1\n")

    def write(self, text, at):
        with open(os.path.join(self.folder, month(at)), "a", encoding="utf-8") as file:
            file.write(text)

    def add(self, kind, ago_s, **members):
        at = self.now - ago_s
        self.line += 1
        self.write(json.dumps({"line": self.line, "kind": kind, "seen": at, **members}) + "\n", at)

    def event(self, event_type, ago_s, text, *who, **members):
        for people in who:
            members = {**people, **members}
        self.add("event", ago_s, event_type=event_type, text=text, at=self.now - ago_s, **members)

    def log(self, *arguments):
        return bare("-c", self.ini, "log", *arguments)


@pytest.fixture
def audit(scratch):
    folder = os.path.join(scratch, "audit")
    os.mkdir(folder)
    made = Audit(folder)
    made.event("login", 40 * 86400, "Table Saw: Ada logged in", SAW, ADA)
    made.event("logout", 40 * 86400 - 60, "Table Saw: Ada logged out after 1 min (card out)", SAW,
               ADA, reason="card_removed", session_s=60)
    made.event("denied", 3000, "Lathe: Bob is not authorized", LATHE, BOB)
    made.event("login", 2000, "Lathe: Ada logged in", LATHE, ADA)
    made.event("lockout", 1000, "Lathe: locked out by Rosa: blade", LATHE, by="op.rosa (Rosa)",
               reason="blade")
    made.event("logout", 1000, "Lathe: Ada logged out after 16 min (locked out)", LATHE, ADA,
               reason="lockout", session_s=1000)
    return made


def texts(result):
    assert result.err == "", result
    return [line[21:] for line in result.out.splitlines()]


def test_the_last_day_in_order_without_a_broker(audit):
    result = audit.log()
    assert result.code == 0
    assert "\033" not in result.out
    assert texts(result) == ["Lathe: Bob is not authorized", "Lathe: Ada logged in",
                             "Lathe: locked out by Rosa: blade",
                             "Lathe: Ada logged out after 16 min (locked out)"]
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(audit.now - 3000))
    assert result.out.startswith(stamp + "  ")


def test_months_are_read_one_after_the_other(audit):
    lines = texts(audit.log("--since", "60d"))
    assert len(lines) == 6
    assert lines[0] == "Table Saw: Ada logged in"


def test_until_cuts_the_end_off(audit):
    assert texts(audit.log("--until", "40min")) == ["Lathe: Bob is not authorized"]


def test_one_machine_by_name_or_alias_in_any_case(audit):
    for name in ("table-saw", "TABLE SAW"):
        assert len(texts(audit.log("--since", "60d", "--machine", name))) == 2


def test_one_person_by_name_account_or_as_who_asked(audit):
    assert texts(audit.log("--user", "bob")) == ["Lathe: Bob is not authorized"]
    assert len(texts(audit.log("--user", "17"))) == 2
    for rosa in ("Rosa", "op.rosa"):
        assert texts(audit.log("--user", rosa)) == ["Lathe: locked out by Rosa: blade"]
    assert audit.log("--user", "ros").out == ""


def test_sessions_say_who_from_when_how_long_and_how_it_ended(audit):
    audit.event("override_login", 500, "", SAW, ADA)
    lines = texts(audit.log("--sessions", "--since", "60d"))
    assert lines == ["1 min          Table Saw  Ada  card out",
                     "               Lathe  Bob  REFUSED: not authorized",
                     "16 min         Lathe  Ada  locked out",
                     "               Table Saw  Ada (OVERRIDE)  (still open)"]


def test_an_open_session_is_told_from_one_whose_end_was_never_heard(audit):
    audit.event("login", 500, "", LATHE, ADA)
    audit.event("login", 400, "", LATHE, BOB)
    assert texts(audit.log("--sessions", "--since", "10min")) == [
        "               Lathe  Ada  (no end of it was heard)",
        "               Lathe  Bob  (still open)"]
    assert texts(audit.log("--sessions", "--since", "10min", "--until", "7min")) == [
        "               Lathe  Ada  (open at that time)"]


def add_late(audit):
    """What a leader that was cut off told of the denied Bob and of Ada's session, much later."""
    for event_type, ago_s, text, who, more in (
            ("logout", 1001, "Lathe: Ada logged out after 16 min (card out)", ADA,
             {"reason": "card_removed", "session_s": 999}),
            ("denied", 2500, "Lathe: Bob is not authorized", BOB, {}),
            ("login", 90000, "Lathe: Ada logged in", ADA, {})):
        audit.add("event", 10, late=True, event_type=event_type, text=text, at=audit.now - ago_s,
                  **LATHE, **who, **more)
    audit.event("unlock", 5, "Lathe: unlocked by Rosa", LATHE)


def test_what_was_heard_late_stands_at_its_time_and_says_so(audit):
    add_late(audit)
    assert texts(audit.log()) == [
        "Lathe: Bob is not authorized", "Lathe: Bob is not authorized (heard late)",
        "Lathe: Ada logged in", "Lathe: Ada logged out after 16 min (card out) (heard late)",
        "Lathe: locked out by Rosa: blade", "Lathe: Ada logged out after 16 min (locked out)",
        "Lathe: unlocked by Rosa"]
    lines = [json.loads(line) for line in audit.log("--json").out.splitlines()]
    assert [line["line"] for line in lines] == [3, 8, 4, 7, 5, 6, 10]
    assert [line["late"] for line in lines if "late" in line] == [True, True]
    assert texts(audit.log("--since", "26h", "--until", "24h")) == [
        "Lathe: Ada logged in (heard late)"]
    assert texts(audit.log("--until", "41min")) == [
        "Lathe: Bob is not authorized", "Lathe: Bob is not authorized (heard late)"]
    assert len(texts(audit.log("--user", "bob"))) == 2


def test_a_session_that_two_leaders_told_is_one(audit):
    add_late(audit)
    assert texts(audit.log("--sessions")) == [
        "               Lathe  Bob  REFUSED: not authorized",
        "               Lathe  Bob  REFUSED: not authorized",
        "16 min         Lathe  Ada  card out"]


def test_a_file_that_may_not_be_read_is_an_error(audit):
    path = os.path.join(audit.folder, month(audit.now - 40 * 86400))
    os.rename(path, path + ".away")
    os.symlink("events-nowhere", path)
    result = audit.log("--since", "60d")
    assert result.code == 1
    assert len(result.out.splitlines()) == 4
    assert re.search(r"1 file cannot be read, so what is in it is missing: events-[\d-]+\.jsonl: No "
                     "such file or directory\n", result.err)


def test_json_is_the_lines_themselves_and_sessions_as_objects(audit):
    lines = [json.loads(line) for line in audit.log("--json").out.splitlines()]
    assert [line["line"] for line in lines] == [3, 4, 5, 6]
    first, second = [json.loads(line)
                     for line in audit.log("--json", "--sessions").out.splitlines()]
    assert (first["kind"], first["user"], first["reason"]) == ("refused", "Bob", "denied")
    assert (second["kind"], second["session_s"], second["reason"]) == ("session", 1000, "lockout")


def test_gaps_alerts_and_torn_lines_are_told(audit):
    audit.add("gap", 900, machine="lathe", after=3, before=6, missing=2)
    audit.add("alert", 800, alert="fleet_save_timeouts", text="Fleet: storage hangs")
    audit.add("torn", 700, bytes=12, text="{\"kind")
    audit.add("dropped", 600, lines=44)
    audit.add("save_timeout", 500, machine="lathe", count=2)
    assert texts(audit.log("--since", "16min")) == [
        "lathe: events that were never heard: 2", "ALERT: Fleet: storage hangs",
        "a line was cut off by a crash",
        "lines that are missing, since the audit's disk took nothing for too long: 44"]


def test_what_cannot_be_read_is_counted_named_and_left_out(audit):
    audit.write("rubbish\n", audit.now)
    audit.write("x" * 70000 + "\n", audit.now)
    audit.event("login", 0, "Lathe: Ada logged in again", LATHE, ADA)
    result = audit.log()
    assert result.code == 0
    assert result.out.endswith("Lathe: Ada logged in again\n")
    assert "2 lines cannot be read and are left out; the first: events-" in result.err
    assert ": not JSON" in result.err


def test_a_line_that_is_being_written_is_left_out_without_a_word(audit):
    audit.write('{"line": 9, "kind": "ev', audit.now)
    assert len(texts(audit.log())) == 4


def test_nothing_in_an_event_reaches_the_terminal_raw(audit):
    audit.event("login", 0, "\033[2J\u202egone", LATHE)
    assert texts(audit.log())[-1] == "\\x1b[2J\\u202egone"


def test_a_folder_that_is_not_there_says_where_it_would_be(audit):
    os.rename(audit.folder, audit.folder + "-away")
    result = bare("-c", audit.folder + "-away/tagout.ini", "log")
    assert result.code == 1
    assert f"tagoutctl: the audit's folder {audit.folder}: No such file or directory" in result.err
    assert "[audit] directory says where" in result.err


def test_times_that_are_none_are_usage_errors(audit):
    assert audit.log("--since", "soon").code == 2
    result = audit.log("--since", "today", "--until", "2d")
    assert (result.code, result.err) == (2, "tagoutctl: log: --until lies before --since\n")
    result = audit.log("--since", "1min")
    assert (result.code, result.out, result.err) == (0, "", "Nothing is known of that time.\n")


def test_a_filter_that_finds_nothing_says_what_it_looked_for(audit):
    result = audit.log("--since", "1min", "--machine", "lathe-9", "--user", "Nobody")
    assert (result.code, result.err) == (
        0, 'Nothing is known of that time, of a machine called "lathe-9", of anybody called '
           '"Nobody".\n')
    result = audit.log("--machine", "lathe-9")
    assert (result.code, result.err) == (
        0, 'Nothing is known of the last 24h, of a machine called "lathe-9"; --since 7d looks '
           "further back.\n")


def test_what_the_watcher_itself_wrote_over_a_kill_and_a_torn_line(start_watcher, client):
    watcher, voice = start_watcher(), Voice(client)
    voice.event("login", "saw", text="Saw: Ada logged in", **ADA)
    wait_until(lambda: watcher.audit_lines("event"), "the login is in the audit")
    assert texts(bare("-c", watcher.ini, "log", "--sessions")) == [
        "               Saw  Ada  (still open)"]
    watcher.kill()
    path, = glob.glob(os.path.join(watcher.audit, "events-*.jsonl"))
    with open(path, "a", encoding="utf-8") as file:
        file.write('{"line": 2, "kind": "ev')
    voice.event("logout", "saw", text="Saw: Ada logged out", reason="card_removed", session_s=7,
                **ADA)
    watcher.start()
    wait_until(lambda: len(watcher.audit_lines("event")) == 2, "the logout is in the audit")
    assert texts(bare("-c", watcher.ini, "log")) == [
        "Saw: Ada logged in", "a line was cut off by a crash", "Saw: Ada logged out"]
    assert texts(bare("-c", watcher.ini, "log", "--sessions", "--user", "ada")) == [
        "7 s            Saw  Ada  card out"]
