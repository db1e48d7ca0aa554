"""Services (C11.6): real controller, broker, Redis and watcher, each killed or stopped, and what
people and programs are told of it, and how soon."""
import json
import time

import pytest

from harness import MACHINES, USERS, wait_until
from watcher import alerts, wait_service

SOON_S = 25  # 5 s is the rule; this machine may be loaded
SETTLE_S = 8  # a controller's start on such a machine takes less
SERVICE_ALERTS = ("service_error", "service_recovered", "config_differs", "config_agrees")


class Stopwatch:
    """Since it was made; says how long things took."""

    def __init__(self, what):
        self.what = what
        self.began = time.monotonic()

    def lap(self, event, at=None):
        took = (at or time.monotonic()) - self.began
        print(f"{self.what}: {event} after {took:.2f} s")
        assert took < SOON_S, f"{self.what}: {event} after {took:.2f} s"


def wait_service_alerts(client, *expected):
    """These, in this order, and no others; they may come a little after Slack's."""
    wait_until(lambda: len(service_alerts(client)) >= len(expected), "as many alerts")
    assert service_alerts(client) == list(expected)


def service_alerts(client):
    return [(a["alert"], a.get("service")) for a in alerts(client) if a["alert"] in SERVICE_ALERTS]


@pytest.fixture
def start_all(start_watcher, start_controller, client):
    """Watcher and controller, when all is well; the watcher's settings may be given."""

    def make(**settings):
        client.subscribe("tagout/fleet/alert")
        client.subscribe("tagout/service/+")
        watcher = start_watcher(settings)
        controller = start_controller(MACHINES, USERS)
        for name in ("broker", "redis", "leader", "controller-one", "watcher"):
            wait_service(client, name, "running")
        return watcher, controller

    return make


# ---- deaths ----


def test_C11_6_kill_9_of_the_controller(start_all, client, slack):
    _, controller = start_all()
    since = client.position()
    watch = Stopwatch("kill -9 of the controller")
    controller.kill()
    wait_service(client, "controller-one", "error", since=since)
    watch.lap("service/controller-one")
    wait_service(client, "leader", "error", since=since)
    watch.lap("service/leader")
    message = slack.wait_for("Controller one: it ended or was cut off without a goodbye.",
                             channel="control")
    watch.lap("Slack", message.at)
    assert "systemctl status tagoutd" in message.text
    since = client.position()
    controller.start()
    wait_service(client, "leader", "running", since=since)
    slack.wait_for("Controller one: works again and leads, after")
    assert len(slack.requests()) == 2
    wait_service_alerts(client, ("service_error", "controller-one"),
                        ("service_recovered", "controller-one"))


def test_C11_6_kill_9_of_redis(start_all, redis, client, slack):
    start_all()
    since = client.position()
    watch = Stopwatch("kill -9 of Redis")
    redis.kill()
    wait_service(client, "redis", "error", since=since)
    watch.lap("service/redis")
    message = slack.wait_for("Redis: controller one gets no answer from it.", channel="control")
    watch.lap("Slack", message.at)
    since = client.position()
    redis.start()
    wait_service(client, "redis", "running", since=since)
    assert len(slack.requests()) == 1
    wait_service_alerts(client, ("service_error", "redis"))


def test_C11_6_a_redis_that_hangs_is_told_though_its_connections_stand(
        start_all, redis, client, slack):
    start_all()
    since = client.position()
    redis.freeze()
    wait_service(client, "redis", "error", since=since)
    slack.wait_for("Redis: controller one gets no answer from it.", channel="control")
    since = client.position()
    redis.thaw()
    wait_service(client, "redis", "running", since=since)
    assert len(slack.requests()) == 1
    wait_service_alerts(client, ("service_error", "redis"))


def test_C11_6_kill_9_of_the_broker_is_told_without_it(start_all, broker, client, slack):
    watcher, _ = start_all()
    watch = Stopwatch("kill -9 of the broker")
    broker.kill()
    message = slack.wait_for("Broker: ", channel="control")
    watch.lap("Slack", message.at)
    assert "systemctl status mosquitto" in message.text
    # Another process knows that it was told, with no broker to ask.
    watcher.stop()
    watcher.start(ready=False)
    since = client.position()
    broker.start()
    client.wait_connected()
    for name in ("broker", "redis", "leader", "controller-one"):
        wait_service(client, name, "running", since=since)
    slack.wait_for("Broker: works again, after")
    assert len(slack.requests()) == 2, slack.texts()


# ---- what is no death ----


def test_C11_6_a_clean_stop_of_the_controller_is_no_alert(start_all, client, slack):
    _, controller = start_all(liveness={"settle_s": SETTLE_S})
    since = client.position()
    controller.stop()
    wait_service(client, "controller-one", "stopped", since=since)
    wait_service(client, "leader", "stopped", since=since)
    since = client.position()
    controller.start()
    wait_service(client, "leader", "running", since=since)
    time.sleep(SETTLE_S + 0.5)  # it is not missed later, either
    assert slack.requests() == []
    began = time.monotonic()
    controller.stop()  # and this time nobody starts it again
    message = slack.wait_for("Leader: controller one was stopped, and none has come back.")
    assert message.at - began >= SETTLE_S
    wait_service_alerts(client, ("service_error", "leader"))


@pytest.mark.parametrize("clean", [True, False])
def test_C11_6_a_broker_that_is_back_soon_is_no_alert(start_all, broker, client, slack, clean):
    start_all()
    if clean:
        broker.stop()
    else:
        broker.kill()
    time.sleep(0.5)  # 3 s are an outage, and all find it again within them
    since = client.position()
    broker.start()
    client.wait_connected()
    wait_service(client, "leader", "running", since=since)
    time.sleep(4)  # an outage would have been told by now
    assert slack.requests() == []
    assert service_alerts(client) == []


def test_C11_6_a_redis_that_is_back_soon_is_no_alert(start_all, redis, client, slack):
    start_all()
    client.subscribe("tagout/controller/one/status")
    since = client.position()
    redis.kill()
    client.wait_for("tagout/controller/one/status", lambda m: m.json["redis"] == "down",
                    since=since)
    since = client.position()
    redis.start()
    client.wait_for("tagout/controller/one/status", lambda m: m.json["redis"] == "up", since=since)
    time.sleep(3)
    assert slack.requests() == []
    assert service_alerts(client) == []


def test_C11_6_a_watcher_that_was_away_invents_no_death_and_pages_nobody_twice(
        start_all, redis, client, slack):
    watcher, controller = start_all(liveness={"settle_s": 2})
    watcher.kill()
    watcher.start()  # all is well
    watcher.freeze()
    redis.restart()  # it stands still meanwhile
    time.sleep(4)
    watcher.thaw()
    time.sleep(4)
    assert slack.requests() == []
    controller.kill()
    slack.wait_for("Controller one: ")
    for end in (watcher.stop, watcher.kill):
        end()
        watcher.start()
        time.sleep(3)
    assert len(slack.requests()) == 1, slack.texts()


def test_C11_6_who_dies_while_the_watcher_is_away_is_found(start_all, client, slack):
    watcher, controller = start_all(liveness={"settle_s": 3})
    wait_until(lambda: watcher.remembers('"controller-one":{"status":"running"'), "remembered")
    watcher.kill()
    controller.kill()
    watcher.start()
    slack.wait_for("Controller one: it ended or was cut off without a goodbye.")
    wait_service_alerts(client, ("service_error", "controller-one"))


# ---- two watchers ----


def test_C11_6_of_two_watchers_the_second_is_silent_until_the_first_is_lost(
        start_watcher, start_controller, shop, client, slack):
    first = start_watcher(identity="a")
    assert wait_service(client, "watcher", "running")["id"] == "a"
    second = start_watcher(identity="b")
    wait_until(lambda: "watcher a speaks" in second.log(), "the second is silent")
    controller = start_controller(MACHINES, USERS)
    wait_service(client, "leader", "running")
    shop.event("oops", "saw")
    slack.wait_for("Saw: oops", channel="control")
    controller.kill()
    slack.wait_for("Controller one: ")
    wait_until(lambda: len(second.audit_lines("event")) == 1, "the second hears it all, too")
    time.sleep(11)  # so long the second keeps what the first may not have told
    since = client.position()
    watch = Stopwatch("kill -9 of the first watcher")
    first.kill()
    assert wait_service(client, "watcher", "running", since=since)["id"] == "b"
    watch.lap("service/watcher")
    message = slack.wait_for("Watcher: a was lost without a goodbye.", channel="control")
    watch.lap("Slack", message.at)
    shop.event("unoops", "saw")
    slack.wait_for("Saw: unoops", channel="control")
    first.start()
    wait_until(lambda: "watcher b speaks" in first.log(), "now the first is silent")
    controller.start()
    slack.wait_for("Controller one: works again and leads")
    shop.event("lockout", "saw")
    slack.wait_for("Saw: lockout", channel="control")
    time.sleep(11)
    second.stop()
    since = client.position()
    assert wait_service(client, "watcher", "running", since=since)["id"] == "a"
    texts = slack.texts("control")
    assert len(texts) == len(set(texts)) == 6, texts


# ---- configurations ----


def test_C12_4_two_controllers_with_different_files_are_an_alert(start_all, client, slack):
    start_all()
    config = json.loads(client.retained("tagout/controller/one/status")[
        "tagout/controller/one/status"].payload)["config"]
    status = {"status": "running", "leader": False, "epoch": 1, "since": 1, "version": "x",
              "config": "another", "redis": "up"}
    client.publish("tagout/controller/two/status", status, retain=True)
    slack.wait_for("Controllers one, two have different users or machines")
    client.publish("tagout/controller/two/status", dict(status, config=config), retain=True)
    slack.wait_for("Controllers have the same users and machines again.")
    assert len(slack.requests()) == 2


# ---- machines ----


def test_a_machine_that_dies_is_one_error_and_one_recovery(start_watcher, shop, slack):
    start_watcher()
    for number in range(2):
        shop.save_timeout(f"m{number}")  # an alert about storage waits a second
    shop.event("link_lost", "saw")
    watch = Stopwatch("machine_error")
    shop.event("machine_error", "saw", text="Saw does not answer since 21:04:10, last used by Ada: "
               "treat it as live. Check the box's power and Wi-Fi.")
    message = slack.wait_for("Saw does not answer since 21:04:10", channel="control")
    watch.lap("Slack", message.at)
    shop.event("machine_recovered", "saw", text="Saw answers again, after 8 s")
    slack.wait_for("Saw answers again, after 8 s", channel="control")
    shop.event("reboot", "saw", text="Saw: its box restarted")
    slack.wait_for("Saw: its box restarted", channel="activity")
    slack.wait_for("Fleet: storage hangs")
    assert len(slack.requests()) == 4


def test_many_machines_that_vanish_and_come_back_together_are_three_messages(
        start_watcher, shop, client, slack):
    watcher = start_watcher()
    names = [f"m{number:02}" for number in range(30)]
    for event_type in ("link_lost", "machine_error"):
        for name in names:
            shop.event(event_type, name)
    # Nobody is forgotten by a restart while they gather.
    wait_until(lambda: len(watcher.audit_lines("event")) == 60, "all are in the audit")
    watcher.stop()
    watcher.start()
    message = slack.wait_for("30 machines do not answer: M00, M01, M02, M03, M04 and 25 more.",
                             channel="control")
    assert "access point" in message.text
    for event_type in ("reboot", "machine_recovered"):
        for name in names:
            shop.event(event_type, name)
    slack.wait_for("30 machines answer again: ", channel="control")
    slack.wait_for("30 machines restarted together: ", channel="control")
    assert len(slack.requests()) == 3, slack.texts()
