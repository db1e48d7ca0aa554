"""`tagoutctl test-alert`: the whole way through the real watcher to a fake Slack, and what it says
where the way ends."""
import re

from ctl_shop import MACHINES, bare, shop  # noqa: F401
from fake_slack import Refuse, Slow
from harness import wait_until
from watcher import wait_service


def ask(broker, *arguments, **environment):
    return bare("test-alert", *arguments,
                environment={"TAGOUT_MQTT_URL": broker.url, "USER": "ada", **environment})


def test_Slack_takes_it_and_the_channel_is_named(start_watcher, broker, slack):
    start_watcher()
    result = ask(broker)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Slack took the test alert: channel control. ")
    assert "asked for by local (ada)" in slack.wait_for("Test alert", channel="control").text
    assert ask(broker, "--json").json == {"slack": "delivered", "channel": "control"}


def test_a_webhook_has_no_channel_to_name(start_watcher, broker, slack):
    start_watcher({"slack": {"control_webhook": slack.webhook("T1/secret")}})
    result = ask(broker)
    assert (result.code, result.err) == (0, "")
    assert "Slack took the test alert, through the control webhook." in result.out
    assert "secret" not in result.out


def test_what_Slack_says_no_to_comes_with_the_next_step(start_watcher, broker, slack):
    start_watcher()
    slack.mood(Refuse("not_in_channel"))
    result = ask(broker)
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        "tagoutctl: it is on fleet/alert, but Slack did not take it: not_in_channel",
        "tagoutctl: next: invite the bot into the channel: /invite @bot"]


def test_a_slow_Slack_is_waited_for(start_watcher, broker, slack):
    start_watcher()
    slack.mood(Slow(4))
    result = ask(broker)
    assert result.code == 0, result.err
    assert "waiting for Slack to take it" in result.err
    assert "Slack took the test alert" in result.out


def test_without_Slack_it_is_on_fleet_alert_alone(start_watcher, broker, client):
    client.subscribe("tagout/fleet/alert")
    start_watcher({"slack": {"bot_token": ""}})
    result = ask(broker)
    assert (result.code, result.out) == (1, "")
    assert "the alert is on tagout/fleet/alert, but Slack is not set up" in result.err
    assert "[slack] bot_token and control_channel" in result.err
    assert client.wait_for("tagout/fleet/alert").json["alert"] == "test"


def test_no_watcher_is_not_a_missing_controller(shop):
    """A controller alone: it is silent, and so far nobody else was ever there."""
    result = shop.run("test-alert")
    assert (result.code, result.out) == (1, "")
    assert 'no watcher answers, and none has been heard of under "tagout"' in result.err
    assert "start tagout-watcher" in result.err
    assert "controller does not answer" not in result.err


def test_a_watcher_that_was_stopped_is_told_apart(start_watcher, broker, client):
    client.subscribe("tagout/service/+")
    watcher = start_watcher()
    wait_service(client, "watcher", "running")
    watcher.stop()
    result = ask(broker)
    assert result.code == 1
    assert re.search(r"the watcher does not answer: it was stopped at \d\d:\d\d; start", result.err)
    assert "nobody is told of alerts" in result.err


def test_a_watcher_that_says_it_runs_and_is_silent_may_hang(broker, client):
    client.publish("tagout/service/watcher", {"status": "running", "since": 1}, retain=True)
    result = ask(broker)
    assert result.code == 1
    assert "the watcher does not answer: it says that it runs, but nothing came" in result.err
    assert 'does not let account "local" ask' in result.err


def test_status_names_what_does_not_work_in_its_first_line(shop, start_watcher, slack):
    for name in MACHINES:
        shop.box(name)
    watcher = start_watcher()
    shop.client.subscribe("tagout/service/+")
    wait_service(shop.client, "watcher", "running")
    assert shop.run("status").out.splitlines()[0] == "3 machines, 1 running; all is well."
    slack.mood(Refuse("invalid_auth"))
    assert "next: check [slack] bot_token" in shop.run("test-alert").err
    assert (shop.run("status").out.splitlines()[0]
            == "Service slack does not work: invalid_auth.")
    watcher.kill()

    def says_so():
        return shop.run("status").out.startswith("The watcher is gone: nobody is told of alerts")

    wait_until(says_so, "the watcher is missed")
