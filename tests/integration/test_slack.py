"""tagout-watcher and Slack: who is told what, and Slack in all its moods."""
import os
import re
import time

import pytest

from fake_slack import (CloseBefore, CloseInBody, Endless, Garbage, Held, RateLimited, Refuse, Slow,
                        Status)
from harness import ADA, EVE, MACHINES, MAX, USERS, Machine, wait_until
from watcher import TOKEN, wait_alert, wait_service


# ---- Slack: who is told what ----


def test_control_activity_and_oops_each_hear_what_is_theirs(start_watcher, shop, slack):
    start_watcher()
    shop.event("login", text="Saw: Ada logged in")
    shop.event("oops", text="Saw: Oops pressed while Ada used it", user="Ada", source="button")
    shop.event("lockout", text="Saw: locked out by bob (Bob): blade & <belt>", by="bob")
    shop.event("unlock", text="Saw: unlocked by bob")
    shop.event("logout", text="Saw: Ada logged out after 2 min")
    shop.event("link_lost")
    shop.event("fault", fault="save_timeout")
    shop.event("fault", fault="relay_stuck_on", text="Saw: fault relay_stuck_on")
    slack.wait_for("relay_stuck_on")
    slack.wait_for("logged out")
    slack.wait_for("maintenance is over", channel="oops")
    assert slack.texts("activity") == ["Saw: Ada logged in", "Saw: Ada logged out after 2 min"]
    assert slack.texts("control") == [
        "Saw: Oops pressed while Ada used it\n"
        "Check it; when it is safe: tagoutctl clear saw --oops",
        "Saw: locked out by bob (Bob): blade &amp; &lt;belt&gt;",
        "Saw: unlocked by bob",
        "Saw: fault relay_stuck_on",
    ]
    assert slack.texts("oops") == [
        "Saw: Oops! Do not use it until it has been checked.",
        "Saw: down for maintenance.",
        "Saw: maintenance is over.",
    ]
    assert not any("Ada" in text or "bob" in text for text in slack.texts("oops"))
    for request in slack.requests():
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.path == "/api/chat.postMessage"


def test_what_the_controller_tells_is_worded_for_people(
        start_watcher, start_controller, client, slack):
    start_watcher()
    start_controller(MACHINES, USERS)
    saw = Machine(client, "saw")
    saw.report()
    saw.report(card=ADA)
    saw.report(card="")
    saw.report(card=EVE)
    client.request("lockout", {"machine": "saw", "value": True, "reason": "blade <is> cracked",
                               "by": "Zoë"})
    saw.report(card=MAX)
    client.request("lockout", {"machine": "saw", "value": False, "by": "Zoë"})
    slack.wait_for("unlocked", channel="control")
    slack.wait_for("unknown card", channel="activity")
    slack.wait_for("maintenance is over", channel="oops")
    assert slack.texts("control") == [
        "Table Saw: locked out by local (Zoë): blade &lt;is&gt; cracked",
        "Table Saw: Max runs it by OVERRIDE while it is out of use\n"
        "It is out of use for a reason: make sure they know it.",
        "Table Saw: unlocked by local (Zoë)",
    ]
    login, logout, unknown = slack.texts("activity")[:3]
    assert login == "Table Saw: Ada logged in"
    assert re.fullmatch(r"Table Saw: Ada logged out after \d+ s \(card out\)", logout)
    assert unknown == "Table Saw: unknown card"
    assert slack.texts("oops") == ["Table Saw: down for maintenance.",
                                   "Table Saw: maintenance is over."]


def test_activity_goes_to_control_where_it_has_no_channel(start_watcher, shop, slack):
    start_watcher({"slack": {"activity_channel": "", "oops_channel": ""}})
    shop.event("login")
    shop.event("oops")
    shop.event("logout")
    slack.wait_for("logout")
    assert [text.split("\n")[0] for text in slack.texts("control")] == [
        "Saw: login", "Saw: oops", "Saw: logout"]
    assert len(slack.requests()) == 3


def test_webhooks_work_in_place_of_a_bot(start_watcher, shop, client, slack):
    start_watcher({"slack": {"bot_token": "", "control_channel": "", "activity_channel": "",
                             "control_webhook": slack.webhook("control"),
                             "oops_webhook": slack.webhook("oops")}})
    shop.event("oops")
    slack.wait_for("Saw: oops", channel="/hook/control")
    slack.wait_for("Saw: Oops!", channel="/hook/oops")
    assert all("Authorization" not in r.headers for r in slack.requests())
    assert all("channel" not in r.json for r in slack.requests())
    assert client.request("test-alert")["data"] == {"slack": "delivered", "channel": None}


# ---- Slack in all its moods ----


@pytest.mark.parametrize("mood", [Status(500), Status(503), Status(404, body=b"no_service"),
                                  Status(302, {"Location": "http://127.0.0.1:9/"}), CloseBefore()])
def test_what_broke_before_a_status_of_2xx_is_sent_again(start_watcher, shop, client, slack, mood):
    start_watcher()
    slack.mood(mood, mood)
    shop.event("oops")
    shop.event("unoops")
    slack.wait_for("Saw: unoops", channel="control")
    assert [text.split("\n")[0] for text in slack.texts("control")] == ["Saw: oops", "Saw: unoops"]
    wait_service(client, "slack", "error")
    wait_until(lambda: client.messages("tagout/service/slack")[-1].json["status"] == "running",
               "it works again")


@pytest.mark.parametrize("mood", [Garbage(), Garbage(b""), Garbage(b"\x00\xff" * 5000),
                                  CloseInBody(), Endless()])
def test_what_got_a_status_of_2xx_is_not_sent_again(start_watcher, shop, client, slack, mood):
    start_watcher({"slack": {"oops_channel": ""}})
    slack.mood(mood)
    shop.event("oops")
    shop.event("unoops")
    slack.wait_for("Saw: unoops")
    assert [r.text.split("\n")[0] for r in slack.requests()] == ["Saw: oops", "Saw: unoops"]


def test_ok_false_is_reported_with_slacks_reason_until_a_delivery_works(
        start_watcher, shop, client, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    wait_service(client, "slack", "running")
    slack.mood(Refuse("channel_not_found"), Refuse(f"odd {TOKEN}"))
    since = client.position()
    shop.event("oops")
    assert wait_service(client, "slack", "error", since=since)["reason"] == "channel_not_found"
    since = client.position()
    # Somebody mends the channel: what waited for that is sent, and what is refused itself leaves.
    watcher.wait_log(re.compile(r"Slack refused \(.*\): Saw: oops"))
    shop.event("unoops")
    wait_service(client, "slack", "running", since=since)
    texts = [request.text.split("\n")[0] for request in slack.requests()]
    assert texts == ["Saw: oops", "Saw: oops", "Saw: unoops"]
    retained = client.retained("tagout/service/watcher")
    assert retained["tagout/service/watcher"].json["status"] == "running"


def test_retry_after_stops_the_method(start_watcher, shop, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    slack.mood(RateLimited(3))
    shop.event("oops")
    watcher.wait_log(re.compile("too many messages; none for 3 s"))
    shop.event("login")
    slack.wait_for("login")
    slack.wait_for("Saw: oops")
    refused, *later = slack.requests()
    assert all(r.at - refused.at >= 3 for r in later), [r.at - refused.at for r in later]
    assert [r.channel for r in slack.taken()].count("control") == 1
    assert len(later) == 2


def test_a_slow_slack_holds_up_nothing_else(start_watcher, shop, client, slack):
    start_watcher()
    held = Held()
    slack.mood_until_changed(held)
    shop.event("oops")
    wait_until(lambda: slack.requests(), "it has the request")
    shop.save_timeout("saw")
    shop.save_timeout("lathe")
    wait_alert(client, "fleet_save_timeouts")
    assert slack.taken() == []
    held.let_go()
    slack.wait_for("Saw: oops")


def test_one_message_a_second_after_a_burst(start_watcher, shop, slack):
    start_watcher()
    began = time.monotonic()
    for number in range(6):
        shop.event("login", text=f"Saw: login {number}")
    slack.wait_for("login 5")
    at = [r.at - began for r in slack.requests()]
    assert slack.texts() == [f"Saw: login {number}" for number in range(6)]
    # A busy host hears late, and never too soon.
    assert min(at[1] - at[0], at[2] - at[1]) < 0.9, at
    for number in (3, 4, 5):
        assert at[number] > number - 2.1, at


def test_while_slack_is_away_memory_is_bounded(
        start_watcher, shop, client, slack):
    # What is freed stays in the sanitizer's quarantine for a while: that is not the watcher's.
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    watcher = start_watcher({"slack": {"oops_channel": ""}},
                            environment={"ASAN_OPTIONS": options})
    slack.close()
    for machine in range(20):
        shop.event("oops", machine=f"m{machine:02}")
    size = None
    for number in range(6000):
        shop.client.publish(
            "tagout/machine/lathe/event",
            {"event_type": "login", "n": number + 1, "machine": "lathe", "at": time.time(),
             "text": f"Lathe: login {number} " + "x" * 500}, wait=number % 100 == 99)
        if number == 2000:
            wait_until(lambda: len(watcher.audit_lines("event")) > 1900, "it keeps up")
            size = watcher.memory_kib()
    wait_until(lambda: len(watcher.audit_lines("event")) == 6020, "all are in the audit")
    assert watcher.memory_kib() < size + 8192
    wait_service(client, "slack", "error")
    slack.open()
    slack.wait_for("Lathe: login 3", timeout_s=90)
    slack.wait_for("M05: oops")
    assert [text.split("\n")[0] for text in slack.texts("control")[:5]] == [
        f"M{machine:02}: oops" for machine in range(5)]
    wait_until(lambda: client.messages("tagout/service/slack")[-1].json["status"] == "running",
               "it works again")


def test_killed_in_mid_delivery_only_that_one_may_double(start_watcher, shop, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    for number in range(3):
        shop.event("oops", machine=f"m{number}", text=f"message {number}")
    slack.wait_for("message 2")
    wait_until(lambda: watcher.remembers('"lanes":[3,'), "the delivery is remembered")
    slack.mood_until_changed(Slow(60))
    shop.event("oops", machine="m3", text="message 3")
    slack.wait_until(lambda: len(slack.requests()) == 4, "it is under way")
    for number in range(4, 7):
        shop.event("oops", machine=f"m{number}", text=f"message {number}")
    wait_until(lambda: len(watcher.audit_lines("event")) == 7, "all are in the audit")
    watcher.kill()
    slack.mood_until_changed(Status(200, body=b'{"ok":true,"ts":"1.2"}'))
    watcher.start()
    slack.wait_until(lambda: len(slack.requests()) == 8, "the rest")
    time.sleep(1.5)
    texts = [r.text.split("\n")[0] for r in slack.requests()]
    assert texts == [f"message {number}" for number in (0, 1, 2, 3, 3, 4, 5, 6)]


def test_a_clean_stop_lets_a_request_come_to_its_end(start_watcher, shop, slack):
    watcher = start_watcher({"slack": {"oops_channel": ""}})
    slack.mood(Slow(0.5))
    shop.event("oops")
    slack.wait_until(slack.requests, "it is under way")
    shop.event("unoops")
    watcher.stop()
    watcher.start()
    slack.wait_for("Saw: unoops")
    slack.wait_for("Saw: oops")
    assert [r.text.split("\n")[0] for r in slack.requests()].count("Saw: oops") == 1
