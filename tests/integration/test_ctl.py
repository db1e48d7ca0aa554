"""tagoutctl against a real broker, Redis and controller: every verb and every refusal."""
import os
import re
import signal
import subprocess
import time

import pytest

from ctl_shop import (ADA, CTL, MACHINES, ROSA, UNKNOWN, USERS, bare, shop, terminal,  # noqa: F401
                      user)
from harness import TIMEOUT_S, Machine, wait_until

REMINDER = "This keeps members out. Before you reach in: isolate, padlock, try.\n"


# ---- the command line ----


def test_help_and_version_need_no_broker():
    assert bare("--help").code == 0
    assert "lockout    no member's card opens it" in bare("--help").out
    assert bare("lockout", "--help").out.startswith("Usage: tagoutctl lockout MACHINE")
    assert re.fullmatch(r"tagoutctl \d+\.\d+\.\d+\n", bare("--version").out)


def test_every_verb_explains_itself():
    verbs = re.findall(r"^  ([a-z-]+) +\S", bare("--help").out, re.MULTILINE)
    assert len(verbs) == 22
    for verb in verbs:
        text = bare(verb, "--help").out
        assert text.startswith(f"Usage: tagoutctl {verb}"), text
        assert max(len(line) for line in text.splitlines()) <= 90


def test_a_misspelt_verb_suggests_the_nearest():
    result = bare("lokout", "table-saw")
    assert result.code == 2
    assert 'there is no verb "lokout"; did you mean lockout?' in result.err


def test_an_error_in_the_configuration_is_exit_2(scratch):
    path = os.path.join(scratch, "bad.ini")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[mqtt]\nurll = x\n")
    result = bare("-c", path, "status")
    assert result.code == 2
    assert f"tagoutctl: {path}:2: [mqtt] urll: unknown key; did you mean url?" in result.err


def test_an_account_that_fits_no_topic_is_exit_2():
    result = bare("--account", "a/b", "status")
    assert (result.code, result.err) == (
        2, 'tagoutctl: the account "a/b" cannot be part of a topic\n')


# ---- status ----


def test_status_in_a_pipe_is_plain_and_says_that_all_is_well(shop):
    for name in MACHINES:
        shop.box(name)
    shop.card_in("table-saw", ADA)
    result = shop.run("status")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "3 machines, 2 running; all is well."
    assert "\033" not in result.out
    assert re.fullmatch(r"lathe +idle +off", lines[3])
    assert re.fullmatch(r"printer +always on +on", lines[4])
    assert re.fullmatch(r"table-saw +in use by Ada since \d\d:\d\d \(\d+ s\) +on", lines[5])


def test_status_tells_an_unconfirmed_relay_from_a_confirmed_one(shop):
    shop.box("table-saw").obeys = False
    shop.box("table-saw").send(card=ADA)
    shop.wait_state("table-saw", lambda s: s["relay"])
    assert re.search(r"table-saw +in use by Ada .* on\?\n", shop.run("status").out)


def test_status_of_one_machine_by_its_alias_in_any_case(shop):
    shop.box("table-saw")
    result = shop.run("status", "TABLE saw")
    assert result.code == 0
    assert result.out.startswith("table-saw (Table Saw)\n  state      idle\n  relay      off\n")


def test_status_json_is_the_answers_data(shop):
    shop.box("lathe")
    assert {m["machine"] for m in shop.run("--json", "status").json["machines"]} == set(MACHINES)
    assert shop.run("status", "lathe", "--json").json["confirmed"] == "off"


def test_status_of_an_unknown_machine_is_refused(shop):
    result = shop.run("status", "band-saw")
    assert (result.code, result.err) == (1, 'tagoutctl: no machine is called "band-saw"\n')


def test_status_on_lists_what_runs_and_exits_1(shop):
    shop.box("table-saw")
    shop.box("printer")
    result = shop.run("status", "--on")
    assert (result.code, result.out) == (
        1, "printer: always on; relay on\n"
        "lathe: idle; relay off?, not confirmed: not heard yet\n")
    assert "1 machine is commanded off and not confirmed off: treat it as live\n" in result.err
    listed = shop.run("status", "--on", "--json").json
    assert {key: [m["machine"] for m in value] for key, value in listed.items()} == {
        "machines": ["printer"], "unconfirmed": ["lathe"]}


def test_status_on_exits_3_when_nothing_is_known_to_be_on_but_not_all_is_confirmed_off(shop):
    shop.controller.write(machines={k: v for k, v in MACHINES.items() if k != "printer"})
    assert shop.run("reload").code == 0
    shop.box("table-saw")
    result = shop.run("status", "--on")
    assert result.code == 3
    assert result.out == ("lathe: idle; relay off?, not confirmed: not heard yet\n"
                          "Nothing is known to be on.\n")
    assert "treat it as live" in result.err
    assert shop.run("status", "--on", "--json").code == 3
    shop.box("lathe")
    assert shop.run("status", "--on").code == 0


def test_status_on_counts_a_relay_that_is_on_against_its_command(shop):
    for name in ("table-saw", "lathe"):
        shop.box(name)
    shop.boxes["lathe"].tell(relay_state=True)
    shop.wait_state("lathe", lambda s: s["confirmed"] == "on")
    result = shop.run("status", "--on")
    assert result.code == 1
    assert "lathe: idle; relay off, BUT IS ON\n" in result.out
    assert "1 machine needs attention: lathe." in shop.run("status").out


def test_status_on_counts_what_is_commanded_on_and_not_confirmed(shop):
    shop.box("table-saw").obeys = False
    shop.box("table-saw").send(card=ADA)
    shop.wait_state("table-saw", lambda s: s["relay"])
    assert re.search(r"^table-saw: in use by Ada .*; relay on\?$", shop.run("status", "--on").out,
                     re.MULTILINE)


def test_status_on_exits_0_when_nothing_runs(shop):
    shop.controller.write(machines={k: v for k, v in MACHINES.items() if k != "printer"})
    assert shop.run("reload").code == 0
    shop.box("table-saw")
    shop.box("lathe")
    result = shop.run("status", "--on")
    assert (result.code, result.out, result.err) == (0, "Nothing is on.\n", "")


def test_status_strangers_lists_names_that_are_not_configured(shop):
    assert shop.run("status", "--strangers").out == (
        "No machine was heard that is not configured.\n")
    stranger = Machine(shop.client, "band-saw")
    stranger.send()
    stranger.send()
    wait_until(lambda: "band-saw: 2 messages" in shop.run("status", "--strangers").out, "heard")
    assert shop.run("status", "--strangers", "--json").json["strangers"][0]["machine"] == "band-saw"


def test_status_begins_with_redis_out_of_reach(shop, redis):
    redis.stop()
    wait_until(lambda: shop.run("status").out.startswith(
        "Redis is out of reach of controller one: cards work as before"), "it says so")


def test_control_characters_in_names_and_reasons_reach_no_terminal(shop):
    shop.controller.write(users=[user("Ada\u202eevil", "17", ADA)] + USERS[1:])
    assert shop.run("reload").code == 0
    shop.card_in("table-saw", ADA)
    out = shop.run("status").out
    assert "\u202e" not in out
    assert "in use by Ada\\u202eevil since" in out


def test_status_on_a_terminal_is_coloured_and_no_wider_than_it(shop, terminal):
    shop.box("table-saw")
    shop.run("lockout", "table-saw", "--reason", "the blade is cracked and has to be replaced")
    result = terminal("status", size=(24, 50))
    assert result.wait() == 0
    result.wait_for("LOCKED OUT")
    assert "\033[33m" in result.text
    plain = re.sub(r"\033\[[0-9;]*m", "", result.text).replace("\r\n", "\n")
    assert max(len(line) for line in plain.splitlines()) <= 50
    assert re.sub(r"\s+", " ", plain).count("replaced") == 1, plain


def test_NO_COLOR_is_heeded(shop, terminal):
    shop.box("printer")
    result = terminal("status", environment={"NO_COLOR": "1"})
    assert result.wait() == 0
    result.wait_for("printer")
    assert "\033" not in result.text


# ---- oops, lockout ----


def test_a_lockout_that_is_confirmed_is_exit_0_and_ends_with_the_reminder(shop):
    shop.box("table-saw")
    result = shop.run("lockout", "table saw", "--reason", "blade")
    assert (result.code, result.err) == (0, "")
    assert result.out == "table-saw is locked out; its relay is confirmed off.\n" + REMINDER
    state = shop.wait_state("table-saw", lambda s: s["lockout"])
    assert (state["lockout_by"], state["lockout_reason"]) == ("local (ada)", "blade")
    again = shop.run("lockout", "table-saw")
    assert again.out.startswith("table-saw was already locked out; its relay is confirmed off.\n")
    assert shop.run("status").out.startswith("3 machines, 0 running, 1 out of use, 2 not heard.\n")


def test_an_oops_that_is_confirmed_is_exit_0(shop):
    shop.box("table-saw")
    result = shop.run("oops", "table-saw")
    assert result.code == 0
    assert result.out.startswith("table-saw is oopsed; its relay is confirmed off.\n")
    assert "isolate, padlock, try" in result.out


def test_a_lockout_that_is_not_confirmed_is_exit_3_and_says_treat_it_as_live(shop):
    shop.box("table-saw").obeys = False
    shop.box("table-saw").send(card=ADA)
    shop.wait_state("table-saw", lambda s: s["relay"])
    result = shop.run("lockout", "table-saw", "--now", "--wait", "0.5")
    assert result.code == 3
    assert result.err.startswith(
        "LOCKED OUT, BUT table-saw HAS NOT CONFIRMED OFF: treat it as live\n")
    assert result.out == REMINDER
    assert shop.wait_state("table-saw", lambda s: s["lockout"])
    oops = shop.run("oops", "table-saw", "--now", "--wait", "0.5")
    assert oops.code == 3
    assert oops.err.startswith("OOPSED, BUT table-saw HAS NOT CONFIRMED OFF: treat it as live\n")


def test_a_confirmation_from_before_the_lockout_counts_for_nothing(shop):
    """The machine stood idle and said so; then its link was cut."""
    box = shop.box("table-saw")
    box.obeys = False
    result = shop.run("lockout", "table-saw", "--wait", "0.5")
    assert result.code == 3
    assert "HAS NOT CONFIRMED OFF" in result.err
    assert "table-saw has not told what its relay does since then" in result.err
    assert shop.run("status", "table-saw", "--json").json["confirmed"] == "unknown"
    box.obeys = True
    again = shop.run("lockout", "table-saw")
    assert again.code == 0
    assert again.out.startswith("table-saw was already locked out; its relay is confirmed off.\n")


def test_a_lockout_whose_relay_stays_on_says_so(shop):
    shop.box("table-saw").obeys = False
    shop.box("table-saw").send(card=ADA)
    shop.wait_state("table-saw", lambda s: s["relay"])
    running = subprocess.Popen(
        [CTL, "-c", shop.ini, "lockout", "table-saw", "--now", "--wait", "6"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=shop.environment)
    shop.wait_state("table-saw", lambda s: s["lockout"])
    shop.box("table-saw").tell(relay_state=True)
    _, err = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 3
    assert b"table-saw says that its relay is ON\n" in err


def test_a_lockout_waits_for_the_confirmation(shop):
    box = shop.box("table-saw")
    box.obeys = False
    running = subprocess.Popen(
        [CTL, "-c", shop.ini, "lockout", "table-saw"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=shop.environment)
    shop.wait_state("table-saw", lambda s: s["lockout"])
    time.sleep(0.3)
    assert running.poll() is None
    box.obeys = True
    out, err = running.communicate(timeout=TIMEOUT_S)
    assert (running.returncode, err) == (0, b"")
    assert out.startswith(b"table-saw is locked out; its relay is confirmed off.\n")


def test_a_machine_in_use_is_not_cut_off_by_a_script_without_now(shop):
    shop.card_in("table-saw", ADA)
    for verb in ("lockout", "oops"):
        result = shop.run(verb, "table-saw")
        assert (result.code, result.out) == (1, "")
        assert "table-saw: in use by Ada since" in result.err
        assert "if that is meant, say --now" in result.err
    state = shop.wait_state("table-saw", lambda s: s["relay"])
    assert not state["lockout"] and not state["oops"]
    assert shop.run("lockout", "table-saw", "--now").code == 0


def test_on_a_terminal_a_machine_in_use_is_asked_about(shop, terminal):
    shop.card_in("table-saw", ADA)
    no = terminal("lockout", "table-saw")
    no.wait_for(r"table-saw: in use by Ada since .*Do it\? \[y/N\] $")
    no.send("n\n")
    assert no.wait() == 1
    no.wait_for("nothing was changed")
    assert shop.wait_state("table-saw", lambda s: s["relay"])
    ended = terminal("lockout", "table-saw")
    ended.wait_for(r"\[y/N\] $")
    ended.send("\x04")
    assert ended.wait() == 1
    yes = terminal("lockout", "table-saw")
    yes.wait_for(r"\[y/N\] $")
    yes.send("y\n")
    assert yes.wait() == 0
    yes.wait_for("table-saw is locked out; its relay is confirmed off")


def test_Ctrl_C_at_the_question_changes_nothing(shop, terminal):
    shop.card_in("table-saw", ADA)
    asked = terminal("oops", "table-saw")
    asked.wait_for(r"\[y/N\] $")
    asked.send("\x03")
    assert asked.wait() == -signal.SIGINT
    assert shop.wait_state("table-saw", lambda s: s["relay"] and not s["oops"])


def test_what_is_not_saved_is_live_but_not_safe(shop, redis):
    shop.box("table-saw")
    redis.stop()
    result = shop.run("lockout", "table-saw")
    assert result.code == 0
    assert "This is live now, but not yet safe against a power cut" in result.out
    assert result.out.endswith(REMINDER)
    assert shop.run("--json", "oops", "table-saw").json == {
        "machine": "table-saw", "changed": True, "persisted": False, "confirmed": "off"}


# ---- clear, end ----


def test_clear_with_both_flags_changes_nothing_and_says_who_set_what(shop):
    shop.box("table-saw")
    shop.run("oops", "table-saw", "--by", "Rosa")
    shop.run("lockout", "table-saw", "--reason", "blade")
    result = shop.run("clear", "table-saw")
    assert (result.code, result.out) == (1, "")
    assert "both are set on table-saw; nothing was changed" in result.err
    assert re.search(r"--oops +clears +OOPS by Rosa since \d\d:\d\d", result.err)
    assert re.search(r"--lockout +lifts +LOCKED OUT by ada since .*: blade\n", result.err)
    assert "--both" in result.err
    assert shop.wait_state("table-saw", lambda s: s["oops"] and s["lockout"])

    result = shop.run("clear", "table-saw", "--oops")
    assert result.code == 0
    assert result.out.startswith("table-saw: Oops cleared.\nIt is still out of use: LOCKED OUT by")
    assert shop.wait_state("table-saw", lambda s: not s["oops"] and s["lockout"])
    assert shop.run("clear", "table-saw").out == "table-saw: lockout lifted.\n"
    assert shop.run("clear", "table-saw").out == (
        "table-saw is neither oopsed nor locked out: nothing to clear.\n")


def test_clear_both_clears_both(shop):
    shop.box("table-saw")
    shop.run("oops", "table-saw")
    shop.run("lockout", "table-saw")
    assert shop.run("clear", "table-saw", "--both").out == (
        "table-saw: Oops cleared, lockout lifted.\n")
    assert shop.wait_state("table-saw", lambda s: not s["oops"] and not s["lockout"])
    for verb, done in (("oops", "Oops cleared"), ("lockout", "lockout lifted")):
        shop.run(verb, "table-saw")
        assert shop.run("clear", "table-saw", "--both").out == f"table-saw: {done}.\n"


def test_clear_under_an_override_asks_first(shop):
    shop.box("table-saw")
    shop.run("lockout", "table-saw")
    shop.card_in("table-saw", ROSA)
    assert re.search(r"OVERRIDE by Rosa since .*, though LOCKED OUT by ada", shop.run("status").out)
    result = shop.run("clear", "table-saw")
    assert result.code == 1
    assert "say --now" in result.err
    assert shop.run("clear", "table-saw", "--now").code == 0


def test_end_ends_the_session(shop):
    shop.card_in("table-saw", ADA)
    assert shop.run("end", "table-saw").out.startswith("table-saw: the session has ended; its relay")
    assert shop.wait_state("table-saw", lambda s: not s["relay"])
    assert shop.run("end", "table-saw").out == "table-saw: no session was open.\n"


# ---- block, card, restart, forget, reload ----


def test_block_refuses_a_card_at_once(shop):
    shop.card_in("table-saw", ADA)
    result = shop.run("block", "--fob", ADA.lstrip("0"))
    assert (result.code, result.out) == (0, "1 card blocked; 1 session ended.\n")
    assert shop.wait_state("table-saw", lambda s: not s["relay"])
    assert shop.run("block", "--account-id", "17").out == "Nothing changed: blocked already.\n"
    assert shop.run("unblock", "--account-id", "17").out == "1 card unblocked.\n"
    assert shop.run("block", "--fob", ROSA).out == "1 card blocked.\n"  # nobody's session
    assert shop.run("block", "--fob", UNKNOWN).code == 1
    nothing = shop.run("block")
    assert (nothing.code, nothing.err.splitlines()[-1]) == (
        2, "tagoutctl: try 'tagoutctl block --help'")


def test_card_prints_the_number_alone_on_standard_output(shop):
    shop.box("table-saw")
    assert "no card is in" in shop.run("card", "table-saw").err
    shop.boxes["table-saw"].tell(card=UNKNOWN.lstrip("0"))
    shop.wait_state("table-saw", lambda s: s["mode"] == "unknown_fob")
    result = shop.run("card", "table-saw")
    assert (result.code, result.out) == (0, UNKNOWN + "\n")
    shop.boxes["table-saw"].tell(card="")
    shop.wait_state("table-saw", lambda s: s["mode"] == "idle")
    result = shop.run("card", "table-saw")
    assert (result.code, result.out) == (0, UNKNOWN + "\n")
    assert "last unknown card" in result.err


@pytest.mark.parametrize("link, health, words", [
    ("offline", "offline", "It has signed off since then: the card may be out."),
    ("lost", "suspect", "It does not answer now: the card may be out."),
])
def test_of_a_box_that_is_not_heard_any_more_card_says_when_it_was(shop, link, health, words):
    shop.box("table-saw")
    shop.boxes["table-saw"].tell(card=UNKNOWN.lstrip("0"))
    shop.wait_state("table-saw", lambda s: s["mode"] == "unknown_fob" and s["confirmed"] == "off")
    assert shop.run("card", "table-saw").err == "The card that is in now.\n"
    shop.boxes["table-saw"].end()
    shop.client.publish("tagout/machine/table-saw/link", link, qos=1, retain=True)
    shop.wait_state("table-saw", lambda s: s["health"] == health)
    result = shop.run("card", "table-saw")
    assert (result.code, result.out) == (0, UNKNOWN + "\n")
    assert re.fullmatch(r"The card that was in when the box was last heard, at \d\d:\d\d \(\d+ s "
                        rf"ago\)\. {re.escape(words)}\n", result.err)


def test_restart_is_refused_in_use_queued_or_forced(shop):
    shop.client.subscribe("tagout/machine/table-saw/restart")
    shop.box("table-saw")
    assert shop.run("restart", "table-saw").out == "table-saw was told to restart.\n"
    shop.card_in("table-saw", ADA)
    refused = shop.run("restart", "table-saw")
    assert refused.code == 1
    assert "in use by Ada" in refused.err
    assert "next, if that is meant: --force, or --when-idle" in refused.err
    queued = shop.run("restart", "table-saw", "--when-idle")
    assert queued.code == 0
    assert "restarts by itself when nobody uses it" in queued.out
    since = shop.client.position()
    assert shop.run("restart", "table-saw", "--force").code == 0
    assert shop.client.wait_for("tagout/machine/table-saw/restart", since=since).json["force"]


def test_a_queued_restart_can_be_waited_for(shop):
    shop.card_in("table-saw", ADA)
    running = subprocess.Popen(
        [CTL, "-c", shop.ini, "restart", "table-saw", "--when-idle", "--wait", "20"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=shop.environment)
    assert b"restarts by itself" in running.stdout.readline()
    shop.boxes["table-saw"].tell(card="")
    out, err = running.communicate(timeout=TIMEOUT_S)
    assert (running.returncode, out, err) == (0, b"table-saw was told to restart.\n", b"")


def test_a_queued_restart_that_is_not_done_in_time_is_exit_3(shop):
    shop.card_in("table-saw", ADA)
    result = shop.run("restart", "table-saw", "--when-idle", "--wait", "0.2")
    assert result.code == 3
    assert "still waiting" in result.err


def test_forget_is_for_machines_that_are_not_configured(shop):
    result = shop.run("forget", "lathe")
    assert result.code == 1
    assert "configured" in result.err
    shop.controller.write(machines={k: v for k, v in MACHINES.items() if k != "lathe"})
    assert shop.run("reload").out == "Users: nothing changed.\nMachines: 1 removed.\n"
    assert shop.run("forget", "lathe").out == "lathe is forgotten.\n"
    result = shop.run("forget", "late")
    assert result.code == 1
    assert "late was never heard of" in result.err


def test_reload_counts_in_words_and_warns_of_what_will_start(shop):
    shop.controller.write(
        machines=dict(MACHINES, lathe={"authorizations_or": ["metal"], "always_enabled": True}),
        users=USERS + [user("Tom", "19", "0000000019")])
    result = shop.run("reload")
    assert result.code == 0
    assert result.out == "Users: 1 added.\nMachines: 1 updated.\n"
    assert "THESE WILL START by themselves, without a card: lathe" in result.err


def test_a_reload_that_is_refused_says_why_and_can_be_forced(shop):
    shop.controller.write(users="[]")
    result = shop.run("reload")
    assert result.code == 1
    assert "it would remove 2 of 2 users and 0 of 3 machines;" in result.err
    assert result.err.endswith("next, if that is meant: --force\n")
    assert shop.run("reload", "--force").out.startswith("Users: 2 removed.\n")
    shop.controller.write(users="[")
    assert "users.json" in shop.run("reload").err


def test_from_a_fob_in_the_hand_to_a_member_who_can_log_in(shop):
    """The README's recipe."""
    box = shop.box("table-saw")
    box.tell(card=UNKNOWN.lstrip("0"))
    shop.wait_state("table-saw", lambda s: s["display"] == "Unknown RFID")
    box.tell(card="")
    shop.wait_state("table-saw", lambda s: s["mode"] == "idle")
    number = shop.run("card", "table-saw").out.strip()
    shop.controller.write(users=USERS + [user("Mei", "20", number)])
    assert shop.run("reload").out == "Users: 1 added.\nMachines: nothing changed.\n"
    box.tell(card=UNKNOWN.lstrip("0"))
    shop.wait_state("table-saw", lambda s: s["relay"])
    assert "in use by Mei" in shop.run("status", "table-saw").out
    assert shop.run("block", "--fob", number).code == 0
    assert shop.wait_state("table-saw", lambda s: not s["relay"])
