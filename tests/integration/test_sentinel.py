"""Redis with Sentinels: the master is found by its name, and each fail-over is followed."""
import re
import time

import pytest

from harness import ADA, MACHINES, USERS, Machine, Redis, wait_until
from sentinel import NAME, FakeSentinel, Replica, Sentinel

FAIL_OVER_S = 60.0  # a Sentinel on a host that stalls for 2 s rests for 30
DELAY_S = 4.0       # what a command may take on a loaded machine; an outage takes longer
SOON_S = 60.0
OUT_OF_REACH = re.compile("Redis is out of reach")


def settings(*sentinels, **redis):
    places = ", ".join(f"127.0.0.1:{sentinel.port}" for sentinel in sentinels)
    # Where the URL says there is nothing: only its database counts.
    return {"redis": dict({"url": "redis://127.0.0.1:1/3", "sentinels": places, "master": NAME,
                           "save_timeout_ms": 3000, "load_timeout_ms": 1000}, **redis)}


def kept(redis, machine):
    """What is kept of a machine, in the database of the URL."""
    redis_command = redis.command("EVAL", "redis.call('SELECT', 3) "
                                  f"return redis.call('HGETALL', 'tagout:machine:{machine}')", 0)
    return dict(zip(redis_command[::2], redis_command[1::2]))


def kept_epoch(redis):
    return int(redis.command("EVAL", "redis.call('SELECT', 3) "
                             "return redis.call('GET', 'tagout:epoch')", 0) or 0)


@pytest.fixture
def servers(scratch):
    """Makes Redis, Replica, Sentinel, FakeSentinel: servers(Redis, tcp=True)."""
    made = []

    def make(kind, *arguments, **options):
        made.append(kind(*arguments, **options) if kind is FakeSentinel
                    else kind(scratch, *arguments, **options).start())
        return made[-1]

    yield make
    for server in made:
        (server.close if isinstance(server, FakeSentinel) else server.kill)()


class Talk:
    """Ada at the saw, whose box reports without a pause."""

    def __init__(self, client):
        self.client = client
        self.saw = Machine(client, "saw")
        assert self.saw.report()["relay"] is False
        self.epoch = self.saw.report(card=ADA)["epoch"]

    def until(self, condition, what, timeout_s):
        """Until the condition holds, every report has its command at once, and it runs on."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
            began = time.monotonic()
            command = self.saw.report()
            assert time.monotonic() - began < DELAY_S
            assert command["relay"] is True and command["epoch"] >= self.epoch
            self.epoch = command["epoch"]
            time.sleep(0.05)  # a box does not report faster

    def until_kept(self, redis, timeout_s=SOON_S):
        """Until the newest state of the saw is at that Redis."""
        def is_kept():
            found = kept(redis, "saw")
            return (found.get("mode") == "in_use" and int(found["epoch"]) >= self.epoch
                    and kept_epoch(redis) >= self.epoch)

        self.until(is_kept, "saves go on", timeout_s)


def lock_out(client, machine):
    answer = client.request("lockout", {"machine": machine, "value": True, "by": "Zoë",
                                        "reason": "blade is cracked"})
    assert answer["status"] == "ok", answer
    return answer["data"]


def test_a_fail_over_is_followed_and_what_the_replica_lacks_is_healed(
        servers, client, start_controller):
    """The master and a Sentinel die at once, and the last lockout had not reached the replica."""
    master = servers(Redis, tcp=True)
    replica = servers(Replica, master)
    sentinels = [servers(Sentinel, master, 2) for _ in range(3)]
    for sentinel in sentinels:
        sentinel.wait_knows(replicas=1, sentinels=2)
    start_controller(MACHINES, USERS, settings=settings(*sentinels))
    talk = Talk(client)
    talk.until_kept(master)

    talk.until(lambda: kept(replica, "mill").get("lockout") == "false", "it is a replica", SOON_S)
    master.command("CONFIG", "SET", "requirepass", "nobody")  # whoever connects anew is kept out
    replica.command("CLIENT", "KILL", "TYPE", "master")
    assert lock_out(client, "mill")["persisted"] is True
    assert kept(replica, "mill")["lockout"] == "false"

    epoch = talk.epoch
    master.kill()
    sentinels[0].kill()
    began = time.monotonic()
    talk.until(lambda: replica.command("ROLE")[0] == "master", "the Sentinels act", FAIL_OVER_S)
    chosen = time.monotonic()
    talk.until_kept(replica)
    print(f"note: a new master after {chosen - began:.2f} s, "
          f"saves go on {time.monotonic() - chosen:.2f} s later")
    talk.until(lambda: kept(replica, "mill")["lockout"] == "true", "the lockout is healed", SOON_S)
    assert kept(replica, "mill")["lockout_reason"] == "blade is cracked"
    assert kept_epoch(replica) >= epoch
    assert lock_out(client, "lathe")["persisted"] is True


def test_a_master_that_is_frozen_is_left_for_one_that_is_empty(servers, client, start_controller):
    """Two of three Sentinels are enough to leave it; the epoch never falls."""
    old, new = servers(Redis, tcp=True), servers(Redis, tcp=True)
    sentinels = [servers(FakeSentinel, old) for _ in range(3)]
    controller = start_controller(MACHINES, USERS, settings=settings(*sentinels))
    talk = Talk(client)
    assert lock_out(client, "mill")["persisted"] is True
    talk.until_kept(old)
    epoch = talk.epoch

    sentinels[0].master = new
    for _ in range(3):
        assert sentinels[0].asked.acquire(timeout=SOON_S)
    talk.until_kept(old)
    assert not OUT_OF_REACH.search(controller.log())
    old.freeze()
    sentinels[1].master = new
    talk.until_kept(new)
    controller.wait_log(re.compile(f"the master is now 127.0.0.1:{new.port}"))
    wait_until(lambda: kept(new, "mill").get("lockout") == "true", "all is saved again")
    talk.until(lambda: kept_epoch(new) == talk.epoch > epoch, "its epoch is above the old one",
               SOON_S)
    old.thaw()


def test_without_sentinels_the_master_that_they_named_is_kept(servers, client, start_controller):
    master = servers(Redis, tcp=True)
    sentinel = servers(FakeSentinel, master)
    controller = start_controller(MACHINES, USERS, settings=settings(sentinel))
    talk = Talk(client)
    talk.until_kept(master)
    sentinel.close()
    controller.wait_log(re.compile(f"Sentinel 127.0.0.1:{sentinel.port}: "))
    assert lock_out(client, "mill")["persisted"] is True
    master.command("CLIENT", "KILL", "TYPE", "normal")
    controller.wait_log(OUT_OF_REACH)
    talk.until_kept(master)
    assert lock_out(client, "lathe")["persisted"] is True


def test_a_sentinel_that_is_silent_is_told_of_and_not_waited_for(servers, client,
                                                                start_controller):
    master = servers(Redis, tcp=True)
    sentinels = [servers(FakeSentinel, master), servers(FakeSentinel, master)]
    sentinels[0].silent = True
    controller = start_controller(MACHINES, USERS, settings=settings(*sentinels))
    talk = Talk(client)
    talk.until_kept(master)
    controller.wait_log(
        re.compile(f"Sentinel 127.0.0.1:{sentinels[0].port}: it does not answer"))


def test_two_controllers_follow_and_one_of_them_leads(servers, client, start_controller):
    """The new master is empty: whoever takes the lease there has an epoch above all others."""
    old, new = servers(Redis, tcp=True), servers(Redis, tcp=True)
    sentinel = servers(FakeSentinel, old)
    client.subscribe("tagout/controller/+/status")
    pair = [start_controller(MACHINES, USERS, settings=settings(sentinel)),
            start_controller(MACHINES, USERS, settings=settings(sentinel), identity="two")]
    pair[1].wait_log(re.compile("it stands by"))
    talk = Talk(client)
    assert lock_out(client, "mill")["persisted"] is True
    talk.until_kept(old)
    epoch = talk.epoch

    def leaders():
        said = [client.messages(f"tagout/controller/{name}/status")[-1].json
                for name in ("one", "two")]
        return [status["epoch"] for status in said if status["leader"]]

    old.kill()
    sentinel.master = new
    talk.until_kept(new)
    talk.until(lambda: leaders() == [kept_epoch(new)], "one leads", SOON_S)
    talk.until_kept(new)
    wait_until(lambda: kept(new, "mill").get("lockout") == "true", "the lockout is there")
    assert kept_epoch(new) > epoch


def test_a_replica_is_no_master_whatever_a_sentinel_says(servers, client, start_controller):
    master = servers(Redis, tcp=True)
    replica = servers(Replica, master)
    sentinel = servers(FakeSentinel, replica)
    controller = start_controller(MACHINES, USERS, settings=settings(sentinel))
    controller.wait_log(re.compile("out of reach .ROLE: not master but slave"))
    talk = Talk(client)
    assert lock_out(client, "mill")["persisted"] is False
    replica.command("REPLICAOF", "NO", "ONE")
    talk.until_kept(replica)
    assert kept(replica, "mill")["lockout"] == "true"


def test_a_master_that_was_made_a_replica_is_left(servers, client, start_controller):
    old, new = servers(Redis, tcp=True), servers(Redis, tcp=True)
    sentinel = servers(FakeSentinel, old)
    controller = start_controller(MACHINES, USERS, settings=settings(sentinel))
    talk = Talk(client)
    talk.until_kept(old)
    old.command("REPLICAOF", "127.0.0.1", str(new.port))  # its clients stay connected
    talk.until(lambda: "ROLE: not master but slave" in controller.log(), "it is left", SOON_S)
    sentinel.master = new
    talk.until_kept(new)


def test_a_name_that_no_sentinel_knows_keeps_nobody_waiting(servers, client, start_controller):
    master = servers(Redis, tcp=True)
    sentinel = servers(FakeSentinel, None, password="hunter2")
    controller = start_controller(MACHINES, USERS, settings=settings(
        sentinel, sentinel_password="hunter2"))
    controller.wait_log(re.compile(f'it knows no master "{NAME}"'))
    talk = Talk(client)
    assert lock_out(client, "mill")["persisted"] is False
    sentinel.master = master
    talk.until_kept(master)
    assert kept(master, "mill")["lockout"] == "true"


def test_a_wrong_password_of_a_sentinel_is_said_and_not_shown(servers, start_controller):
    master = servers(Redis, tcp=True)
    sentinels = [servers(FakeSentinel, master, password="hunter2"), servers(FakeSentinel, master)]
    controller = start_controller(MACHINES, USERS, settings=settings(
        *sentinels, sentinel_password="hunter3"))
    controller.wait_log(re.compile(rf"Sentinel 127.0.0.1:{sentinels[0].port}: it does not take "
                                   r"\[redis\] sentinel_password"))
    assert "hunter" not in controller.log()
