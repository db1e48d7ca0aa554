"""Which configuration tagoutctl reads where none is named, and which it does not take."""
import os
import re
import subprocess

import pytest

from ctl_shop import CTL, Result, bare
from harness import TIMEOUT_S, clean_environment
from secured import Secured

ADMIN = "[mqtt]\nurl = mqtt://127.0.0.1:1\nusername = ad.grace\npassword = x\n"
HOST = "[mqtt]\nurl = mqtt://127.0.0.1:2\n[mosquitto]\npassword_file = passwords\nacl_file = acl\n"


class Place:
    """A configuration's directory, where tagoutctl looks by itself."""

    def __init__(self, folder, **files):
        self.folder = os.path.realpath(folder)
        for name, text in files.items():
            self.write(f"{name}.ini", text)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def run(self, *arguments, **environment):
        return bare(*arguments, environment=dict(environment, TAGOUTCTL_DIRECTORY=self.folder))

    def run_as_stranger(self, *arguments, **environment):
        """As somebody to whom a file's mode means something, which to root it does not."""
        caps = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        command = (caps if os.getuid() == 0 else []) + [CTL, *arguments]
        return Result(subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=2 * TIMEOUT_S, env=clean_environment(dict(environment, TAGOUTCTL_DIRECTORY=self.folder))))


def broker_of(result):
    """Which of the two files was read: none of both brokers is there."""
    return re.search(r"the broker at (\S+) is out of reach", result.err).group(1)


# ---- where none is named ----

def test_what_asks_the_controller_takes_the_admins_file_before_the_hosts(scratch):
    place = Place(scratch, admin=ADMIN, tagout=HOST)
    for verb in (["status"], ["reload"], ["test-alert"], ["lockout", "saw"]):
        assert broker_of(place.run(*verb)) == "mqtt://127.0.0.1:1"
    os.remove(place.path("admin.ini"))
    assert broker_of(place.run("status")) == "mqtt://127.0.0.1:2"


def test_a_file_or_a_variable_that_is_named_wins(scratch):
    place = Place(scratch, admin=ADMIN, tagout=HOST)
    assert broker_of(place.run("-c", place.path("tagout.ini"), "status")) == "mqtt://127.0.0.1:2"
    assert broker_of(
        place.run("status", TAGOUT_MQTT_URL="mqtt://127.0.0.1:3")) == "mqtt://127.0.0.1:3"


def test_what_works_on_this_host_takes_the_hosts(scratch):
    place = Place(scratch, admin=ADMIN, tagout=HOST)
    place.write("machines.json", "{}")
    assert place.run("device", "add", "saw").code == 0
    assert sorted(os.listdir(scratch)) == ["acl", "admin.ini", "machines.json", "passwords",
                                           "tagout.ini"]
    place.write("tagout.ini", HOST + "[audit]\ndirectory = none\n")
    assert place.path("none") in place.run("log").err
    place.write("tagout.ini", "[audit]\nkeep = 1\n")
    for verb in (["device", "list"], ["account", "list"], ["log"],
                 ["backup", place.path("backup")]):
        result = place.run(*verb)
        assert result.code == 2 and "[audit] keep: unknown key" in result.err


def test_a_secret_that_the_hosts_file_wants_may_stand_beside_it_as_for_the_services(scratch):
    place = Place(scratch, tagout=HOST + "[redis]\nusername = tagout\n")
    assert "[redis] username: needs password too" in place.run("account", "list").err
    with open(place.path("environment"), "w", encoding="utf-8") as file:
        file.write("TAGOUT_REDIS_PASSWORD=x\n")
    assert place.run("account", "list").code == 0
    os.chmod(place.path("environment"), 0)
    assert "needs password too" in place.run_as_stranger("account", "list").err


def test_a_secret_may_stand_where_systemd_keeps_such_beside_the_directory(scratch):
    folders = [os.path.join(scratch, name) for name in ("tagout", "credstore", "empty")]
    for folder in folders:
        os.mkdir(folder, 0o700)
    place = Place(folders[0], tagout=HOST)
    place.write("tagoutd.environment", "TAGOUT_REDIS_USERNAME=tagout\n")
    assert "TAGOUT_REDIS_USERNAME: needs password too" in place.run("account", "list").err
    place.write("../credstore/tagout.redis_password", "x\n")
    assert place.run("account", "list").code == 0
    other = place.run("account", "list", CREDENTIALS_DIRECTORY=folders[2])
    assert "needs password too" in other.err


def test_where_there_is_neither_every_key_has_its_default(scratch):
    place = Place(scratch)
    result = place.run("account", "list", TAGOUT_MOSQUITTO_PASSWORD_FILE=place.path("passwords"))
    assert (result.code, result.out) == (0, f"No accounts in {place.path('passwords')}.\n")


def test_who_may_not_read_the_admins_file_goes_on_without_and_is_told_when_that_fails(scratch):
    place = Place(scratch, admin=ADMIN, tagout=HOST)
    os.chmod(place.path("admin.ini"), 0)
    away = place.run_as_stranger("status")
    assert broker_of(away) == "mqtt://127.0.0.1:2"
    assert f"{place.path('admin.ini')} tells the way in, and this user may not" in away.err
    assert "way in" not in place.run_as_stranger("-c", place.path("tagout.ini"), "status").err
    broker = Secured(scratch).add("op.ada")
    try:
        broker.start()
        url = broker.people.url
        refused = place.run_as_stranger("status", TAGOUT_MQTT_URL=url)
        assert refused.code == 1 and "does not let us in" in refused.err
        assert f"{place.path('admin.ini')} tells the way in, and this user may not" in refused.err
        assert "sudo tagoutctl" in refused.err
        nothing = place.run_as_stranger("-c", place.path("tagout.ini"), "status",
                                        TAGOUT_MQTT_URL=url)
        assert "we have no account for it: -c FILE" in nothing.err
        own = place.run_as_stranger("status", TAGOUT_MQTT_URL=url, TAGOUT_MQTT_USERNAME="op.ada",
                                    TAGOUT_MQTT_PASSWORD=broker.passwords["op.ada"])
        assert "the controller does not answer" in own.err  # it was let in
    finally:
        broker.kill()


def test_who_may_not_read_the_hosts_file_is_told_so_where_it_is_needed(scratch):
    place = Place(scratch, tagout=HOST)
    os.chmod(place.path("tagout.ini"), 0)
    result = place.run_as_stranger("device", "list")
    assert result.code == 2
    assert (f"{place.path('tagout.ini')}: cannot be read: Permission denied for the account "
            in result.err)
    assert "next: sudo tagoutctl device ..." in result.err


# ---- what is not taken ----

@pytest.mark.parametrize("verb", [["device", "list"], ["account", "add", "op.ada"], ["log"],
                                  ["backup", "file"], ["restore", "file"]])
def test_a_persons_file_is_refused_by_what_works_on_this_host(scratch, verb):
    place = Place(scratch, admin="", grace=ADMIN, tagout=HOST)
    for name in ("admin.ini", "grace.ini"):
        result = place.run("-c", place.path(name), *verb)
        assert result.code == 2
        assert f"{place.path(name)} is a person's file" in result.err
        assert f"next: tagoutctl -c {place.path('tagout.ini')} {verb[0]}\n" in result.err
    assert sorted(os.listdir(scratch)) == ["admin.ini", "grace.ini", "tagout.ini"]


def test_a_persons_file_of_another_folder_is_pointed_to_the_hosts_own(scratch):
    place = Place(scratch, tagout=HOST)
    os.mkdir(place.path("home"))
    place.write("home/grace.ini", ADMIN)
    result = place.run("-c", place.path("home/grace.ini"), "log")
    assert f"next: tagoutctl -c {place.path('tagout.ini')} log\n" in result.err


def test_of_certificates_only_the_folder_counts(scratch):
    place = Place(scratch, admin=ADMIN)
    assert "ca/ca.crt: No such file" in place.run("-c", place.path("admin.ini"), "ca", "show").err


@pytest.mark.parametrize("account", ["svc.controller-one", "svc.watcher", "ha.home"])
def test_a_services_account_is_not_taken_for_the_broker_would_throw_the_service_out(
        scratch, account):
    place = Place(scratch, tagout=f"{HOST}[redis]\n")
    result = place.run("status", TAGOUT_MQTT_USERNAME=account)
    assert result.code == 2
    assert f"{account} is the account of a service" in result.err
    assert "tagoutctl account add ad.NAME --output" in result.err
    assert place.run("account", "list", TAGOUT_MQTT_USERNAME=account).code == 0
