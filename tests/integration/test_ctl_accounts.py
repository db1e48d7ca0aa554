"""tagoutctl device and account: files of the broker, changed on its host without asking anybody."""
import base64
import fcntl
import hashlib
import json
import os
import stat

import pytest
import yaml

from ctl_shop import bare
from secured import OWN_BEGIN
from services import ROOT

MACHINES = {"table-saw": {"authorizations_or": ["wood"]}, "lathe": {"authorizations_or": ["metal"]}}


class Host:
    """A folder with tagout.ini, machines.json and the broker's two files."""

    def __init__(self, folder):
        self.folder = folder
        self.write("tagout.ini", "[mosquitto]\npassword_file = passwords\nacl_file = acl\n")
        self.write("machines.json", json.dumps(MACHINES))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def mode(self, name):
        return stat.S_IMODE(os.stat(self.path(name)).st_mode)

    def run(self, *arguments, environment=None):
        return bare("-c", self.path("tagout.ini"), *arguments, environment=environment)

    def does(self, *arguments, **options):
        result = self.run(*arguments, **options)
        assert (result.code, result.err) == (0, ""), result
        return result

    def refuses(self, *arguments, code=1):
        """What it says; and nothing has changed."""
        before = self.contents()
        result = self.run(*arguments)
        assert result.code == code, result
        assert result.out == ""
        assert self.contents() == before
        return result.err

    def contents(self):
        return {name: self.read(name) for name in os.listdir(self.folder)
                if os.path.isfile(self.path(name))}

    def passwords(self):
        return dict(line.split(":", 1) for line in self.read("passwords").splitlines())

    def rules_of(self, account):
        paragraphs = self.read("acl").split("\n\n")
        return next((p for p in paragraphs if p.startswith(f"user {account}\n")), None)


@pytest.fixture
def host(scratch):
    return Host(scratch)


def is_hash_of(text, password):
    kind, iterations, salt, key = text.split("$")[1:]
    assert kind == "7"
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt),
                               int(iterations))
    return made == base64.b64decode(key)


# ---- what is written ----

def test_a_password_is_random_and_kept_as_mosquitto_keeps_it(host):
    made = [json.loads(host.run("device", "add", name, "--json").out) for name in ("a", "b")]
    assert [one["account"] for one in made] == ["a", "b"]
    for one in made:
        assert len(one["password"]) == 24 and one["password"].isalnum()
        assert is_hash_of(host.passwords()[one["account"]], one["password"])
        assert one["password"] not in host.read("passwords")
    assert not is_hash_of(host.passwords()["a"], made[1]["password"])


def test_the_rules_are_those_of_the_accounts_that_there_are(host):
    host.does("account", "add", "op.ada")
    host.does("account", "add", "svc.controller-one")
    host.does("device", "add", "table-saw")
    assert "topic write tagout/request/op.ada/lockout" in host.rules_of("op.ada")
    assert "topic write tagout/controller/one/status" in host.rules_of("svc.controller-one")
    assert "table-saw" not in host.read("acl")  # a pattern over its own name is enough
    assert host.read("acl").count("pattern ") == 6
    host.does("account", "remove", "op.ada")
    assert host.rules_of("op.ada") is None
    assert list(host.passwords()) == ["svc.controller-one", "table-saw"]


def test_rules_follow_the_prefixes_of_the_configuration(host):
    host.write("tagout.ini", host.read("tagout.ini") + "[controller]\nprefix = west\n"
                             "[homeassistant]\ndiscovery_prefix = ha\n")
    host.does("account", "add", "ha.home")
    assert "topic write west/machine/+/set/oops" in host.rules_of("ha.home")
    assert "topic readwrite ha/#" in host.rules_of("ha.home")
    assert "pattern write west/machine/%u/report" in host.read("acl")
    assert "client ids" in host.refuses("device", "add", "west-saw", code=2)
    host.does("device", "add", "tagout-saw")


def test_the_shipped_list_has_the_same_rules(host):
    for name in ("svc.controller-one", "svc.watcher", "ha.home", "op.ada", "ad.grace"):
        host.does("account", "add", name)
    with open(os.path.join(ROOT, "deploy/mosquitto/tagout.acl"), encoding="utf-8") as file:
        shipped = file.read()
    assert rules(host.read("acl")) == rules(shipped)


def rules(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_what_others_wrote_stays(host):
    host.write("passwords", "# mine\nzigbee.bridge:$7$101$aaaa$bbbb\n\nold:plain")
    host.does("account", "add", "op.ada")
    own = "user zigbee.bridge\ntopic readwrite zigbee/#\n"
    host.write("acl", host.read("acl").replace(OWN_BEGIN, OWN_BEGIN + own))
    host.does("device", "add", "table-saw")
    host.does("account", "replace", "op.ada")
    assert host.read("passwords").startswith("# mine\nzigbee.bridge:$7$101$aaaa$bbbb\n\nold:plain\n")
    assert OWN_BEGIN + own in host.read("acl")
    # Behind our last account they would be its rules.
    assert host.read("acl").index(own) < host.read("acl").index("pattern ")
    assert "zigbee.bridge" in host.does("account", "list").out
    host.does("account", "remove", "zigbee.bridge")
    assert "zigbee.bridge" not in host.read("passwords")
    assert own in host.read("acl")  # theirs to remove


def test_a_list_that_somebody_wrote_by_hand_is_not_thrown_away(host):
    host.write("acl", "user me\ntopic readwrite #\n")
    assert "was not written by tagoutctl" in host.refuses("device", "add", "table-saw")


def test_only_the_broker_may_read_them_and_rights_once_given_stay(host):
    host.does("device", "add", "table-saw")
    assert host.mode("passwords") == host.mode("acl") == 0o640
    os.chmod(host.path("passwords"), 0o600)
    host.does("device", "add", "lathe")
    assert host.mode("passwords") == 0o600


def test_a_file_that_cannot_be_replaced_stays_whole(host):
    host.does("device", "add", "table-saw")
    os.mkdir(host.path("folder"))
    host.write("tagout.ini", "[mosquitto]\npassword_file = passwords\nacl_file = none/acl\n")
    assert "none/acl: cannot be written" in host.refuses("device", "replace", "table-saw")
    assert not [name for name in os.listdir(host.folder) if name.startswith("passwords.")]


def test_two_at_a_time_would_lose_one_so_the_second_is_refused(host):
    host.does("device", "add", "table-saw")
    folder = os.open(host.folder, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        assert "somebody else is changing it" in host.refuses("device", "add", "lathe")
        host.does("device", "list")
    finally:
        os.close(folder)
    host.does("device", "add", "lathe")


# ---- names ----

@pytest.mark.parametrize("arguments, says", [
    (("account", "add", "bob"), 'without a dot that is a machine; see "device"'),
    (("account", "add", "xx.bob"), "a name begins as its role wants it"),
    (("account", "add", "op.Bob"), "op.              a person who may look"),
    (("account", "add", "svc.controller"), "svc.controller-  tagoutd"),
    (("account", "remove", "bob"), 'without a dot that is a machine; see "device"'),
    (("device", "add", "op.ada"), "a device is called as its machine"),
    (("device", "add", "Table Saw"), "a device is called as its machine"),
    (("device", "add", "tagout-saw"), "are client ids of people"),
    (("device", "add"), "device add: which one?"),
    (("device", "list", "table-saw"), "device list: of all, not of one"),
    (("device",), "device: what is to be done with it? One of add remove replace list"),
    (("device", "ad", "x"), 'device: there is no "ad"; did you mean add?'),
    (("account", "add", "op.ada", "--esphome", "x"), '--esphome means nothing to "account"'),
])
def test_a_name_of_no_role_or_no_name_is_refused(host, arguments, says):
    assert says in host.refuses(*arguments, code=2)


def test_what_is_there_is_not_added_and_what_is_not_there_not_replaced(host):
    host.does("device", "add", "table-saw")
    assert "is there already" in host.refuses("device", "add", "table-saw")
    for action in ("replace", "remove"):
        assert "there is no such account" in host.refuses("device", action, "lathe")
        assert "there is no such account" in host.refuses("account", action, "op.ada")


# ---- what it tells ----

def test_a_new_box_gets_its_entry_and_its_password_once(host):
    assert "machines.json" not in host.does("device", "add", "table-saw").out
    out = host.does("device", "add", "bandsaw").out
    assert '"bandsaw": {"authorizations_or": ["bandsaw"]}' in out
    assert "Now tell Mosquitto:" in out
    password = next(line.strip() for line in out.splitlines() if line.startswith("    "))
    assert is_hash_of(host.passwords()["bandsaw"], password)


def test_devices_without_a_machine_and_machines_without_a_device_are_named(host):
    host.does("device", "add", "table-saw")
    host.does("device", "add", "bandsaw")
    host.does("account", "add", "op.ada")
    lines = dict(line.split(maxsplit=1) for line in host.does("device", "list").out.splitlines())
    assert lines == {"table-saw": "ok", "bandsaw": "not in machines.json",
                     "lathe": 'no account: "device add" makes one'}
    assert host.does("device", "list", "--json").json == [
        {"device": "table-saw", "account": True, "machine": True},
        {"device": "bandsaw", "account": True, "machine": False},
        {"device": "lathe", "account": False, "machine": True}]
    assert host.does("account", "list", "--json").json == [
        {"account": "op.ada", "role": "operator"}]
    os.remove(host.path("machines.json"))
    assert "machines.json: cannot be read" in host.refuses("device", "list")


def test_a_device_that_goes_and_its_machine(host):
    host.does("device", "add", "table-saw")
    out = host.does("device", "remove", "table-saw").out
    ini = host.path("tagout.ini")
    assert "still in machines.json" in out and f'"tagoutctl -c {ini} reload"' in out
    assert "thrown out" in out


def test_what_is_to_be_done_next_names_the_file_that_is_needed(host):
    host.write("admin.ini", "")
    out = host.does("device", "add", "bandsaw").out
    assert f"For {host.path('machines.json')}," in out
    assert f'"tagoutctl -c {host.path("admin.ini")} reload"' in out
    out = host.does("device", "remove", "bandsaw").out
    assert "tagoutctl" not in out  # it is no machine's


def test_a_persons_section_goes_into_a_new_file_of_their_own(host):
    result = host.does("account", "add", "op.ada", "--output", host.path("ada.ini"))
    assert host.mode("ada.ini") == 0o600
    section = dict(line.split(" = ") for line in host.read("ada.ini").splitlines()
                   if " = " in line and not line.startswith("#"))
    assert section["url"] == "mqtt://127.0.0.1:1884" and section["username"] == "op.ada"
    assert is_hash_of(host.passwords()["op.ada"], section["password"])
    assert section["password"] not in result.out
    assert result.out.startswith("op.ada: a person who may look, lock out and clear, a new password.")
    # It is one that tagoutctl can read.
    assert "out of reach" in bare("-c", host.path("ada.ini"), "status").err
    assert "File exists" in host.refuses("account", "add", "op.bob", "--output",
                                         host.path("ada.ini"))
    assert "op.bob" not in host.passwords()


SECURED = """
listener 1883 127.0.0.1
use_username_as_clientid true
listener 2884 127.0.0.1
listener 9883
use_username_as_clientid true
certfile server.crt
listener 9884
certfile server.crt
"""


def ways(text):
    """[mqtt] of it, and what stands there as a comment."""
    lines = [line for line in text.splitlines() if " = " in line]
    return ({line.split(" = ")[0]: line.split(" = ")[1] for line in lines if line[0] != "#"},
            {line.split(" = ")[0][1:]: line.split(" = ")[1] for line in lines if line[0] == "#"})


def test_an_account_is_told_the_listener_that_is_for_its_kind(host):
    assert bare("ca", "--directory", host.folder, "--host", "shop.example").code == 0
    host.write("tagout.ini", host.read("tagout.ini") + "certificate_file = ca/server.crt\n")
    shipped, from_elsewhere = ways(host.does("account", "add", "op.ada").out)
    assert shipped["url"] == "mqtt://127.0.0.1:1884"
    assert from_elsewhere == {"url": "mqtts://shop.example:8884", "ca_file": "ca.crt"}
    host.write("tagout.conf", SECURED)
    out = host.does("account", "add", "op.bob").out
    here, from_elsewhere = ways(out)
    assert here["url"] == "mqtt://127.0.0.1:2884" and "ca_file" not in here
    assert from_elsewhere["url"] == "mqtts://shop.example:9884"
    assert os.path.realpath(host.path("ca/ca.crt")) in out
    here, from_elsewhere = ways(host.does("account", "add", "svc.controller-one").out)
    assert here["url"] == "mqtt://127.0.0.1:1883"
    assert from_elsewhere["url"] == "mqtts://shop.example:9883"


def test_without_a_listener_on_loopback_or_with_a_url_that_leads_elsewhere_it_is_told_TLS(host):
    assert bare("ca", "--directory", host.folder, "--host", "shop.example").code == 0
    authority = os.path.realpath(host.path("ca/ca.crt"))
    ini = host.read("tagout.ini") + "certificate_file = ca/server.crt\n"
    host.write("tagout.ini", ini)
    host.write("tagout.conf", SECURED.replace("listener 2884 127.0.0.1\n", ""))
    here, _ = ways(host.does("account", "add", "op.ada").out)
    assert (here["url"], here["ca_file"]) == ("mqtts://localhost:9884", authority)
    host.write("tagout.conf", SECURED)
    host.write("tagout.ini", ini + "[mqtt]\nurl = mqtts://broker.example:9883\n")
    here, from_elsewhere = ways(host.does("account", "add", "op.bob").out)
    assert (here["url"], here["ca_file"]) == ("mqtts://broker.example:9884", authority)
    assert from_elsewhere == {}


def test_the_watcher_has_lines_for_its_environment(host):
    out = host.does("account", "add", "svc.watcher").out
    assert "TAGOUT_MQTT_USERNAME=svc.watcher\n" in out
    password = out.split("TAGOUT_MQTT_PASSWORD=")[1].splitlines()[0]
    assert is_hash_of(host.passwords()["svc.watcher"], password)


# ---- ESPHome ----

class Loader(yaml.SafeLoader):
    pass


Loader.add_multi_constructor("!", lambda loader, tag, node: f"!{tag} {node.value}")


def test_the_boxs_file_is_as_the_examples_and_its_password_a_secret(host):
    os.mkdir(host.path("boxes"))
    host.write("boxes/secrets.yaml", "broker_ca: |-\n  -----BEGIN\n  x\nwifi_ssid: shop")
    out = host.does("device", "add", "table-saw", "--esphome", host.path("boxes")).out
    example = os.path.join(ROOT, "devices/esphome/table-saw.yaml")
    with open(example, encoding="utf-8") as file:
        wanted = yaml.load(file, Loader)
    del wanted["packages"]["current"]
    assert yaml.load(host.read("boxes/table-saw.yaml"), Loader) == wanted
    secrets = yaml.load(host.read("boxes/secrets.yaml"), Loader)
    assert is_hash_of(host.passwords()["table-saw"], secrets.pop("table_saw_password"))
    assert secrets == {"broker_ca": "-----BEGIN\nx", "wifi_ssid": "shop"}
    assert "new: choose its parts" in out

    host.write("boxes/table-saw.yaml", "mine")
    out = host.does("device", "replace", "table-saw", "--esphome", host.path("boxes")).out
    assert host.read("boxes/table-saw.yaml") == "mine" and "as it was" in out
    after = yaml.load(host.read("boxes/secrets.yaml"), Loader)
    assert host.read("boxes/secrets.yaml").count("table_saw_password") == 1
    assert is_hash_of(host.passwords()["table-saw"], after["table_saw_password"])


def test_new_secrets_are_for_their_owner_alone(host):
    os.mkdir(host.path("boxes"))
    host.does("device", "add", "table-saw", "--esphome", host.path("boxes"))
    assert host.mode("boxes/secrets.yaml") == 0o600
    assert "take -" in host.refuses("device", "add", "table_saw", "--esphome", host.path("boxes"))


def test_no_account_without_its_boxs_file_and_no_file_without_its_account(host):
    said = host.refuses("device", "add", "lathe", "--esphome", host.path("none"))
    assert f"--esphome {host.path('none')}: No such file or directory" in said
    assert "nothing was changed" in said
    assert "tagout.ini: is no folder" in host.refuses("device", "add", "lathe", "--esphome",
                                                     host.path("tagout.ini"))
    os.makedirs(host.path("boxes/secrets.yaml"))  # cannot be replaced
    host.refuses("device", "add", "lathe", "--esphome", host.path("boxes"))
    assert os.listdir(host.path("boxes")) == ["secrets.yaml"]
    os.rmdir(host.path("boxes/secrets.yaml"))
    host.write("boxes/secrets.yaml", "wifi_ssid: shop\n")
    host.write("tagout.ini", "[mosquitto]\npassword_file = passwords\nacl_file = none/acl\n")
    host.refuses("device", "add", "lathe", "--esphome", host.path("boxes"))
    assert os.listdir(host.path("boxes")) == ["secrets.yaml"]
    assert host.read("boxes/secrets.yaml") == "wifi_ssid: shop\n"
    os.remove(host.path("boxes/secrets.yaml"))
    host.refuses("device", "add", "lathe", "--esphome", host.path("boxes"))
    assert os.listdir(host.path("boxes")) == []


# ---- telling Mosquitto ----

SIGNAL = "sudo kill -HUP $(pidof mosquitto)"


def fake_systemctl(host, status, unit="active"):
    """Its folder, the first in PATH. It ends so, and says that of the broker's unit."""
    folder = host.path("bin")
    os.mkdir(folder)
    host.write("bin/systemctl", "#!/bin/sh\n"
               f"case $1 in is-active) echo '{unit}'; [ '{unit}' = active ]; exit ;; esac\n"
               f'echo "$@" >{host.path("told")}\n'
               f"[ {status} = 0 ] || echo 'Job failed.' >&2\nexit {status}\n")
    os.chmod(host.path("bin/systemctl"), 0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_reload_tells_mosquitto(host):
    result = host.does("device", "add", "table-saw", "--reload",
                       environment=fake_systemctl(host, 0))
    assert host.read("told") == "reload mosquitto\n"
    assert "systemctl" not in result.out


def test_mosquitto_that_cannot_be_told_is_an_error_after_the_fact(host):
    result = host.run("device", "add", "table-saw", "--reload",
                      environment=fake_systemctl(host, 1))
    assert result.code == 1
    assert ("the files are written, but Mosquitto could not be told: systemctl failed: Job failed."
            in result.err)
    assert "try: sudo systemctl reload mosquitto" in result.err and SIGNAL not in result.err
    password = next(line.strip() for line in result.out.splitlines() if line.startswith("    "))
    assert is_hash_of(host.passwords()["table-saw"], password)


def test_where_the_brokers_unit_does_not_run_it_says_what_to_do_instead(host):
    result = host.run("device", "add", "table-saw", "--reload",
                      environment=fake_systemctl(host, 1, "inactive"))
    assert result.code == 1 and "table-saw" in host.passwords()
    assert "its unit is inactive; it reads them when it starts" in result.err
    assert "sudo systemctl start mosquitto" in result.err and SIGNAL in result.err
    assert "systemctl reload" not in result.err


def test_where_there_is_no_systemd_it_says_what_to_do_instead(host):
    absent = {"PATH": host.folder}
    unused = fake_systemctl(host, 1, "System has not been booted with systemd")
    for name, environment in (("table-saw", absent), ("lathe", unused)):
        result = host.run("device", "add", name, "--reload", environment=environment)
        assert result.code == 1 and name in host.passwords()
        assert f"without systemd it reads them again on a signal: {SIGNAL}" in result.err
        assert "sudo systemctl" not in result.err


def test_without_reload_it_says_how_this_host_tells_it(host):
    told = ("systemctl reload mosquitto" if os.path.isdir("/run/systemd/system") else SIGNAL)
    assert told in host.does("device", "add", "bandsaw").out


def test_it_needs_no_broker(host):
    host.write("tagout.ini", host.read("tagout.ini") + "[mqtt]\nurl = mqtt://127.0.0.1:1\n")
    host.does("device", "add", "table-saw")
