"""`tagoutctl why` against a real broker, Redis and controller."""
import re

import pytest

from ctl_shop import ADA, MACHINES, ROSA, UNKNOWN, USERS, Shop, bare, shop  # noqa: F401

SINCE = r"(since|at) \d\d:\d\d \(\d+ s( ago)?\)"


def lines(result):
    assert (result.code, result.err) == (0, ""), result
    return result.out.splitlines()


def past(result):
    """The sentences below "Of late:", without their time."""
    below = lines(result)
    return [line[23:] for line in below[below.index("Of late:") + 1:]]


def test_a_lockout_from_the_first_sentence_to_the_step_that_lifts_it(shop):
    shop.box("table-saw")
    shop.card_in("table-saw", ADA)
    assert shop.run("lockout", "table-saw", "--now", "--reason", "blade is cracked").code == 0
    said = lines(shop.run("why", "TABLE saw"))
    assert re.fullmatch(
        rf'Table Saw is off: locked out by ada {SINCE}, because "blade is cracked"\.', said[0])
    assert said[1].endswith(f": tagoutctl -c {shop.ini} clear table-saw")
    assert said[2].strip() == "The card that is in must come out first."
    assert said[3].strip() == 'The card of a member with "wood" opens it.'
    assert re.fullmatch(r"  rule      C4 from outside, at \d\d:\d\d", said[4])
    assert said[5] == "  trouble   none"
    assert [re.sub(r" after \d+ s", "", line) for line in past(shop.run("why", "table-saw"))] == [
        "Ada logged in  (C4.5.4 welcome)",
        "locked out by local (ada)  (C4 from outside)",
        "Ada logged out (locked out)  (C4 from outside)"]
    assert "\033" not in shop.run("why", "table-saw").out


def test_who_uses_it_and_by_which_right(shop):
    shop.box("table-saw")
    shop.card_in("table-saw", ADA)
    said = lines(shop.run("why", "table-saw"))
    assert re.fullmatch(rf"Table Saw is ON: Ada's card is in {SINCE}\.", said[0])
    assert said[1].endswith(f"or by tagoutctl -c {shop.ini} end table-saw")
    assert lines(shop.run("why", "printer"))[0].endswith(
        "it is always enabled, and goes on by itself at its box's next report.")
    shop.box("printer")
    assert lines(shop.run("why", "printer"))[0] == (
        "printer is ON: it is always enabled, with or without a card.")


def test_a_card_that_opens_nothing(shop):
    shop.box("lathe")
    shop.card_in("lathe", ADA)
    said = lines(shop.run("why", "lathe"))
    assert said[0] == "lathe is off: Ada's card is in, and lacks the authorization."
    assert '"metal" among the authorizations in users.json' in said[1]
    shop.boxes["lathe"].tell(card="")
    shop.boxes["lathe"].tell(card=UNKNOWN)
    shop.wait_state("lathe", lambda s: s["mode"] == "unknown_fob" and s["confirmed"] == "off")
    result = shop.run("why", "lathe")
    assert lines(result)[0] == "lathe is off: the card that is in is unknown."
    assert UNKNOWN not in result.out
    assert not re.search(rf"(?<![:\d]){UNKNOWN.lstrip('0')}\b", result.out)
    assert shop.run("block", "--fob", ROSA).code == 0
    shop.boxes["lathe"].tell(card="")
    shop.boxes["lathe"].tell(card=ROSA)
    shop.wait_state("lathe", lambda s: s["mode"] == "unknown_fob" and s["confirmed"] == "off")
    said = lines(shop.run("why", "lathe"))
    assert said[0] == "lathe is off: Rosa's card is in, and is blocked."
    assert said[1].endswith(f": tagoutctl -c {shop.ini} unblock --account-id 18")


def test_json_is_the_answer_and_holds_no_card_number(shop):
    shop.box("table-saw")
    shop.card_in("table-saw", ADA)
    result = shop.run("why", "table-saw", "--json")
    assert result.json["rule"] == "C4.5.4 welcome"
    assert result.json["card"]["user"] == "Ada"
    assert result.json["history"][-1]["event_type"] == "login"
    assert ADA not in result.out and ADA.lstrip("0") not in result.out


def test_a_name_that_nobody_has_is_exit_1_and_none_is_exit_2(shop):
    result = shop.run("why", "band-saw")
    assert (result.code, result.out) == (1, "")
    assert result.err == 'tagoutctl: no machine is called "band-saw"\n'
    assert bare("why").code == 2


@pytest.mark.parametrize("machine", ["table-saw", "Table Saw"])
def test_while_the_controller_is_away_the_old_state_explains_what_it_can(shop, machine):
    shop.box("table-saw")
    shop.run("lockout", "table-saw", "--reason", "blade is cracked")
    shop.controller.kill()
    result = shop.run("why", machine)
    assert result.code == 1
    assert "the controller does not answer" in result.err
    assert "What follows is OLD" in result.err
    assert 'because "blade is cracked".' in result.out
    assert f"tagoutctl -c {shop.ini} clear table-saw\n" in result.out
    assert "rule" not in result.out


def test_a_young_box_that_lost_its_link_has_not_restarted(shop):
    """C11.2: within a minute of its boot that is no alarm yet, and no restart either."""
    box = shop.box("table-saw")
    box.end()
    box.reboot()
    box.tell()
    shop.client.publish("tagout/machine/table-saw/link", "lost", qos=1, retain=True)
    shop.wait_state("table-saw", lambda s: s["health"] == "settling")
    said = lines(shop.run("why", "table-saw"))
    assert any(line.startswith("  trouble   Its box has lost its link; last heard at ")
               for line in said), said
    assert not any("restarting" in line for line in said), said
    assert "  notes      link lost\n" in shop.run("status", "table-saw").out


def test_a_box_that_died_and_a_restart_that_was_refused(start_controller, client, broker):
    controller = start_controller(MACHINES, USERS, settings={"liveness": {
        "recent_report_s": 1, "settle_s": 1, "reprobe_delay_s": 0.1, "probe_timeout_s": 0.1}})
    shop = Shop(controller, client, broker)
    shop.box("table-saw").end()  # it answers no probe
    shop.wait_state("table-saw", lambda s: s["health"] == "error")
    assert shop.run("restart", "table-saw").code == 1
    result = shop.run("why", "table-saw")
    said = lines(result)
    assert said[1] == "  to change First its box must answer: check its power and Wi-Fi."
    assert any(line.startswith("  trouble   Its box DOES NOT ANSWER; last heard at ")
               and line.endswith("Treat it as live.") for line in said)
    told, refused = past(result)[-2:]
    assert told.startswith("Table Saw does not answer since ")
    assert refused == ("its box was not restarted: does not answer, asked by local (ada)  "
                       "(C6 restart)")
