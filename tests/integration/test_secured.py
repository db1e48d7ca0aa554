"""A shop at work on the secured broker and Redis: nothing that the programs do is refused there."""
import os
import re
import subprocess

import pytest

from harness import ADA, BIN, EVE, MACHINES, USERS, Controller, Machine, wait_until
from processes import TIMEOUT_S
from secured import Secured, SecuredRedis
from services import clean_environment
from simulator import Simulator
from watcher import TOKEN, Watcher

PEOPLE = ("op.ada", "ad.grace")
ACCOUNTS = ("saw", "lathe", "svc.controller-one", "svc.controller-two", "svc.watcher",
            "ha.home") + PEOPLE


class SecuredShop:
    """Two controllers, the second as if on another host; a watcher; the saw's box."""

    def __init__(self, scratch, slack):
        self.scratch = scratch
        self.broker = Secured(scratch, MACHINES).add(*ACCOUNTS)
        self.redis = SecuredRedis(scratch)
        self.controllers = [self._controller("one"), self._controller("two",
                                                                      self.broker.devices)]
        self.watcher = Watcher(scratch, self.broker, {
            "mqtt": self.broker.account("svc.watcher"),
            "slack": {"bot_token": TOKEN, "control_channel": "control",
                      "api_url": slack.api_url}})
        # The simulator has a connection of its own beside its box's.
        self.box = Simulator(
            scratch, self.broker.people_tls, MACHINES, USERS, "--username", "saw", "--ca-file",
            self.broker.ca_file, names=("saw",)).controlled(scratch)
        self.box.environment = clean_environment(
            {"TAGOUT_MQTT_PASSWORD": self.broker.passwords["saw"]})
        self.denied = 0
        self.inis = {name: self._write_ini(name) for name in PEOPLE}

    def _controller(self, identity, door=None):
        account = self.broker.account(f"svc.controller-{identity}", door)
        return Controller(self.scratch, self.broker, self.redis, MACHINES, USERS,
                          identity=identity, settings={
                              "mqtt": account, "redis": self.redis.settings,
                              "homeassistant": {"discovery": "true"}})

    def _write_ini(self, name):
        path = os.path.join(self.scratch, f"{name}.ini")
        with open(path, "w", encoding="utf-8", opener=private) as file:
            file.write("[mqtt]\n")
            door = self.broker.people_tls if name == "ad.grace" else None
            for key, value in self.broker.account(name, door).items():
                file.write(f"{key} = {value}\n")
        return path

    def start(self):
        self.broker.start()
        self.redis.start()
        for controller in self.controllers:
            controller.start()
        self.watcher.start()
        self.box.start().ready()
        return self

    def ctl(self, name, *arguments, status=0):
        done = subprocess.run(
            [os.path.join(BIN, "tagoutctl"), "-c", self.inis[name], *arguments], check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3 * TIMEOUT_S,
            env=clean_environment({"NO_COLOR": "1"}))
        assert done.returncode == status, done
        return done.stdout + done.stderr

    def card_out(self):
        """The box has seen that it is out, which a polled reader takes its time for."""
        eyes = self.broker.login("op.ada")
        since = eyes.position()
        self.box.tell("saw card out")
        eyes.subscribe("tagout/machine/saw/state")
        eyes.wait_for("tagout/machine/saw/state", lambda m: m.json["card"] is None, since=since)
        eyes.close()

    def try_to_reload(self, name):
        """By hand, under their own name and an admin's; then the new machine would be known."""
        for controller in self.controllers:
            controller.write(machines=dict(MACHINES, new={"authorizations_or": ["woodshop"]}))
        client = self.broker.login(name)
        for account in (name, "ad.grace"):
            client.publish(f"tagout/request/{account}/reload", {"force": True})
        answer = client.request("status", {"machine": "new"}, account=name)
        assert answer["status"] == "error" and "no machine is called" in answer["error"]
        client.close()
        self.denied += 2

    def stop(self):
        for process in (self.box, self.watcher, *self.controllers):
            process.stop() if hasattr(process, "stop") else process.terminate()

    def kill(self):
        for process in (self.box, self.watcher, *self.controllers, self.redis, self.broker):
            process.kill()


def private(path, flags):
    return os.open(path, flags, 0o600)


@pytest.fixture
def shop(scratch, slack):
    one = SecuredShop(scratch, slack)
    try:
        yield one.start()
    finally:
        one.kill()


def test_a_day_in_the_secured_shop(shop, slack):
    shop.box.tell("saw card in Ada", "expect saw relay on within 10 s")
    assert "Ada" in shop.ctl("op.ada", "status", "saw")
    assert "Ada" in shop.ctl("op.ada", "why", "Table Saw")
    shop.ctl("op.ada", "lockout", "saw", "--now", "--reason", "blade")
    shop.box.tell("expect saw relay off within 10 s")
    shop.card_out()
    shop.ctl("op.ada", "clear", "saw")
    shop.box.tell("saw card in Ada", "expect saw relay on within 10 s")
    shop.ctl("op.ada", "end", "saw")
    shop.box.tell("expect saw relay off within 10 s")
    shop.card_out()
    shop.ctl("op.ada", "oops", "saw")
    shop.ctl("op.ada", "clear", "saw")

    assert 'may not ask for "reload": an admin\'s may' in shop.ctl("op.ada", "reload", status=1)
    shop.try_to_reload("op.ada")
    assert "1 added" in shop.ctl("ad.grace", "reload")
    lathe = Machine(shop.broker.login("lathe"), "lathe")
    lathe.report()
    lathe.report(card=EVE)
    assert EVE in shop.ctl("ad.grace", "card", "lathe")
    lathe.report(card="")
    shop.ctl("ad.grace", "block", "--fob", ADA)
    assert lathe.report(card=ADA)["relay"] is False
    lathe.report(card="")
    shop.ctl("ad.grace", "unblock", "--fob", ADA)
    assert lathe.report(card=ADA)["relay"] is True
    lathe.client.close()
    shop.ctl("ad.grace", "restart", "saw", "--wait", "10")
    assert "nothing" in shop.ctl("ad.grace", "forget", "nothing", status=1)
    assert "control" in shop.ctl("ad.grace", "test-alert")
    slack.wait_for("Test alert", channel="control")

    home = shop.broker.login("ha.home")
    for topic in ("homeassistant/#", "tagout/#"):
        home.subscribe(topic)
    home.publish("homeassistant/status", "online", qos=0)
    message = home.wait_for("homeassistant/device/tagout_saw/config").json
    button = message["components"]["lockout_button"]
    home.publish(button["command_topic"], button["payload_press"])
    home.wait_for("tagout/machine/saw/state", lambda m: m.json["lockout"])
    home.close()

    assert "two" in shop.ctl("ad.grace", "handover")
    wait_until(lambda: re.search(r"two +leads", shop.ctl("op.ada", "status", "--controllers")),
               "two leads")
    shop.ctl("op.ada", "clear", "saw", "--lockout")
    shop.box.tell("saw card in Ada", "expect saw relay on within 10 s")
    assert shop.redis.hash("tagout:machine:saw")["epoch"]
    shop.stop()
    assert shop.redis.command("ACL", "LOG") == []
    denied = [line for line in shop.broker.log().splitlines() if "Denied" in line]
    assert len(denied) == shop.denied, denied


@pytest.mark.parametrize("program, username, says", [
    ("tagoutd", "svc.controller-two", 'may not speak for [controller] id "one"'),
    ("tagoutd", "svc.watcher", "a controller's begins with svc.controller-"),
    ("tagout-watcher", "svc.controller-one", "a watcher's begins with svc.watcher"),
])
def test_a_service_with_somebody_elses_account_does_not_start(scratch, program, username, says):
    """They would throw each other out for ever, or speak and not be heard."""
    path = os.path.join(scratch, "tagout.ini")
    with open(path, "w", encoding="utf-8", opener=private) as file:
        file.write(f"[controller]\nid = one\n[mqtt]\nusername = {username}\npassword = x\n")
    for name, content in (("machines.json", "{}"), ("users.json", "[]")):
        with open(os.path.join(scratch, name), "w", encoding="utf-8") as file:
            file.write(content)
    done = subprocess.run([os.path.join(BIN, program), "-c", path], check=False, text=True,
                          capture_output=True, timeout=TIMEOUT_S, env=clean_environment())
    assert done.returncode == 2 and says in done.stderr, done


REFUSED = [("GET", "other"), ("SET", "other", "1"), ("DEL", "other"), ("HGETALL", "other:machine"),
           ("EVAL", "return redis.call('GET', 'other')", "0"),
           ("EVAL", "return redis.call('GET', KEYS[1])", "1", "other"),
           ("KEYS", "*"), ("TYPE", "other"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("ACL", "LIST"),
           ("SCRIPT", "FLUSH"), ("SHUTDOWN",), ("CLIENT", "LIST"),
           ("RENAME", "tagout:lease", "tagout:x"), ("SAVE",), ("MONITOR",),
           ("PUBLISH", "x", "y"), ("SUBSCRIBE", "x"), ("EXPIRE", "tagout:lease", "1")]


def test_the_user_of_redis_touches_our_keys_by_our_commands_and_nothing_else(scratch):
    redis = SecuredRedis(scratch)
    ours = {"user": "tagout", "password": redis.PASSWORD}
    try:
        redis.start()
        redis.command("SET", "other", "kept")
        assert redis.command("SET", "tagout:x", "1", **ours) == "OK"
        assert redis.command("GET", "tagout:x", **ours) == "1"
        for words in REFUSED:
            with pytest.raises(RuntimeError, match="NOPERM|can't access"):
                print(words, redis.command(*words, **ours))
        assert redis.command("GET", "other") == "kept"
        for stranger in ({"user": "tagout", "password": "guess"},
                         {"user": "default", "password": ""}):
            with pytest.raises(RuntimeError, match="WRONGPASS"):
                redis.command("GET", "tagout:x", **stranger)
        with pytest.raises(RuntimeError, match="NOAUTH"):
            redis.commands([("GET", "tagout:x")])
        for key, value in (("appendonly", "yes"), ("appendfsync", "everysec"), ("save", ""),
                           ("maxmemory-policy", "noeviction")):
            assert redis.command("CONFIG", "GET", key) == [key, value]
    finally:
        redis.kill()


def has_read_its_log(redis):
    try:
        return redis.command("GET", "tagout:none") is None
    except RuntimeError:
        return False  # LOADING


def test_what_was_written_together_is_there_after_a_restart_of_redis(scratch):
    """Redis reads its log as the default user, and a transaction of who may do nothing is lost."""
    redis = SecuredRedis(scratch)
    write = "redis.call('SET', KEYS[1], '1') redis.call('SET', KEYS[2], '1')"
    try:
        redis.start()
        answers = redis.commands([
            ("AUTH", "tagout", redis.PASSWORD),
            ("MULTI",), ("SET", "tagout:a", "1"), ("SET", "tagout:b", "1"), ("EXEC",),
            ("EVAL", write, "2", "tagout:c", "tagout:d")])
        assert answers[4] == ["OK", "OK"]
        redis.stop()
        redis.start()
        wait_until(lambda: has_read_its_log(redis), "Redis has read its log")
        assert [redis.command("GET", f"tagout:{key}") for key in "abcd"] == ["1"] * 4
    finally:
        redis.kill()
