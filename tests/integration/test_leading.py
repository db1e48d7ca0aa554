"""Two controllers: one leads, the other stands by and takes over (C12)."""
import re
import time

import pytest

from ctl_shop import Shop
from harness import ADA, MACHINES, USERS, Machine, wait_until

STANDS_BY = re.compile("it stands by")
STOOD_DOWN = re.compile("standing down")
SILENT = re.compile("silent until it is certain")
COMMANDS = "tagout/machine/saw/command"


class Pair:
    """Controllers one, which leads, and two, with Ada at the saw."""

    def __init__(self, client, redis, start_controller):
        self.client = client
        self.one = start_controller(MACHINES, USERS)
        self.saw = Machine(client, "saw")
        client.subscribe("tagout/controller/+/status")
        client.subscribe(COMMANDS)
        client.subscribe("tagout/response/local/+")
        self.two = start_controller(MACHINES, USERS, identity="two")
        self.two.wait_log(STANDS_BY)
        assert self.saw.report()["relay"] is False
        self.epoch = self.saw.report(card=ADA)["epoch"]
        # The leader answers first, and saves then.
        wait_until(lambda: redis.hash("tagout:machine:saw").get("mode") == "in_use",
                   "the session is saved")
        self.since = client.position()

    def wait_leader(self, identity, since=None):
        """Until that controller says that it leads; returns its epoch."""
        message = self.client.wait_for(
            f"tagout/controller/{identity}/status", lambda m: m.json.get("leader"),
            since=self.since if since is None else since)
        return message.json["epoch"]

    def is_answered(self):
        """Whether a report is; the next is sent 2 s later, as a device repeats its own (C7.4)."""
        try:
            return self.saw.report(timeout_s=2)
        except TimeoutError:
            return None

    def assert_goes_on(self):
        """The session is as it was, under a newer epoch, and no command ever switched it off."""
        command = self.saw.report()
        assert command["epoch"] > self.epoch
        assert (command["relay"], command["display"]) == (True, "Welcome,\nAda")
        wrong = [m.json for m in self.client.messages(COMMANDS, self.since) if not m.json["relay"]]
        assert not wrong


@pytest.fixture
def pair(client, redis, start_controller):
    return Pair(client, redis, start_controller)


def test_C12_a_standby_says_nothing_but_its_own_status(pair, client):
    status = client.messages("tagout/controller/two/status")[-1].json
    assert (status["status"], status["leader"]) == ("running", False)
    pair.saw.report()
    assert {m.json["epoch"] for m in client.messages(COMMANDS, pair.since)} == {pair.epoch}
    assert pair.two.metrics()["tagout_commands_total"] == 0


def test_C12_4_a_standby_takes_over_from_a_leader_that_was_killed(pair):
    pair.one.kill()
    assert pair.wait_leader("two") > pair.epoch
    pair.assert_goes_on()


def test_C12_a_leader_that_stops_gives_the_lease_back(pair, redis):
    pair.one.stop()
    assert pair.wait_leader("two") > pair.epoch
    assert redis.command("GET", "tagout:lease").endswith(" two")
    pair.assert_goes_on()


def test_C12_2_a_leader_that_slept_for_longer_than_the_lease_stands_by(pair, client):
    pair.one.freeze()
    pair.wait_leader("two")
    pair.assert_goes_on()
    woke = client.position()
    pair.one.thaw()
    pair.one.wait_log(STOOD_DOWN)
    pair.assert_goes_on()
    newest = pair.saw.report()["epoch"]
    assert all(m.json["epoch"] == newest for m in client.messages(COMMANDS, woke))
    pair.two.kill()
    assert pair.wait_leader("one", woke) > newest
    pair.assert_goes_on()


def test_C12_2_what_came_while_the_leader_slept_is_answered_when_it_speaks_again(pair, client):
    pair.one.freeze()
    client.publish("tagout/request/local/lockout",
                   {"machine": "saw", "value": True, "transaction": 1})
    time.sleep(1.9)  # over a third of the lease, and far less than two thirds
    pair.one.thaw()
    pair.one.wait_log(SILENT)
    client.wait_for("tagout/response/local/lockout", lambda m: m.json["status"] == "ok",
                    since=pair.since)
    command = pair.saw.report()
    assert (command["lockout"], command["epoch"]) == (True, pair.epoch)
    assert len(client.messages("tagout/response/local/lockout", pair.since)) == 1


def test_C9_1_a_leader_whose_save_is_refused_stands_by(pair, client, redis):
    redis.command("SET", "tagout:epoch", str(pair.epoch + 100))
    pair.saw.send()
    pair.one.wait_log(STOOD_DOWN)
    client.wait_for("tagout/controller/+/status",
                    lambda m: m.json.get("leader") and m.json["epoch"] > pair.epoch + 100,
                    since=pair.since)
    pair.assert_goes_on()


def test_C12_of_two_processes_with_one_id_one_ends_and_the_other_leads(
        pair, client, start_controller):
    twin = start_controller(MACHINES, USERS, ready=False)
    pair.one.wait_log(re.compile("another process runs as controller one: "
                                 "give each an id of its own"))
    assert pair.one.wait() == 2
    twin.wait_log(re.compile("ready: controller one"))
    client.wait_for("tagout/controller/one/status",
                    lambda m: m.json.get("leader") and m.json["epoch"] > pair.epoch,
                    since=pair.since)
    wait_until(pair.is_answered, "an answer from the one that is left")
    pair.assert_goes_on()


# ---- handover ----


def test_C12_a_handover_is_answered_when_the_other_leads(pair, client):
    answer = client.request("handover", {"by": "Ada"})
    assert (answer["status"], answer["data"]["leader"]) == ("ok", "two")
    assert answer["data"]["epoch"] == pair.wait_leader("two") > pair.epoch
    pair.assert_goes_on()
    assert client.request("handover")["data"]["leader"] == "one"
    pair.assert_goes_on()


def test_C12_a_handover_without_a_standby_is_refused(pair, client, redis):
    pair.two.stop()
    answer = client.request("handover")
    assert (answer["status"], answer["error"]) == (
        "error", "no other controller stands by that reaches Redis")
    assert pair.saw.report()["epoch"] == pair.epoch
    redis.stop()
    client.wait_for("tagout/controller/one/status", lambda m: m.json.get("redis") == "down")
    assert client.request("handover")["error"] == (
        "Redis is out of reach: without it nobody can take the lease")
    redis.start()


def test_C12_nothing_is_handed_over_while_redis_hangs(pair, client, redis):
    redis.freeze()
    client.wait_for("tagout/controller/one/status", lambda m: m.json.get("redis") == "down",
                    since=pair.since)
    assert client.request("handover")["error"] == (
        "Redis does not answer: without it nobody can take the lease")
    assert pair.saw.report()["epoch"] == pair.epoch  # nobody can have taken it
    redis.thaw()


def test_tagoutctl_tells_who_leads_and_hands_over(pair, client, broker, start_controller):
    shop = Shop(pair.one, client, broker)
    result = shop.run("status", "--controllers")
    assert (result.code, result.err) == (0, "")
    lines = [re.split(" {2,}", line) for line in result.out.splitlines()]
    assert lines[0] == ["CONTROLLER", "ROLE", "EPOCH", "REDIS", "SINCE", "VERSION", "CONFIG"]
    assert lines[1][:4] == ["one", "leads", str(pair.epoch), "up"]
    assert [line[-1] for line in lines[1:]] == ["same", "same"]
    assert lines[2][:2] == ["two", "stands by"]
    assert shop.run("handover").out == "Controller two leads now.\n"
    pair.assert_goes_on()

    pair.one.stop()
    told = {c["id"]: c for c in shop.run("status", "--controllers", "--json").json["controllers"]}
    assert (told["one"]["status"], told["one"]["leader"]) == ("stopped", False)
    assert (told["two"]["status"], told["two"]["leader"]) == ("running", True)
    start_controller(dict(MACHINES, mill={"authorizations_or": []}), USERS, identity="three")
    result = shop.run("status", "--controllers")
    assert "different users or machines" in result.err
    assert re.search("three .* DIFFERS", result.out)


# ---- the same files ----


def test_C12_4_controllers_that_have_read_different_files_are_an_alert(
        pair, client, start_watcher):
    client.subscribe("tagout/fleet/alert")
    start_watcher()
    pair.two.write(machines=dict(MACHINES, mill={"authorizations_or": []}))
    pair.two.reload()
    client.wait_for("tagout/fleet/alert", lambda m: m.json["alert"] == "config_differs")
    pair.two.write(machines=MACHINES)
    assert client.request("reload")["status"] == "ok"  # of all of them
    client.wait_for("tagout/fleet/alert", lambda m: m.json["alert"] == "config_agrees")
