"""Who may do what on the broker, on the files that we ship and that tagoutctl writes: every account
against every topic and verb (C2, C6).

Mosquitto refuses no subscription and no publication in words; it only does not deliver. So each
test waits for one more message, which may pass and which comes behind all others.
"""
import os
import re
import resource
import subprocess
import sys
import uuid

import paho.mqtt.client as paho
import pytest

from harness import MACHINES, wait_until
from secured import CONFIG, Secured, settings_of
from services import BIN

PREFIX = "tagout"
VERBS = ("oops", "lockout", "clear", "end", "block", "unblock", "card", "restart", "forget",
         "handover", "reload", "status", "why", "test-alert")
OPERATORS = ("oops", "lockout", "clear", "end", "status", "why")

DEVICES = ("saw", "lathe")
PEOPLE = ("op.ada", "op.bob", "ad.grace")
SERVICES = ("ha.home", "svc.watcher", "svc.controller-one", "svc.controller-two")
ACCOUNTS = DEVICES + PEOPLE + SERVICES
SPY = "spy"  # an account of the shop's own, which hears and says everything

OF_MACHINE = ("report", "link", "pong", "command", "probe", "restart", "state", "telemetry",
              "event", "set/oops", "set/lockout", "set/other", "other")


def all_topics():
    """Each topic of C2, of each machine, account, controller and service here; and some more."""
    topics = [f"machine/{machine}/{name}" for machine in DEVICES + ("op.ada", "svc.watcher")
              for name in OF_MACHINE]
    topics += [f"{kind}/{account}/{verb}" for kind in ("request", "response")
               for account in ("saw", "op.ada", "op.bob", "ad.grace", "ha.home", "local")
               for verb in VERBS + ("unknown",)]
    topics += [f"controller/{one}/{name}" for one in ("one", "two") for name in
               ("status", "marker")]
    topics += ["controller/blocks", "fleet/save_timeout", "fleet/alert", "service/redis",
               "service/watcher", "machine", "request/op.ada", "x"]
    return [f"{PREFIX}/{topic}" for topic in topics] + [
        "homeassistant/status", "homeassistant/device/tagout_saw/config", "homeassistant/x",
        "tagout2/machine/saw/report", "saw", "op.ada", "$SYS/broker/uptime"]


def own(account, names):
    """What every account has for its own name, which for all but a device's is no machine."""
    return [f"{PREFIX}/machine/{account}/{name}" for name in names]


def under(*filters):
    return [f"{PREFIX}/{one}" for one in filters]


LOOK = under("machine/+/link", "machine/+/state", "machine/+/telemetry", "machine/+/event",
             "controller/+/status", "fleet/save_timeout", "fleet/alert", "service/+")


def may_write(account):
    filters = own(account, ("report", "link", "pong"))
    if account.startswith("op."):
        filters += under(*(f"request/{account}/{verb}" for verb in OPERATORS))
    elif account.startswith("ad."):
        filters += under(*(f"request/{account}/{verb}" for verb in VERBS))
    elif account == "ha.home":
        filters += under("machine/+/set/oops", "machine/+/set/lockout") + ["homeassistant/#"]
    elif account == "svc.watcher":
        filters += under("fleet/alert", "service/+", "response/+/test-alert")
    elif account.startswith("svc.controller-"):
        one = account.split("-")[1]
        filters += under(
            "machine/+/command", "machine/+/probe", "machine/+/restart", "machine/+/state",
            "machine/+/telemetry", "machine/+/event", "response/+/+", f"controller/{one}/status",
            f"controller/{one}/marker", "controller/blocks", "fleet/save_timeout")
        filters += ["homeassistant/device/+/config"]
    return filters


def may_read(account):
    filters = own(account, ("command", "probe", "restart"))
    if account in PEOPLE:
        filters += LOOK + under(f"response/{account}/+")
    elif account == "ha.home":
        filters += LOOK + ["homeassistant/#"]
    elif account == "svc.watcher":
        filters += [one for one in LOOK if "telemetry" not in one] + under("request/+/test-alert")
    elif account.startswith("svc.controller-"):
        filters += under(
            "machine/+/report", "machine/+/link", "machine/+/pong", "machine/+/state",
            "machine/+/set/oops", "machine/+/set/lockout", "request/+/+", "controller/+/status",
            f"controller/{account.split('-')[1]}/marker", "controller/blocks", "service/+")
        filters += ["homeassistant/status"]
    return filters


def allowed(filters, topics):
    return {topic for topic in topics
            if any(paho.topic_matches_sub(one, topic) for one in filters)}


@pytest.fixture
def secured(scratch):
    broker = Secured(scratch, MACHINES).add(SPY, *ACCOUNTS)
    broker.allow(f"user {SPY}\ntopic readwrite #\n")
    broker.add("ad.last").ctl("account", "remove", "ad.last")  # own rules outlive a change
    try:
        yield broker.start()
    finally:
        broker.kill()


@pytest.fixture
def login(secured):
    clients = []

    def make(name, door=None, **options):
        clients.append(secured.login(name, door, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def visit(door, name, password, client_id, will=None):
    """Comes in and goes without a goodbye; the broker's answer: 0 is yes, 5 is no."""
    answers = []
    client = paho.Client(client_id)
    if name:
        client.username_pw_set(name, password)
    if door.ca_file:
        client.tls_set(door.ca_file)
    if will:
        client.will_set(*will)
    client.on_connect = lambda _client, _data, _flags, status: answers.append(status)
    client.connect(*door.address)

    def is_answered():
        client.loop(0.05)
        return answers

    wait_until(is_answered, "the broker answers")
    if client.socket():
        client.socket().close()
    return answers[0]


def heard(client, since, marker):
    """All topics that came before the marker."""
    client.wait_for("#", lambda m: m.text == marker, since=since)
    return {m.topic for m in client.messages("#", since) if m.text != marker}


# ---- every account against every topic ----

def test_every_topic_and_verb_of_the_code_is_tried():
    program = os.path.join(BIN, "print_topics")
    table = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    rules = subprocess.run([program, "--acl", PREFIX, "ad.grace"], check=True,
                           capture_output=True, text=True).stdout
    kinds = [re.sub("<[a-z]+>", "+", name) for name in re.findall("`<p>/([^`]*)`", table)]
    assert len(kinds) > 15
    for kind in kinds:
        assert allowed([f"{PREFIX}/{kind}"], all_topics()), f"{kind} is not tried"
    assert set(re.findall("request/ad.grace/(.*)", rules)) == set(VERBS)


def test_each_account_writes_what_its_role_may_and_nothing_else(login):
    spy = login(SPY)
    for topic in ("#", "$SYS/broker/uptime"):
        spy.subscribe(topic)
    topics = all_topics()
    for account in ACCOUNTS:
        client = login(account)
        for payload, retain in (("live", False), ("kept", True)):
            since = spy.position()
            for topic in topics:
                client.publish(topic, payload, retain=retain, wait=False)
            marker = uuid.uuid4().hex
            client.publish(f"{PREFIX}/machine/{account}/pong", marker)
            came = {topic for topic in heard(spy, since, marker) if not topic.startswith("$SYS")}
            assert came == allowed(may_write(account), topics), account


def test_each_account_reads_what_its_role_may_and_nothing_else(login):
    clients = {account: login(account) for account in ACCOUNTS}
    topics = [topic for topic in all_topics() if not topic.startswith("$")]
    for client in clients.values():
        for topic in ["#", f"{PREFIX}/#", "$SYS/#", *topics]:
            client.subscribe(topic)
    spy = login(SPY)
    for topic in topics:
        spy.publish(topic, "live", wait=False)
    for account, client in clients.items():
        marker = uuid.uuid4().hex
        spy.publish(f"{PREFIX}/machine/{account}/command", marker)
        assert heard(client, 0, marker) == allowed(may_read(account), topics), account


def test_what_is_retained_is_no_way_around_it(login):
    spy = login(SPY)
    topics = [topic for topic in all_topics() if not topic.startswith("$")]
    for topic in topics:
        spy.publish(topic, "kept", retain=True, wait=False)
    for account in ACCOUNTS:
        client = login(account)
        client.subscribe("#")
        client.subscribe("$share/group/#")
        marker = uuid.uuid4().hex
        spy.publish(f"{PREFIX}/machine/{account}/probe", marker)
        came = heard(client, 0, marker)
        assert came == allowed(may_read(account), topics), account
        assert came, account
        client.close()


def test_a_last_will_is_no_way_around_it(secured, login):
    spy = login(SPY)
    spy.subscribe("#")
    for account in ("saw", "op.ada", "ha.home", "svc.watcher"):
        for topic in ("machine/lathe/report", "machine/lathe/command", "request/ad.grace/reload"):
            assert visit(secured.door_of(account), account, secured.passwords[account],
                         "tagout-x", (f"{PREFIX}/{topic}", "forged", 1, True)) == 0
    since = spy.position()
    visit(secured.devices, "saw", secured.passwords["saw"], "tagout-saw",
          (f"{PREFIX}/machine/saw/link", "lost", 1, True))
    spy.wait_for(f"{PREFIX}/machine/saw/link", lambda m: m.text == "lost", since=since)
    assert not [m for m in spy.messages() if m.text == "forged"]


# ---- who comes in, and as whom ----

def test_nobody_comes_in_without_a_name_and_its_password(secured):
    doors = (secured.services, secured.people, secured.devices, secured.people_tls)
    for door in doors:
        for name, password in ((None, None), ("saw", ""), ("saw", "guess"), ("op.ada", None),
                               ("op.ada", secured.passwords["op.bob"]), ("local", "local")):
            assert visit(door, name, password, "tagout-x") == 5, (door.url, name)
        assert visit(door, "saw", secured.passwords["saw"], "tagout-x") == 0


def test_a_device_cannot_take_over_anothers_client_id(secured, login):
    login("saw")
    lathe = login("lathe", client_id="tagout-saw")  # it is "lathe" all the same
    assert_connected(secured, ["saw", "lathe"])
    for door in (secured.people, secured.people_tls, secured.devices, secured.services):
        for client_id in ("saw", "svc.controller-one"):
            assert visit(door, "lathe", secured.passwords["lathe"], client_id) == 5
    lathe.wait_connected()
    assert_connected(secured, ["saw"])


def test_nobody_takes_over_a_services_client_id(secured, login):
    login("svc.controller-one", client_id="tagout-controller-one")
    login("op.ada", client_id="tagout-controller-one")
    login("lathe", secured.people, client_id="tagout-svc.controller-one")
    for door in (secured.people, secured.people_tls):
        for name in ("op.ada", "ad.grace", "lathe"):
            password = secured.passwords[name]
            assert visit(door, name, password, "svc.controller-one") == 5, name
    assert_connected(secured, ["svc.controller-one"])


def assert_connected(secured, ids):
    """None of them was thrown out: the broker would have said so."""
    for name in ids:
        assert f" as {name} (" in secured.log()
        assert f"Client {name} already connected" not in secured.log()
        assert f"Client {name} disconnected" not in secured.log()


def test_a_person_may_be_there_twice_and_without_a_client_id(secured, login):
    first = login("op.ada")
    second = login("op.ada")
    for client in (first, second):
        client.subscribe(f"{PREFIX}/fleet/alert")
    assert visit(secured.people, "op.ada", secured.passwords["op.ada"], "") == 0
    login("svc.watcher").publish(f"{PREFIX}/fleet/alert", "{}")
    for client in (first, second):
        client.wait_for(f"{PREFIX}/fleet/alert")


def test_the_old_password_of_a_box_is_dead_at_once_and_nobody_else_notices(secured, login):
    thief = login("saw")
    others = [login(name) for name in ("lathe", "op.ada", "svc.controller-one")]
    old = secured.passwords["saw"]
    secured.add("saw", verb="replace")
    assert visit(secured.devices, "saw", old, "tagout-saw") == 0  # until Mosquitto is told
    secured.reread()
    wait_until(lambda: not thief.is_connected(), "the thief is thrown out")
    assert visit(secured.devices, "saw", old, "tagout-saw") == 5
    assert visit(secured.devices, "saw", secured.passwords["saw"], "tagout-saw") == 0
    for name in ("lathe", "op.ada", "svc.controller-one"):
        assert f"{name} disconnected" not in secured.log()
    assert all(client.is_connected() for client in others)


def test_a_removed_account_loses_what_it_hears_at_once(secured, login):
    bob = login("op.bob")
    secured.ctl("account", "remove", "op.bob")
    secured.reread()
    wait_until(lambda: not bob.is_connected(), "it is thrown out")
    assert visit(secured.people, "op.bob", secured.passwords["op.bob"], "tagout-x") == 5
    with open(secured.files["acl_file"], encoding="utf-8") as file:
        assert "op.bob" not in file.read()


def test_a_message_that_nobody_needs_throws_its_sender_out_before_anybody_reads_it(secured, login):
    """The controller would have to take it in, only to refuse it."""
    thief, controller = login("saw"), login("svc.controller-one")
    for name in ("report", "link"):
        controller.subscribe(f"{PREFIX}/machine/+/{name}")
    thief.publish(f"{PREFIX}/machine/saw/report", "x" * 192 * 1024)
    controller.wait_for(f"{PREFIX}/machine/saw/report")
    since = controller.position()
    thief.publish(f"{PREFIX}/machine/saw/link", "x" * 300 * 1024, 0, True,
                  wait=False)
    secured.wait_log(re.compile("Client saw disconnected due to oversize packet"))
    login("lathe").publish(f"{PREFIX}/machine/lathe/link", "online")
    controller.wait_for(f"{PREFIX}/machine/lathe/link", since=since)
    assert controller.messages(f"{PREFIX}/machine/saw/link", since=since) == []


# Until its input ends. A process of its own, for paho's client knows no descriptor above 1023.
STRANGERS = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
strangers = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(1100)]
print(len(strangers), flush=True)
sys.stdin.read()
"""


def test_who_uses_up_the_boxes_connections_keeps_nobody_on_this_host_out(secured, login):
    """None of his needs a password. 1024 descriptors are what systemd allows the broker."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.prlimit(secured.pid, resource.RLIMIT_NOFILE, (1024, hard))
    box = login("lathe")
    with subprocess.Popen([sys.executable, "-c", STRANGERS, str(secured.devices.address[1])],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as strangers:
        assert strangers.stdout.readline() == b"1100\n"
        secured.wait_log(re.compile(r"Client connection from \S+ denied"))
        for name in ("op.ada", "svc.controller-one"):
            login(name)
        assert box.is_connected()
        strangers.stdin.close()


def test_the_trials_broker_is_for_this_host_alone_and_otherwise_the_same():
    trial = settings_of(os.path.join(os.path.dirname(CONFIG), "trial.conf"))
    assert [value for key, value in trial if key == "listener"] == ["1883 127.0.0.1"]
    who_comes_in = (["listener", "1883 127.0.0.1"], ["allow_anonymous", "true"])
    shipped = settings_of(CONFIG)
    assert [line for line in trial if line not in who_comes_in and line not in shipped] == []


def test_only_listeners_with_tls_are_on_the_network():
    listeners = []
    for key, value in settings_of(CONFIG):
        if key == "listener":
            listeners.append([value])
        elif listeners:
            listeners[-1].append(key)
    for listener in listeners:
        on_loopback = listener[0].endswith(" 127.0.0.1")
        assert on_loopback != ("certfile" in listener and "keyfile" in listener), listener
    assert [listener[0].split()[0] for listener in listeners] == ["1883", "1884", "8883", "8884"]
