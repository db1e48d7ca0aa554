"""Two controllers while the shop is at work (C12): whatever happens to one of them, or to Redis,
sessions go on, no relay flips, every report has its answer, and one leads in the end.

The tests share one shop, which is made whole again after each."""
import os
import re
import shutil
import tempfile
import time

import pytest

from harness import wait_until
from two_controllers import BOXLESS, SHOP, Floor

STANDS_BY = re.compile("it stands by")
GIVEN_BACK = re.compile("the lease is given back")
SILENT = re.compile("silent until it is certain")
ANSWERS = re.compile("Redis answers")
OUTAGE_S = 3  # longer than a standby waits for Redis


@pytest.fixture(scope="module")
def the_floor():
    scratch = tempfile.mkdtemp(prefix="t-")
    floor = Floor(scratch)
    try:
        yield floor.start().open()
        floor.close()
    finally:
        floor.kill()
        shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture
def floor(the_floor):
    """Whole: both run, one leads, nothing is cut."""
    yield the_floor
    if not the_floor.redis.is_running():
        the_floor.redis.start()
    for proxy in the_floor.proxies:
        proxy.set("pass")
    for controller in the_floor.controllers.values():
        controller.write(machines=SHOP)
        if not controller.is_running():
            controller.start(ready=False)
        controller.thaw()


def restart(controller):
    """A new process, which follows."""
    since = controller.log_position()
    controller.start(ready=False)
    controller.wait_log(STANDS_BY, since=since)


def test_C12_started_at_once_one_leads(floor):
    one, two = floor.pair()
    with floor.fault("both killed, and started at once"):
        for controller in (one, two):
            controller.kill()
        for controller in (one, two):
            controller.start(ready=False)


def test_C12_2_started_before_redis_one_leads_and_goes_on_when_it_comes(floor):
    one, two = floor.pair()
    with floor.fault("both started before Redis") as fault:
        floor.redis.kill()
        for controller in (one, two):
            controller.kill()
        for controller in (one, two):
            controller.start(ready=False)
        floor.client.wait_for("tagout/controller/+/status",
                              lambda m: m.json.get("leader") and m.json["epoch"] > fault.epoch,
                              since=fault.since)
        fault.press()
        floor.redis.start()


def test_C12_4_kill_9_of_the_leader(floor):
    leader, standby = floor.pair()
    with floor.fault("kill -9 of the leader") as fault:
        leader.kill()
        fault.press()
        fault.wait_leader(standby)
        restart(leader)


def test_C12_a_leader_that_is_cut_from_redis_alone_stands_down_for_another(floor):
    leader, standby = floor.pair()
    with floor.fault("the leader is cut from Redis") as fault:
        floor.to_redis[leader.identity].set("cut")
        fault.press()
        fault.wait_leader(standby)
        floor.to_redis[leader.identity].set("pass")


def test_C12_a_leader_that_is_cut_from_the_broker_gives_its_lease_back(floor):
    leader, standby = floor.pair()
    since = leader.log_position()
    with floor.fault("the leader is cut from the broker") as fault:
        floor.to_broker[leader.identity].set("cut")
        fault.press()
        leader.wait_log(GIVEN_BACK, since=since)
        fault.wait_leader(standby)
        floor.to_broker[leader.identity].set("pass")


def test_C12_a_leader_that_hears_the_broker_and_is_not_heard_gives_its_lease_back(floor):
    leader, standby = floor.pair()
    since = leader.log_position()
    with floor.fault("nothing that the leader says arrives") as fault:
        floor.to_broker[leader.identity].set("freeze", "up")
        leader.wait_log(GIVEN_BACK, since=since)
        fault.wait_leader(standby)
        floor.to_broker[leader.identity].set("pass")


def test_C12_1_what_a_leader_said_too_late_is_said_again_by_the_next(floor):
    leader, standby = floor.pair()
    client = floor.client
    topic = f"tagout/machine/{BOXLESS}/command"
    since = leader.log_position()
    with floor.fault("the leader's connection stalls") as fault:
        floor.to_broker[leader.identity].set("freeze")
        fault.press()
        leader.wait_log(GIVEN_BACK, since=since)
        fault.wait_leader(standby)
        floor.to_broker[leader.identity].set("pass")
        said = client.wait_for(topic, lambda m: m.json["epoch"] > fault.epoch, since=fault.since)
        client.publish(topic, dict(said.json, epoch=fault.epoch), retain=True)
        late = client.wait_for(topic, lambda m: m.json["epoch"] == fault.epoch,
                               since=client.messages().index(said))
        client.wait_for(topic, lambda m: m.payload == said.payload,
                        since=client.messages().index(late))
    kept = floor.retained("tagout/machine/+/command")
    assert {m.json["epoch"] for m in kept.values()} == {floor.epoch()}
    assert len(kept) == len(SHOP)


def test_C12_2_a_leader_that_slept_for_less_than_the_lease_goes_on(floor):
    leader, _ = floor.pair()
    since = leader.log_position()
    with floor.fault("the leader sleeps for 1.9 s"):
        leader.freeze()
        time.sleep(1.9)  # over a third of the lease; two thirds of it are left at least
        leader.thaw()
        leader.wait_log(SILENT, since=since)


def test_C12_2_a_leader_that_slept_for_longer_than_the_lease_stands_by(floor):
    leader, standby = floor.pair()
    client = floor.client
    with floor.fault("the leader sleeps for longer than the lease") as fault:
        leader.freeze()
        fault.press()
        # Both have it in their sockets: it is carried out once, or not at all.
        client.publish("tagout/request/local/lockout", {"machine": "box01", "value": True,
                                                        "transaction": "in the gap"})
        fault.wait_leader(standby)
        leader.thaw()
    answers = [m for m in client.messages("tagout/response/local/lockout", fault.since)
               if m.json["transaction"] == "in the gap"]
    assert len(answers) <= 1


def test_C12_a_standby_with_an_older_machines_json_leaves_alone_what_it_does_not_know(floor):
    leader, standby = floor.pair()
    unknown = ("laser", "mill")
    standby.stop()
    standby.write(machines={name: its for name, its in SHOP.items() if name not in unknown})
    restart(standby)
    with floor.fault("a standby with an older machines.json leads") as fault:
        fault.exempt.update(unknown)
        leader.stop()
        fault.wait_leader(standby)
        commands = {m.topic.split("/")[2]
                    for m in floor.client.messages("tagout/machine/+/command", fault.since)
                    if m.json["epoch"] > fault.epoch}
        assert not commands & set(unknown)
        standby.write(machines=SHOP)
        standby.reload()
        for name in unknown:
            floor.client.wait_for(f"tagout/machine/{name}/command",
                                  lambda m: m.json["epoch"] > fault.epoch, since=fault.since)
        restart(leader)


def test_C12_a_rolling_restart(floor):
    with floor.fault("a rolling restart") as fault:
        for controller in floor.pair():
            controller.stop()
            fault.press()
            controller.start()
            floor.wait_one_leader()


def test_C12_a_redis_that_was_killed_and_comes_back_empty(floor):
    leader, _ = floor.pair()
    since = leader.log_position()
    with floor.fault("Redis comes back empty") as fault:
        floor.redis.kill()
        fault.press()
        time.sleep(OUTAGE_S)
        floor.redis.start()
        leader.wait_log(ANSWERS, since=since)
    kept = floor.redis.hash("tagout:machine:lathe")
    assert kept["oops"] == "true"
    assert int(floor.redis.command("GET", "tagout:epoch")) > fault.epoch


def test_C12_a_redis_that_was_rolled_back(floor):
    floor.redis.command("SAVE")
    leader, standby = floor.pair()
    leader.stop()
    wait_until(lambda: floor.leaders() == [standby.identity], "the other leads")
    restart(leader)
    leader, _ = floor.pair()
    floor.lock_out("box03")
    since = leader.log_position()
    with floor.fault("Redis is rolled back") as fault:
        floor.redis.kill()
        fault.press()
        floor.redis.start()
        leader.wait_log(ANSWERS, since=since)
    os.remove(os.path.join(floor.scratch, "dump.rdb"))
    assert int(floor.redis.command("GET", "tagout:epoch")) > fault.epoch
    wait_until(lambda: floor.redis.hash("tagout:machine:box03")["lockout"] == "true",
               "the lockout is kept again")
